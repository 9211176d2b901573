package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

func TestSlackenTimers(t *testing.T) {
	const own = "/proc/self/timerslack_ns"
	before, err := os.ReadFile(own)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the kernel does not tell the slack of timers")
	}
	if err != nil {
		t.Fatal(err)
	}
	slackenTimers()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil || len(threads) < 2 {
		t.Fatalf("%d threads: %v", len(threads), err)
	}
	for _, thread := range threads {
		file := "/proc/" + thread.Name() + "/timerslack_ns"
		slack, err := os.ReadFile(file)
		switch {
		case errors.Is(err, fs.ErrPermission):
			t.Skip("needs CAP_SYS_NICE")
		case errors.Is(err, fs.ErrNotExist): // it has ended
		case err != nil:
			t.Error(err)
		case strings.TrimSpace(string(slack)) != "1000000":
			t.Errorf("thread %s has a slack of %s ns, %s before", thread.Name(), slack, before)
		}
	}
}
