package menu

import (
	"testing"
	"time"
)

func TestDrinksTakeThreeToTenSecondsAndFoodThreeToSeven(t *testing.T) {
	for _, item := range Items() {
		longest := 10 * time.Second
		if item.Type > 5 {
			longest = 7 * time.Second
		}
		if making := Making(item.Type); making < 3*time.Second || making > longest {
			t.Errorf("%s takes %s", item.Name, making)
		}
	}
}

func TestOnlyTypesOfTheMenuAreKnown(t *testing.T) {
	for kind, want := range map[int]bool{-1: false, 0: true, 9: true, 10: false} {
		if Known(kind) != want {
			t.Errorf("Known(%d) = %v", kind, !want)
		}
	}
}
