package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloudlet.lab/portainer/internal/cluster"
	"cloudlet.lab/portainer/internal/pass"
)

type still struct{ err error }

func (s still) Look(context.Context) (cluster.Node, error) {
	return cluster.Node{Name: "phone-1"}, s.err
}

func ask(engine Looker, secret string) *httptest.ResponseRecorder {
	request := httptest.NewRequest("GET", "/node", nil)
	pass.Sign(request, secret, time.Now())
	answer := httptest.NewRecorder()
	Handler("secret", engine).ServeHTTP(answer, request)
	return answer
}

func TestAnAgentTellsOnlyThoseWhoKnowTheSecret(t *testing.T) {
	if answer := ask(still{}, "secret"); answer.Code != 200 || !strings.Contains(answer.Body.String(), "phone-1") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := ask(still{}, "guess"); answer.Code != 403 || strings.Contains(answer.Body.String(), "phone-1") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestAnEngineThatDoesNotAnswerIsSaidSo(t *testing.T) {
	if answer := ask(still{err: errors.New("refused")}, "secret"); answer.Code != 502 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestWhatDockerTellsBecomesANode(t *testing.T) {
	docker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/info" {
			_ = json.NewEncoder(w).Encode(map[string]any{"Name": "phone-1", "NCPU": 4, "MemTotal": 2 << 30,
				"ServerVersion": "26.1", "Swarm": map[string]any{"NodeID": "n1", "ControlAvailable": true}})
			return
		}
		_ = json.NewEncoder(w).Encode([]any{map[string]any{"Id": "c1", "Names": []string{"/shop_web.1"},
			"Image": "web:latest@sha256:0", "State": "running", "Labels": map[string]string{
				"com.docker.stack.namespace": "shop", "com.docker.swarm.service.name": "shop_web"}}})
	}))
	defer docker.Close()
	address, err := url.Parse(docker.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(address)}}
	node, err := (&Engine{client: client}).Look(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := cluster.Container{ID: "c1", Name: "shop_web.1", Image: "web:latest", State: "running", Stack: "shop", Service: "shop_web"}
	if !node.Manager || node.CPUs != 4 || node.SwarmID != "n1" || len(node.Containers) != 1 || node.Containers[0] != want {
		t.Errorf("got %+v", node)
	}
}
