// Package menu knows what the shop sells: its types, names, prices and how long each takes to make.
package menu

import "time"

// Item is one line of the menu in the form in which go-coffeeshop answers it.
type Item struct {
	Name  string  `json:"name"`
	Type  int     `json:"type"`
	Price float64 `json:"price"`
	Image string  `json:"image"`
}

// Priced is an item as `items-by-types` answers it.
type Priced struct {
	Price float64 `json:"price"`
	Type  int     `json:"type"`
}

type entry struct {
	name   string
	price  float64
	making time.Duration
}

// Types 0 to 5 are drinks, made by a barista in 3 to 10 s; 6 to 9 are food, from the kitchen in 3
// to 7 s.
var entries = []entry{
	{"CAPPUCCINO", 4.5, 7 * time.Second},
	{"COFFEE_BLACK", 3, 3 * time.Second},
	{"COFFEE_WITH_ROOM", 3, 5 * time.Second},
	{"ESPRESSO", 3.5, 5 * time.Second},
	{"ESPRESSO_DOUBLE", 4.5, 7 * time.Second},
	{"LATTE", 4.5, 10 * time.Second},
	{"CAKEPOP", 2.5, 3 * time.Second},
	{"CROISSANT", 3.25, 7 * time.Second},
	{"MUFFIN", 3, 5 * time.Second},
	{"CROISSANT_CHOCOLATE", 3.5, 7 * time.Second},
}

// Items returns the whole menu in the order of its types.
func Items() []Item {
	items := make([]Item, len(entries))
	for kind, e := range entries {
		items[kind] = Item{Name: e.name, Type: kind, Price: e.price, Image: "img/" + e.name + ".png"}
	}
	return items
}

// Known says whether there is such a type.
func Known(kind int) bool { return kind >= 0 && kind < len(entries) }

// Name returns the name of a known type.
func Name(kind int) string { return entries[kind].name }

// Making returns how long it takes to make one of a known type.
func Making(kind int) time.Duration { return entries[kind].making }
