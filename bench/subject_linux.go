package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// subject is one thing that is measured: a process that does its work whenever
// it is asked.
type subject struct {
	name string
	cmd  *exec.Cmd
	ask  func() (bytes int, err error)

	// mallocs tells how many objects it has allocated, nil where it does not
	// say.
	mallocs func() (uint64, error)
	// telling is how many askings it costs to say so.
	telling int
	said    *saying
	// leave tells it to end, nil where it takes a signal.
	leave func() error
}

// asked is what the askings of a subject have cost together.
type asked struct {
	rounds    int
	tellings  int // how often it was asked beside the rounds
	cpu, wall time.Duration
	bytes     int
	mallocs   uint64
	resident  uint64
	peak      uint64
}

// saying is what a program has logged so far.
type saying struct {
	mu     sync.Mutex
	logged bytes.Buffer
}

func (s *saying) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logged.Write(b)
}

func (s *saying) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logged.String()
}

// errors are the errors that it has logged.
func (s *subject) errors() string {
	var found strings.Builder
	for line := range strings.Lines(s.said.text()) {
		if strings.Contains(line, "level=ERROR") {
			found.WriteString(line)
		}
	}
	return found.String()
}

// round asks once. What a subject does by itself between two rounds is not its
// cost; what it does in the background of an answer is waited for.
func (s *subject) round(a *asked) error {
	before, err := cpuOf(s.cmd.Process.Pid)
	if err != nil {
		return err
	}
	begin := time.Now()
	n, err := s.ask()
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	a.wall += time.Since(begin)
	time.Sleep(settle)
	after, err := cpuOf(s.cmd.Process.Pid)
	if err != nil {
		return err
	}
	a.cpu += after - before
	a.bytes = n
	a.rounds++
	return nil
}

// settle is how long the background of an answer, a garbage collection, may go
// on.
const settle = 30 * time.Millisecond

// stop ends the subject.
func (s *subject) stop() {
	if s.leave == nil {
		s.leave = func() error { return s.cmd.Process.Signal(unix.SIGTERM) }
	}
	_ = s.leave()
	done := make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-done
	}
}

// startServer starts a program that serves metrics.
func startServer(name, url, program string, args ...string) (*subject, error) {
	cmd := exec.Command(program, args...)
	said := new(saying)
	cmd.Stderr = said
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &subject{name: name, cmd: cmd, telling: 1, said: said}
	s.ask = func() (int, error) {
		body, err := scrape(url, false)
		return body, err
	}
	s.mallocs = func() (uint64, error) { return mallocsOf(url) }
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := s.ask(); err == nil {
			return s, nil
		} else if time.Now().After(deadline) {
			s.stop()
			return nil, fmt.Errorf("%s does not answer: %w; it says: %s", name, err, said.text())
		}
	}
}

var client = &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{DisableCompression: true}}

// scrape asks as Prometheus does and returns how many bytes came.
func scrape(url string, zipped bool) (int, error) {
	response, err := request(url, zipped)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	return int(n), err
}

// fetch reads a whole page.
func fetch(url string) ([]byte, error) {
	response, err := request(url, false)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

func request(url string, zipped bool) (*http.Response, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1")
	if zipped {
		request.Header.Set("Accept-Encoding", "gzip")
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("status %s", response.Status)
	}
	return response, nil
}

// mallocsOf reads what a Go program says of its allocations.
func mallocsOf(url string) (uint64, error) {
	return readMetric(url, "go_memstats_mallocs_total")
}

// readMetric reads one sample without labels from a page of metrics.
func readMetric(url, name string) (uint64, error) {
	response, err := request(url, false)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			value, err := strconv.ParseFloat(rest, 64)
			return uint64(value), err
		}
	}
	return 0, errors.Join(lines.Err(), fmt.Errorf("no %s", name))
}

// startLoop starts this program as a subject that does one kind of work.
func startLoop(name, kind string) (*subject, error) {
	cmd := exec.Command("/proc/self/exe", "subject", kind)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	answers := bufio.NewScanner(out)
	var allocated uint64
	s := &subject{name: name, cmd: cmd, leave: in.Close}
	s.ask = func() (int, error) {
		if _, err := io.WriteString(in, "\n"); err != nil {
			return 0, err
		}
		if !answers.Scan() {
			return 0, fmt.Errorf("ended: %w", answers.Err())
		}
		var n int
		_, err := fmt.Sscan(answers.Text(), &n, &allocated)
		return n, err
	}
	s.mallocs = func() (uint64, error) { return allocated, nil }
	_, err = s.ask()
	return s, err
}
