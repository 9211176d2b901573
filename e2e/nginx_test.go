//go:build e2e

package e2e

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// afterNginx looks at the site that the guide has made, as deploy/nginx has it.
func (o *operations) afterNginx(t *testing.T, printed string) {
	if !strings.Contains(printed, `"services":`) || !strings.Contains(printed, `server_monitor_processes{verdict="safe"}`) {
		t.Errorf("it prints %s", printed)
	}
	client, bearer := o.browsing(t, nil), "Authorization: Bearer "+o.alice(t)
	for _, test := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"drop-in", o.testProxyDropIn},
		{"handshake", o.testHandshake},
		{"console", func(t *testing.T) { testConsoleFiles(t, client) }},
		{"tokens", func(t *testing.T) { testSiteTokens(t, client, bearer) }},
		{"names", func(t *testing.T) { testSiteNames(t, client, bearer) }},
		{"requests", func(t *testing.T) { testSiteRequests(t, client, bearer) }},
		{"streams", func(t *testing.T) { o.testSiteStreams(t, client, bearer) }},
		{"termination", func(t *testing.T) { o.testSiteTermination(t, client, bearer) }},
		{"forged addresses", func(t *testing.T) { o.testForgedAddresses(t, client, bearer) }},
		{"log", func(t *testing.T) { o.testSiteLog(t, client, bearer) }},
		{"metrics", func(t *testing.T) { testSiteMetrics(t, client) }},
		{"rate", func(t *testing.T) { testSiteRate(t, client) }},
		{"certificate", o.testClientCertificate},
	} {
		t.Run(test.name, test.do)
	}
}

// testProxyDropIn checks that nobody passes nginx by, by the flags of the guide, and
// what the drop-in does to the figures.
func (o *operations) testProxyDropIn(t *testing.T) {
	if text := o.Run(t, "systemd-analyze", "verify", "server-monitor.service"); text != "" {
		t.Errorf("systemd-analyze verify: %s", text)
	}
	for line := range strings.Lines(o.Run(t, "ss", "--no-header", "-ltn")) {
		fields := strings.Fields(line)
		if port := fields[3][strings.LastIndex(fields[3], ":"):]; (port == ":10042" || port == ":10043") && !strings.HasPrefix(fields[3], "127.0.0.1:") {
			t.Errorf("it listens on %s", fields[3])
		}
	}
	o.checkExposure(t, "`+ termination.conf + proxy.conf`")
	o.Run(t, "mv", dropIn, "/root/termination.conf")
	o.Run(t, "systemctl", "daemon-reload")
	o.checkExposure(t, "`+ proxy.conf`")
	o.Run(t, "mv", "/root/termination.conf", dropIn)
	o.Run(t, "systemctl", "daemon-reload")
}

// testHandshake tries who gets through the handshake, and with what.
func (o *operations) testHandshake(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*tls.Config)
		fails  bool
	}{
		{"TLS 1.3", func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, false},
		{"TLS 1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, false},
		{"TLS 1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, true},
		{"another name", func(c *tls.Config) { c.ServerName, c.InsecureSkipVerify = "other.example.com", true }, true},
		{"no name", func(c *tls.Config) { c.ServerName, c.InsecureSkipVerify = "127.0.0.1", true }, true},
	} {
		response, err := o.browsing(t, test.change).Get(site + "/")
		if err == nil {
			response.Body.Close()
		}
		if (err != nil) != test.fails {
			t.Errorf("%s: %v, fails: %v", test.name, err, test.fails)
		}
		if err == nil && response.ProtoMajor != 2 {
			t.Errorf("%s: %s", test.name, response.Proto)
		}
	}
	ask(t, o.browsing(t, nil), http.MethodGet, "http://monitor.example.com:443/", "").wantStatus(t, http.StatusBadRequest)
	if _, err := o.browsing(t, nil).Get("http://monitor.example.com/"); err == nil {
		t.Error("port 80 is served")
	}
}

// loaded are the files that the console's page, style and modules name.
var loaded = regexp.MustCompile(`(?:href|src)="/?(console/[^"]+)"|from '\./([^']+)'|url\("?([^")]+)"?\)|'/(console/[^']+)'`)

// testConsoleFiles loads the page, and every file that it leads to, as fast as a
// browser would.
func testConsoleFiles(t *testing.T, client *http.Client) {
	paths, seen := []string{""}, map[string]bool{"": true}
	for len(paths) > 0 {
		path := paths[0]
		paths = paths[1:]
		got := ask(t, client, http.MethodGet, site+"/"+path, "")
		got.wantStatus(t, http.StatusOK)
		got.checkHeaders(t, append(once, "X-Frame-Options", "Permissions-Policy", "Cross-Origin-Opener-Policy")...)
		if kind := got.Header.Get("Content-Type"); strings.Contains(kind, "font") || strings.Contains(kind, "image") {
			continue
		}
		for _, found := range loaded.FindAllStringSubmatch(got.text, -1) {
			name := strings.TrimPrefix(strings.Join(found[1:], ""), "./")
			if !strings.HasPrefix(name, "console/") {
				name = "console/" + name
			}
			if !seen[name] && !strings.Contains(name, ":") {
				seen[name] = true
				paths = append(paths, name)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("the console has %d files: %v", len(seen), seen)
	}
	tag := ask(t, client, http.MethodGet, site+"/console/main.js", "").Header.Get("ETag")
	ask(t, client, http.MethodGet, site+"/console/main.js", "", "If-None-Match: "+tag).wantStatus(t, http.StatusNotModified)
}

// testSiteTokens: nginx passes tokens on, and nothing is seen without one.
func testSiteTokens(t *testing.T, client *http.Client, bearer string) {
	got := ask(t, client, http.MethodGet, site+"/api/v1/processes?limit=1", "", bearer)
	got.wantStatus(t, http.StatusOK)
	got.checkHeaders(t, once...)
	for _, path := range []string{"processes", "services", "resources", "stream", "logs/stream?source=journal", "audit"} {
		got := ask(t, client, http.MethodGet, site+"/api/v1/"+path, "")
		got.wantStatus(t, http.StatusUnauthorized)
		got.checkHeaders(t, once...)
	}
	ask(t, client, http.MethodGet, site+"/api/v1/audit", "", bearer).wantProblem(t, http.StatusForbidden, "role")
	ask(t, client, http.MethodGet, site+"/api/v1/processes", "", "Authorization: Basic YWxpY2U6YWxpY2U=").wantStatus(t, http.StatusUnauthorized)
}

// testSiteNames: Host and Origin arrive as they were sent.
func testSiteNames(t *testing.T, client *http.Client, bearer string) {
	path := site + "/api/v1/processes?limit=1"
	ask(t, client, http.MethodGet, path, "", bearer, "Host: other.example.com").wantStatus(t, http.StatusMisdirectedRequest)
	ask(t, client, http.MethodGet, path, "", bearer, "Host: localhost:10043").wantStatus(t, http.StatusMisdirectedRequest)
	ask(t, client, http.MethodGet, path, "", bearer, "X-Forwarded-Host: other.example.com").wantStatus(t, http.StatusOK)
	ask(t, client, http.MethodGet, path, "", bearer, "Origin: "+site).wantStatus(t, http.StatusOK)
	ask(t, client, http.MethodGet, path, "", bearer, "Origin: "+site, "Sec-Fetch-Site: same-origin").wantStatus(t, http.StatusOK)
	for _, foreign := range []string{"Origin: https://evil.example.com", "Sec-Fetch-Site: cross-site", "Origin: null"} {
		got := ask(t, client, http.MethodGet, path, "", bearer, foreign)
		got.wantStatus(t, http.StatusForbidden)
	}
}

// testSiteRequests: bodies, methods and upgrades that server-monitor does not
// take.
func testSiteRequests(t *testing.T, client *http.Client, bearer string) {
	json := "Content-Type: application/json"
	path := site + "/api/v1/processes/1/terminate"
	body := func(n int) string { return `{"name":"` + strings.Repeat("x", n-11) + `"}` }
	ask(t, client, http.MethodPost, path, body(64<<10+1), bearer, json).wantProblem(t, http.StatusRequestEntityTooLarge, "too-large")
	ask(t, client, http.MethodPost, path, body(200<<10), bearer, json).wantStatus(t, http.StatusRequestEntityTooLarge)
	ask(t, client, http.MethodPost, path, body(64<<10), bearer, json).wantStatus(t, http.StatusConflict) // process 1 has another name
	for method, want := range map[string]int{
		http.MethodPut: http.StatusMethodNotAllowed, http.MethodDelete: http.StatusMethodNotAllowed, http.MethodPatch: http.StatusMethodNotAllowed,
		http.MethodOptions: http.StatusMethodNotAllowed, http.MethodTrace: http.StatusMethodNotAllowed, http.MethodHead: http.StatusOK,
	} {
		ask(t, client, method, site+"/api/v1/processes", "", bearer).wantStatus(t, want)
	}
	plain := client.Transport.(*http.Transport).Clone()
	plain.ForceAttemptHTTP2, plain.TLSNextProto = false, map[string]func(string, *tls.Conn) http.RoundTripper{}
	plain.TLSClientConfig.NextProtos = nil
	defer plain.CloseIdleConnections()
	upgraded := ask(t, &http.Client{Transport: plain}, http.MethodGet, site+"/api/v1/services", "", bearer,
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13")
	upgraded.wantStatus(t, http.StatusOK) // an answer like any other
	if upgraded.ProtoMajor != 1 {
		t.Errorf("it was asked over %s", upgraded.Proto)
	}
}

// testSiteStreams: what happens is told at once, small as it is, and nothing cuts
// a stream that has nothing to tell. The journal is not followed, as journalctl
// does that for the present boot, whose id nspawn hides from it in this sandbox.
func (o *operations) testSiteStreams(t *testing.T, client *http.Client, bearer string) {
	ask(t, client, http.MethodGet, site+"/api/v1/logs?source=journal&lines=5", "", bearer).wantStatus(t, http.StatusOK)
	syslog := openStream(t, client, "/api/v1/logs/stream?source=/var/log/syslog", bearer)
	console := openStream(t, client, "/api/v1/stream?interval=2", bearer)
	syslog.await(t, 10*time.Second, "event: log")
	console.await(t, 10*time.Second, "event: processes")
	for i := range 3 {
		text := fmt.Sprintf("end-to-end line %d of the log", i)
		o.Run(t, "logger", "--tag=e2e", text)
		syslog.await(t, 5*time.Second, text)
	}
	o.Start(t, "short-lived", nil, "/bin/sleep", "4444")
	console.await(t, 20*time.Second, "short-lived")
	o.Run(t, "systemctl", "stop", "short-lived.service")
	if console.Header.Get("Content-Type") != "text/event-stream" || console.Header.Get("Content-Encoding") != "" {
		t.Errorf("the stream is %s, %s", console.Header.Get("Content-Type"), console.Header.Get("Content-Encoding"))
	}
}

// testSiteTermination ends a process through nginx.
func (o *operations) testSiteTermination(t *testing.T, client *http.Client, bearer string) {
	pid := o.pidOf(t, "sleep 1002")
	body := `{"identity":"` + o.identity(t, o.alice(t), pid) + `"}`
	got := ask(t, client, http.MethodPost, site+"/api/v1/processes/"+itoa(pid)+"/terminate", body, bearer, "Content-Type: application/json", "Origin: "+site)
	if !strings.Contains(got.text, `"outcome":"terminated"`) || o.lives(pid) {
		t.Errorf("%s: %s", got.Status, got.text)
	}
}

// testForgedAddresses: whoever claims another address for every try is counted as
// one, and is told in audit and log by his own.
func (o *operations) testForgedAddresses(t *testing.T, client *http.Client, bearer string) {
	refused := 0
	for i := range 8 {
		wrong := fmt.Sprintf("Authorization: Bearer smk_%08x_%064x", i+1, i+1)
		got := ask(t, client, http.MethodGet, site+"/api/v1/processes", "", append(forged(i), wrong)...)
		if got.StatusCode == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 3 { // more where guesses of other steps count still
		t.Errorf("%d of 8 guesses were refused for their number, want 3 or more", refused)
	}
	pid := o.pidOf(t, "sleep 1003")
	body := `{"identity":"` + o.identity(t, o.alice(t), pid) + `"}`
	ask(t, client, http.MethodPost, site+"/api/v1/processes/"+itoa(pid)+"/terminate", body, append(forged(9), bearer, "Content-Type: application/json")...).wantStatus(t, http.StatusOK)
	lines := o.auditLines(t)
	if last := lines[len(lines)-1]; last.PID != pid || last.Actor.From != "127.0.0.1" {
		t.Errorf("the audit says of process %d: %+v", pid, last)
	}
	for what, text := range map[string]string{
		"audit": o.Run(t, "cat", auditFile), "journal": o.Journal(t, "server-monitor.service"), "log of nginx": o.Run(t, "cat", "/var/log/nginx/server-monitor.log"),
	} {
		if strings.Contains(text, "203.0.113.") {
			t.Errorf("the %s has a forged address", what)
		}
	}
}

// testSiteLog: the log of nginx tells who asked what, and no token.
func (o *operations) testSiteLog(t *testing.T, client *http.Client, bearer string) {
	_, secret, _ := strings.Cut(bearer, "Bearer ")
	ask(t, client, http.MethodGet, site+"/api/v1/processes?token="+secret, "").wantStatus(t, http.StatusBadRequest)
	ask(t, client, http.MethodGet, site+"/api/v1/a%22%0a%7b", "", bearer).wantStatus(t, http.StatusNotFound)
	text := o.Run(t, "cat", "/var/log/nginx/server-monitor.log")
	if strings.Contains(text, secret) || strings.Contains(o.Run(t, "cat", "/var/log/nginx/error.log"), secret) {
		t.Error("a log of nginx has the token")
	}
	paths := make(map[string]bool)
	for line := range strings.Lines(text) {
		var entry struct {
			Time               time.Time
			From, Method, Path string
			Status             int
			Seconds            float64
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.From != "127.0.0.1" || entry.Status == 0 || entry.Method == "" {
			t.Errorf("%v: %s", err, line)
		}
		paths[entry.Path] = true
	}
	if !paths["/api/v1/processes"] || !paths["/api/v1/a\"\n{"] {
		t.Errorf("the log tells of %v", paths)
	}
}

// testSiteMetrics: the other port has the metrics, for whoever has the password.
func testSiteMetrics(t *testing.T, client *http.Client) {
	const url, login = site + ":8443/metrics", "Authorization: Basic cHJvbWV0aGV1czpjaGFuZ2UgbWU="
	ask(t, client, http.MethodGet, url, "").wantStatus(t, http.StatusUnauthorized)
	ask(t, client, http.MethodGet, url, "", "Authorization: Basic cHJvbWV0aGV1czp3cm9uZw==").wantStatus(t, http.StatusUnauthorized)
	ask(t, client, http.MethodPost, url, "", login).wantStatus(t, http.StatusForbidden)
	ask(t, client, http.MethodGet, site+":8443/", "", login).wantStatus(t, http.StatusNotFound)
	ask(t, client, http.MethodGet, site+":8443/api/v1/processes", "", login).wantStatus(t, http.StatusNotFound)
	ask(t, client, http.MethodGet, site+"/metrics", "", login).wantStatus(t, http.StatusNotFound)
	got := ask(t, client, http.MethodGet, url+"?collect[]=load", "", login)
	if _, err := rig.ParseScrape(got.text); err != nil || !strings.Contains(got.text, "server_monitor_load1 ") || strings.Contains(got.text, "server_monitor_processes") {
		t.Errorf("%v: %s", err, got.text)
	}
	if zipped := ask(t, client, http.MethodGet, url, "", login, "Accept-Encoding: gzip"); zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("gzip was asked for, %q came", zipped.Header.Get("Content-Encoding"))
	}
}

// testClientCertificate puts the second lock of the configuration in force.
func (o *operations) testClientCertificate(t *testing.T) {
	dir := t.TempDir()
	certificate, _ := makeCertificate(t, dir)
	o.CopyFile(t, certificate, "/etc/pki/nginx/operators-ca.crt", 0o644)
	const file = "/etc/nginx/conf.d/server-monitor.conf"
	o.Run(t, "sed", "-i", `s/#ssl_client_certificate/ssl_client_certificate/; s/#ssl_verify_client/ssl_verify_client/`, file)
	o.Run(t, "nginx", "-t")
	// A reload leaves workers of before for a moment, and the counted requests.
	o.Run(t, "systemctl", "restart", "nginx.service")
	pair, err := tls.LoadX509KeyPair(certificate, filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	with := o.browsing(t, func(c *tls.Config) { c.Certificates = []tls.Certificate{pair} })
	bearer := "Authorization: Bearer " + o.alice(t)
	o.awaitPage(t, http.StatusBadRequest)
	ask(t, o.browsing(t, nil), http.MethodGet, site+"/api/v1/processes", "", bearer).wantStatus(t, http.StatusBadRequest)
	ask(t, with, http.MethodGet, site+"/api/v1/processes", "").wantStatus(t, http.StatusUnauthorized)
	ask(t, with, http.MethodGet, site+"/api/v1/processes?limit=1", "", bearer).wantStatus(t, http.StatusOK)
	if text := o.Run(t, "tail", "-n", "1", "/var/log/nginx/server-monitor.log"); !strings.Contains(text, `"certificate":"CN=localhost"`) {
		t.Errorf("the log does not tell the certificate: %s", text)
	}
	o.Run(t, "sed", "-i", `s/ssl_client_certificate/#ssl_client_certificate/; s/ssl_verify_client/#ssl_verify_client/`, file)
	o.Run(t, "systemctl", "restart", "nginx.service")
	o.awaitPage(t, http.StatusOK)
}

// testSiteRate: nginx itself slows down a client that asks without end, whatever
// address it claims.
func testSiteRate(t *testing.T, client *http.Client) {
	limited := 0
	for i := range 200 {
		got := ask(t, client, http.MethodGet, site+"/console/icon.svg", "", forged(i)...)
		switch got.StatusCode {
		case http.StatusTooManyRequests:
			limited++
		case http.StatusOK:
		default:
			t.Errorf("request %d: %s", i, got.Status)
		}
	}
	if limited == 0 {
		t.Error("200 requests at once, and all were served")
	}
}
