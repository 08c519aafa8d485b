package product

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"cloudlet.lab/coffee/internal/menu"
)

func get(t *testing.T, path string, into any) int {
	t.Helper()
	answer := httptest.NewRecorder()
	Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	if err := json.Unmarshal(answer.Body.Bytes(), into); err != nil {
		t.Fatalf("%s: %v in %s", path, err, answer.Body)
	}
	return answer.Code
}

func TestTheMenuHasTheTypesAndPricesOfGoCoffeeshop(t *testing.T) {
	var body struct{ ItemTypes []menu.Item }
	if status := get(t, "/item-types", &body); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	want := []struct {
		name  string
		price float64
	}{
		{"CAPPUCCINO", 4.5}, {"COFFEE_BLACK", 3}, {"COFFEE_WITH_ROOM", 3}, {"ESPRESSO", 3.5},
		{"ESPRESSO_DOUBLE", 4.5}, {"LATTE", 4.5}, {"CAKEPOP", 2.5}, {"CROISSANT", 3.25},
		{"MUFFIN", 3}, {"CROISSANT_CHOCOLATE", 3.5},
	}
	if len(body.ItemTypes) != len(want) {
		t.Fatalf("%d items, want %d", len(body.ItemTypes), len(want))
	}
	for kind, item := range body.ItemTypes {
		expected := menu.Item{Name: want[kind].name, Type: kind, Price: want[kind].price, Image: "img/" + want[kind].name + ".png"}
		if item != expected {
			t.Errorf("type %d is %+v, want %+v", kind, item, expected)
		}
	}
}

func TestItemsByTypesAnswersOnlyTheTypesAsked(t *testing.T) {
	var body struct{ Items []menu.Priced }
	get(t, "/items-by-types/0,7,99", &body)
	want := []menu.Priced{{Price: 4.5, Type: 0}, {Price: 3.25, Type: 7}}
	if len(body.Items) != 2 || body.Items[0] != want[0] || body.Items[1] != want[1] {
		t.Errorf("got %+v, want %+v", body.Items, want)
	}
}

func TestTypesThatAreNoNumbersAreRefused(t *testing.T) {
	var body struct{ Code int }
	if status := get(t, "/items-by-types/latte", &body); status != http.StatusBadRequest || body.Code != 3 {
		t.Errorf("status %d, code %d", status, body.Code)
	}
}
