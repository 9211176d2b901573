//go:build e2e

package e2e

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"server-monitor/e2e/rig"
)

// TestConsole looks at the console as its users do, in a browser.
func TestConsole(t *testing.T) {
	c := startConsole(t, "en-US")
	for name, test := range map[string]func(*testing.T, *console){
		"fills": testFills, "token in the address": testTokenFragment, "warnings": testWarnings, "hostile names": testHostileNames,
		"log": testLog, "language": testLanguage, "phone": testPhone, "filter and order": testFilter, "details": testDetails,
		"terminate": testTerminate, "terminate by force": testForce, "cancel": testCancel, "protected": testProtected, "tidy up": testTidyUp,
		"link of a dashboard": testLinks, "keyboard": testKeyboard, "accessibility": testAccessibility, "hidden": testHidden,
		"many processes": testMany,
	} {
		t.Run(name, func(t *testing.T) { test(t, c) })
	}
}

// testFills: the page fills, keeps itself up to date, asks nobody else for
// anything, and the browser refuses nothing of it.
func testFills(t *testing.T, c *console) {
	c.write(t, "e2e [INFO] the log begins", "e2e [WARN] the disk fills up", "e2e [ERROR] the disk is full")
	rig.StartSample(t, exec.Command(rig.Install(t, programs.Sample, "/opt", "nginx"), "listen", "127.0.0.1:0"))
	p := c.open(t, desktopWidth, desktopHeight)
	p.Await(t, 10*time.Second, `document.getElementById('status-text').textContent === 'LIVE'`, `document.getElementById('status').innerText`)
	for selector, want := range map[string]string{
		"#resources": "MEMORY", "#services": "nginx", "#processes": "PID", ".panel-resources h2": "RESOURCES", ".panel-log h2": "LOG CONSOLE",
		"#resources > li:last-child": "UPTIME",
	} {
		if text := p.Text(t, selector); !strings.Contains(text, want) {
			t.Errorf("%s says %q, want %q in it", selector, text, want)
		}
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil { // else systemd is asked, which knows nothing of it
		p.Await(t, 15*time.Second, `[...document.querySelectorAll('#services .good')].some((s) => s.innerText.includes('nginx') && s.innerText.includes('[ ACTIVE ]'))`,
			`document.getElementById('services').innerText`)
	}
	before := p.Text(t, "#updated")
	p.Await(t, 15*time.Second, `document.getElementById('updated').textContent !== `+fmt.Sprintf("%q", before), `document.getElementById('updated').textContent`)
	p.Await(t, 15*time.Second, `[...document.querySelectorAll('.number')].some((n) => n.textContent.endsWith('%'))`, `document.getElementById('processes').innerText`)
	for _, address := range p.Requests() {
		asked, err := url.Parse(address)
		if err != nil || asked.Host != c.address {
			t.Errorf("the page asked for %s", address)
		}
		if strings.Contains(address, "smk_") {
			t.Errorf("the token went out in an address: %s", address)
		}
	}
	for _, problem := range p.Problems() {
		t.Errorf("the browser complains: %s", problem)
	}
	p.Screenshot(t, artifact(t, "console-desktop.png"))
}

// testTokenFragment: a token in the address is taken out of it at once, is kept
// for the tab, and shows the log.
func testTokenFragment(t *testing.T, c *console) {
	p := c.open(t, desktopWidth, desktopHeight)
	var got struct{ Address, Kept, Everywhere string }
	p.Evaluate(t, `({ address: location.href, kept: sessionStorage.getItem('server-monitor.token'), everywhere: JSON.stringify(localStorage) + document.cookie })`, &got)
	if got.Address != c.url("") || got.Kept != c.token || strings.Contains(got.Everywhere, "smk_") {
		t.Errorf("address %q, kept %q, elsewhere %q", got.Address, got.Kept, got.Everywhere)
	}
	p.Await(t, 10*time.Second, `document.querySelector('#log-source option')`, `document.getElementById('log-note').textContent`)
	p.Click(t, "#token") // forget it
	p.Await(t, 10*time.Second, `!document.getElementById('locked-panel').hidden && document.getElementById('panels').hidden`, `document.body.innerText.slice(0, 300)`)
}

// testWarnings: what the test starts appears with its warnings and advice.
func testWarnings(t *testing.T, c *console) {
	rig.NeedRoot(t)
	p := c.open(t, desktopWidth, desktopHeight)
	port := freePorts(t, 27017, 6379, 9200, 11211, 5432, 3306)[0]
	listener := rig.StartSample(t, exec.Command(rig.Install(t, programs.Sample, "/opt", "e2e-console"), "listen", "0.0.0.0:"+port))
	copied := startPlain(t, ordinary(rig.Install(t, "/usr/bin/sleep", "/tmp", "sleep"), "1000"))
	for pid, wants := range map[int][]string{
		listener: {"PUBLIC_PORT(" + port + ")", "RUNNING_AS_ROOT", "DANGER", "PORT : " + port, "USER : root", "Bind it to 127.0.0.1"},
		copied:   {"SUSPICIOUS_PATH", "DANGER", "Programs do not belong there", "USER : nobody", "PORT : –"},
	} {
		findPID(t, p, pid)
		text := p.Text(t, "#processes > li")
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("PID %d lacks %q:\n%s", pid, want, text)
			}
		}
	}
	p.Screenshot(t, artifact(t, "console-warnings.png"))
}

// testHostileNames: names and lines that look like markup, or try to look like
// something else, are text.
func testHostileNames(t *testing.T, c *console) {
	p := c.open(t, desktopWidth, desktopHeight)
	name := `<img src=x onerror=document.title='owned'><b>e2e`
	pid := rig.StartSample(t, exec.Command(rig.Install(t, programs.Sample, "/opt", name), "sleep"))
	line := `<script>document.title='owned'</script><i>line</i> "'&amp; ` + "\x1b[31mred\u202e"
	c.write(t, line)
	findPID(t, p, pid)
	p.Await(t, 10*time.Second, `document.getElementById('log').innerText.includes('<script>')`, `document.getElementById('log').innerText`)
	p.Click(t, "#processes .name")
	p.Await(t, 5*time.Second, `document.getElementById('details').open`, `document.title`)
	if got := p.Text(t, "#details-title"); !strings.Contains(got, name) {
		t.Errorf("the title of the details is %q, want %q in it", got, name)
	}
	var found struct {
		Title  string
		Markup int
		Raw    bool
	}
	p.Evaluate(t, `({ title: document.title, markup: document.querySelectorAll('img, b, i, main script, dialog script').length,
		raw: /[\u001b\u202e]/.test(document.body.textContent) })`, &found)
	if found.Title != "Server Monitor" || found.Markup != 0 || found.Raw {
		t.Errorf("title %q, %d elements of markup, raw control characters: %v", found.Title, found.Markup, found.Raw)
	}
}

// testLog: lines arrive as they are written, bear their level, can be filtered,
// and wait while the panel is paused.
func testLog(t *testing.T, c *console) {
	p := c.open(t, desktopWidth, desktopHeight)
	c.write(t, "e2e [INFO] all is well", "e2e [ERROR] the disk is full")
	p.Await(t, 10*time.Second, `document.querySelector('#log .line.error:last-child')?.innerText.includes('the disk is full')`, `document.getElementById('log').innerText`)
	p.Click(t, "#log-pause")
	c.write(t, "e2e written in the pause")
	p.Await(t, 10*time.Second, `document.getElementById('log-pause').textContent.includes('1')`, `document.getElementById('log-pause').textContent`)
	if strings.Contains(p.Text(t, "#log"), "in the pause") {
		t.Error("a line came through the pause")
	}
	p.Click(t, "#log-pause")
	p.Await(t, 5*time.Second, `document.getElementById('log').innerText.includes('in the pause')`, `document.getElementById('log').innerText`)
	p.Click(t, "#log-filter")
	p.Type(t, "disk is")
	p.Await(t, 5*time.Second, `!document.getElementById('log').innerText.includes('all is well')`, `document.getElementById('log').innerText`)
	if !strings.Contains(p.Text(t, "#log"), "the disk is full") {
		t.Error("the filter hides what it is to show")
	}
}

// write appends lines to the log that the console shows.
func (c *console) write(t *testing.T, lines ...string) {
	t.Helper()
	file, err := os.OpenFile(c.log, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString(strings.Join(lines, "\n") + "\n")
		file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// testLanguage: the switch turns everything into Korean, what the server says
// as well, and the choice is kept; a Korean browser begins with it.
func testLanguage(t *testing.T, c *console) {
	p := c.open(t, desktopWidth, desktopHeight)
	p.Click(t, `[data-language="ko"]`)
	p.Await(t, 15*time.Second, `document.documentElement.lang === 'ko' && /정책|프로그램|실행/.test(document.querySelector('#processes .role')?.textContent)`,
		`document.getElementById('processes').innerText.slice(0, 300)`)
	for selector, want := range map[string]string{
		".panel-resources h2": "리소스", "#tab-processes": "프로세스", "#services": "[ ", "#verdict-danger": "위험", "#log-pause": "일시 정지",
	} {
		if text := p.Text(t, selector); !strings.Contains(text, want) {
			t.Errorf("%s says %q, want %q in it", selector, text, want)
		}
	}
	p.Screenshot(t, artifact(t, "console-korean.png"))
	p.Reload(t)
	awaitFilled(t, p)
	if got := p.Text(t, ".panel-services h2"); got != "서비스" {
		t.Errorf("after a reload: %q", got)
	}
	korean := rig.StartBrowser(t, "ko-KR,ko,en").Open(t, c.url("#token="+c.token), desktopWidth, desktopHeight)
	awaitFilled(t, korean)
	if got := korean.Text(t, ".panel-services h2"); got != "서비스" {
		t.Errorf("in a Korean browser: %q", got)
	}
}

// testPhone: at 360 pixels everything is there and nothing runs off the side.
func testPhone(t *testing.T, c *console) {
	p := c.open(t, 360, 780)
	var width int
	p.Evaluate(t, `document.documentElement.scrollWidth`, &width)
	if width > 360 {
		t.Errorf("the page is %d pixels wide", width)
	}
	p.Screenshot(t, artifact(t, "console-phone.png"))
	p.Evaluate(t, `document.querySelector('.panel-processes').scrollIntoView()`, nil)
	p.Screenshot(t, artifact(t, "console-phone-processes.png"))
	for _, selector := range []string{"#tab-tidy", "#tab-processes", "#processes .name"} {
		p.Click(t, selector)
	}
	p.Await(t, 5*time.Second, `document.getElementById('details').open`, `document.title`)
	var box struct{ Left, Right float64 }
	p.Evaluate(t, `document.getElementById('details').getBoundingClientRect().toJSON()`, &box)
	if box.Left < 0 || box.Right > 360 {
		t.Errorf("the dialog reaches from %v to %v", box.Left, box.Right)
	}
}

// testFilter: the list is filtered by text and verdict, sorted, and paged.
func testFilter(t *testing.T, c *console) {
	first := startPlain(t, ordinary("/usr/bin/sleep", "1001"))
	p := c.open(t, desktopWidth, desktopHeight)
	findPID(t, p, first)
	p.Click(t, "#verdict-danger")
	p.Await(t, 5*time.Second, `!document.getElementById('processes-none').hidden`, `document.getElementById('processes').innerText`)
	if said := p.Text(t, "#announcer"); !strings.HasPrefix(said, "0 ") {
		t.Errorf("what is read out: %q", said)
	}
	p.Click(t, "#verdict-danger")
	findAll(t, p)
	p.Evaluate(t, `(() => { const o = document.getElementById('process-order'); o.value = 'pid'; o.dispatchEvent(new Event('change')); })()`, nil)
	var pids []int
	p.Await(t, 5*time.Second, `document.querySelectorAll('#processes > li').length > 2`, `document.getElementById('processes').innerText`)
	p.Evaluate(t, `[...document.querySelectorAll('#processes .pid')].map((e) => Number(e.textContent.match(/\d+/)[0]))`, &pids)
	if !slices.IsSorted(pids) {
		t.Errorf("sorted by pid: %v", pids)
	}
}

// testDetails: the details of a process show its facts and come by its address.
func testDetails(t *testing.T, c *console) {
	port := freePorts(t, 27017, 6379, 9200, 11211, 5432, 3306)[0]
	pid := rig.StartSample(t, ordinary(rig.Install(t, programs.Sample, "/opt", "e2e-details"), "listen", "127.0.0.1:"+port))
	p := c.open(t, desktopWidth, desktopHeight)
	findPID(t, p, pid)
	p.Click(t, "#processes .name")
	p.Await(t, 5*time.Second, `document.getElementById('details').open`, `document.title`)
	text := p.Text(t, "#details-body")
	for _, want := range []string{"e2e-details", "nobody (uid 65534)", "127.0.0.1", port, "this machine only", "service account"} {
		if !strings.Contains(text, want) {
			t.Errorf("the details lack %q:\n%s", want, text)
		}
	}
	p.Screenshot(t, artifact(t, "console-details.png"))
	var fragment string
	p.Evaluate(t, `location.hash`, &fragment)
	if !strings.HasPrefix(fragment, "#/process/"+itoa(pid)+"/") {
		t.Errorf("the address of the details: %q", fragment)
	}
	p.Press(t, "Escape")
	p.Await(t, 5*time.Second, `location.hash === ''`, `location.hash`)
}

// testHidden: while nobody looks, nothing is asked for.
func testHidden(t *testing.T, c *console) {
	p := c.open(t, desktopWidth, desktopHeight)
	p.Evaluate(t, `(() => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => true }); document.dispatchEvent(new Event('visibilitychange')); })()`, nil)
	p.Await(t, 5*time.Second, `document.getElementById('status-text').textContent === 'PAUSED'`, `document.getElementById('status-text').textContent`)
	before, shown := len(p.Requests()), p.Text(t, "#updated")
	time.Sleep(6 * time.Second)
	if after := len(p.Requests()); after != before || p.Text(t, "#updated") != shown {
		t.Errorf("%d requests while hidden", after-before)
	}
	p.Evaluate(t, `(() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); })()`, nil)
	p.Await(t, 10*time.Second, `document.getElementById('status-text').textContent === 'LIVE'`, `document.getElementById('status-text').textContent`)
}

// testMany: a server of 2,000 processes, behind a proxy that lets no stream
// through, stays smooth.
func testMany(t *testing.T, c *console) {
	p := c.browser.NewPage(t, desktopWidth, desktopHeight)
	taken := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	calls := 0
	p.Answer(t, "*/api/v1/*", func(address string) (int, string, string) {
		if !strings.Contains(address, "/processes") {
			return 404, "application/problem+json", `{"code":"no-such-call","status":404}`
		}
		calls++
		return 200, "application/json", manyProcesses(2000, taken.Add(time.Duration(calls)*5*time.Second), calls)
	})
	p.Navigate(t, c.url(""))
	p.Await(t, 30*time.Second, `document.querySelectorAll('#processes > li').length > 0`, `document.body.innerText.slice(0, 300)`)
	p.Await(t, 10*time.Second, `document.getElementById('status-text').textContent === 'POLLING'`, `document.getElementById('status-text').textContent`)
	var got struct {
		Rows     int
		Page     string
		Longest  float64
		Elements int
	}
	p.Evaluate(t, `new Promise((resolve) => {
		let longest = 0, last = performance.now();
		const until = last + 12000; // two rounds of polling
		const frame = (now) => { longest = Math.max(longest, now - last); last = now; if (now < until) requestAnimationFrame(frame); else
			resolve({ rows: document.querySelectorAll('#processes > li').length, page: document.getElementById('page-at').textContent, longest,
				elements: document.querySelectorAll('*').length }); };
		requestAnimationFrame(frame);
	})`, &got)
	t.Logf("2,000 processes: %d rows, %d elements, longest frame %.0f ms, %s", got.Rows, got.Elements, got.Longest, got.Page)
	if got.Rows > 50 || got.Page != "1–50 OF 2,000" || got.Elements > 3000 {
		t.Errorf("%d rows, %d elements, %q", got.Rows, got.Elements, got.Page)
	}
	if got.Longest > 1000 {
		t.Errorf("a frame took %.0f ms", got.Longest)
	}
	p.Click(t, "#page-on")
	p.Await(t, 5*time.Second, `document.getElementById('page-at').textContent === '51–100 OF 2,000'`, `document.getElementById('page-at').textContent`)
}

// manyProcesses is an answer of GET /processes.
func manyProcesses(n int, taken time.Time, round int) string {
	var rows []string
	for i := range n {
		rows = append(rows, fmt.Sprintf(`{"identity":"%[1]d-%[1]d-boot","pid":%[1]d,"ppid":1,"name":"worker-%[1]d","user":"root","uid":0,"state":"sleeping",
			"start_time":"2026-01-01T00:00:00Z","cpu_seconds":%d,"resident_memory_bytes":%d,"memory_ratio":0.01,"threads":1,"listen":[],
			"verdict":"caution","known":false,"role":"A role","summary":"A summary.",
			"findings":[{"warning":"RUNNING_AS_ROOT","severity":"warn","expected":false,"text":"Text.","advice":"Advice."}],
			"termination":{"allowed":false,"reasons":[{"code":"uid-0","kind":"protected","text":"Root.","text_ko":"루트."}]}}`,
			i+10, round*(i%5), 1000*(i+round)))
	}
	return fmt.Sprintf(`{"total":%d,"offset":0,"limit":5000,"taken":%q,"policy_version":"x","verdicts":{"safe":0,"caution":%d,"danger":0},
		"excluded":0,"unowned_sockets":0,"processes":[%s]}`, n, taken.Format(time.RFC3339), n, strings.Join(rows, ","))
}

// TestConsoleWithoutToken: without a token the page shows what is open, and asks
// for one where one is needed.
func TestConsoleWithoutToken(t *testing.T) {
	c := startConsole(t, "en-US", "--operator.anonymous-view")
	p := c.browser.Open(t, c.url(""), desktopWidth, desktopHeight)
	awaitFilled(t, p)
	p.Await(t, 10*time.Second, `document.getElementById('log-note').textContent.includes('enter a token')`, `document.getElementById('log-note').textContent`)
	p.Click(t, "#token")
	enter := func(token string) {
		p.Evaluate(t, `(() => { const e = document.getElementById('login-token'); e.value = ''; e.focus(); })()`, nil)
		p.Type(t, token)
		p.Press(t, "Enter")
	}
	for token, want := range map[string]string{"hello": "one begins with smk_", c.token[:len(c.token)-4] + "AAAA": "does not take this token"} {
		enter(token)
		p.Await(t, 10*time.Second, fmt.Sprintf(`document.getElementById('login-note').textContent.includes(%q)`, want), `document.getElementById('login-note').textContent`)
	}
	enter(c.token)
	p.Await(t, 10*time.Second, `!document.getElementById('login').open && document.querySelector('#log-source option')`, `document.getElementById('log-note').textContent`)
}

// TestConsoleLocked: where nothing is open, the page shows nothing but the way in,
// and a token that is no longer good is forgotten.
func TestConsoleLocked(t *testing.T) {
	c := startConsole(t, "en-US")
	p := c.browser.Open(t, c.url("#token="+c.token[:len(c.token)-4]+"AAAA"), desktopWidth, desktopHeight)
	p.Await(t, 10*time.Second, `document.getElementById('locked-text').textContent.includes('does not take this token')`, `document.body.innerText.slice(0, 300)`)
	var got struct {
		Kept   *string
		Panels bool
	}
	p.Evaluate(t, `({ kept: sessionStorage.getItem('server-monitor.token'), panels: !document.getElementById('panels').hidden })`, &got)
	if got.Kept != nil || got.Panels {
		t.Errorf("kept %v, panels shown: %v", got.Kept, got.Panels)
	}
	p.Screenshot(t, artifact(t, "console-locked.png"))
	p.Click(t, "#locked-enter")
	p.Type(t, c.token)
	p.Press(t, "Enter")
	awaitFilled(t, p)
}

// TestConsoleOff: a server without tokens shows what it has, and says what is off.
func TestConsoleOff(t *testing.T) {
	address := freeAddress(t)
	program := rig.Start(t, exec.Command(programs.Monitor, "--web.listen-address=127.0.0.1:0", "--operator.listen-address="+address))
	program.AwaitOutput(t, 20*time.Second, `msg="Listening on" address=`+address)
	p := rig.StartBrowser(t, "en-US").Open(t, "http://"+address+"/", desktopWidth, desktopHeight)
	awaitFilled(t, p)
	p.Await(t, 10*time.Second, `document.getElementById('log-note').textContent.includes('Logs are off')`, `document.getElementById('log-note').textContent`)
	var buttons struct{ Token, Terminate int }
	p.Evaluate(t, `({ token: Number(!document.getElementById('token').hidden), terminate: document.querySelectorAll('.process .terminate').length })`, &buttons)
	if buttons.Token+buttons.Terminate != 0 {
		t.Errorf("there are buttons for what is off: %+v", buttons)
	}
}

// TestConsoleLink: the address that "make run" prints opens the console with
// everything in it, without any set-up.
func TestConsoleLink(t *testing.T) {
	program := rig.Start(t, exec.Command(programs.Monitor, "--web.listen-address=127.0.0.1:0", "--operator.listen-address="+freeAddress(t), "--operator.print-link"))
	link := program.AwaitOutput(t, 20*time.Second, `(http://\S+#token=smk_\S+)`)[1]
	p := rig.StartBrowser(t, "en-US").Open(t, link, desktopWidth, desktopHeight)
	awaitFilled(t, p)
	const opened = `document.querySelector('#log-source option') && location.hash === ''`
	const said = `location.href + ' ' + document.getElementById('log-note').textContent`
	p.Await(t, 10*time.Second, opened, said)
	// Without the token the page shows what it shows without a token file, and a
	// tab that shows it takes the link as well.
	at, token, _ := strings.Cut(link, "#")
	late := rig.StartBrowser(t, "en-US").Open(t, at, desktopWidth, desktopHeight)
	awaitFilled(t, late)
	late.Evaluate(t, "location.hash = '"+token+"'", nil)
	late.Await(t, 10*time.Second, opened, said)
}

// TestConsoleReconnects: the page says when the server is away, and finds it again.
func TestConsoleReconnects(t *testing.T) {
	c := startConsole(t, "en-US")
	p := c.open(t, desktopWidth, desktopHeight)
	if err := c.Stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.Await(t, 20*time.Second, `!document.getElementById('away').hidden && document.getElementById('announcer').textContent === 'SERVER AWAY'`,
		`document.getElementById('status').innerText + ' | ' + document.getElementById('announcer').textContent`)
	c.start(t)
	p.Await(t, 45*time.Second, `document.getElementById('away').hidden && document.getElementById('status-text').textContent === 'LIVE'`, `document.getElementById('status').innerText`)
	if said := p.Text(t, "#announcer"); said != "LIVE" {
		t.Errorf("what is read out: %q", said)
	}
}

// axeFile is axe-core, of the npm package of that name.
func axeFile() string {
	return filepath.Join(programs.Source, "e2e", "web", "node_modules", "axe-core", "axe.min.js")
}
