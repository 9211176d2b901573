// Command ferretdb runs FerretDB on SQLite until it gets a signal, for tests that
// need a MongoDB outside of their own process:
//
//	go run ./cmd/ferretdb -listen 127.0.0.1:27017 -data /some/folder
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"server-monitor/internal/policy/mongotest/ferret"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "address; port 0 takes a free one")
	data := flag.String("data", "", "folder of the data")
	flag.Parse()
	if *data == "" {
		fmt.Fprintln(os.Stderr, "ferretdb: -data is missing")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := ferret.Start(*listen, *data)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
	fmt.Println(server.URI())
	<-ctx.Done()
	server.Stop()
}
