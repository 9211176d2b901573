package terminate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAuditFileMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o664); err != nil { //nolint:gosec // what is to be put right
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-new"} {
		openAudit(t, name, 0, 0)
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
}

// The device of a disk that is always full: a termination is refused, and
// nothing sent.
func TestAuditFull(t *testing.T) {
	p := newFake(fakePID)
	terminator, _ := newTerminator(t, newFakes(p), func(c *Config) { c.Audit = openAudit(t, "/dev/full", 0, 0) })
	r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
	if !slices.Equal(Codes(r.Reasons), []Code{CodeAuditUnavailable}) || len(p.sent) != 0 {
		t.Errorf("%s %v, sent %v", r.Outcome, Codes(r.Reasons), p.sent)
	}
	if !strings.Contains(r.Reasons[0].Detail, "no space left") {
		t.Errorf("detail %q", r.Reasons[0].Detail)
	}
}

// A disk that fills up in the middle of a line, and has room again later.
func TestAuditDiskFillsUp(t *testing.T) {
	folder := t.TempDir()
	if err := unix.Mount("audit", folder, "tmpfs", 0, "size=8k"); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	a := openAudit(t, filepath.Join(folder, "audit.log"), 0, 0)
	written := 0
	for range 100 {
		e := decided("kept", Rejected)
		if err := a.Record(t.Context(), &e); err != nil {
			break
		}
		written++
	}
	if written == 0 || written == 100 {
		t.Fatalf("%d lines were written", written)
	}
	p := newFake(fakePID)
	terminator, _ := newTerminator(t, newFakes(p), func(c *Config) { c.Audit = a })
	if r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)}); r.Outcome != Refused || len(p.sent) != 0 {
		t.Errorf("%s %v, sent %v", r.Outcome, Codes(r.Reasons), p.sent)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)}); r.Outcome != Terminated || r.Unaudited {
		t.Errorf("with room again: %s %v", r.Outcome, Codes(r.Reasons))
	}
	recent, err := a.Recent(1000)
	if err != nil || len(recent) != written+2 {
		t.Errorf("%d events can be read, want %d, %v", len(recent), written+2, err)
	}
}
