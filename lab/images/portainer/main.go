// Portainer is the lab's stand-in for portainer/agent and portainer/portainer-ce: one binary whose
// first argument is agent or server. It shows what runs where; it changes nothing.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"cloudlet.lab/portainer/internal/agent"
	"cloudlet.lab/portainer/internal/listen"
	"cloudlet.lab/portainer/internal/server"
)

func main() {
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	var run func(context.Context, []string) error
	switch command {
	case "healthcheck":
		if err := listen.CheckHealth(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	case "agent":
		run = agent.Run
	case "server":
		run = server.Run
	default:
		fmt.Fprintln(os.Stderr, "usage: portainer agent | server [flags] | healthcheck")
		os.Exit(2)
	}
	log.SetFlags(log.LstdFlags | log.LUTC | log.Lmsgprefix)
	log.SetPrefix(command + ": ")
	log.Printf("a stand-in of cloudlet's lab for Portainer's %s", command)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[2:]); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
	log.Print("stopped")
}
