package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func get(path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	Handler("http://10.0.0.1:5000").ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
	return answer
}

func TestThePageSaysWhatItIsAndLoadsItsParts(t *testing.T) {
	page := get("/").Body.String()
	if !strings.Contains(page, "stand-in") {
		t.Error("the page does not say that it is a stand-in")
	}
	for _, part := range []string{"/static/page.css", "/static/page.js"} {
		if !strings.Contains(page, part) || get(part).Code != 200 {
			t.Errorf("%s is not part of the page", part)
		}
	}
}

func TestTheBrowserLearnsWhereTheProxyIs(t *testing.T) {
	if body := strings.TrimSpace(get("/reverse-proxy-url").Body.String()); body != `{"url":"http://10.0.0.1:5000"}` {
		t.Errorf("got %s", body)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	if status := get("/nothing").Code; status != 404 {
		t.Errorf("status %d", status)
	}
}
