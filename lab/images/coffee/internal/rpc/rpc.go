// Package rpc is how the services call each other: HTTP with JSON, on connections that notice a
// dead phone within seconds and calls that are repeated while a service moves.
package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// OrderID is the header that makes a repeated order the same order.
const OrderID = "Order-Id"

// tcpUserTimeout is Linux' TCP_USER_TIMEOUT: how long sent data may stay unacknowledged.
const tcpUserTimeout = 0x12

// Dialer gives up on a peer that does not answer: a phone that lost its power sends no goodbye, and
// the kernel's own patience is a quarter of an hour.
func Dialer() *net.Dialer {
	return &net.Dialer{
		Timeout:         2 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
		Control: func(_, _ string, raw syscall.RawConn) error {
			var failed error
			err := raw.Control(func(fd uintptr) {
				failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, 4000)
			})
			return errors.Join(err, failed)
		},
	}
}

// Backend is another service of the shop.
type Backend struct {
	name     string
	base     string
	client   *http.Client
	patience time.Duration
}

// NewBackend calls the service at host:port. An answer must begin within `answer`; a call is
// repeated until `patience` is over, so only calls that may be made twice belong here.
func NewBackend(name, address string, answer, patience time.Duration) *Backend {
	transport := &http.Transport{
		DialContext:           Dialer().DialContext,
		MaxIdleConnsPerHost:   64,
		MaxConnsPerHost:       128,
		IdleConnTimeout:       30 * time.Second,
		ResponseHeaderTimeout: answer,
		DisableCompression:    true,
	}
	return &Backend{
		name:     name,
		base:     "http://" + address,
		client:   &http.Client{Transport: transport},
		patience: patience,
	}
}

// Spread lets go of idle connections now and then until the context ends: a replica that was added
// gets its share of the calls, which connections kept for ever would deny it.
func (b *Backend) Spread(ctx context.Context) {
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.client.CloseIdleConnections()
		}
	}
}

// Call sends one request and returns the answer, whatever its status but 502 to 504: these, and a
// connection that breaks, are tried again. The caller closes the answer's body.
func (b *Backend) Call(ctx context.Context, method, path string, body []byte, header http.Header) (*http.Response, error) {
	deadline := time.Now().Add(b.patience)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		answer, err := b.once(ctx, method, path, body, header)
		if err == nil {
			return answer, nil
		}
		if ctx.Err() != nil || time.Now().Add(pause).After(deadline) {
			return nil, fmt.Errorf("%s does not answer: %w", b.name, err)
		}
		b.client.CloseIdleConnections()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (b *Backend) once(ctx context.Context, method, path string, body []byte, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, b.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		request.Header[key] = values
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return nil, err
	}
	switch answer.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 500))
		answer.Body.Close()
		return nil, fmt.Errorf("%s: %s", answer.Status, bytes.TrimSpace(text))
	}
	return answer, nil
}
