// Package serve runs a service's HTTP server and its health endpoint, and ends both gracefully.
package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// healthAddress is inside the container only: barista and kitchen have no port of their own.
const healthAddress = "127.0.0.1:5999"

// leaving is how long a stopping server still takes requests while it asks its clients, answer by
// answer, to come back on another connection.
const leaving = 2 * time.Second

// HTTP serves until the context ends, then lets running requests end. It reports itself healthy as
// soon as it listens.
func HTTP(ctx context.Context, address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	log.Printf("listening on %s", address)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    16 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	go Healthy(ctx)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	server.SetKeepAlivesEnabled(false)
	time.Sleep(leaving)
	limit, cancel := context.WithTimeout(context.Background(), 6*time.Second)
	defer cancel()
	if err := server.Shutdown(limit); err != nil {
		return server.Close()
	}
	return nil
}

// Healthy answers the health check from now until the context ends.
func Healthy(ctx context.Context) {
	server := &http.Server{
		Addr:              healthAddress,
		ReadHeaderTimeout: time.Second,
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.ListenAndServe(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		log.Printf("no health endpoint: %v", err)
	}
}

// CheckHealth is the health check itself, run as a command of its own in the container.
func CheckHealth() error {
	client := http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get("http://" + healthAddress)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	return answer.Body.Close()
}

// JSON answers with a value.
func JSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

// Problem answers with an error in the form of a gRPC gateway; code is a gRPC status code.
func Problem(w http.ResponseWriter, status, code int, message string) {
	JSON(w, status, map[string]any{"code": code, "message": message, "details": []any{}})
}

// Line is an error in one line; the database's own take several.
func Line(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, " ")
}

// Env returns an environment variable, or what stands for it.
func Env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
