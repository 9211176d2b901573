//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// stage is an expression for the stage that the dialog is in.
const stage = `document.getElementById('terminate').dataset.stage`

// dialogText is an expression for all that the dialog says.
const dialogText = `document.getElementById('terminate').innerText`

// testTerminate: the dialog checks, and CONFIRM ends a process that obeys.
func testTerminate(t *testing.T, c *console) {
	pid := startInSession(t, "/usr/bin/sleep 1000")
	p := c.open(t, desktopWidth, desktopHeight)
	findPID(t, p, pid)
	p.Click(t, "#processes .terminate")
	p.Await(t, 10*time.Second, stage+` === 'allowed'`, dialogText)
	if text := p.Text(t, "#terminate"); !strings.Contains(text, "[sleep]") || !strings.Contains(text, "nothing stands against") {
		t.Errorf("the dialog says: %s", text)
	}
	p.Screenshot(t, artifact(t, "console-dialog.png"))
	if !lives(pid) {
		t.Fatal("the process ended before CONFIRM")
	}
	p.Click(t, "#terminate-confirm")
	p.Await(t, 10*time.Second, stage+` === 'ended' && document.getElementById('terminate-status').textContent.startsWith('TERMINATED')`, dialogText)
	if lives(pid) {
		t.Error("the process lives on")
	}
	p.Click(t, "#terminate-cancel")
	p.Await(t, 5*time.Second, `document.querySelectorAll('#processes > li').length === 0`, `document.getElementById('processes').innerText`)
}

// testForce: one that does not obey is forced, and the dialog tells both.
func testForce(t *testing.T, c *console) {
	pid := startInSession(t, `/bin/sh -c "trap '' TERM; while :; do /usr/bin/sleep 1; done"`)
	time.Sleep(500 * time.Millisecond) // until it ignores the signal
	p := c.open(t, desktopWidth, desktopHeight)
	findPID(t, p, pid)
	p.Click(t, "#processes .terminate")
	p.Await(t, 10*time.Second, stage+` === 'allowed'`, dialogText)
	p.Click(t, "#terminate-confirm")
	p.Await(t, 5*time.Second, stage+` === 'running' && document.getElementById('terminate-status').textContent.startsWith('SOFT')`, dialogText)
	p.Await(t, 10*time.Second, stage+` === 'ended' && document.getElementById('terminate-status').textContent.startsWith('KILLED')`, dialogText)
	if text := p.Text(t, "#terminate-lines"); !strings.Contains(text, "→ SIGKILL") {
		t.Errorf("the dialog says: %s", text)
	}
	if lives(pid) {
		t.Error("the process lives on")
	}
}

// testCancel: CANCEL, Escape and leaving end nothing.
func testCancel(t *testing.T, c *console) {
	pid := startInSession(t, "/usr/bin/sleep 1000")
	p := c.open(t, desktopWidth, desktopHeight)
	findPID(t, p, pid)
	for _, leave := range []func(){
		func() { p.Click(t, "#terminate-cancel") }, func() { p.Press(t, "Escape") }, func() { p.Press(t, "Enter") }, // CANCEL has the focus
	} {
		p.Click(t, "#processes .terminate")
		p.Await(t, 10*time.Second, stage+` === 'allowed'`, dialogText)
		leave()
		p.Await(t, 5*time.Second, `!document.getElementById('terminate').open`, dialogText)
	}
	time.Sleep(500 * time.Millisecond)
	if !lives(pid) {
		t.Error("the process has ended")
	}
}

// testProtected: a process of root has a lock with the reason in place of the
// button, and the dialog, asked for by address, refuses.
func testProtected(t *testing.T, c *console) {
	rig.NeedRoot(t)
	p := c.open(t, desktopWidth, desktopHeight)
	find(t, p, "server-monitor")
	p.Await(t, 10*time.Second, `document.querySelector('#processes .lock')`, `document.getElementById('processes').innerText`)
	var buttons int
	p.Evaluate(t, `document.querySelectorAll('#processes .terminate').length`, &buttons)
	text := p.Text(t, "#processes .lock")
	if buttons != 0 || !strings.Contains(text, "It ") {
		t.Errorf("%d buttons, the lock says %q", buttons, text)
	}
	p.Evaluate(t, fmt.Sprintf(`location.hash = '#/process/%d/terminate'`, c.Process.Pid), nil)
	p.Await(t, 10*time.Second, stage+` === 'refused'`, dialogText)
	if text := p.Text(t, "#terminate"); !strings.Contains(text, "server-monitor itself") {
		t.Errorf("the dialog says: %s", text)
	}
	var hidden bool
	p.Evaluate(t, `document.getElementById('terminate-confirm').hidden`, &hidden)
	if !hidden {
		t.Error("there is a CONFIRM")
	}
	p.Screenshot(t, artifact(t, "console-protected.png"))
}

// testTidyUp: the view lists what may be ended with its memory, and the
// system's with their locks.
func testTidyUp(t *testing.T, c *console) {
	pid := startInSession(t, "/usr/bin/sleep 1000")
	p := c.open(t, desktopWidth, desktopHeight)
	p.Click(t, "#tab-tidy")
	row := fmt.Sprintf(`[...document.querySelectorAll('#tidy-groups li')].find((e) => e.innerText.includes('(PID %d)'))`, pid)
	p.Await(t, 10*time.Second, row+`?.querySelector('.terminate')`, `document.getElementById('view-tidy').innerText.slice(0, 500)`)
	text := p.Text(t, "#view-tidy")
	for _, want := range []string{"MAY BE ENDED", "USER APPLICATIONS", "gives back", "SYSTEM PROCESSES"} {
		if !strings.Contains(text, want) {
			t.Errorf("the view lacks %q:\n%.800s", want, text)
		}
	}
	var locked struct{ Rows, Locks, Buttons int }
	p.Evaluate(t, `({ rows: document.querySelectorAll('#locked > li').length, locks: document.querySelectorAll('#locked .lock').length,
		buttons: document.querySelectorAll('#locked .terminate').length })`, &locked)
	if locked.Rows == 0 || locked.Locks != locked.Rows || locked.Buttons != 0 {
		t.Errorf("of the system: %+v", locked)
	}
	p.Screenshot(t, artifact(t, "console-tidy.png"))
}

// testLinks: an address of a dashboard opens the dialog, acts on nothing, and is
// refused where the process is another one.
func testLinks(t *testing.T, c *console) {
	pid := startInSession(t, "/usr/bin/sleep 1000")
	p := c.open(t, desktopWidth, desktopHeight)
	findPID(t, p, pid)
	p.Click(t, "#processes .name")
	var fragment string
	p.Await(t, 5*time.Second, `location.hash.startsWith('#/process/')`, `location.href`)
	p.Evaluate(t, `location.hash`, &fragment)

	p.Navigate(t, "about:blank")
	p.Navigate(t, c.url(fragment+"/terminate"))
	p.Await(t, 20*time.Second, stage+` === 'allowed'`, dialogText)
	time.Sleep(time.Second)
	if !lives(pid) {
		t.Fatal("the address alone has ended the process")
	}
	p.Press(t, "Escape")
	p.Await(t, 5*time.Second, `location.hash === ''`, `location.hash`)

	parts := strings.Split(strings.TrimPrefix(fragment, "#/process/"), "/")
	other := strings.Replace(parts[1], "-", "-9", 1)
	p.Navigate(t, "about:blank")
	p.Navigate(t, c.url("#/process/"+parts[0]+"/"+other+"/terminate"))
	p.Await(t, 20*time.Second, stage+` === 'refused'`, dialogText)
	if text := p.Text(t, "#terminate-status"); !strings.Contains(text, "another process") {
		t.Errorf("the dialog says: %s", text)
	}
}

// testKeyboard: without a mouse one gets to a process, its details and the
// dialog, which keeps the focus, and back to where one was.
func testKeyboard(t *testing.T, c *console) {
	pid := startInSession(t, "/usr/bin/sleep 1000")
	p := c.open(t, desktopWidth, desktopHeight)
	focused := func() (what string) {
		p.Evaluate(t, `document.activeElement.id || document.activeElement.dataset.action || document.activeElement.className`, &what)
		return what
	}
	tabTo := func(want string) {
		t.Helper()
		for range 60 {
			if focused() == want {
				return
			}
			p.Press(t, "Tab")
		}
		t.Fatalf("Tab does not lead to %q", want)
	}
	p.Press(t, "Tab")
	if got := focused(); got != "skip" {
		t.Errorf("the first stop is %q, want the link that skips", got)
	}
	tabTo("process-filter")
	p.Type(t, "pid "+itoa(pid))
	p.Await(t, 10*time.Second, `document.querySelectorAll('#processes > li').length === 1`, `document.getElementById('processes').innerText`)
	tabTo("details")
	p.Press(t, "Enter")
	p.Await(t, 5*time.Second, `document.getElementById('details').open`, `document.title`)
	p.Press(t, "Escape")
	p.Await(t, 5*time.Second, `!document.getElementById('details').open`, `document.title`)
	if got := focused(); got != "details" {
		t.Errorf("after the details the focus is on %q", got)
	}
	tabTo("terminate")
	p.Press(t, "Enter")
	p.Await(t, 10*time.Second, stage+` === 'allowed'`, dialogText)
	if got := focused(); got != "terminate-cancel" {
		t.Errorf("in the dialog the focus is on %q, want CANCEL", got)
	}
	for range 5 {
		p.Press(t, "Tab")
		var inside bool
		p.Evaluate(t, `document.activeElement === document.body || document.getElementById('terminate').contains(document.activeElement)`, &inside)
		if !inside {
			t.Errorf("Tab leads out of the dialog to %q", focused())
		}
	}
	tabTo("terminate-confirm")
	p.Press(t, "Enter")
	p.Await(t, 10*time.Second, stage+` === 'ended'`, dialogText)
	if lives(pid) {
		t.Error("the process lives on")
	}
	p.Press(t, "Escape")
	p.Evaluate(t, `document.getElementById('tab-processes').focus()`, nil)
	p.Press(t, "ArrowRight")
	p.Await(t, 5*time.Second, `!document.getElementById('view-tidy').hidden && document.activeElement.id === 'tab-tidy'`, `document.activeElement.id`)
}

// testAccessibility: axe-core finds nothing serious, wherever one is on the page.
func testAccessibility(t *testing.T, c *console) {
	axe, err := os.ReadFile(axeFile())
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "e2e [ERROR] red", "e2e [WARN] yellow", "e2e [DEBUG] grey")
	pid := startInSession(t, "/usr/bin/sleep 1000")
	p := c.open(t, desktopWidth, desktopHeight)
	p.Await(t, 10*time.Second, `document.querySelector('#log .line.debug')`, `document.getElementById('log').innerText`)
	check := func(where string) {
		t.Helper()
		var found []struct {
			ID, Impact, Help string
			Nodes            []string
		}
		p.Evaluate(t, string(axe)+`; axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help,
			nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary.slice(0, 200)) })))`, &found)
		for _, f := range found {
			if f.Impact == "serious" || f.Impact == "critical" {
				t.Errorf("%s: %s (%s): %s\n%s", where, f.ID, f.Impact, f.Help, strings.Join(f.Nodes, "\n"))
			} else {
				t.Logf("%s: %s (%s): %s", where, f.ID, f.Impact, f.Help)
			}
		}
	}
	check("page")
	findPID(t, p, pid)
	p.Click(t, "#processes .name")
	p.Await(t, 5*time.Second, `document.getElementById('details').open`, `document.title`)
	check("details")
	p.Press(t, "Escape")
	p.Click(t, "#processes .terminate")
	p.Await(t, 10*time.Second, stage+` === 'allowed'`, dialogText)
	check("dialog")
	p.Press(t, "Escape")
	p.Click(t, "#tab-tidy")
	check("tidy up")
	p.Click(t, `[data-language="ko"]`)
	p.Await(t, 10*time.Second, `document.documentElement.lang === 'ko'`, `document.documentElement.lang`)
	check("Korean")
	p.Resize(t, 360, 780)
	check("phone")
}
