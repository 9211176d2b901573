package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The variables that make the test binary something else: the program itself, or
// a process to end.
const (
	programVariable = "SERVER_MONITOR_TEST_PROGRAM"
	victimVariable  = "SERVER_MONITOR_TEST_VICTIM"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(programVariable) != "":
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	case os.Getenv(victimVariable) != "":
		beVictim(os.Getenv(victimVariable))
	}
	os.Exit(m.Run())
}

// beVictim is a process of somebody who has logged in, which obeys SIGTERM or
// ignores it.
func beVictim(behaviour string) {
	uid := strconv.Itoa(os.Getuid())
	if err := os.WriteFile("/proc/self/loginuid", []byte(uid), 0); err != nil {
		fmt.Println("no login:", err)
		os.Exit(1)
	}
	if behaviour == "ignores" {
		signal.Ignore(unix.SIGTERM)
	}
	fmt.Println("ready")
	for {
		time.Sleep(time.Hour)
	}
}

// victimUID is a login uid that no account of this machine has.
const victimUID = 54321

// victim is a real process to end.
type victim struct {
	pid  int
	done chan struct{} // closed when it has ended
	kill func()        // and wait
}

// startVictim runs a process of an ordinary user.
func startVictim(t *testing.T, behaviour string) *victim {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to run processes of other users")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victimVariable+"="+behaviour)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL, Credential: &syscall.Credential{Uid: victimUID, Gid: victimUID}}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	v := &victim{pid: cmd.Process.Pid, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(v.done)
	}()
	v.kill = func() {
		_ = cmd.Process.Kill()
		<-v.done
	}
	t.Cleanup(v.kill)
	if strings.TrimSpace(line) != "ready" {
		t.Skipf("the victim says %q", line)
	}
	v.logIn(t)
	return v
}

// logIn puts the victim into a login session, by which a machine with systemd
// tells logins. Where there are no cgroups, its audit id has to do.
func (v *victim) logIn(t *testing.T) {
	t.Helper()
	for _, root := range []string{"/sys/fs/cgroup/systemd", "/sys/fs/cgroup"} {
		if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err != nil {
			continue
		}
		user := filepath.Join(root, "user.slice", fmt.Sprintf("user-%d.slice", victimUID))
		session := filepath.Join(user, fmt.Sprintf("session-smexporter%d.scope", v.pid))
		err := os.MkdirAll(session, 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(session, "cgroup.procs"), []byte(strconv.Itoa(v.pid)), 0)
		}
		if err != nil {
			t.Logf("no login session: %v", err)
		}
		t.Cleanup(func() {
			v.kill()
			for deadline := time.Now().Add(2 * time.Second); os.Remove(session) != nil && time.Now().Before(deadline); {
				time.Sleep(10 * time.Millisecond)
			}
			_ = os.Remove(user)               // unless others are in it
			_ = os.Remove(filepath.Dir(user)) // likewise
		})
		return
	}
}

// ended tells whether the victim ends within a time.
func (v *victim) ended(within time.Duration) bool {
	select {
	case <-v.done:
		return true
	case <-time.After(within):
		return false
	}
}

// program is the program, as a process of its own.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	url   string // of the operator listener
	token string
	host  string // what to call the listener, if not as the URL does
	done  chan error

	mu  sync.Mutex
	log bytes.Buffer
}

// Write keeps what the program says.
func (p *program) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(text)
}

// said is what the program has said.
func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// says tells whether the program says something, in a moment if not yet: what
// it wrote before the link is on another pipe.
func (p *program) says(text string) bool {
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(p.said(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// startProgram starts the program with a token of the role operator.
func startProgram(t *testing.T, args ...string) *program {
	t.Helper()
	args = append([]string{
		"--operator.print-link", "--operator.listen-address=127.0.0.1:0", "--web.listen-address=127.0.0.1:0", "--no-operator.journal",
	}, args...)
	p := &program{t: t, cmd: exec.Command("/proc/self/exe", args...), done: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), programVariable+"=1")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	p.cmd.Stderr = p
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() {
		_, _ = io.Copy(io.Discard, out)
		p.done <- p.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("the program says\n%s", p.said())
		}
	})
	link, token, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "Console: ")), "/#token=")
	if err != nil || !ok {
		t.Fatalf("the program prints %q, %v\n%s", line, err, p.said())
	}
	p.url, p.token = link, token
	return p
}

// stopped waits for the end of the program.
func (p *program) stopped(within time.Duration) error {
	select {
	case err := <-p.done:
		return err
	case <-time.After(within):
		return errors.New("it goes on")
	}
}

// request makes a request with the token of the program.
func (p *program) request(method, path, body string) *http.Request {
	p.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.host != "" {
		r.Host = p.host
	}
	return r
}

// answer is what the program answers.
type answer struct {
	status int
	header http.Header
	text   string
	Code   string `json:"code"`
	ID     string `json:"id"`
	Result string `json:"outcome"`
	Method string `json:"method"`
	Sent   []string
	// Termination is in a problem.
	Termination struct {
		ID   string
		Sent []string
	}
	Allowed   bool
	Processes []struct{ Identity string }
}

// do makes a request.
func (p *program) do(r *http.Request) (a answer, err error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	got, err := client.Do(r)
	if err != nil {
		return a, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	a.status, a.header, a.text = got.StatusCode, got.Header, string(text)
	_ = json.Unmarshal(text, &a)
	return a, err
}

// want makes a request that must be answered with a status, and a code where that
// is not empty.
func (p *program) want(r *http.Request, status int, code string) answer {
	p.t.Helper()
	a, err := p.do(r)
	if err != nil {
		p.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	if a.status != status || code != "" && a.Code != code {
		p.t.Errorf("%s %s: %d %.500s, want %d %s", r.Method, r.URL, a.status, a.text, status, code)
	}
	return a
}

// identity is what a list hands out for a process.
func (p *program) identity(pid int) string {
	p.t.Helper()
	a := p.want(p.request("GET", "/api/v1/processes?q="+strconv.Itoa(pid)+"&sort=pid", ""), http.StatusOK, "")
	for _, one := range a.Processes {
		if strings.HasPrefix(one.Identity, strconv.Itoa(pid)+"-") {
			return one.Identity
		}
	}
	p.t.Fatalf("%d is not in the list: %.500s", pid, a.text)
	return ""
}
