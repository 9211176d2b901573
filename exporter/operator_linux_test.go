package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
)

// TestRealTermination ends processes of an ordinary user over HTTP.
func TestRealTermination(t *testing.T) {
	p := startProgram(t, "--terminate.grace=300ms")
	terminate := func(pid int, body string) *http.Request {
		return p.request("POST", fmt.Sprintf("/api/v1/processes/%d/terminate", pid), body)
	}
	obeys, ignores := startVictim(t, "obeys"), startVictim(t, "ignores")
	identity := p.identity(obeys.pid)
	body := fmt.Sprintf(`{"identity":%q,"reason":"a test"}`, identity)

	inspected := p.want(p.request("GET", fmt.Sprintf("/api/v1/processes/%d/termination", obeys.pid), ""), http.StatusOK, "")
	if !inspected.Allowed {
		t.Fatalf("it may not be ended: %s", inspected.text)
	}
	if got := p.want(terminate(obeys.pid, strings.Replace(body, "{", `{"dry_run":true,`, 1)), http.StatusOK, ""); got.Result != "would_terminate" || len(got.Sent) > 0 {
		t.Errorf("dry run: %s", got.text)
	}
	p.want(terminate(ignores.pid, body), http.StatusConflict, "identity-mismatch")
	p.want(terminate(obeys.pid, `{"identity":"`+strings.Replace(identity, "-", "-1", 1)+`"}`), http.StatusConflict, "identity-mismatch")
	if obeys.ended(50*time.Millisecond) || ignores.ended(50*time.Millisecond) {
		t.Fatal("a process was ended by a request that was refused")
	}
	got := p.want(terminate(obeys.pid, body), http.StatusOK, "")
	if got.Result != "terminated" || got.Method != "soft" || !obeys.ended(5*time.Second) {
		t.Errorf("soft: %s", got.text)
	}
	if found := p.want(p.request("GET", "/api/v1/terminations/"+got.ID, ""), http.StatusOK, ""); found.Result != "terminated" {
		t.Errorf("found: %s", found.text)
	}
	if again := p.want(terminate(obeys.pid, body), http.StatusOK, ""); again.Result != "already_exited" || len(again.Sent) > 0 {
		t.Errorf("again: %s", again.text)
	}
	hard := p.want(terminate(ignores.pid, fmt.Sprintf(`{"identity":%q}`, p.identity(ignores.pid))), http.StatusOK, "")
	if hard.Result != "killed" || hard.Method != "hard" || !ignores.ended(5*time.Second) {
		t.Errorf("hard: %s", hard.text)
	}

	// Nobody ends root's processes, us least of all.
	for _, pid := range []int{1, os.Getpid(), p.cmd.Process.Pid} {
		if a := p.want(p.request("GET", fmt.Sprintf("/api/v1/processes/%d/termination", pid), ""), http.StatusOK, ""); a.Allowed {
			t.Errorf("%d may be ended: %s", pid, a.text)
		}
	}
	p.want(terminate(p.cmd.Process.Pid, fmt.Sprintf(`{"identity":%q}`, p.identity(p.cmd.Process.Pid))), http.StatusForbidden, "self")
}

// TestStreamShowsATermination watches the stream while a process ends.
func TestStreamShowsATermination(t *testing.T) {
	p := startProgram(t)
	v := startVictim(t, "obeys")
	identity := p.identity(v.pid)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	answer, err := http.DefaultClient.Do(p.request("GET", "/api/v1/stream", "").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	until := func(text string) {
		t.Helper()
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatalf("no %q in the stream: %v", text, err)
			}
			if strings.Contains(line, text) {
				return
			}
		}
	}
	until(`"identity":"` + identity + `"`)
	p.want(p.request("POST", fmt.Sprintf("/api/v1/processes/%d/terminate", v.pid), fmt.Sprintf(`{"identity":%q}`, identity)), http.StatusOK, "")
	until(`"gone":[`)
	if err := p.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(`"code":"stopping"`)
	if err := p.stopped(5 * time.Second); err != nil {
		t.Errorf("with a stream open: %v", err)
	}
}

// TestStopDuringATermination stops the program while it waits for a process that
// does not obey: it must see that through, or say that it did not.
func TestStopDuringATermination(t *testing.T) {
	audit := filepath.Join(t.TempDir(), "audit.jsonl")
	p := startProgram(t, "--terminate.grace=5s", "--audit.file="+audit)
	v := startVictim(t, "ignores")
	r := p.request("POST", fmt.Sprintf("/api/v1/processes/%d/terminate", v.pid), fmt.Sprintf(`{"identity":%q}`, p.identity(v.pid)))
	type result struct {
		answer
		err error
	}
	answered := make(chan result, 1)
	go func() {
		a, err := p.do(r)
		answered <- result{a, err}
	}()
	awaitDecision(t, audit)
	time.Sleep(300 * time.Millisecond) // SIGTERM is out
	stop := time.Now()
	if err := p.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	got := <-answered
	if err := p.stopped(12 * time.Second); err != nil {
		t.Errorf("stopped: %v", err)
	}
	took := time.Since(stop)
	t.Logf("answered and stopped %v after SIGTERM: %d %s", took, got.status, got.Result)
	if got.err != nil || took > 9*time.Second {
		t.Fatalf("after %v: %v", took, got.err)
	}
	killed := got.status == http.StatusOK && got.Result == "killed"
	cut := got.status == http.StatusServiceUnavailable && got.Code == "stopping" && len(got.Termination.Sent) > 0
	if !killed && !cut || killed != v.ended(time.Second) {
		t.Errorf("the answer is %d %s; ended %v", got.status, got.text, v.ended(0))
	}
	events := readAudit(t, audit)
	first, last := events[0], events[len(events)-1]
	if first.Stage != terminate.StageDecision || first.Decision != terminate.Accepted || last.Stage != terminate.StageOutcome || last.ID != first.ID {
		t.Errorf("audit %+v", events)
	}
}

// TestKilledDuringATermination kills the program in the middle, and starts it
// again: it says that it does not know what became of the request.
func TestKilledDuringATermination(t *testing.T) {
	audit := filepath.Join(t.TempDir(), "audit.jsonl")
	p := startProgram(t, "--terminate.grace=30s", "--audit.file="+audit)
	v := startVictim(t, "ignores")
	r := p.request("POST", fmt.Sprintf("/api/v1/processes/%d/terminate", v.pid), fmt.Sprintf(`{"identity":%q}`, p.identity(v.pid)))
	go p.do(r) // must fail
	awaitDecision(t, audit)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.stopped(5 * time.Second)
	again := startProgram(t, "--audit.file="+audit)
	events := readAudit(t, audit)
	last := events[len(events)-1]
	if last.Outcome != terminate.Unknown || last.PID != v.pid || !again.says("no known outcome") {
		t.Errorf("audit %+v", last)
	}
	if v.ended(200 * time.Millisecond) {
		t.Error("the termination was resumed")
	}
}

// awaitDecision waits until a termination is audited as accepted.
func awaitDecision(t *testing.T, audit string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(audit)
		if bytes.Contains(text, []byte(`"decision":"accepted"`)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no termination is under way; the audit is %q", text)
		}
	}
}

func readAudit(t *testing.T, path string) []terminate.Event {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var events []terminate.Event
	for line := range strings.Lines(string(text)) {
		var e terminate.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		t.Fatal("the audit is empty")
	}
	return events
}

// TestHostileConnections are turned away by the real listener.
func TestHostileConnections(t *testing.T) {
	p := startProgram(t)
	address := strings.TrimPrefix(p.url, "http://")
	dial := func(t *testing.T) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	// closes waits until the listener has had enough, and returns what it said.
	closes := func(t *testing.T, conn net.Conn, within time.Duration) string {
		t.Helper()
		begin := time.Now()
		if err := conn.SetDeadline(begin.Add(within + 5*time.Second)); err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(conn)
		if took := time.Since(begin); took > within+2*time.Second {
			t.Errorf("the connection is held for %v, %v", took, err)
		}
		return string(text)
	}
	post := "POST /api/v1/processes/1/terminate HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: Bearer " + p.token + "\r\nContent-Type: application/json\r\n"
	t.Run("group", func(t *testing.T) {
		t.Run("nothing", func(t *testing.T) {
			t.Parallel()
			closes(t, dial(t), 10*time.Second)
		})
		t.Run("slow header", func(t *testing.T) {
			t.Parallel()
			conn := dial(t)
			fmt.Fprintf(conn, "GET /api/v1/processes HTTP/1.1\r\nHost: %s\r\nX: ", address)
			closes(t, conn, 5*time.Second)
		})
		t.Run("slow body", func(t *testing.T) {
			t.Parallel()
			conn := dial(t)
			fmt.Fprintf(conn, "%sContent-Length: 50\r\n\r\n{", post)
			if text := closes(t, conn, 10*time.Second); !strings.Contains(text, " 400 ") {
				t.Errorf("answer %q", text)
			}
		})
		t.Run("huge body", func(t *testing.T) {
			t.Parallel()
			conn := dial(t)
			fmt.Fprintf(conn, "%sContent-Length: 10000000\r\n\r\n{\"reason\":\"", post)
			if _, err := conn.Write(bytes.Repeat([]byte("x"), 70_000)); err != nil {
				t.Log(err) // it may be closed already
			}
			if text := closes(t, conn, 10*time.Second); !strings.Contains(text, " 413 ") {
				t.Errorf("answer %q", text)
			}
		})
		t.Run("endless body", func(t *testing.T) {
			t.Parallel()
			conn := dial(t)
			fmt.Fprintf(conn, "%sTransfer-Encoding: chunked\r\n\r\n", post)
			for range 100 {
				if _, err := fmt.Fprintf(conn, "400\r\n%s\r\n", strings.Repeat(" ", 1024)); err != nil {
					break
				}
			}
			if text := closes(t, conn, 10*time.Second); !strings.Contains(text, " 413 ") {
				t.Errorf("answer %q", text)
			}
		})
		t.Run("huge header", func(t *testing.T) {
			t.Parallel()
			conn := dial(t)
			fmt.Fprintf(conn, "GET /api/v1/processes HTTP/1.1\r\nHost: %s\r\nX: %s\r\n\r\n", address, strings.Repeat("x", 30_000))
			if text := closes(t, conn, 5*time.Second); !strings.Contains(text, " 431 ") {
				t.Errorf("answer %.100q", text)
			}
		})
	})
	for _, host := range []string{"evil.example", "127.0.0.1", "127.0.0.1.evil.example:80", "localhost.evil.example"} {
		r := p.request("GET", "/api/v1/processes", "")
		r.Host = host
		p.want(r, http.StatusMisdirectedRequest, "host")
	}
	_, port, _ := net.SplitHostPort(address)
	local := p.request("GET", "/api/v1/processes", "")
	local.Host = "localhost:" + port
	p.want(local, http.StatusOK, "")
	for name, value := range map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"} {
		for _, method := range []string{"GET", "POST"} {
			r := p.request(method, "/api/v1/processes/1/terminate", "")
			r.Header.Set(name, value)
			p.want(r, http.StatusForbidden, "cross-origin")
		}
	}
	if a := p.want(p.request("GET", "/api/v1/processes", ""), http.StatusOK, ""); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("other origins may read")
	}
}

// TestTokensAreReadAgain changes the token file under a running program.
func TestTokensAreReadAgain(t *testing.T) {
	file := token.File{Path: filepath.Join(t.TempDir(), "tokens.json")}
	first, record, err := file.Create("first", token.Admin, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, "--operator.token-file="+file.Path)
	link := p.token
	audit := func(secret string) *http.Request {
		p.token = secret
		return p.request("GET", "/api/v1/audit", "")
	}
	p.want(audit(first), http.StatusOK, "")
	p.want(audit(link), http.StatusForbidden, "role")
	second, _, err := file.Create("second", token.Admin, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	p.want(audit(second), http.StatusOK, "")
	if err := file.Revoke(record.ID); err != nil {
		t.Fatal(err)
	}
	p.want(audit(first), http.StatusUnauthorized, "unauthorized")
	if err := os.Chmod(file.Path, 0o644); err != nil {
		t.Fatal(err)
	}
	p.want(audit(second), http.StatusUnauthorized, "unauthorized")
	p.token = link // is in no file
	p.want(p.request("GET", "/api/v1/processes", ""), http.StatusOK, "")
	if err := os.Chmod(file.Path, 0o600); err != nil {
		t.Fatal(err)
	}
	p.want(audit(second), http.StatusOK, "")
	for _, secret := range []string{first, second, link} {
		if strings.Contains(p.said(), secret) {
			t.Error("the log holds a token")
		}
	}
}

// TestInTheClear does not serve tokens beyond loopback without TLS.
func TestInTheClear(t *testing.T) {
	var stdout, stderr bytes.Buffer
	status := run([]string{"--operator.listen-address=0.0.0.0:0", "--web.listen-address=127.0.0.1:0"}, &stdout, &stderr)
	if status != exitMisused || !strings.Contains(stderr.String(), "in the clear") {
		t.Errorf("exit status %d: %s", status, stderr.String())
	}
	// A name that leads beyond loopback is found out when it is bound.
	if l, err := new(operatorConfig).open("0.0.0.0:0"); err == nil {
		l.Close()
		t.Error("a bound address beyond loopback is served")
	}
	p := startProgram(t, "--operator.listen-address=0.0.0.0:0", "--operator.insecure")
	if !strings.HasPrefix(p.url, "http://127.0.0.1:") {
		t.Errorf("the first address is printed: %s", p.url)
	}
	p.want(p.request("GET", "/api/v1/processes", ""), http.StatusOK, "")
}

// TestTLS serves the API over TLS.
func TestTLS(t *testing.T) {
	folder := t.TempDir()
	pool := writeCertificate(t, folder)
	config := filepath.Join(folder, "web.yml")
	if err := os.WriteFile(config, []byte("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProgram(t, "--operator.config.file="+config)
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") {
		t.Fatalf("address %s", p.url)
	}
	for _, http2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: http2}
		client := &http.Client{Transport: transport}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		for _, path := range []string{"/api/v1/processes", "/api/v1/stream"} {
			answer, err := client.Do(p.request("GET", path, "").WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			text := make([]byte, 5)
			if _, err := io.ReadFull(answer.Body, text); err != nil || answer.StatusCode != http.StatusOK || (answer.ProtoMajor == 2) != http2 {
				t.Errorf("%s: %d, HTTP/%d, %q, %v", path, answer.StatusCode, answer.ProtoMajor, text, err)
			}
			answer.Body.Close()
		}
		cancel()
		transport.CloseIdleConnections()
	}
	plain := p.request("GET", "/api/v1/processes", "")
	plain.URL.Scheme = "http"
	if a, err := p.do(plain); err == nil && a.status < 400 {
		t.Errorf("plain HTTP is answered with %d", a.status)
	}
}

// writeCertificate writes a certificate for 127.0.0.1 and its key, and returns
// the pool that trusts it.
func writeCertificate(t *testing.T, folder string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		text := pem.EncodeToMemory(block)
		pool.AppendCertsFromPEM(text)
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}
