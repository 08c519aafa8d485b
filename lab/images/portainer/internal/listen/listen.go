// Package listen serves HTTP and HTTPS until a context ends, and the container's health check.
package listen

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"
)

// healthAddress is inside the container only.
const healthAddress = "127.0.0.1:9099"

// Port is one address to serve; TLS makes it HTTPS with a certificate of its own.
type Port struct {
	Address string
	Handler http.Handler
	TLS     bool
}

// Serve serves all ports until the context ends or one fails. It is healthy once all listen.
func Serve(ctx context.Context, ports ...Port) error {
	ended := make(chan error, len(ports)+1)
	servers := make([]*http.Server, 0, len(ports))
	for _, port := range ports {
		listener, err := net.Listen("tcp", port.Address)
		if err != nil {
			return fmt.Errorf("cannot listen on %s: %w", port.Address, err)
		}
		if port.TLS {
			certificate, err := selfSigned()
			if err != nil {
				return err
			}
			listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}})
		}
		server := &http.Server{Handler: port.Handler, ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10}
		servers = append(servers, server)
		go func() { ended <- server.Serve(listener) }()
		log.Printf("listening on %s", port.Address)
	}
	health := &http.Server{Addr: healthAddress, ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	defer health.Close()
	go func() {
		if err := health.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			ended <- fmt.Errorf("no health endpoint: %w", err)
		}
	}()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	for _, server := range servers {
		if server.Shutdown(limit) != nil {
			server.Close()
		}
	}
	return err
}

// CheckHealth asks the server in the same container.
func CheckHealth() error {
	client := http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get("http://" + healthAddress)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	return answer.Body.Close()
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, err
	}
	// A phone's clock may be wrong at boot by more than a day; nobody checks these dates.
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "portainer of cloudlet's lab"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(30, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
