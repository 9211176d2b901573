package collector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// stuckServer is a statfs whose path /mnt/nfs blocks until it is released.
type stuckServer struct {
	release chan struct{}
	calls   atomic.Int32
}

func (s *stuckServer) statfs(path string) (usage, error) {
	switch path {
	case "/mnt/nfs":
		s.calls.Add(1)
		<-s.release
	case "/denied":
		return usage{}, &fs.PathError{Op: "statfs", Path: path, Err: fs.ErrPermission}
	}
	return usage{size: 100, available: 40, used: 60, files: 10, filesFree: 5}, nil
}

func somePlaces() []mount {
	return []mount{
		{device: "nas:/export", fsType: "nfs4", point: "/mnt/nfs", path: "/mnt/nfs"},
		{device: "secret", fsType: "fuse.x", point: "/denied", path: "/denied"},
		{device: "/dev/sda1", fsType: "xfs", point: "/", path: "/"},
	}
}

// TestFilesystemStuck follows a mount that hangs and comes back. Time is that
// of the synctest bubble, so the waits are exact and take none.
func TestFilesystemStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &stuckServer{release: make(chan struct{})}
		c := fakeFilesystem(somePlaces(), 5*time.Second, server.statfs)
		scrape := func(wantStuck float64, wantWait time.Duration) {
			t.Helper()
			begin := time.Now()
			got := values(t, c, "filesystem_device_error")
			if waited := time.Since(begin); waited != wantWait {
				t.Errorf("the scrape took %v, want %v", waited, wantWait)
			}
			for labels, want := range map[string]float64{
				"nas:/export nfs4 /mnt/nfs": wantStuck, "secret fuse.x /denied": 1, "/dev/sda1 xfs /": 0,
			} {
				if got[labels] != want {
					t.Errorf("device error of %s is %v, want %v", labels, got[labels], want)
				}
			}
		}
		scrape(1, 5*time.Second)
		scrape(1, 0)
		scrape(1, 0)
		if n := server.calls.Load(); n != 1 {
			t.Errorf("the stuck mount was touched %d times, want once", n)
		}
		if size := values(t, c, "filesystem_size_bytes"); len(size) != 1 {
			t.Errorf("sizes %v, want that of the good mount alone", size)
		}
		close(server.release)
		synctest.Wait()
		scrape(0, 0)
		if n := server.calls.Load(); n != 2 || c.asker.stuck != 0 || len(c.asker.running) != 0 {
			t.Errorf("%d calls, %d stuck, %d running after the mount came back", n, c.asker.stuck, len(c.asker.running))
		}
	})
}

// TestFilesystemSharedCall has two scrapes ask for the same slow mount: they
// wait for one system call, and neither takes it for stuck.
func TestFilesystemSharedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		c := fakeFilesystem(somePlaces()[:1], 5*time.Second, func(string) (usage, error) {
			calls.Add(1)
			time.Sleep(time.Second)
			return usage{size: 1}, nil
		})
		var scrapes sync.WaitGroup
		for range 2 {
			scrapes.Go(func() {
				if got := values(t, c, "filesystem_device_error")["nas:/export nfs4 /mnt/nfs"]; got != 0 {
					t.Errorf("device error %v", got)
				}
			})
		}
		scrapes.Wait()
		if calls.Load() != 1 {
			t.Errorf("%d system calls, want one", calls.Load())
		}
	})
}

// TestFilesystemCancelled ends the context early: that is no fault of the
// mount, which must not be remembered as stuck.
func TestFilesystemCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &stuckServer{release: make(chan struct{})}
		asker := newUsageAsker(server.statfs, 5*time.Second, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := asker.ask(ctx, somePlaces()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if asker.stuck != 0 {
			t.Errorf("%d stuck", asker.stuck)
		}
		close(server.release)
		synctest.Wait()
	})
}

func TestFilesystemTooManyStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		asker := newUsageAsker(func(string) (usage, error) { <-release; return usage{}, nil },
			5*time.Second, slog.New(slog.DiscardHandler))
		var mounts []mount
		for i := range maxStuck {
			mounts = append(mounts, mount{path: fmt.Sprint("/mnt/", i)})
		}
		if _, err := asker.ask(t.Context(), mounts); err != nil {
			t.Fatal(err)
		}
		answers, err := asker.ask(t.Context(), []mount{{path: "/new"}, mounts[0]})
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(answers[0].err, errTooManyStuck) || !errors.Is(answers[1].err, errStuck) {
			t.Errorf("answers %v", answers)
		}
		close(release)
		synctest.Wait()
	})
}
