package counter

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"sync"
	"time"

	"cloudlet.lab/coffee/internal/menu"
	"cloudlet.lab/coffee/internal/rpc"
)

// freshness is how long a price list serves before product is asked again.
const freshness = 30 * time.Second

// Prices asks product, and goes on with what it knows while product is away.
type Prices struct {
	backend *rpc.Backend

	mutex sync.Mutex
	asked time.Time
	known map[int]float64
}

// Now returns the price of each type. Only the first call waits for product.
func (p *Prices) Now(ctx context.Context) (map[int]float64, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.known == nil {
		known, err := p.ask(ctx)
		p.known, p.asked = known, time.Now()
		return known, err
	}
	if time.Since(p.asked) > freshness {
		p.asked = time.Now()
		go p.refresh()
	}
	return p.known, nil
}

func (p *Prices) refresh() {
	known, err := p.ask(context.Background())
	if err != nil {
		log.Printf("going on with the last price list: %v", err)
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.known = known
}

func (p *Prices) ask(ctx context.Context) (map[int]float64, error) {
	answer, err := p.backend.Call(ctx, "GET", "/item-types", nil, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var list struct {
		ItemTypes []menu.Item `json:"itemTypes"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return nil, fmt.Errorf("product's menu: %w", err)
	}
	prices := make(map[int]float64, len(list.ItemTypes))
	for _, item := range list.ItemTypes {
		prices[item.Type] = item.Price
	}
	return prices, nil
}
