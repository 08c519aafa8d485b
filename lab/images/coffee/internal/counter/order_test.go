package counter

import (
	"strings"
	"testing"
)

const member = "99e56498-5d6c-401c-a35b-520a01b1bd32"

func TestAnOrderOfTheSeedsLoadTestBecomesNineLines(t *testing.T) {
	_, who, lines, err := ReadOrder([]byte(`{"commandType":0,"orderSource":0,"location":0,
"loyaltyMemberId":"` + member + `","timestamp":"2026-01-01T00:00:00Z",
"baristaItems":[{"itemType":5},{"itemType":4},{"itemType":0},{"itemType":2},{"itemType":3}],
"kitchenItems":[{"itemType":8},{"itemType":9},{"itemType":6},{"itemType":7}],"unknown":true}`))
	if err != nil || who.String() != member || len(lines) != 9 {
		t.Fatalf("%v, %s, %d lines", err, who, len(lines))
	}
	for i, line := range lines {
		if line.Barista != (i < 5) {
			t.Errorf("line %d: barista is %v", i, line.Barista)
		}
	}
	if lines[0].ID == lines[1].ID {
		t.Error("two lines have the same id")
	}
}

func TestAWrongOrderIsRefusedWithWhatIsWrong(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`{"itemType":0},`, maxItems+1), ",")
	for body, want := range map[string]string{
		`{`: "not valid JSON",
		`{"loyaltyMemberId":"x","baristaItems":[{}]}`:                              "loyaltyMemberId",
		`{"baristaItems":[{}]}`:                                                    "loyaltyMemberId",
		`{"loyaltyMemberId":"` + member + `"}`:                                     "no items",
		`{"loyaltyMemberId":"` + member + `","kitchenItems":[{"itemType":10}]}`:    "10 is not on the menu",
		`{"loyaltyMemberId":"` + member + `","baristaItems":[` + many + `]}`:       "more than",
		`{"loyaltyMemberId":"` + member + `","baristaItems":[{"itemType":"tea"}]}`: "not valid JSON",
	} {
		if _, _, _, err := ReadOrder([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", body, err, want)
		}
	}
}
