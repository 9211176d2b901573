//go:build e2e

package rig

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Alertmanager is a running Alertmanager.
type Alertmanager struct {
	*Program
	// Address is where it listens: host and port.
	Address string
	client  *http.Client
}

// StartAlertmanager starts Debian's Alertmanager with a configuration, beside
// which it looks for the templates that are copied from a folder.
func StartAlertmanager(t testing.TB, configuration, templates string) *Alertmanager {
	t.Helper()
	NeedPrograms(t, "alertmanager", "prometheus-alertmanager")
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, filepath.Base(templates)), os.DirFS(templates)); err != nil {
		t.Fatal(err)
	}
	a := &Alertmanager{Address: freeAddress(t), client: &http.Client{Timeout: 10 * time.Second}}
	a.Program = Start(t, exec.Command("prometheus-alertmanager",
		"--config.file="+file, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+a.Address,
		"--cluster.listen-address=", "--log.level=debug"))
	t.Cleanup(a.client.CloseIdleConnections)
	Eventually(t, startLimit, func() error {
		response, err := a.client.Get("http://" + a.Address + "/-/ready")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("Alertmanager is not ready: %s", response.Status)
		}
		return nil
	})
	return a
}

// Alert is one that Alertmanager knows.
type Alert struct {
	Labels, Annotations Labels
	Status              struct{ InhibitedBy []string }
}

// Alerts lists those that fire and match, whether another one hides them or
// not (the HTTP API of Alertmanager, /api/v2/alerts).
func (a *Alertmanager) Alerts(matchers ...string) ([]Alert, error) {
	query := url.Values{"filter": matchers, "active": {"true"}, "inhibited": {"true"}}
	response, err := a.client.Get("http://" + a.Address + "/api/v2/alerts?" + query.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var alerts []Alert
	if err := json.NewDecoder(response.Body).Decode(&alerts); err != nil {
		return nil, fmt.Errorf("alerts %v: %s: %w", matchers, response.Status, err)
	}
	return alerts, nil
}
