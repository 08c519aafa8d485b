// Package counter takes orders, keeps them in PostgreSQL, has them made and tells how far they are.
package counter

import (
	"context"
	"io"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"cloudlet.lab/coffee/internal/broker"
	"cloudlet.lab/coffee/internal/pg"
	"cloudlet.lab/coffee/internal/rpc"
	"cloudlet.lab/coffee/internal/serve"
)

// connections bounds what one counter takes of the database's hundred.
const connections = 10

type counter struct {
	store  *Store
	prices *Prices
	list   *Lister
	placed chan struct{}
	ready  func()
}

// Run serves on port 5002 until the context ends. It takes orders while the broker is away, once it
// has seen it: they wait in the database.
func Run(ctx context.Context) error {
	pool, err := pg.Open(ctx, connections, schema)
	if err != nil {
		return err
	}
	defer pool.Close()
	store := &Store{pool: pool}
	greeted := make(chan struct{})
	c := &counter{
		store:  store,
		prices: &Prices{backend: rpc.NewBackend("product", serve.Env("PRODUCT_CLIENT_URL", "product:5001"), 2*time.Second, 3*time.Second)},
		list:   NewLister(store.All),
		placed: make(chan struct{}, 1),
		ready:  sync.OnceFunc(func() { close(greeted) }),
	}

	talk, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	talked := make(chan error, 1)
	go func() { talked <- broker.Keep(talk, 0, c.converse) }()
	defer hangUp()
	select {
	case err := <-talked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-greeted:
	}
	served := make(chan error, 1)
	go func() { served <- serve.HTTP(ctx, ":5002", c.handler()) }()
	select {
	case err := <-talked:
		return err
	case err := <-served:
		// Orders that are not out yet wait in the database for another counter.
		hangUp()
		<-talked
		return err
	}
}

func (c *counter) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", c.place)
	mux.HandleFunc("GET /orders", c.all)
	return mux
}

// patience is how long a customer may take over a piece of the list before the others go on alone.
const patience = 15 * time.Second

func (c *counter) all(w http.ResponseWriter, r *http.Request) {
	reader := c.list.Join()
	defer reader.Leave()
	w.Header().Set("Content-Type", "application/json")
	for begun := false; ; begun = true {
		piece, err := reader.Next(r.Context())
		if err == io.EOF {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
			return
		}
		if err != nil && !begun {
			unavailable(w, r, err)
			return
		}
		if err == nil {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience))
			_, err = w.Write(piece)
		}
		if err != nil {
			// The status is out: only a broken connection tells that the list is not whole.
			panic(http.ErrAbortHandler)
		}
	}
}

func (c *counter) place(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.Header.Get(rpc.OrderID))
	if err != nil {
		serve.Problem(w, http.StatusBadRequest, 3, rpc.OrderID+": must be a UUID")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	order, member, lines, err := ReadOrder(body)
	if err != nil {
		serve.Problem(w, http.StatusBadRequest, 3, err.Error())
		return
	}
	limit, cancel := context.WithTimeout(r.Context(), 4*time.Second)
	defer cancel()
	prices, err := c.prices.Now(limit)
	if err == nil {
		err = c.store.Place(limit, id, member, order, lines, prices)
	}
	if err != nil {
		unavailable(w, r, err)
		return
	}
	c.wake()
	serve.JSON(w, http.StatusOK, struct{}{})
}

// wake has the waiting orders sent out.
func (c *counter) wake() {
	select {
	case c.placed <- struct{}{}:
	default:
	}
}

func unavailable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return
	}
	log.Printf("%s %s: %s", r.Method, r.URL.Path, serve.Line(err))
	serve.Problem(w, http.StatusServiceUnavailable, 14, "the shop's database does not answer")
}
