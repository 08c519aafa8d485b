// Package product serves the menu.
package product

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"cloudlet.lab/coffee/internal/menu"
	"cloudlet.lab/coffee/internal/serve"
)

// Run serves on port 5001 until the context ends.
func Run(ctx context.Context) error { return serve.HTTP(ctx, ":5001", Handler()) }

// Handler answers `/item-types` and `/items-by-types/0,1`.
func Handler() http.Handler {
	items := menu.Items()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /item-types", func(w http.ResponseWriter, _ *http.Request) {
		serve.JSON(w, http.StatusOK, map[string]any{"itemTypes": items})
	})
	mux.HandleFunc("GET /items-by-types/{types}", func(w http.ResponseWriter, r *http.Request) {
		found := []menu.Priced{}
		for word := range strings.SplitSeq(r.PathValue("types"), ",") {
			kind, err := strconv.Atoi(strings.TrimSpace(word))
			if err != nil {
				serve.Problem(w, http.StatusBadRequest, 3, "item types are numbers with commas between, as in 0,1")
				return
			}
			if menu.Known(kind) {
				found = append(found, menu.Priced{Price: items[kind].Price, Type: kind})
			}
		}
		serve.JSON(w, http.StatusOK, map[string]any{"items": found})
	})
	return mux
}
