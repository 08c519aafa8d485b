// Coffee is the lab's stand-in for the images of go-coffeeshop, which exist for linux/arm/v7 only:
// one binary whose first argument names the service to be. It speaks the same HTTP, takes the same
// environment and works with PostgreSQL and RabbitMQ as the original does.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"

	"cloudlet.lab/coffee/internal/counter"
	"cloudlet.lab/coffee/internal/product"
	"cloudlet.lab/coffee/internal/proxy"
	"cloudlet.lab/coffee/internal/serve"
	"cloudlet.lab/coffee/internal/web"
	"cloudlet.lab/coffee/internal/worker"
)

var services = map[string]func(context.Context) error{
	"product": product.Run,
	"counter": counter.Run,
	"barista": worker.Barista.Run,
	"kitchen": worker.Kitchen.Run,
	"proxy":   proxy.Run,
	"web":     web.Run,
}

func main() {
	if len(os.Args) != 2 {
		usage()
	}
	name := os.Args[1]
	if name == "healthcheck" {
		if err := serve.CheckHealth(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	run, known := services[name]
	if !known {
		usage()
	}

	log.SetFlags(log.LstdFlags | log.LUTC | log.Lmsgprefix)
	log.SetPrefix(name + ": ")
	log.Printf("a stand-in of cloudlet's lab for go-coffeeshop-%s", name)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil && ctx.Err() == nil {
		log.Fatal(serve.Line(err))
	}
	log.Print("stopped")
}

func usage() {
	names := make([]string, 0, len(services))
	for name := range services {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: coffee %s | healthcheck\n", strings.Join(names, " | "))
	os.Exit(2)
}
