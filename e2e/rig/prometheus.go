//go:build e2e

package rig

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Prometheus is a running Prometheus.
type Prometheus struct {
	*Program
	url    string
	client *http.Client
}

// StartPrometheus starts Debian's Prometheus with a configuration, and more
// flags, and waits until it is ready.
func StartPrometheus(t testing.TB, configuration string, flags ...string) *Prometheus {
	t.Helper()
	NeedPrograms(t, "prometheus", "prometheus")
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	p := &Prometheus{url: "http://" + address, client: &http.Client{Timeout: 10 * time.Second}}
	p.Program = Start(t, exec.Command("prometheus", append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + address, "--log.level=warn",
	}, flags...)...))
	t.Cleanup(p.client.CloseIdleConnections)
	Eventually(t, startLimit, func() error {
		response, err := p.client.Get(p.url + "/-/ready")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("Prometheus is not ready: %s", response.Status)
		}
		return nil
	})
	return p
}

// URL is where it answers.
func (p *Prometheus) URL() string { return p.url }

// freeAddress finds a port on which nobody listens now.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Sample is one element of the answer to a query.
type Sample struct {
	Labels Labels
	Value  float64
}

// Query asks for an instant vector (the HTTP API of Prometheus, /api/v1/query).
func (p *Prometheus) Query(query string) ([]Sample, error) {
	response, err := p.client.Get(p.url + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric Labels
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("query %s: %s: %w", query, response.Status, err)
	}
	if answer.Status != "success" {
		return nil, fmt.Errorf("query %s: %s", query, answer.Error)
	}
	var samples []Sample
	for _, element := range answer.Data.Result {
		text, _ := element.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", query, err)
		}
		samples = append(samples, Sample{element.Metric, value})
	}
	return samples, nil
}
