package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"cloudlet.lab/coffee/internal/broker"
)

type book map[string]time.Time

func (b book) Find(_ context.Context, item string) (time.Time, bool, error) {
	when, ok := b[item]
	return when, ok, nil
}

func (b book) Enter(_ context.Context, job broker.Job, when time.Time) error {
	b[job.ItemID] = when
	return nil
}

type bench struct {
	hands *Hands
	book  book
	waits []time.Duration
	sent  []broker.Letter
}

func newBench() *bench {
	b := &bench{book: book{}}
	b.hands = &Hands{
		Made: b.book,
		Send: func(_ context.Context, letters []broker.Letter) error {
			b.sent = append(b.sent, letters...)
			return nil
		},
		Wait: func(_ context.Context, length time.Duration) error {
			b.waits = append(b.waits, length)
			return nil
		},
	}
	return b
}

var latte = broker.Job{OrderID: "order", ItemID: "item", Type: 5}

func TestAnItemIsMadeNotedAndReported(t *testing.T) {
	b := newBench()
	if err := b.hands.Make(context.Background(), latte); err != nil {
		t.Fatal(err)
	}
	report, is := b.sent[0].Value.(broker.Made)
	if !is || b.sent[0].Queue != broker.ToCounter || report.ItemID != "item" || report.OrderID != "order" {
		t.Errorf("sent %+v", b.sent)
	}
	if len(b.waits) != 1 || b.waits[0] != 10*time.Second || len(b.book) != 1 {
		t.Errorf("waited %v, noted %v", b.waits, b.book)
	}
}

func TestAnItemDeliveredAgainIsReportedAgainAndMadeOnce(t *testing.T) {
	b := newBench()
	for range 3 {
		if err := b.hands.Make(context.Background(), latte); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.waits) != 1 || len(b.sent) != 3 || b.sent[0] != b.sent[2] {
		t.Errorf("made %d times, reported %+v", len(b.waits), b.sent)
	}
}

func TestAnItemWhoseReportWasNotConfirmedIsNotDone(t *testing.T) {
	b := newBench()
	lost := errors.New("the broker did not confirm")
	b.hands.Send = func(context.Context, []broker.Letter) error { return lost }
	if err := b.hands.Make(context.Background(), latte); !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
}

func TestAnInterruptedItemIsNeitherNotedNorReported(t *testing.T) {
	b := newBench()
	b.hands.Wait = pause
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.hands.Make(ctx, latte); !errors.Is(err, context.Canceled) || len(b.book) != 0 || len(b.sent) != 0 {
		t.Errorf("%v, noted %v, sent %v", err, b.book, b.sent)
	}
}
