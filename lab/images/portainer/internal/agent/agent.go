// Package agent reads its phone's Docker engine and tells the server, which must know AGENT_SECRET.
package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"cloudlet.lab/portainer/internal/cluster"
	"cloudlet.lab/portainer/internal/listen"
	"cloudlet.lab/portainer/internal/pass"
)

const socket = "/var/run/docker.sock"

// Run serves on port 9001 until the context ends.
func Run(ctx context.Context, _ []string) error {
	secret := os.Getenv("AGENT_SECRET")
	if secret == "" {
		return errors.New("AGENT_SECRET is not set: give agents and server the same secret")
	}
	if _, err := os.Stat(socket); err != nil {
		return fmt.Errorf("%s is not there: mount it into the container", socket)
	}
	return listen.Serve(ctx, listen.Port{Address: ":9001", TLS: true, Handler: Handler(secret, &Engine{client: onSocket()})})
}

// Looker looks at a phone.
type Looker interface {
	Look(ctx context.Context) (cluster.Node, error)
}

// Handler answers `/ping` to anybody and `/node` to a server that knows the secret.
func Handler(secret string, engine Looker) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /node", func(w http.ResponseWriter, r *http.Request) {
		if !pass.Valid(r, secret, time.Now()) {
			log.Printf("refused %s: it does not know AGENT_SECRET", r.RemoteAddr)
			http.Error(w, "the agent's secret differs from the server's", http.StatusForbidden)
			return
		}
		node, err := engine.Look(r.Context())
		if err != nil {
			log.Printf("docker: %v", err)
			http.Error(w, "the Docker engine does not answer", http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(node)
	})
	return mux
}

// Engine is the phone's Docker engine.
type Engine struct{ client *http.Client }

func onSocket() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		MaxIdleConns: 2,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
}

// Look asks the engine about itself and its containers.
func (e *Engine) Look(ctx context.Context) (cluster.Node, error) {
	var info struct {
		Name, ServerVersion, OperatingSystem, Architecture string
		NCPU, Images                                       int
		MemTotal                                           int64
		Swarm                                              struct {
			NodeID           string
			ControlAvailable bool
		}
	}
	var list []struct {
		ID, Image, State, Status string
		Names                    []string
		Labels                   map[string]string
	}
	if err := e.get(ctx, "/info", &info); err != nil {
		return cluster.Node{}, err
	}
	if err := e.get(ctx, "/containers/json?all=true", &list); err != nil {
		return cluster.Node{}, err
	}
	node := cluster.Node{
		Name: info.Name, SwarmID: info.Swarm.NodeID, Manager: info.Swarm.ControlAvailable,
		Version: info.ServerVersion, System: info.OperatingSystem, Arch: info.Architecture,
		CPUs: info.NCPU, Memory: info.MemTotal, Images: info.Images,
		Containers: make([]cluster.Container, 0, len(list)),
	}
	for _, one := range list {
		image, _, _ := strings.Cut(one.Image, "@")
		node.Containers = append(node.Containers, cluster.Container{
			ID: one.ID, Name: strings.TrimPrefix(strings.Join(one.Names, ","), "/"), Image: image,
			State: one.State, Status: one.Status, Stack: one.Labels["com.docker.stack.namespace"],
			Service: one.Labels["com.docker.swarm.service.name"],
		})
	}
	return node, nil
}

func (e *Engine) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker"+path, nil)
	if err != nil {
		return err
	}
	answer, err := e.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
