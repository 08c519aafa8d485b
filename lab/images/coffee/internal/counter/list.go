package counter

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"
	"time"
)

// window is how many pieces the fastest reader of a list may be ahead of the slowest: the list has
// no bound, the counter's memory has.
const window = 64

// errNobody ends a reading that everybody has left.
var errNobody = errors.New("nobody reads on")

// Lister shares one reading of all orders among the requests that wait for one: the list grows with
// every order, and reading it for each of many customers would be all that the database does.
type Lister struct {
	read func(ctx context.Context, emit func([]byte) error) error

	mutex   sync.Mutex
	waiting *reading
	busy    bool
}

// NewLister reads with the function given, which emits the list in pieces.
func NewLister(read func(context.Context, func([]byte) error) error) *Lister {
	return &Lister{read: read}
}

// Join takes part in a reading that begins after the call, so that it holds every order
// acknowledged before. Leave must be called in the end.
func (l *Lister) Join() *Reader {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.waiting == nil {
		l.waiting = &reading{readers: map[*Reader]struct{}{}}
		l.waiting.changed = sync.NewCond(&l.waiting.mutex)
	}
	mine := &Reader{of: l.waiting}
	l.waiting.mutex.Lock()
	l.waiting.readers[mine] = struct{}{}
	l.waiting.mutex.Unlock()
	if !l.busy {
		l.busy = true
		go l.work()
	}
	return mine
}

func (l *Lister) work() {
	for {
		l.mutex.Lock()
		next := l.waiting
		l.waiting = nil
		l.busy = next != nil
		l.mutex.Unlock()
		if next == nil {
			return
		}
		limit, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		err := l.read(limit, next.emit)
		cancel()
		next.end(err)
	}
}

// reading is one pass over all orders: the pieces that some reader still needs.
type reading struct {
	mutex   sync.Mutex
	changed *sync.Cond
	readers map[*Reader]struct{}
	pieces  [][]byte
	dropped int // how many pieces came before pieces[0]
	ended   error
}

// Reader is one request's place in a reading.
type Reader struct {
	of   *reading
	next int
}

func (r *reading) emit(piece []byte) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for {
		if len(r.readers) == 0 {
			return errNobody
		}
		slowest := math.MaxInt
		for reader := range r.readers {
			slowest = min(slowest, reader.next)
		}
		clear(r.pieces[:slowest-r.dropped])
		r.pieces = r.pieces[slowest-r.dropped:]
		r.dropped = slowest
		if len(r.pieces) < window {
			break
		}
		r.changed.Wait()
	}
	r.pieces = append(r.pieces, piece)
	r.changed.Broadcast()
	return nil
}

func (r *reading) end(err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.ended = err; err == nil {
		r.ended = io.EOF
	}
	r.changed.Broadcast()
}

// Next waits for the next piece; io.EOF is the end of the list. The bytes are shared: do not change
// them.
func (r *Reader) Next(ctx context.Context) ([]byte, error) {
	of := r.of
	stop := context.AfterFunc(ctx, func() {
		of.mutex.Lock()
		defer of.mutex.Unlock()
		of.changed.Broadcast()
	})
	defer stop()
	of.mutex.Lock()
	defer of.mutex.Unlock()
	for r.next == of.dropped+len(of.pieces) {
		if of.ended != nil {
			return nil, of.ended
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		of.changed.Wait()
	}
	piece := of.pieces[r.next-of.dropped]
	r.next++
	of.changed.Broadcast()
	return piece, nil
}

// Leave lets the others go on without this reader.
func (r *Reader) Leave() {
	r.of.mutex.Lock()
	defer r.of.mutex.Unlock()
	delete(r.of.readers, r)
	r.of.changed.Broadcast()
}
