package rpc

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestACallIsRepeatedUntilTheServiceIsBack(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if calls.Add(1) < 3 || string(body) != "order" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	backend := NewBackend("counter", strings.TrimPrefix(server.URL, "http://"), time.Second, 5*time.Second)
	answer, err := backend.Call(context.Background(), "POST", "/", []byte("order"), nil)
	if err != nil || answer.StatusCode != 200 || calls.Load() != 3 {
		t.Fatalf("%v after %d calls", err, calls.Load())
	}
	answer.Body.Close()
}

func TestACallEndsWhenPatienceIsOver(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	began := time.Now()
	_, err := NewBackend("counter", address, time.Second, 200*time.Millisecond).Call(context.Background(), "GET", "/", nil, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "counter does not answer") || time.Since(began) > 3*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

func TestARefusalIsAnAnswerAndNotRepeated(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer server.Close()
	backend := NewBackend("counter", strings.TrimPrefix(server.URL, "http://"), time.Second, 5*time.Second)
	answer, err := backend.Call(context.Background(), "POST", "/", nil, nil)
	if err != nil || answer.StatusCode != 400 || calls.Load() != 1 {
		t.Fatalf("%v after %d calls", err, calls.Load())
	}
	answer.Body.Close()
}
