package pass

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestOnlyAFreshRequestSignedWithTheSameSecretIsValid(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	signed := func(secret string, when time.Time) *http.Request {
		request := httptest.NewRequest("GET", "/node", nil)
		Sign(request, secret, when)
		return request
	}
	elsewhere := signed("secret", now)
	elsewhere.URL.Path = "/other"
	for name, each := range map[string]struct {
		request *http.Request
		want    bool
	}{
		"same secret":    {signed("secret", now), true},
		"clocks differ":  {signed("secret", now.Add(time.Minute)), true},
		"another secret": {signed("guess", now), false},
		"an old request": {signed("secret", now.Add(-time.Hour)), false},
		"another path":   {elsewhere, false},
		"not signed":     {httptest.NewRequest("GET", "/node", nil), false},
	} {
		if Valid(each.request, "secret", now) != each.want {
			t.Errorf("%s: valid is %v", name, !each.want)
		}
	}
}
