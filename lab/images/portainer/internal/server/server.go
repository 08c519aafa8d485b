// Package server is Portainer's server: one admin, one environment, a page that shows what runs on
// which phone.
package server

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"cloudlet.lab/portainer/internal/listen"
)

//go:embed static
var files embed.FS

// version is the release whose answers these are.
const version = "2.33.6"

// Run serves on ports 9000, 9443 (HTTPS) and 8000 (the tunnel's) until the context ends.
func Run(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("portainer", flag.ExitOnError)
	var address, passwordFile, passwordHash, data string
	for _, name := range []string{"H", "host"} {
		flags.StringVar(&address, name, "", "the agents: tcp://tasks.agent:9001")
	}
	flags.StringVar(&passwordFile, "admin-password-file", "", "the admin's password, for the first start")
	flags.StringVar(&passwordHash, "admin-password", "", "bcrypt hash of it, for the first start")
	flags.StringVar(&data, "data", "/data", "what is kept")
	flags.Bool("tlsskipverify", true, "believe the agents' certificates, which are their own")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	agents, err := NewAgents(address, os.Getenv("AGENT_SECRET"))
	if err != nil {
		return err
	}
	admin, err := OpenAdmin(data, func() (string, error) {
		switch {
		case passwordFile != "":
			return HashOfFile(passwordFile)
		case passwordHash != "":
			return passwordHash, nil
		}
		return "", errors.New("there is no admin yet: give --admin-password-file or --admin-password")
	})
	if err != nil {
		return err
	}
	site := Handler(admin, agents.Look)
	tunnel := http.NotFoundHandler()
	return listen.Serve(ctx,
		listen.Port{Address: ":9000", Handler: site},
		listen.Port{Address: ":9443", Handler: site, TLS: true},
		listen.Port{Address: ":8000", Handler: tunnel},
	)
}

// Handler serves the API and the page; look returns the state of the cluster.
func Handler(admin *Admin, look func(context.Context) Snapshot) http.Handler {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	status := func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"Version": version, "InstanceID": admin.Instance, "Edition": "cloudlet lab stand-in"})
	}
	mux.HandleFunc("GET /api/system/status", status)
	mux.HandleFunc("GET /api/status", status)
	mux.HandleFunc("GET /api/users/admin/check", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /api/auth", func(w http.ResponseWriter, r *http.Request) {
		var login struct{ Username, Password string }
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&login); err != nil {
			problem(w, http.StatusBadRequest, "Invalid request payload")
			return
		}
		token, err := admin.Login(login.Username, login.Password, time.Now())
		if err != nil {
			log.Printf("refused a login from %s", r.RemoteAddr)
			problem(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		answer(w, http.StatusOK, map[string]string{"jwt": token})
	})
	mux.Handle("GET /api/endpoints", signedIn(admin, func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, []any{environment(look(r.Context()))})
	}))
	mux.Handle("GET /api/endpoints/1", signedIn(admin, func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, environment(look(r.Context())))
	}))
	mux.Handle("GET /", http.FileServerFS(static))
	return mux
}

func signedIn(admin *Admin, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer || !admin.Knows(token) {
			problem(w, http.StatusUnauthorized, "A valid authorisation token is missing")
			return
		}
		next(w, r)
	})
}

// environment is the cluster as Portainer's API shows one: Status 1 is up, 2 is down.
func environment(seen Snapshot) map[string]any {
	running, stopped, cpus, memory := 0, 0, 0, int64(0)
	services, stacks := map[string]bool{}, map[string]bool{}
	for _, node := range seen.Nodes {
		cpus += node.CPUs
		memory += node.Memory
		for _, container := range node.Containers {
			if container.State == "running" {
				running++
			} else {
				stopped++
			}
			services[container.Service] = true
			stacks[container.Stack] = true
		}
	}
	delete(services, "")
	delete(stacks, "")
	status := 1
	if len(seen.Nodes) == 0 {
		status = 2
	}
	return map[string]any{
		"Id": 1, "Name": "primary", "Type": 2, "GroupId": 1, "Status": status,
		"Snapshots": []any{map[string]any{
			"Time": seen.Time.Unix(), "Swarm": true, "NodeCount": len(seen.Nodes),
			"TotalCPU": cpus, "TotalMemory": memory, "RunningContainerCount": running,
			"StoppedContainerCount": stopped, "ServiceCount": len(services), "StackCount": len(stacks),
			"LabNodes": seen.Nodes, "LabSilentAgents": seen.Silent,
		}},
	}
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func problem(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"message": message, "details": message})
}
