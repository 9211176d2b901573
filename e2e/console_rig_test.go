//go:build e2e

package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// console is a server-monitor with its operator listener, and a browser.
type console struct {
	*rig.Program
	browser *rig.Browser
	// Address is the operator listener, Token that of an operator.
	address, token string
	log            string // the file that it shows
	flags          []string
}

// desktop is the size of a window.
const desktopWidth, desktopHeight = 1440, 1040

// startConsole starts both. The log that it shows is empty at first.
func startConsole(t *testing.T, languages string, flags ...string) *console {
	t.Helper()
	dir := t.TempDir()
	c := &console{log: filepath.Join(dir, "messages"), address: freeAddress(t)}
	tokens := filepath.Join(dir, "tokens.json")
	if err := os.WriteFile(c.log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, status := rig.Run(t, exec.Command(programs.Monitor, "token", "create",
		"--operator.token-file="+tokens, "--name=e2e", "--role=operator"), time.Minute)
	if status != 0 {
		t.Fatalf("token create: status %d: %s", status, errs)
	}
	c.token = strings.TrimSpace(out)
	c.flags = append([]string{
		"--web.listen-address=127.0.0.1:0", "--operator.listen-address=" + c.address, "--operator.token-file=" + tokens,
		"--operator.log-file=" + c.log, "--no-operator.journal", "--terminate.grace=1s",
	}, flags...)
	c.start(t)
	c.browser = rig.StartBrowser(t, languages)
	return c
}

// start starts server-monitor, also again after a stop.
func (c *console) start(t *testing.T) {
	t.Helper()
	c.Program = rig.Start(t, exec.Command(programs.Monitor, c.flags...))
	c.AwaitOutput(t, 20*time.Second, `msg="Listening on" address=`+c.address)
}

// freeAddress is a port of the loopback address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// url is the address of the page, with a fragment.
func (c *console) url(fragment string) string { return "http://" + c.address + "/" + fragment }

// open opens the page with the token and waits until it shows everything.
func (c *console) open(t *testing.T, width, height int) *rig.Page {
	t.Helper()
	p := c.browser.Open(t, c.url("#token="+c.token), width, height)
	awaitFilled(t, p)
	return p
}

// awaitFilled waits until the panels of a page are full.
func awaitFilled(t *testing.T, p *rig.Page) {
	t.Helper()
	p.Await(t, 30*time.Second, `document.querySelectorAll('#resources > li').length >= 4 && document.querySelector('#services > li') &&
		document.querySelector('#processes > li')`, `document.body.innerText.slice(0, 500)`)
	p.Await(t, 30*time.Second, `document.fonts.status === 'loaded'`, `document.fonts.status`)
}

// find filters the processes of a page.
func find(t *testing.T, p *rig.Page, text string) {
	t.Helper()
	p.Evaluate(t, `document.getElementById('process-filter').focus()`, nil)
	p.Evaluate(t, `document.getElementById('process-filter').value = ''`, nil)
	p.Type(t, text)
}

// findAll takes the filter away, and the focus with it.
func findAll(t *testing.T, p *rig.Page) {
	t.Helper()
	p.Evaluate(t, `(() => { const f = document.getElementById('process-filter'); f.value = ''; f.dispatchEvent(new Event('input')); document.activeElement.blur(); })()`, nil)
}

// findPID filters by a pid and waits for the process, which it then is alone with.
func findPID(t *testing.T, p *rig.Page, pid int) {
	t.Helper()
	find(t, p, "pid "+itoa(pid))
	p.Await(t, 15*time.Second, `[...document.querySelectorAll('#processes > li .pid')].map((e) => e.textContent).join() === ' (PID `+itoa(pid)+`)'`,
		`document.getElementById('processes').innerText.slice(0, 300)`)
}

// loginUID is that of a person, who need not exist.
const loginUID = 54321

// startInSession starts a program as somebody who is logged in on a terminal,
// and returns its pid. It is a child of the shell of the session.
func startInSession(t *testing.T, command string) int {
	t.Helper()
	rig.NeedRoot(t)
	rig.NeedPrograms(t, "util-linux", "script")
	ready := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(ready, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(ready, loginUID, loginUID); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(ready); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the person of the session enters it
			t.Fatal(err)
		}
	}
	shell := exec.Command("script", "--quiet", "--flush", "--command", command+" & echo $! >"+ready+"; wait", "/dev/null")
	shell.Env = append(os.Environ(), "SHELL=/bin/sh")
	shell.Dir = "/"
	shell.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: loginUID, Gid: loginUID}}
	rig.Start(t, shell)
	pid := 0
	rig.Eventually(t, 10*time.Second, func() (err error) {
		text, err := os.ReadFile(ready)
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err
	})
	moveToSession(t, pid)
	return pid
}

// moveToSession puts a process where systemd would have put it at the login,
// where there is systemd: by that it then tells logins.
func moveToSession(t *testing.T, pid int) {
	t.Helper()
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return
	}
	folder := "/sys/fs/cgroup"
	if _, err := os.Stat(folder + "/systemd"); err == nil {
		folder += "/systemd"
	}
	folder += "/user.slice/user-" + itoa(loginUID) + ".slice/session-e2e" + itoa(pid) + ".scope"
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(folder) })
	if err := os.WriteFile(folder+"/cgroup.procs", []byte(itoa(pid)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// lives tells whether a process runs.
func lives(pid int) bool {
	stat, err := os.ReadFile("/proc/" + itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// artifact is a file that is kept of a run.
func artifact(t *testing.T, name string) string {
	t.Helper()
	folder := filepath.Join(programs.Source, "e2e", "artifacts")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, name)
}
