// Package broker keeps a service connected to RabbitMQ and publishes so that nothing is lost on the
// way: durable queues, persistent messages, confirmed by the broker.
package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"cloudlet.lab/coffee/internal/rpc"
	"cloudlet.lab/coffee/internal/serve"
)

// The shop's queues.
const (
	ToBarista = "barista-order-queue"
	ToKitchen = "kitchen-order-queue"
	ToCounter = "counter-order-queue"
)

// Job is one item to be made: what counter sends to barista and kitchen.
type Job struct {
	OrderID string `json:"orderId"`
	ItemID  string `json:"itemLineId"`
	Type    int    `json:"itemType"`
}

// Made is an item that is ready: what barista and kitchen send to counter.
type Made struct {
	OrderID string    `json:"orderId"`
	ItemID  string    `json:"itemLineId"`
	TimeUp  time.Time `json:"timeUp"`
}

// startPatience is how long a starting service waits for the broker before it exits.
const startPatience = 15 * time.Second

// Keep dials RABBITMQ_URL and runs use on the connection, again and again, until the context ends.
// The context given to use ends with the connection. It returns an error when no connection lived
// for a while: at start, and later after patience; a patience of 0 has no end.
func Keep(ctx context.Context, patience time.Duration, use func(context.Context, *amqp.Connection) error) error {
	url := os.Getenv("RABBITMQ_URL")
	address, err := amqp.ParseURI(url)
	if err != nil {
		return errors.New("RABBITMQ_URL is not set or not valid: give amqp://USER:PASSWORD@HOST:5672/")
	}
	allowed := startPatience
	lastGood := time.Now()
	for {
		began := time.Now()
		err := once(ctx, url, use)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) > 5*time.Second {
			lastGood, allowed = time.Now(), patience
		}
		if allowed > 0 && time.Since(lastGood) > allowed {
			return fmt.Errorf("no broker at %s:%d after %s, is the service rabbitmq up? %w",
				address.Host, address.Port, allowed, err)
		}
		log.Printf("%s; trying again", serve.Line(err))
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func once(ctx context.Context, url string, use func(context.Context, *amqp.Connection) error) error {
	connection, err := amqp.DialConfig(url, amqp.Config{
		Heartbeat: 10 * time.Second,
		Dial: func(network, address string) (net.Conn, error) {
			connection, err := rpc.Dialer().DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			// Cleared by the library once the broker has said hello.
			return connection, connection.SetDeadline(time.Now().Add(10 * time.Second))
		},
	})
	if err != nil {
		return err
	}
	defer connection.Close()
	session, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	closed := connection.NotifyClose(make(chan *amqp.Error, 1))
	go func() {
		if reason := <-closed; reason != nil {
			cancel(reason)
			return
		}
		cancel(errors.New("the connection ended"))
	}()
	err = use(session, connection)
	if cause := context.Cause(session); cause != nil && ctx.Err() == nil {
		return cause
	}
	return err
}

// Declare makes the queues where they are missing.
func Declare(channel *amqp.Channel, queues ...string) error {
	for _, name := range queues {
		if _, err := channel.QueueDeclare(name, true, false, false, false, nil); err != nil {
			return err
		}
	}
	return nil
}

// Publisher sends messages and waits until the broker has them on disk.
type Publisher struct {
	channel  *amqp.Channel
	returned atomic.Bool
}

// NewPublisher opens a channel of its own on the connection.
func NewPublisher(connection *amqp.Connection) (*Publisher, error) {
	channel, err := connection.Channel()
	if err != nil {
		return nil, err
	}
	if err := channel.Confirm(false); err != nil {
		return nil, err
	}
	publisher := &Publisher{channel: channel}
	returns := channel.NotifyReturn(make(chan amqp.Return, 64))
	go func() {
		for range returns {
			publisher.returned.Store(true)
		}
	}()
	return publisher, nil
}

// Letter is a message and the queue it goes to.
type Letter struct {
	Queue string
	Value any
}

// Send returns once the broker has confirmed every letter. After an error any of them may or may
// not have arrived; send them again on a new connection.
func (p *Publisher) Send(ctx context.Context, letters []Letter) error {
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	confirmations := make([]*amqp.DeferredConfirmation, len(letters))
	for i, letter := range letters {
		body, err := json.Marshal(letter.Value)
		if err != nil {
			return err
		}
		confirmations[i], err = p.channel.PublishWithDeferredConfirmWithContext(limit, "", letter.Queue, true, false,
			amqp.Publishing{ContentType: "application/json", DeliveryMode: amqp.Persistent, Body: body})
		if err != nil {
			return err
		}
	}
	for _, confirmation := range confirmations {
		taken, err := confirmation.WaitContext(limit)
		if err != nil {
			return fmt.Errorf("the broker did not confirm: %w", err)
		}
		if !taken {
			return errors.New("the broker refused a message")
		}
	}
	// A message for a queue that is gone is confirmed too, after it has been handed back.
	if p.returned.Load() {
		return errors.New("a queue is missing")
	}
	return nil
}
