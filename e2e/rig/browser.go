//go:build e2e

package rig

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// answerLimit is how long the browser may take for one command.
const answerLimit = 30 * time.Second

// Browser is Debian's Chromium, told what to do over two pipes in the language
// of its developer tools (https://chromedevtools.github.io/devtools-protocol/).
type Browser struct {
	t    testing.TB
	send *os.File

	mu      sync.Mutex
	last    int
	answers map[int]chan message
	pages   map[string]*Page // by session
}

// message is a command, an answer or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

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
	commands, send, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	receive, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	profile := t.TempDir()
	args := slices.Concat(by, []string{"chromium", "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
		"--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--mute-audio", "--hide-scrollbars", "--user-data-dir=" + profile, "--accept-lang=" + languages})
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+profile)
	cmd.ExtraFiles = []*os.File{commands, answers} // its descriptors 3 and 4
	program := Start(t, cmd)
	commands.Close()
	answers.Close()
	b := &Browser{t: t, send: send, answers: make(map[int]chan message), pages: make(map[string]*Page)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.read(receive)
	}()
	t.Cleanup(func() {
		_ = b.write(message{ID: -1, Method: "Browser.close"})
		select {
		case <-program.ended:
			<-read
		case <-time.After(stopLimit):
		}
		send.Close()
		receive.Close()
	})
	return b
}

// read takes what the browser says, until it ends. Messages end with a NUL.
func (b *Browser) read(from *os.File) {
	in := bufio.NewReaderSize(from, 1<<20)
	for {
		text, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			message
			Params json.RawMessage `json:"params"`
		}
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		answer, page := b.answers[m.ID], b.pages[m.Session]
		delete(b.answers, m.ID)
		b.mu.Unlock()
		switch {
		case m.ID != 0 && answer != nil:
			answer <- m.message
		case m.ID == 0 && page != nil:
			page.note(m.Method, m.Params)
		}
	}
}

func (b *Browser) write(m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, err = b.send.Write(append(text, 0))
	return err
}

// call sends a command and puts its result into a value.
func (b *Browser) call(session, method string, params, result any) error {
	answer := make(chan message, 1)
	b.mu.Lock()
	b.last++
	id := b.last
	b.answers[id] = answer
	b.mu.Unlock()
	if err := b.write(message{ID: id, Session: session, Method: method, Params: params}); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-time.After(answerLimit):
		return fmt.Errorf("%s: no answer", method)
	}
}

// Page is a tab of a browser.
type Page struct {
	*Browser
	session string

	mu       sync.Mutex
	requests []string
	problems []string
	onPaused func(url string) (status int, kind, body string)
}

// fields are the parameters of a command.
type fields map[string]any

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
	p := &Page{Browser: b}
	var context struct{ BrowserContextID string }
	p.must(t, b.call("", "Target.createBrowserContext", nil, &context))
	var target struct{ TargetID string }
	p.must(t, b.call("", "Target.createTarget", fields{"url": "about:blank", "browserContextId": context.BrowserContextID}, &target))
	var attached struct{ SessionID string }
	p.must(t, b.call("", "Target.attachToTarget", fields{"targetId": target.TargetID, "flatten": true}, &attached))
	p.session = attached.SessionID
	b.mu.Lock()
	b.pages[p.session] = p
	b.mu.Unlock()
	t.Cleanup(func() {
		_ = b.call("", "Target.disposeBrowserContext", fields{"browserContextId": context.BrowserContextID}, nil)
	})
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		p.Call(t, domain+".enable", nil, nil)
	}
	p.Resize(t, width, height)
	return p
}

func (p *Page) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Call sends a command of the protocol to the tab.
func (p *Page) Call(t testing.TB, method string, params, result any) {
	t.Helper()
	p.must(t, p.call(p.session, method, params, result))
}

// Resize makes the tab as large as a screen; a narrow one is a phone's.
func (p *Page) Resize(t testing.TB, width, height int) {
	t.Helper()
	p.Call(t, "Emulation.setDeviceMetricsOverride", fields{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}, nil)
}

// Navigate goes to an address.
func (p *Page) Navigate(t testing.TB, url string) {
	t.Helper()
	var result struct{ ErrorText string }
	p.Call(t, "Page.navigate", fields{"url": url}, &result)
	if result.ErrorText != "" {
		t.Fatalf("open %s: %s", url, result.ErrorText)
	}
}

// note keeps what happened in the tab: what it asked for, and what went wrong.
func (p *Page) note(method string, params json.RawMessage) {
	var event struct {
		RequestID        string
		Request          struct{ URL string }
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
		Entry struct{ Level, Text, URL string }
	}
	if json.Unmarshal(params, &event) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch method {
	case "Network.requestWillBeSent":
		p.requests = append(p.requests, event.Request.URL)
	case "Runtime.exceptionThrown":
		p.problems = append(p.problems, event.ExceptionDetails.Text+" "+event.ExceptionDetails.Exception.Description)
	case "Log.entryAdded":
		if event.Entry.Level == "error" {
			p.problems = append(p.problems, event.Entry.Text+" "+event.Entry.URL)
		}
	case "Fetch.requestPaused":
		go p.fulfil(event.RequestID, event.Request.URL)
	}
}

// Requests are the addresses that the tab has asked for.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.requests...)
}

// Problems are the exceptions of its scripts, and what the browser refused.
func (p *Page) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.problems...)
}

// Answer answers requests for addresses that a pattern fits in place of the server.
func (p *Page) Answer(t testing.TB, pattern string, answer func(url string) (status int, kind, body string)) {
	t.Helper()
	p.mu.Lock()
	p.onPaused = answer
	p.mu.Unlock()
	p.Call(t, "Fetch.enable", fields{"patterns": []fields{{"urlPattern": pattern}}}, nil)
}

func (p *Page) fulfil(request, url string) {
	p.mu.Lock()
	answer := p.onPaused
	p.mu.Unlock()
	status, kind, body := answer(url)
	_ = p.call(p.session, "Fetch.fulfillRequest", fields{
		"requestId": request, "responseCode": status, "body": base64.StdEncoding.EncodeToString([]byte(body)),
		"responseHeaders": []fields{{"name": "Content-Type", "value": kind}},
	}, nil)
}

// Evaluate runs an expression in the page and puts its value, or what it
// promises, into a value.
func (p *Page) Evaluate(t testing.TB, expression string, value any) {
	t.Helper()
	p.must(t, p.evaluate(expression, value))
}

func (p *Page) evaluate(expression string, value any) error {
	var result struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	err := p.call(p.session, "Runtime.evaluate", fields{"expression": expression, "awaitPromise": true, "returnByValue": true}, &result)
	if err != nil {
		return err
	}
	if e := result.ExceptionDetails; e != nil {
		return errors.New(e.Text + " " + e.Exception.Description)
	}
	if value == nil || len(result.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(result.Result.Value, value)
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

// Click clicks with the mouse on the middle of an element.
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
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.Call(t, "Input.dispatchMouseEvent", fields{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
}

// Type types text into what has the focus.
func (p *Page) Type(t testing.TB, text string) {
	t.Helper()
	p.Call(t, "Input.insertText", fields{"text": text}, nil)
}

// keys are the codes of the keys that Press knows.
var keys = map[string]struct {
	code int
	text string
}{"Tab": {code: 9}, "Enter": {13, "\r"}, "Escape": {code: 27}, "ArrowRight": {code: 39}, "ArrowLeft": {code: 37}, "Space": {32, " "}}

// Press presses a key: "Tab", "Shift+Tab", "Enter".
func (p *Page) Press(t testing.TB, key string) {
	t.Helper()
	name, shifted := strings.CutPrefix(key, "Shift+")
	k := keys[name]
	modifiers := 0
	if shifted {
		modifiers = 8
	}
	value := name
	if name == "Space" {
		value = " "
	}
	event := fields{"key": value, "code": name, "windowsVirtualKeyCode": k.code, "modifiers": modifiers, "type": "rawKeyDown"}
	if k.text != "" {
		event["type"], event["text"] = "keyDown", k.text
	}
	p.Call(t, "Input.dispatchKeyEvent", event, nil)
	delete(event, "text")
	event["type"] = "keyUp"
	p.Call(t, "Input.dispatchKeyEvent", event, nil)
}

// Screenshot writes what the tab shows to a PNG file.
func (p *Page) Screenshot(t testing.TB, path string) {
	t.Helper()
	var picture struct{ Data []byte }
	p.Call(t, "Page.captureScreenshot", fields{"format": "png"}, &picture)
	if err := os.WriteFile(path, picture.Data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// quote makes a text a literal of JavaScript.
func quote(text string) string {
	literal, _ := json.Marshal(text)
	return string(literal)
}
