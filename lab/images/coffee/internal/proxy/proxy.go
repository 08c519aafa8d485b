// Package proxy is the shop's door: the HTTP of go-coffeeshop's gateway, open to other origins.
package proxy

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"cloudlet.lab/coffee/internal/rpc"
	"cloudlet.lab/coffee/internal/serve"
)

// maxOrder bounds the bytes of one order.
const maxOrder = 64 << 10

// Caller is a service behind the door.
type Caller interface {
	Call(ctx context.Context, method, path string, body []byte, header http.Header) (*http.Response, error)
}

// Run serves on port 5000 until the context ends.
func Run(ctx context.Context) error {
	product := serve.Env("GRPC_PRODUCT_HOST", "product") + ":" + serve.Env("GRPC_PRODUCT_PORT", "5001")
	counter := serve.Env("GRPC_COUNTER_HOST", "counter") + ":" + serve.Env("GRPC_COUNTER_PORT", "5002")
	menu := rpc.NewBackend("product", product, 3*time.Second, 10*time.Second)
	orders := rpc.NewBackend("counter", counter, 5*time.Second, 15*time.Second)
	// The list of all orders grows without bound, and so does the time until it begins.
	list := rpc.NewBackend("counter", counter, 60*time.Second, 15*time.Second)
	for _, backend := range []*rpc.Backend{menu, orders, list} {
		go backend.Spread(ctx)
	}
	return serve.HTTP(ctx, ":5000", Handler(menu, orders, list))
}

// Handler serves the gateway's routes; list is asked for the list of all orders only.
func Handler(menu, orders, list Caller) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/api/item-types", func(w http.ResponseWriter, r *http.Request) {
		relay(w, r, menu, "/item-types", nil, nil)
	})
	mux.HandleFunc("GET /v1/api/items-by-types/{types}", func(w http.ResponseWriter, r *http.Request) {
		relay(w, r, menu, "/items-by-types/"+url.PathEscape(r.PathValue("types")), nil, nil)
	})
	mux.HandleFunc("POST /v1/api/orders", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOrder))
		if err != nil {
			serve.Problem(w, http.StatusBadRequest, 3, "the order could not be read: "+err.Error())
			return
		}
		// The id is given here, so that an order repeated because a counter went away is one order.
		id, err := uuid.NewV7()
		if err != nil {
			serve.Problem(w, http.StatusInternalServerError, 13, err.Error())
			return
		}
		relay(w, r, orders, "/orders", body, http.Header{rpc.OrderID: {id.String()}})
	})
	mux.HandleFunc("GET /v1/fulfillment-orders", func(w http.ResponseWriter, r *http.Request) {
		relay(w, r, list, "/orders", nil, nil)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		serve.Problem(w, http.StatusNotFound, 5, "Not Found")
	})
	return openToOrigins(mux)
}

func openToOrigins(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" {
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
			w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Accept, Authorization")
			w.Header().Set("Access-Control-Max-Age", "600")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func relay(w http.ResponseWriter, r *http.Request, backend Caller, path string, body []byte, header http.Header) {
	answer, err := backend.Call(r.Context(), r.Method, path, body, header)
	if err != nil {
		if r.Context().Err() == nil {
			log.Printf("%s %s: %v", r.Method, r.URL.Path, err)
			serve.Problem(w, http.StatusServiceUnavailable, 14, err.Error())
		}
		return
	}
	defer answer.Body.Close()
	for _, name := range []string{"Content-Type", "Content-Length"} {
		if value := answer.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(answer.StatusCode)
	if _, err := io.Copy(w, answer.Body); err != nil && r.Context().Err() == nil {
		log.Printf("%s %s: the answer broke off: %v", r.Method, r.URL.Path, err)
		// A whole status line is out already: only a broken connection tells the client.
		panic(http.ErrAbortHandler)
	}
}
