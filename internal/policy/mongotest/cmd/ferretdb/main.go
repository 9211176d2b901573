// Command ferretdb runs FerretDB on SQLite until it gets a signal, for tests that
// need a MongoDB outside of their own process:
//
//	go run ./cmd/ferretdb -listen 127.0.0.1:27017 -data /some/folder
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"server-monitor/internal/policy/mongotest/ferret"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "address; port 0 takes a free one")
	data := flag.String("data", "", "folder of the data")
	flag.Parse()
	if err := run(*listen, *data, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}

// run runs the server until a signal comes, and first writes its connection
// string.
func run(listen, data string, w io.Writer) error {
	if data == "" {
		return errors.New("-data is missing")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := ferret.Start(listen, data)
	if err != nil {
		return err
	}
	defer server.Stop()
	if _, err := fmt.Fprintln(w, server.URI()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
