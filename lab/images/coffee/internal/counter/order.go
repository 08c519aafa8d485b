package counter

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"cloudlet.lab/coffee/internal/menu"
)

// maxItems bounds one order.
const maxItems = 200

// Status of an order and of each of its items.
const (
	inProcess = 1
	fulfilled = 2
)

// Order is what a customer sends.
type Order struct {
	CommandType     int         `json:"commandType"`
	OrderSource     int         `json:"orderSource"`
	Location        int         `json:"location"`
	LoyaltyMemberID string      `json:"loyaltyMemberId"`
	Timestamp       string      `json:"timestamp"`
	BaristaItems    []OrderItem `json:"baristaItems"`
	KitchenItems    []OrderItem `json:"kitchenItems"`
}

// OrderItem is one thing ordered.
type OrderItem struct {
	ItemType int `json:"itemType"`
}

// Line is one item of an order as it is stored.
type Line struct {
	ID      uuid.UUID
	Type    int
	Barista bool
}

// ReadOrder reads and checks an order; its error is for the customer.
func ReadOrder(body []byte) (order Order, member uuid.UUID, lines []Line, err error) {
	if err := json.Unmarshal(body, &order); err != nil {
		return order, member, nil, fmt.Errorf("the order is not valid JSON of an order: %w", err)
	}
	if member, err = uuid.Parse(order.LoyaltyMemberID); err != nil {
		return order, member, nil, errors.New("loyaltyMemberId: must be a UUID")
	}
	count := len(order.BaristaItems) + len(order.KitchenItems)
	if count == 0 {
		return order, member, nil, errors.New("the order has no items: give baristaItems or kitchenItems")
	}
	if count > maxItems {
		return order, member, nil, fmt.Errorf("the order has %d items, more than %d", count, maxItems)
	}
	lines = make([]Line, 0, count)
	add := func(items []OrderItem, barista bool) error {
		for _, item := range items {
			if !menu.Known(item.ItemType) {
				return fmt.Errorf("itemType: %d is not on the menu", item.ItemType)
			}
			// Version 7 grows with time: rows are added at the end of the index, not all over it.
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			lines = append(lines, Line{ID: id, Type: item.ItemType, Barista: barista})
		}
		return nil
	}
	if err := add(order.BaristaItems, true); err != nil {
		return order, member, nil, err
	}
	err = add(order.KitchenItems, false)
	return order, member, lines, err
}
