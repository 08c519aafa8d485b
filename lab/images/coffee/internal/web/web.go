// Package web serves the shop's page, which talks to the proxy from the browser.
package web

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"os"

	"cloudlet.lab/coffee/internal/serve"
)

//go:embed static
var files embed.FS

// Run serves on WEB_PORT until the context ends.
func Run(ctx context.Context) error {
	return serve.HTTP(ctx, ":"+serve.Env("WEB_PORT", "8888"), Handler(os.Getenv("REVERSE_PROXY_URL")))
}

// Handler serves the page and tells it at which URL a browser reaches the proxy.
func Handler(proxy string) http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, static, "page.html")
	})
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /reverse-proxy-url", func(w http.ResponseWriter, _ *http.Request) {
		serve.JSON(w, http.StatusOK, map[string]string{"url": proxy})
	})
	return mux
}
