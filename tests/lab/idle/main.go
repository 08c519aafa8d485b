// Idle stands for any service: it takes every argument, answers over HTTP with its version, and ends
// when it is asked to. As "idle health" it is its own health check. With FAIL set it says so and
// fails, as a broken release does. With ASK set to an address it asks there fifty times a second, and
// tells every two seconds how often it asked and how often in vain.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "health" {
		return
	}
	if why := os.Getenv("FAIL"); why != "" {
		fmt.Println("idle fails:", why)
		os.Exit(3)
	}
	end, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if address := os.Getenv("ASK"); address != "" {
		go ask(address)
	}
	server := &http.Server{Addr: ":" + value("PORT", "8080")}
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		host, _ := os.Hostname()
		fmt.Fprintln(answer, value("VERSION", "1"), host)
	})
	// A user without rights or a port that is taken is no reason to end.
	go server.ListenAndServe()
	<-end.Done()
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	server.Shutdown(grace)
}

func ask(address string) {
	// A connection of its own for each request, so that every one looks the name up.
	client := http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	var asked, failed atomic.Int64
	for tick := 1; ; tick++ {
		time.Sleep(20 * time.Millisecond)
		go func() {
			asked.Add(1)
			answer, err := client.Get(address)
			if err != nil {
				failed.Add(1)
				fmt.Println(err)
				return
			}
			answer.Body.Close()
		}()
		if tick%100 == 0 {
			fmt.Println("asked", asked.Load(), "failed", failed.Load())
		}
	}
}

func value(name, otherwise string) string {
	if found := os.Getenv(name); found != "" {
		return found
	}
	return otherwise
}
