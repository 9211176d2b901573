package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// The programs of the population beside /usr/bin/sleep.
const (
	// knownWorker is what this program is called where it has several threads
	// and may listen: the catalogue knows the name.
	knownWorker = "memcached"
	// unknownSleeper is a sleep that the catalogue does not know.
	unknownSleeper = "acme-agent"
)

// population is the processes that are looked at.
type population struct {
	rows    string
	members []*os.Process
	made    int
}

// users is how many users the processes belong to.
const users = 20

// command is what the process of a number runs. Of a hundred three have several
// threads, one of them a listener on the loopback, and one in five hundred
// listens to everybody; the others sleep.
func (p *population) command(n int) []string {
	switch {
	case n%500 == 7:
		return []string{filepath.Join(programs, knownWorker), "work", "0.0.0.0:0"}
	case n%100 == 11:
		return []string{filepath.Join(programs, knownWorker), "work", "127.0.0.1:0"}
	case n%50 == 23:
		return []string{filepath.Join(programs, knownWorker), "work"}
	case p.rows == "many" && n%5 == 0:
		return []string{filepath.Join(programs, unknownSleeper), "100000"}
	}
	return []string{"/usr/bin/sleep", "100000"}
}

// grow starts processes until there are so many.
func (p *population) grow(n int) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	for len(p.members) < n {
		one, err := p.start(null)
		if err != nil {
			return fmt.Errorf("start process %d: %w", len(p.members), err)
		}
		p.members = append(p.members, one)
	}
	return nil
}

func (p *population) start(null *os.File) (*os.Process, error) {
	args := p.command(p.made)
	id := uint32(1000 + p.made%users)
	p.made++
	return os.StartProcess(args[0], args, &os.ProcAttr{
		Dir: "/", Env: []string{"GOMAXPROCS=1"}, Files: []*os.File{null, null, null},
		Sys: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}},
	})
}

// replace ends so many processes in a hundred, the oldest first, and starts as
// many.
func (p *population) replace(percent int) error {
	before := len(p.members)
	n := before * percent / 100
	p.end(n)
	return p.grow(before)
}

// end ends the first so many processes.
func (p *population) end(n int) {
	for _, one := range p.members[:n] {
		_ = one.Kill()
	}
	for _, one := range p.members[:n] {
		_, _ = one.Wait()
	}
	p.members = append(p.members[:0], p.members[n:]...)
}

// work is what a process of the population does that is one of this program: it
// has some threads, and listens where it is told to.
func work(addresses []string) error {
	var listeners []net.Listener
	for _, address := range addresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
	}
	for { // not by waiting in Go, which takes that for a deadlock where nobody listens
		_ = unix.Pause()
		runtime.KeepAlive(listeners)
	}
}
