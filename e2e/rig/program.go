//go:build e2e

package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Program is a program that a test has started.
type Program struct {
	*exec.Cmd
	output output
	ended  chan struct{}
	err    error // of Wait, once ended is closed
}

// stopLimit is how long a program may take to stop.
const stopLimit = 20 * time.Second

// Start starts a program that ends with the test at the latest. What it has
// printed is shown where the test fails.
func Start(t testing.TB, cmd *exec.Cmd) *Program {
	t.Helper()
	p := &Program{Cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	cmd.WaitDelay = time.Second // for children of it that hold its output open
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if cmd.SysProcAttr.Pdeathsig == 0 {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL // where the test itself is killed
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", cmd, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		if !p.hasEnded() {
			if err := p.Stop(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", cmd, p.Output())
		}
	})
	return p
}

// Output is what the program has printed so far.
func (p *Program) Output() string { return p.output.String() }

// Stop sends a signal and waits for the end, which it forces in the end. The
// error tells that that was necessary.
func (p *Program) Stop(signal syscall.Signal) error {
	defer syscall.Kill(-p.Process.Pid, syscall.SIGKILL) // what it has started in turn
	if err := p.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p, err)
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopLimit):
	}
	p.Process.Kill()
	<-p.ended
	return fmt.Errorf("%s did not stop within %v of %v", p, stopLimit, signal)
}

// Wait waits for the end and returns the exit status, -1 after a signal.
func (p *Program) Wait(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		t.Fatalf("%s has not ended within %v", p, within)
	}
	return p.ProcessState.ExitCode()
}

func (p *Program) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// AwaitOutput waits until the program prints what the pattern matches, and
// returns the groups of the match.
func (p *Program) AwaitOutput(t testing.TB, within time.Duration, pattern string) []string {
	t.Helper()
	var found []string
	Eventually(t, within, func() error {
		found = regexp.MustCompile(pattern).FindStringSubmatch(p.Output())
		if found != nil {
			return nil
		}
		if p.hasEnded() {
			t.Fatalf("%s ended (%v) before it printed %q:\n%s", p, p.err, pattern, p.Output())
		}
		return errors.New("no output matches " + pattern)
	})
	return found
}

// Run runs a program to its end and returns what it prints and its exit status.
func Run(t testing.TB, cmd *exec.Cmd, within time.Duration) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", cmd, err)
	}
	late := time.AfterFunc(within, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	if !late.Stop() {
		t.Fatalf("%s has not ended within %v\n%s%s", cmd, within, out.String(), errs.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", cmd, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Eventually tries something again and again until it succeeds, and fails the
// test with its last error when the time is over.
func Eventually(t testing.TB, within time.Duration, try func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %v", within, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// output collects what a program prints.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(text)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
