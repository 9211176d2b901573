package process

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestWellKnownAccounts(t *testing.T) {
	a := newAccounts()
	if name := a.name(SIDSystem); !strings.HasSuffix(strings.ToUpper(name), `\SYSTEM`) {
		t.Errorf("%s is called %q", SIDSystem, name)
	}
	if name := a.name(userSID(t)); name == "" || strings.HasPrefix(name, "S-1-") {
		t.Errorf("we are called %q", name)
	}
	for _, unknown := range []string{"S-1-5-21-1-2-3-99999", "no SID"} {
		if name := a.name(unknown); name != unknown {
			t.Errorf("%q is called %q", unknown, name)
		}
	}
}

// TestSlowDomain asks a controller that does not answer: the SID stands for the
// name until it does, and nobody asks twice meanwhile.
func TestSlowDomain(t *testing.T) {
	var asked atomic.Int32
	answer := make(chan string)
	a := newAccounts()
	a.wait = 10 * time.Millisecond
	a.look = func(string) string { asked.Add(1); return <-answer }
	for range 3 {
		began := time.Now()
		if name := a.name(anna); name != anna {
			t.Errorf("%q", name)
		}
		if time.Since(began) > 5*time.Second {
			t.Error("waited long")
		}
	}
	answer <- `CORP\anna`
	for range 500 {
		if a.name(anna) == `CORP\anna` {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if name := a.name(anna); name != `CORP\anna` || asked.Load() != 1 {
		t.Errorf("%q after %d questions", name, asked.Load())
	}
}

// TestUnknownAccount asks again for a name that was not found, but not soon.
func TestUnknownAccount(t *testing.T) {
	now, asked := time.Now(), 0
	a := newAccounts()
	a.now = func() time.Time { return now }
	a.look = func(string) string { asked++; return "" }
	for _, pass := range []time.Duration{0, time.Minute, accountRetry, time.Minute} {
		now = now.Add(pass)
		_ = a.name(anna)
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestBootOf(t *testing.T) {
	const second = 1e7
	first := bootOf(134400376907063150, 0)
	if !isBoot(first) {
		t.Errorf("%q is no boot", first)
	}
	if moved := bootOf(134400376907063150+3600*second, 3600*second); moved != first {
		t.Errorf("%q after the clock was set, %q before", moved, first)
	}
	if again := bootOf(134400376907063150+60*second, 0); again == first {
		t.Error("the next boot has the same id")
	}
}
