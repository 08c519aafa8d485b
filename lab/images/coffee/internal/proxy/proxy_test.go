package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"cloudlet.lab/coffee/internal/rpc"
)

type fake struct {
	status int
	body   string
	err    error

	method, path, sent string
	header             http.Header
}

func (f *fake) Call(_ context.Context, method, path string, body []byte, header http.Header) (*http.Response, error) {
	f.method, f.path, f.sent, f.header = method, path, string(body), header
	if f.err != nil {
		return nil, f.err
	}
	return &http.Response{StatusCode: f.status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(f.body))}, nil
}

func do(backend *fake, method, path, body string, header ...string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	Handler(backend, backend, backend).ServeHTTP(answer, request)
	return answer
}

func TestEachRouteOfTheGatewayReachesItsService(t *testing.T) {
	for route, want := range map[string]string{
		"GET /v1/api/item-types":         "GET /item-types",
		"GET /v1/api/items-by-types/0,1": "GET /items-by-types/0%2C1",
		"POST /v1/api/orders":            "POST /orders",
		"GET /v1/fulfillment-orders":     "GET /orders",
	} {
		backend := &fake{status: 200, body: `{"x":1}`}
		method, path, _ := strings.Cut(route, " ")
		answer := do(backend, method, path, "{}")
		if got := backend.method + " " + backend.path; got != want {
			t.Errorf("%s went to %s, want %s", route, got, want)
		}
		if answer.Code != 200 || answer.Body.String() != `{"x":1}` || answer.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s answered %d %s", route, answer.Code, answer.Body)
		}
	}
}

func TestAnOrderGoesOnWithAnIdThatMakesARepeatHarmless(t *testing.T) {
	backend := &fake{status: 200, body: "{}"}
	do(backend, http.MethodPost, "/v1/api/orders", `{"location":1}`)
	if _, err := uuid.Parse(backend.header.Get(rpc.OrderID)); err != nil || backend.sent != `{"location":1}` {
		t.Errorf("sent %q with id %q", backend.sent, backend.header.Get(rpc.OrderID))
	}
}

func TestPagesOfOtherOriginsMayOrder(t *testing.T) {
	answer := do(&fake{status: 200}, http.MethodOptions, "/v1/api/orders", "", "Origin", "http://phone:8888")
	headers := answer.Header()
	if answer.Code != 200 || headers.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(headers.Get("Access-Control-Allow-Methods"), "POST") ||
		!strings.Contains(headers.Get("Access-Control-Allow-Headers"), "Content-Type") {
		t.Errorf("%d %v", answer.Code, headers)
	}
}

func TestAServiceThatIsAwayIsNamedInTheFormOfAGateway(t *testing.T) {
	answer := do(&fake{err: errors.New("counter does not answer")}, http.MethodPost, "/v1/api/orders", "{}")
	if answer.Code != 503 || !strings.Contains(answer.Body.String(), `"code":14`) || !strings.Contains(answer.Body.String(), "counter") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestAnOrderLargerThanTheBoundIsRefused(t *testing.T) {
	backend := &fake{status: 200}
	answer := do(backend, http.MethodPost, "/v1/api/orders", strings.Repeat("x", maxOrder+1))
	if answer.Code != 400 || backend.path != "" {
		t.Errorf("%d, reached %q", answer.Code, backend.path)
	}
}
