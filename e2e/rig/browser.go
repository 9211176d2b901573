//go:build e2e

package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// answerLimit is how long the browser may take for one command.
const answerLimit = 30 * time.Second

// Browser is Debian's Chromium, without a window.
type Browser struct{ context context.Context }

// StartBrowser starts a browser that ends with the test. It prefers the given
// languages.
func StartBrowser(t testing.TB, languages string) *Browser {
	t.Helper()
	return startBrowser(t, languages)
}

// StartBrowser starts a browser in the network of the machine.
func (m *Machine) StartBrowser(t testing.TB, languages string) *Browser {
	t.Helper()
	return startBrowser(t, languages, "nsenter", "--net=/proc/"+strconv.Itoa(m.leader)+"/ns/net", "--")
}

// startBrowser starts a browser by a command that runs commands.
func startBrowser(t testing.TB, languages string, by ...string) *Browser {
	t.Helper()
	NeedPrograms(t, "chromium", "chromium")
	profile := t.TempDir()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Env("HOME="+profile), chromedp.Flag("accept-lang", languages), chromedp.Flag("disable-component-update", true))
	if len(by) > 0 {
		options = append(options, chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) { runBy(t, cmd, by) }))
	}
	parent, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(parent)
	if err := chromedp.Do(ctx); err != nil {
		stop()
		t.Fatalf("start chromium: %v", err)
	}
	t.Cleanup(func() {
		defer stop()
		limited, cancel := context.WithTimeout(ctx, stopLimit)
		defer cancel()
		if err := chromedp.Cancel(limited); err != nil && !errors.Is(err, context.Canceled) {
			t.Logf("end chromium: %v", err)
		}
	})
	return &Browser{ctx}
}

// runBy makes a command one that another runs.
func runBy(t testing.TB, cmd *exec.Cmd, by []string) {
	path, err := exec.LookPath(by[0])
	if err != nil {
		t.Error(err)
		return
	}
	cmd.Path, cmd.Args = path, slices.Concat(by, []string{cmd.Path}, cmd.Args[1:])
}

// Page is a tab of a browser.
type Page struct {
	context context.Context

	mu       sync.Mutex
	requests []string
	problems []string
	onPaused func(url string) (status int, kind, body string)
}

// Open opens an address in a tab of its own, which knows nothing of the others.
func (b *Browser) Open(t testing.TB, url string, width, height int) *Page {
	t.Helper()
	p := b.NewPage(t, width, height)
	p.Navigate(t, url)
	return p
}

// NewPage opens an empty tab.
func (b *Browser) NewPage(t testing.TB, width, height int) *Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.context, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p := &Page{context: ctx}
	p.must(t, chromedp.Listen(ctx, p.note))
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	p.must(t, err)
	p.Resize(t, width, height)
	return p
}

func (p *Page) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// do takes steps in the tab.
func (p *Page) do(t testing.TB, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.context, answerLimit)
	defer cancel()
	p.must(t, chromedp.Do(ctx, steps...))
}

// Resize makes the tab as large as a screen; a narrow one is a phone's.
func (p *Page) Resize(t testing.TB, width, height int) {
	t.Helper()
	_, err := chromedp.Call(p.context, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(width), Height: int64(height), DeviceScaleFactor: 1, Mobile: width < 500,
	})
	p.must(t, err)
}

// Navigate goes to an address. It does not wait until the page is there: one
// that never answers is a case of its own.
func (p *Page) Navigate(t testing.TB, url string) {
	t.Helper()
	result, err := chromedp.Call(p.context, page.Navigate, page.NavigateParams{URL: url})
	p.must(t, err)
	if result.ErrorText != "" {
		t.Fatalf("open %s: %s", url, result.ErrorText)
	}
}

// Reload loads the page anew.
func (p *Page) Reload(t testing.TB) {
	t.Helper()
	_, err := chromedp.Call(p.context, page.Reload, page.ReloadParams{})
	p.must(t, err)
}

// note keeps what happened in the tab: what it asked for, and what went wrong.
func (p *Page) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			p.problems = append(p.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	case *fetch.EventRequestPaused:
		go p.fulfil(e.RequestID, e.Request.URL, p.onPaused)
	}
}

// Requests are the addresses that the tab has asked for.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Problems are the exceptions of its scripts, and what the browser refused.
func (p *Page) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.problems)
}

// Answer answers requests for addresses that a pattern fits in place of the server.
func (p *Page) Answer(t testing.TB, pattern string, answer func(url string) (status int, kind, body string)) {
	t.Helper()
	p.mu.Lock()
	p.onPaused = answer
	p.mu.Unlock()
	_, err := chromedp.Call(p.context, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: pattern}}})
	p.must(t, err)
}

func (p *Page) fulfil(request fetch.RequestID, url string, answer func(url string) (status int, kind, body string)) {
	status, kind, body := answer(url)
	_, _ = chromedp.Call(p.context, fetch.FulfillRequest, fetch.FulfillRequestParams{
		RequestID: request, ResponseCode: int64(status), Body: []byte(body),
		ResponseHeaders: []*fetch.HeaderEntry{{Name: "Content-Type", Value: kind}},
	})
}

// Evaluate runs an expression in the page and puts its value, or what it
// promises, into a value.
func (p *Page) Evaluate(t testing.TB, expression string, value any) {
	t.Helper()
	p.must(t, p.evaluate(expression, value))
}

func (p *Page) evaluate(expression string, value any) error {
	ctx, cancel := context.WithTimeout(p.context, answerLimit)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expression, chromedp.EvalAwaitPromise, chromedp.EvalAsValue))
	if err != nil || value == nil || len(text) == 0 {
		return err
	}
	return json.Unmarshal(text, value)
}

// Await waits until an expression is true in the page. Where it never is, the
// test fails with what a second expression says.
func (p *Page) Await(t testing.TB, within time.Duration, condition, otherwise string) {
	t.Helper()
	Eventually(t, within, func() error {
		var holds bool
		if err := p.evaluate("Boolean("+condition+")", &holds); err != nil {
			return err
		}
		if holds {
			return nil
		}
		var told any
		_ = p.evaluate(otherwise, &told)
		return fmt.Errorf("not so: %s; but %s is %v", condition, otherwise, told)
	})
}

// Text is the text of the first element that a selector picks, "" without one.
func (p *Page) Text(t testing.TB, selector string) (text string) {
	t.Helper()
	p.Evaluate(t, "document.querySelector("+quote(selector)+")?.innerText ?? ''", &text)
	return text
}

// Click clicks with the mouse on the middle of an element, which has to be there.
func (p *Page) Click(t testing.TB, selector string) {
	t.Helper()
	var at struct{ X, Y float64 }
	p.Evaluate(t, `(() => {
		const e = document.querySelector(`+quote(selector)+`);
		if (!e) throw new Error('there is no ' + `+quote(selector)+`);
		e.scrollIntoView({ block: 'center' });
		const r = e.getBoundingClientRect();
		return { x: r.x + r.width / 2, y: r.y + r.height / 2 };
	})()`, &at)
	p.do(t, chromedp.MouseClickXY(at.X, at.Y))
}

// Type types text into what has the focus.
func (p *Page) Type(t testing.TB, text string) {
	t.Helper()
	_, err := chromedp.Call(p.context, input.InsertText, input.InsertTextParams{Text: text})
	p.must(t, err)
}

// keys are the keys that Press knows.
var keys = map[string]string{
	"Tab": kb.Tab, "Enter": kb.Enter, "Escape": kb.Escape, "ArrowRight": kb.ArrowRight, "ArrowLeft": kb.ArrowLeft, "Space": " ",
}

// Press presses a key: "Tab", "Shift+Tab", "Enter".
func (p *Page) Press(t testing.TB, key string) {
	t.Helper()
	name, shifted := strings.CutPrefix(key, "Shift+")
	var modifiers []chromedp.KeyOption
	if shifted {
		modifiers = append(modifiers, chromedp.KeyModifiers(kb.ModifierShift))
	}
	p.do(t, chromedp.KeyEvent(keys[name], modifiers...))
}

// Screenshot writes what the tab shows to a PNG file.
func (p *Page) Screenshot(t testing.TB, path string) {
	t.Helper()
	picture, err := chromedp.Run(p.context, chromedp.CaptureScreenshot())
	p.must(t, err)
	p.must(t, os.WriteFile(filepath.Clean(path), picture, 0o644))
}

// quote makes a text a literal of JavaScript.
func quote(text string) string {
	literal, _ := json.Marshal(text)
	return string(literal)
}
