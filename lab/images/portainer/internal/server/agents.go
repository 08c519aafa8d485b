package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"cloudlet.lab/portainer/internal/cluster"
	"cloudlet.lab/portainer/internal/pass"
)

// fresh is how long a look at the cluster serves for others who ask.
const fresh = 3 * time.Second

// Snapshot is what the agents told, and which of them did not.
type Snapshot struct {
	Time  time.Time
	Nodes []cluster.Node
	// Silent names the agents that did not answer and says why.
	Silent []string
}

// Agents are all agents behind one name.
type Agents struct {
	host, port, secret string
	client             *http.Client
	lookup             func(ctx context.Context, host string) ([]string, error)

	mutex sync.Mutex
	last  Snapshot
}

// NewAgents takes the address of --host: tcp://tasks.agent:9001, a name with an address per agent.
func NewAgents(address, secret string) (*Agents, error) {
	host, port, err := net.SplitHostPort(strings.TrimPrefix(address, "tcp://"))
	if err != nil || !strings.HasPrefix(address, "tcp://") {
		return nil, fmt.Errorf("--host: %q is not of the form tcp://tasks.agent:9001", address)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // As --tlsskipverify says.
		DialContext:     (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		IdleConnTimeout: 30 * time.Second,
	}
	return &Agents{host: host, port: port, secret: secret, lookup: net.DefaultResolver.LookupHost,
		client: &http.Client{Timeout: 5 * time.Second, Transport: transport}}, nil
}

// Look asks every agent, or returns what they told a moment ago.
func (a *Agents) Look(ctx context.Context) Snapshot {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if time.Since(a.last.Time) < fresh {
		return a.last
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 6*time.Second)
	defer cancel()
	seen := Snapshot{Time: time.Now(), Nodes: []cluster.Node{}}
	addresses, err := a.lookup(limit, a.host)
	if err != nil {
		seen.Silent = append(seen.Silent, fmt.Sprintf("%s: no such name; do the agents run?", a.host))
	}
	type told struct {
		node cluster.Node
		err  error
	}
	answers := make([]told, len(addresses))
	var all sync.WaitGroup
	for i, address := range addresses {
		all.Go(func() { answers[i].node, answers[i].err = a.ask(limit, address) })
	}
	all.Wait()
	for i, answer := range answers {
		if answer.err != nil {
			seen.Silent = append(seen.Silent, fmt.Sprintf("%s: %v", addresses[i], answer.err))
			continue
		}
		seen.Nodes = append(seen.Nodes, answer.node)
	}
	sort.Slice(seen.Nodes, func(i, j int) bool { return seen.Nodes[i].Name < seen.Nodes[j].Name })
	sort.Strings(seen.Silent)
	seen.Time = time.Now()
	a.last = seen
	return seen
}

func (a *Agents) ask(ctx context.Context, address string) (cluster.Node, error) {
	var node cluster.Node
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+net.JoinHostPort(address, a.port)+"/node", nil)
	if err != nil {
		return node, err
	}
	pass.Sign(request, a.secret, time.Now())
	answer, err := a.client.Do(request)
	if err != nil {
		return node, errors.New("the agent does not answer")
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 200))
		return node, errors.New(strings.TrimSpace(string(text)))
	}
	return node, json.NewDecoder(answer.Body).Decode(&node)
}
