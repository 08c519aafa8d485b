package counter

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func readAll(reader *Reader) (string, error) {
	defer reader.Leave()
	text := ""
	for {
		piece, err := reader.Next(context.Background())
		if err == io.EOF {
			return text, nil
		}
		if err != nil {
			return text, err
		}
		text += string(piece)
	}
}

func TestTheListHasTheFieldsOfGoCoffeeshopAndShowsZeros(t *testing.T) {
	list := list{body: []byte(`{"orders":[`)}
	for item := range 3 {
		list.add(&listRow{order: [16]byte{byte(item / 2)}, item: [16]byte{15: byte(item)}, status: 1,
			kind: 6, name: "CAKEPOP", price: 2.5, itemStatus: 2})
	}
	var body struct{ Orders []map[string]any }
	if err := json.Unmarshal(list.end(), &body); err != nil {
		t.Fatal(err)
	}
	if len(body.Orders) != 2 {
		t.Fatalf("%d orders, want 2", len(body.Orders))
	}
	order := body.Orders[0]
	lines := order["lineItems"].([]any)
	if len(lines) != 2 || order["orderStatus"] != 1.0 || order["localtion"] != 0.0 || order["orderSource"] != 0.0 ||
		order["loyaltyMemberId"] != "00000000-0000-0000-0000-000000000000" {
		t.Errorf("order %v", order)
	}
	line := lines[1].(map[string]any)
	for key, want := range map[string]any{"id": "00000000-0000-0000-0000-000000000001", "itemType": 6.0,
		"name": "CAKEPOP", "price": 2.5, "itemStatus": 2.0, "isBaristaOrder": false} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
}

func TestAListWithoutOrdersIsAnEmptyList(t *testing.T) {
	list := list{body: []byte(`{"orders":[`)}
	if got := string(list.end()); got != `{"orders":[]}` {
		t.Errorf("got %s", got)
	}
}

func TestRequestsThatWaitShareOneReadingWhichBeginsAfterThem(t *testing.T) {
	var readings atomic.Int32
	first := make(chan struct{})
	lister := NewLister(func(_ context.Context, emit func([]byte) error) error {
		if readings.Add(1) == 1 {
			<-first
		}
		return emit([]byte{byte('0' + readings.Load())})
	})
	early := lister.Join()
	for readings.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	late := []*Reader{lister.Join(), lister.Join(), lister.Join()}
	close(first)
	if text, err := readAll(early); err != nil || text != "1" {
		t.Errorf("the early request got %q, %v", text, err)
	}
	for _, reader := range late {
		if text, err := readAll(reader); err != nil || text != "2" {
			t.Errorf("a late request got %q, %v", text, err)
		}
	}
	if readings.Load() != 2 {
		t.Errorf("%d readings, want 2", readings.Load())
	}
}

func TestASlowReaderHoldsBackMemoryAndNotForEver(t *testing.T) {
	const pieces = 4 * window
	var emitted atomic.Int32
	r := &reading{readers: map[*Reader]struct{}{}}
	r.changed = sync.NewCond(&r.mutex)
	fast, slow := &Reader{of: r}, &Reader{of: r}
	r.readers[fast], r.readers[slow] = struct{}{}, struct{}{}
	var text string
	var done sync.WaitGroup
	done.Go(func() {
		for range pieces {
			if r.emit([]byte("x")) == nil {
				emitted.Add(1)
			}
		}
		r.end(nil)
	})
	done.Go(func() { text, _ = readAll(fast) })
	time.Sleep(50 * time.Millisecond)
	if count := emitted.Load(); count > window {
		t.Errorf("%d pieces are held, want at most %d", count, window)
	}
	slow.Leave()
	done.Wait()
	if len(text) != pieces {
		t.Errorf("the other reader got %d pieces, want %d", len(text), pieces)
	}
}

func TestAReadingThatFailsFailsForItsReaders(t *testing.T) {
	broken := errors.New("no database")
	lister := NewLister(func(_ context.Context, emit func([]byte) error) error {
		_ = emit([]byte("half"))
		return broken
	})
	if text, err := readAll(lister.Join()); !errors.Is(err, broken) || text != "half" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestACustomerWhoGoesAwayStopsWaiting(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	lister := NewLister(func(context.Context, func([]byte) error) error { <-hold; return nil })
	reader := lister.Join()
	defer reader.Leave()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := reader.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
