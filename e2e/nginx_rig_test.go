//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// site is where nginx serves the operator listener, by the guide.
const site = "https://monitor.example.com"

// browsing is a client of nginx that trusts the certificate which the guide has
// made, and knows where the site is.
func (o *operations) browsing(t *testing.T, change func(*tls.Config)) *http.Client {
	t.Helper()
	public, err := os.ReadFile(filepath.Join(o.Root, "/etc/pki/nginx/server-monitor.crt"))
	if err != nil {
		t.Fatal(err)
	}
	client := o.Client(t)
	transport, _ := client.Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, kind, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address)
		return dial(ctx, kind, "127.0.0.1:"+port)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(public)
	transport.ForceAttemptHTTP2 = true
	if change != nil {
		change(transport.TLSClientConfig)
	}
	return client
}

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	text string
}

// ask sends a request, with headers as "Name: value".
func ask(t *testing.T, client *http.Client, method, url, body string, headers ...string) *reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if request.Header.Add(name, value); name == "Host" {
			request.Host = value
		}
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return &reply{response, string(text)}
}

// wantProblem checks that server-monitor itself refuses, and why.
func (r *reply) wantProblem(t *testing.T, status int, code string) {
	t.Helper()
	var problem struct{ Code string }
	_ = json.Unmarshal([]byte(r.text), &problem)
	if r.StatusCode != status || problem.Code != code || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %s: %s, %s; want %d %s", r.Request.Method, r.Request.URL, r.Status, r.text, status, code)
	}
}

// wantStatus checks a status, whoever answers.
func (r *reply) wantStatus(t *testing.T, status int) {
	t.Helper()
	if r.StatusCode != status {
		t.Errorf("%s %s: %s, want %d\n%s", r.Request.Method, r.Request.URL, r.Status, status, r.text)
	}
}

// once are the headers of which a doubled one would be another one.
var once = []string{
	"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy", "Cache-Control",
	"Strict-Transport-Security", "Content-Type",
}

// checkHeaders checks that each header of security is there, once.
func (r *reply) checkHeaders(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if values := r.Header.Values(name); len(values) != 1 || values[0] == "" {
			t.Errorf("%s: %s is %q, want it once", r.Request.URL, name, values)
		}
	}
	if server := r.Header.Get("Server"); server != "nginx" {
		t.Errorf("%s: the server says it is %q", r.Request.URL, server)
	}
}

// streamed is a stream of events that is open.
type streamed struct {
	lines chan string
	*http.Response
}

// openStream opens a stream and reads what comes.
func openStream(t *testing.T, client *http.Client, path, bearer string) *streamed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, site+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_, value, _ := strings.Cut(bearer, ": ")
	request.Header.Set("Authorization", value)
	endless := *client
	endless.Timeout = 0
	response, err := endless.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", path, response.Status)
	}
	s := &streamed{make(chan string, 1000), response}
	go func() {
		defer close(s.lines)
		scanner := bufio.NewScanner(response.Body)
		scanner.Buffer(nil, 4<<20) // an event is one line
		for scanner.Scan() {
			select {
			case s.lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		response.Body.Close()
	})
	return s
}

// await waits for a line of a stream.
func (s *streamed) await(t *testing.T, within time.Duration, want string) {
	t.Helper()
	late := time.After(within)
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				t.Fatalf("the stream ended before %q", want)
			}
			if strings.Contains(line, want) {
				return
			}
		case <-late:
			t.Fatalf("%q did not come within %v", want, within)
		}
	}
}

// forged are the headers by which clients claim an address.
func forged(n int) []string {
	address := fmt.Sprintf("203.0.113.%d", n)
	return []string{
		"X-Forwarded-For: " + address, "X-Real-IP: " + address, "Forwarded: for=" + address, "X-Client-IP: " + address,
		"True-Client-IP: " + address, "CF-Connecting-IP: " + address, "X-Forwarded-Proto: https",
	}
}

// awaitPage waits until nginx, which was told to reload, answers a client without
// a certificate in some way.
func (o *operations) awaitPage(t *testing.T, status int) {
	t.Helper()
	rig.Eventually(t, 10*time.Second, func() error {
		if got := ask(t, o.browsing(t, nil), http.MethodGet, site+"/", ""); got.StatusCode != status {
			return fmt.Errorf("without a certificate: %s, want %d", got.Status, status)
		}
		return nil
	})
}
