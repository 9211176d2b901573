//go:build e2e

package rig

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lokiVariable and alloyVariable name programs that Debian does not have.
const (
	lokiVariable  = "SERVER_MONITOR_LOKI"
	alloyVariable = "SERVER_MONITOR_ALLOY"
)

// logsLimit is how long Loki and Alloy may take to start.
const logsLimit = 2 * time.Minute

// programOf is the program that a variable names. A test without it is skipped.
func programOf(t testing.TB, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skipf("%s names no program", variable)
	}
	return path
}

// Loki is a running Loki.
type Loki struct {
	*Program
	url    string
	client *http.Client
}

// StartLoki starts Loki with the configuration of the demo stack, and data of
// its own, and waits until it is ready.
func (r *Rig) StartLoki(t testing.TB) *Loki {
	t.Helper()
	binary, dir, address := programOf(t, lokiVariable), t.TempDir(), freeAddress(t)
	text, err := os.ReadFile(filepath.Join(r.Source, "deploy", "loki", "loki.yml"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "loki.yml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "/loki", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	port := func(address string) string {
		_, port, _ := net.SplitHostPort(address)
		return port
	}
	l := &Loki{url: "http://" + address, client: &http.Client{Timeout: 30 * time.Second}}
	l.Program = Start(t, exec.Command(binary, "-config.file="+file, "-ingester.min-ready-duration=0s",
		"-server.http-listen-address=127.0.0.1", "-server.http-listen-port="+port(address), "-server.grpc-listen-port="+port(freeAddress(t))))
	t.Cleanup(l.client.CloseIdleConnections)
	Eventually(t, logsLimit, func() error {
		_, err := l.get("/ready", nil)
		return err
	})
	return l
}

// get asks for an address and returns the body.
func (l *Loki) get(path string, parameters url.Values) ([]byte, error) {
	response, err := l.client.Get(l.url + path + "?" + parameters.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("Loki says %s: %s", response.Status, body)
	}
	return body, err
}

// Stream is one element of the answer to a query: lines, or the values of a
// metric, each with its time.
type Stream struct {
	Labels Labels
	Values [][2]any
}

// Query asks for what was written in the last hour.
func (l *Loki) Query(query string) ([]Stream, error) {
	body, err := l.get("/loki/api/v1/query_range", url.Values{
		"query": {query}, "since": {"1h"}, "step": {"30"}, "limit": {"1000"},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	var answer struct {
		Data struct {
			Result []struct {
				Stream, Metric Labels
				Values         [][2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	streams := make([]Stream, 0, len(answer.Data.Result))
	for _, result := range answer.Data.Result {
		stream := Stream{Labels: result.Stream, Values: result.Values}
		if stream.Labels == nil {
			stream.Labels = result.Metric
		}
		streams = append(streams, stream)
	}
	return streams, nil
}

// Names are the names of all labels, or the values of one.
func (l *Loki) Names(label string) ([]string, error) {
	path := "/loki/api/v1/labels"
	if label != "" {
		path = "/loki/api/v1/label/" + url.PathEscape(label) + "/values"
	}
	body, err := l.get(path, url.Values{"since": {"1h"}})
	if err != nil {
		return nil, err
	}
	var answer struct{ Data []string }
	return answer.Data, json.Unmarshal(body, &answer)
}

// StartAlloy starts Alloy with the configuration of deploy/, for a host whose
// files are in a folder, and waits until it has begun.
func (r *Rig) StartAlloy(t testing.TB, l *Loki, host, root, journal string) *Program {
	t.Helper()
	address := freeAddress(t)
	alloy := exec.Command(programOf(t, alloyVariable), "run", "--storage.path="+t.TempDir(), "--server.http.listen-addr="+address,
		"--disable-reporting", filepath.Join(r.Source, "deploy", "alloy", "config.alloy"))
	alloy.Env = append(os.Environ(), "LOKI_URL="+l.url+"/loki/api/v1/push", "SERVER_MONITOR_HOST="+host, "HOST_ROOT="+root, "JOURNAL_PATH="+journal)
	program := Start(t, alloy)
	Eventually(t, logsLimit, func() error {
		response, err := l.client.Get("http://" + address + "/-/ready")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("not ready: %s", response.Status)
		}
		return nil
	})
	return program
}
