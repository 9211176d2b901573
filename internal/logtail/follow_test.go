package logtail

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// following is a log that a test writes while it is followed.
type following struct {
	t        *testing.T
	path     string
	follower Follower
}

func follow(t *testing.T, path string) *following {
	t.Helper()
	follower, err := NewFile(path).Follow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { follower.Close() })
	return &following{t, path, follower}
}

func (f *following) append(text string) {
	f.t.Helper()
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		f.t.Fatal(err)
	}
}

func (f *following) want(want ...string) {
	f.t.Helper()
	lines, err := f.follower.Next(f.t.Context(), 100)
	if err != nil {
		f.t.Fatal(err)
	}
	if got := texts(lines); !slices.Equal(got, want) {
		f.t.Errorf("lines %q, want %q", got, want)
	}
}

func TestFollowAppends(t *testing.T) {
	f := follow(t, logFile(t, "old\n"))
	f.want()
	f.append("new\nhal")
	f.want("new")
	f.append("f\n")
	f.want("half")
	f.want()
}

func TestFollowTakesNoMoreThanAsked(t *testing.T) {
	f := follow(t, logFile(t, ""))
	f.append("a\nb\nc\n")
	lines, err := f.follower.Next(t.Context(), 2)
	if err != nil || len(lines) != 2 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	f.want("c")
}

func TestFollowRotation(t *testing.T) {
	f := follow(t, logFile(t, ""))
	f.append("before\n")
	old := f.path + ".1"
	if err := os.Rename(f.path, old); err != nil {
		t.Fatal(err)
	}
	f.want("before")
	f.want() // the path leads nowhere yet
	late, err := os.OpenFile(old, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if _, err := late.WriteString("late, without an end"); err != nil {
		t.Fatal(err)
	}
	f.append("after\n")
	f.want("late, without an end", "after")
}

func TestFollowTruncation(t *testing.T) {
	f := follow(t, logFile(t, ""))
	f.append("a longer line\nand a part")
	f.want("a longer line")
	if err := os.Truncate(f.path, 0); err != nil {
		t.Fatal(err)
	}
	f.append("short\n")
	f.want("short")
}

func TestFollowWaitsForTheFile(t *testing.T) {
	path := logFile(t, "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f := follow(t, path)
	f.want()
	f.append("first\n")
	f.want("first")
}

func TestFollowCutsLongLines(t *testing.T) {
	f := follow(t, logFile(t, ""))
	f.append(strings.Repeat("x", 3*blockSize) + "\nnext\n")
	lines, err := f.follower.Next(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || !lines[0].Cut || len(lines[0].Text) != MaxLine || lines[1].Text != "next" {
		t.Errorf("%d lines", len(lines))
	}
}
