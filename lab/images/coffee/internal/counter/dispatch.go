package counter

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"cloudlet.lab/coffee/internal/broker"
)

const (
	// generation is a queue nobody reads. Where it is missing the broker is new, as after it came
	// back on another phone without its volume, and knows none of the messages sent before.
	generation = "counter-generation"
	// batch is how many orders go out between two writes to the database.
	batch = 100
	// gathering is how long orders may collect into a batch.
	gathering = 20 * time.Millisecond
	// idle is how often the outbox is looked at without being told: for what another counter left.
	idle = 3 * time.Second
	// hands is how many reports are taken from the broker at once.
	hands = 100
)

// converse sends waiting orders out and takes reports in, until the connection ends or either fails.
func (c *counter) converse(ctx context.Context, connection *amqp.Connection) error {
	if err := c.greet(ctx, connection); err != nil {
		return err
	}
	c.ready()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- c.sendOut(ctx, connection) }()
	go func() { ended <- c.takeIn(ctx, connection) }()
	first := <-ended
	cancel()
	<-ended
	return first
}

func (c *counter) greet(ctx context.Context, connection *amqp.Connection) error {
	probe, err := connection.Channel()
	if err != nil {
		return err
	}
	_, missing := probe.QueueDeclarePassive(generation, true, false, false, false, nil)
	var refusal *amqp.Error
	if missing != nil && !(errors.As(missing, &refusal) && refusal.Code == amqp.NotFound) {
		return missing
	}
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	defer channel.Close()
	if missing != nil {
		// First the orders, then the mark: a counter that dies in between leaves it to the next.
		count, err := c.store.Redispatch(ctx)
		if err != nil {
			return err
		}
		log.Printf("the broker is new: %d open orders go out again", count)
		if err := broker.Declare(channel, generation); err != nil {
			return err
		}
	}
	return broker.Declare(channel, broker.ToBarista, broker.ToKitchen, broker.ToCounter)
}

func (c *counter) sendOut(ctx context.Context, connection *amqp.Connection) error {
	publisher, err := broker.NewPublisher(connection)
	if err != nil {
		return err
	}
	for {
		count, err := c.store.Dispatch(ctx, batch, publisher.Send)
		if err != nil {
			return err
		}
		if count < batch {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-c.placed:
			case <-time.After(idle):
				continue
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(gathering):
		}
	}
}

func (c *counter) takeIn(ctx context.Context, connection *amqp.Connection) error {
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	if err := channel.Qos(hands, 0, false); err != nil {
		return err
	}
	reports, err := channel.ConsumeWithContext(ctx, broker.ToCounter, "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	for {
		last, made, err := collect(ctx, reports)
		if err != nil {
			return err
		}
		if len(made) > 0 {
			if err := c.store.Fulfil(ctx, made); err != nil {
				return err
			}
		}
		if err := last.Ack(true); err != nil {
			return err
		}
	}
}

// collect waits for one report and takes along what is there besides.
func collect(ctx context.Context, reports <-chan amqp.Delivery) (last amqp.Delivery, made []broker.Made, err error) {
	var wait <-chan time.Time
	for count := 0; count < hands; count++ {
		select {
		case <-ctx.Done():
			return last, nil, ctx.Err()
		case <-wait:
			return last, made, nil
		case report, open := <-reports:
			if !open {
				return last, nil, errors.New("the queue of reports closed")
			}
			last = report
			var one broker.Made
			if err := json.Unmarshal(report.Body, &one); err != nil {
				log.Printf("dropped a message that is no report: %.200q", report.Body)
			} else {
				made = append(made, one)
			}
			if wait == nil {
				wait = time.After(gathering)
			}
		}
	}
	return last, made, nil
}
