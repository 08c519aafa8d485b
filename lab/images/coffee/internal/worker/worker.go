// Package worker is the barista and the kitchen: each takes five items at a time, needs its time for
// each, and reports it made.
package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	amqp "github.com/rabbitmq/amqp091-go"

	"cloudlet.lab/coffee/internal/broker"
	"cloudlet.lab/coffee/internal/menu"
	"cloudlet.lab/coffee/internal/pg"
	"cloudlet.lab/coffee/internal/serve"
)

// prefetch is how many items an instance has in hand.
const prefetch = 5

// Place is where items are made.
type Place struct {
	name  string
	queue string
}

// The shop's two places.
var (
	Barista = Place{name: "barista", queue: broker.ToBarista}
	Kitchen = Place{name: "kitchen", queue: broker.ToKitchen}
)

func (p Place) schema() string {
	return fmt.Sprintf(`CREATE SCHEMA IF NOT EXISTS %[1]s;
CREATE TABLE IF NOT EXISTS %[1]s.%[1]s_orders (
    id uuid PRIMARY KEY,
    item_type integer NOT NULL,
    item_name text NOT NULL,
    time_up timestamptz NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    updated timestamptz
);`, p.name)
}

// Run makes what comes until the context ends, or the broker has been away for a minute.
func (p Place) Run(ctx context.Context) error {
	pool, err := pg.Open(ctx, 3, p.schema())
	if err != nil {
		return err
	}
	defer pool.Close()
	ready := sync.OnceFunc(func() {
		log.Print("waiting for orders")
		go serve.Healthy(ctx)
	})
	return broker.Keep(ctx, time.Minute, func(session context.Context, connection *amqp.Connection) error {
		return p.work(session, connection, &ledger{pool: pool, place: p.name}, ready)
	})
}

func (p Place) work(ctx context.Context, connection *amqp.Connection, made Ledger, ready func()) error {
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	if err := broker.Declare(channel, p.queue, broker.ToCounter); err != nil {
		return err
	}
	if err := channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	publisher, err := broker.NewPublisher(connection)
	if err != nil {
		return err
	}
	orders, err := channel.ConsumeWithContext(ctx, p.queue, "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	ready()

	// A failed item ends the session: what it had in hand goes back to the queue, none is lost.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	hands := &Hands{Made: made, Send: publisher.Send, Wait: pause}
	var busy sync.WaitGroup
	defer busy.Wait()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case order, open := <-orders:
			if !open {
				return fmt.Errorf("the queue %s closed", p.queue)
			}
			busy.Go(func() {
				if err := serveOne(ctx, hands, order); err != nil {
					cancel(err)
				}
			})
		}
	}
}

func serveOne(ctx context.Context, hands *Hands, order amqp.Delivery) error {
	var job broker.Job
	if err := json.Unmarshal(order.Body, &job); err != nil || !menu.Known(job.Type) {
		log.Printf("dropped a message that is no order: %.200q", order.Body)
		return order.Reject(false)
	}
	if err := hands.Make(ctx, job); err != nil {
		return err
	}
	return order.Ack(false)
}

// pause waits unless the context ends first.
func pause(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Ledger remembers what has been made.
type Ledger interface {
	// Find returns when an item was made, or ok false.
	Find(ctx context.Context, item string) (when time.Time, ok bool, err error)
	// Enter notes an item as made; entering it twice changes nothing.
	Enter(ctx context.Context, job broker.Job, when time.Time) error
}

// Hands make one item: wait, note it, report it.
type Hands struct {
	Made Ledger
	Send func(context.Context, []broker.Letter) error
	Wait func(context.Context, time.Duration) error
}

// Make may be called again for the same item: what is made already is only reported again.
func (h *Hands) Make(ctx context.Context, job broker.Job) error {
	when, made, err := h.Made.Find(ctx, job.ItemID)
	if err != nil {
		return err
	}
	if !made {
		if err := h.Wait(ctx, menu.Making(job.Type)); err != nil {
			return err
		}
		when = time.Now()
		if err := h.Made.Enter(ctx, job, when); err != nil {
			return err
		}
	}
	report := broker.Made{OrderID: job.OrderID, ItemID: job.ItemID, TimeUp: when}
	return h.Send(ctx, []broker.Letter{{Queue: broker.ToCounter, Value: report}})
}

// ledger is the Ledger in PostgreSQL.
type ledger struct {
	pool  *pgxpool.Pool
	place string
}

func (l *ledger) Find(ctx context.Context, item string) (when time.Time, ok bool, err error) {
	limit, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	rows, err := l.pool.Query(limit, "SELECT time_up FROM "+l.place+"."+l.place+"_orders WHERE id = $1", item)
	if err != nil {
		return when, false, err
	}
	defer rows.Close()
	if rows.Next() {
		ok, err = true, rows.Scan(&when)
	}
	rows.Close()
	if err == nil {
		err = rows.Err()
	}
	return when, ok, err
}

func (l *ledger) Enter(ctx context.Context, job broker.Job, when time.Time) error {
	limit, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := l.pool.Exec(limit, "INSERT INTO "+l.place+"."+l.place+`_orders (id, item_type, item_name, time_up)
VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`, job.ItemID, job.Type, menu.Name(job.Type), when)
	return err
}
