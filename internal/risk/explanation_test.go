package risk

import (
	"encoding/json"
	"strings"
	"testing"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

func TestRole(t *testing.T) {
	set := policy.NewSet(policy.Linux,
		policy.Document{Name: "vim", Platform: policy.Linux, DescriptionI18n: map[string]string{"en": "Text editor", "ko": "텍스트 편집기"}},
		policy.Document{Name: "dash", Platform: policy.Linux, DescriptionI18n: map[string]string{"en": "Command shell", "ko": "명령 셸"}},
		policy.Document{Name: "backup.sh", Platform: policy.Linux, DescriptionI18n: map[string]string{"en": "Backup", "ko": "백업"}},
	)
	parent := program("/usr/lib/systemd/systemd")
	tty := func(p *process.Process) { p.TTY = "pts/0" }
	in := func(unit, userUnit string) made {
		return func(p *process.Process) { p.Unit, p.UserUnit = unit, userUnit }
	}
	cases := []struct {
		name            string
		process         *process.Process
		parent          *process.Process
		english, korean string
	}{
		{"known", program("/usr/bin/vim"), parent, "Text editor", "텍스트 편집기"},
		{"unknown service", program("/usr/sbin/mine", user(33, "www-data"), unit("nginx.service")), parent,
			"Part of the service nginx.service, from a folder of installed programs, started by systemd, user www-data; policy does not know the program",
			"서비스 nginx.service 소속, 설치된 프로그램 폴더에 있음, 부모 프로세스 systemd, 사용자 www-data. 정책에 등록되지 않은 프로그램"},
		{"unknown in a container", program("/app/mine", container), nil,
			"Runs in the container ab12ab12ab12, from the folder /app, started by a process that has ended, user anna; policy does not know the program",
			"컨테이너 ab12ab12ab12 안에서 실행 중, /app 폴더에 있음, 부모 프로세스는 이미 종료됨, 사용자 anna. 정책에 등록되지 않은 프로그램"},
		{"unknown on a terminal", program("/home/anna/mine", tty, in("session-3.scope", "")), parent,
			"Runs in a login session on the terminal pts/0, from a home folder, started by systemd, user anna; policy does not know the program",
			"터미널 pts/0 로그인 세션에서 실행 중, 홈 폴더에 있음, 부모 프로세스 systemd, 사용자 anna. 정책에 등록되지 않은 프로그램"},
		{"unknown in a session", program("/tmp/mine", in("session-3.scope", "")), parent,
			"Runs in a login session, from a folder where everybody may put files, started by systemd, user anna; policy does not know the program",
			"로그인 세션에서 실행 중, 누구나 파일을 둘 수 있는 폴더에 있음, 부모 프로세스 systemd, 사용자 anna. 정책에 등록되지 않은 프로그램"},
		{"unknown service of a user", program("/opt/vendor/x/bin/mine", in("user@1000.service", "mine.service")), parent,
			"Part of a user's service mine.service, from add-on software below /opt/vendor, started by systemd, user anna; policy does not know the program",
			"사용자 서비스 mine.service 소속, 추가 소프트웨어 폴더 /opt/vendor 아래에 있음, 부모 프로세스 systemd, 사용자 anna. 정책에 등록되지 않은 프로그램"},
		{"unknown without anything", program("", comm("mine"), denied(process.DeniedExe), func(p *process.Process) { p.PPID, p.User = 0, "" }), nil,
			"Runs in the background, whose executable cannot be seen; policy does not know the program",
			"백그라운드에서 실행 중, 실행 파일을 확인할 수 없음. 정책에 등록되지 않은 프로그램"},
		{"interpreter with a script", program("/usr/bin/dash", script("/home/anna/x.sh")), parent,
			"Command shell; runs /home/anna/x.sh", "명령 셸, 실행 중인 스크립트: /home/anna/x.sh"},
		{"known script", program("/usr/bin/dash", script("/home/anna/backup.sh")), parent, "Backup", "백업"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := judge.Assess(c.process, Moment{}, set)
			if got := Explain(c.process, c.parent, &a, language.English).Role; got != c.english {
				t.Errorf("got  %s\nwant %s", got, c.english)
			}
			if got := Explain(c.process, c.parent, &a, language.Korean).Role; got != c.korean {
				t.Errorf("got  %s\nwant %s", got, c.korean)
			}
		})
	}
}

func TestDescribed(t *testing.T) {
	d := policy.Document{Name: "x", Description: "Does x", DescriptionI18n: map[string]string{"ko": "엑스"}}
	if got := described(&d, language.English); got != "Does x" {
		t.Error(got)
	}
	if got := described(&d, language.Korean); got != "엑스" {
		t.Error(got)
	}
	if got := described(&policy.Document{Name: "x"}, language.Korean); got != "x" {
		t.Error(got)
	}
}

func TestExcludedRole(t *testing.T) {
	excluded := &Assessment{Excluded: true}
	for want, p := range map[string]*process.Process{
		"Part of the kernel": program("", func(p *process.Process) { p.Kernel = true }),
		"Has ended; its parent has not asked for its result yet": program("/usr/bin/x", func(p *process.Process) { p.State = process.Zombie }),
		"Keeps the container ab12ab12ab12 alive":                 program("/pause", container),
		"Part of the operating system's core":                    program("", comm("System")),
	} {
		e := Explain(p, nil, excluded, language.English)
		if e.Role != want || e.Summary != "Not judged." || len(e.Findings) != 0 {
			t.Errorf("%+v, want %s", e, want)
		}
	}
}

func TestSummary(t *testing.T) {
	document := &policy.Document{Name: "x"}
	warnings := func(all ...Warning) []Warning { return all }
	info, root := Warning{Code: HighMemoryUsage}, Warning{Code: RunningAsRoot, Severity: Warn}
	redis := Warning{Code: PublicPort, Severity: Danger, Subject: "6379"}
	expected := func(w Warning) Warning { w.Expected = true; return w }
	cases := []struct {
		document *policy.Document
		warnings []Warning
		unseen   process.Denied
		want     message
		values   []string
	}{
		{document, nil, 0, summarySafe, nil},
		{document, warnings(expected(root)), 0, summarySafeExpected, nil},
		{document, warnings(expected(root), info), 0, summarySafeNoted, nil},
		{document, nil, process.DeniedExe | process.DeniedSockets, summaryUnseen, []string{"facts", "executable, open ports"}},
		{document, warnings(redis, root, info), 0, summaryDanger, []string{"codes", "PUBLIC_PORT(6379), RUNNING_AS_ROOT"}},
		{document, warnings(expected(redis), root), 0, summaryCaution, []string{"codes", "RUNNING_AS_ROOT"}},
		{nil, nil, 0, summaryUnknown, nil},
		{nil, warnings(info), 0, summaryUnknownNoted, nil},
		{nil, warnings(root), 0, summaryUnknownDanger, []string{"codes", "RUNNING_AS_ROOT"}},
	}
	forgeable := Assessment{Document: document, Verdict: Caution, Forgeable: true}
	if got, want := summary(&forgeable, language.English), summaryForgeable.in(language.English); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, c := range cases {
		a := Assessment{Document: c.document, Warnings: c.warnings, Unseen: c.unseen}
		a.Verdict = verdict(&a)
		if got, want := summary(&a, language.English), c.want.in(language.English, c.values...); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestState(t *testing.T) {
	for s, want := range map[process.State]string{
		process.Running: "running", process.Sleeping: "sleeping, waiting for work", process.Zombie: "ended", 'P': "in a passing state", 0: "in a passing state",
	} {
		if got := state(s, language.English); got != want {
			t.Errorf("%q: %q, want %q", byte(s), got, want)
		}
	}
}

func TestFindings(t *testing.T) {
	cases := []struct {
		name    string
		process *process.Process
		code    Code
		text    string
		advice  message
		values  []string
	}{
		{"root, a service", program("/usr/bin/x", root), RunningAsRoot, "Runs as root, who may do anything on this machine.",
			adviceRunningAsRootUnit, []string{"unit", "some.service"}},
		{"root, no service", program("/usr/bin/x", user(0, "root")), RunningAsRoot, "Runs as root, who may do anything on this machine.", adviceRunningAsRoot, nil},
		{"public port", program("/usr/bin/x", listens("tcp 0.0.0.0:6379")), PublicPort,
			"The port 6379/tcp of Redis can be reached from every network that leads to this machine. " +
				"Redis trusts everybody who reaches it unless a password is set, and can be made to write files.", adviceDatabase, nil},
		{"both protocols", program("/usr/bin/x", listens("udp 10.0.0.1:53", "tcp 10.0.0.1:53")), PublicPort,
			"The port 53/tcp+udp of DNS can be reached from the local network. DNS that answers strangers can be misused to flood third parties.", adviceNames, nil},
		{"loopback is left out", program("/usr/bin/x", listens("udp 10.0.0.1:53", "tcp 127.0.0.1:53")), PublicPort,
			"The port 53/udp of DNS can be reached from the local network. DNS that answers strangers can be misused to flood third parties.", adviceNames, nil},
		{"container's port", program("/usr/bin/x", listens("tcp 0.0.0.0:443 foreign")), PublicPort,
			"The port 443/tcp of HTTPS can be reached over the network of its container or network namespace. " +
				"A web server is meant to be reached, and the connection is encrypted.", adviceHTTPS, nil},
		{"system port", program("/usr/bin/x", listens("tcp 0.0.0.0:99")), SystemPort,
			"Listens on the system port 99/tcp, which belongs to no service of the table and can be reached from every network that leads to this machine.",
			adviceSystemPort, nil},
		{"path", program("/home/anna/x"), SuspiciousPath, "Runs from /home/anna/x, outside of the folders where installed programs are.", adviceSuspiciousPath, nil},
		{"path for everybody", program("/tmp/x"), SuspiciousPath, "Runs from /tmp/x, a place where everybody may put files.", adviceWritablePlace, nil},
		{"deleted, a service", program("/usr/bin/x", unit("x.service"), file(func(f *process.File) { f.Deleted = true })), DeletedExe,
			"Its file /usr/bin/x was deleted or replaced while it was running.", adviceDeletedExeUnit, []string{"unit", "x.service"}},
		{"deleted, no service", program("/usr/bin/x", file(func(f *process.File) { f.Deleted = true })), DeletedExe,
			"Its file /usr/bin/x was deleted or replaced while it was running.", adviceDeletedExe, nil},
		{"fileless", program("/memfd:x", file(func(f *process.File) { f.Memory = true })), FilelessExe,
			"Runs from memory (/memfd:x): there is no file on disk to examine.", adviceFilelessExe, []string{"pid", "100"}},
		{"kernel thread", program("/usr/bin/x", comm("kworker/0:1")), Masquerade,
			"Calls itself kworker/0:1 like a kernel thread, but is an ordinary program: /usr/bin/x.", adviceMasquerade, []string{"pid", "100"}},
		{"kernel thread in brackets", program("/usr/bin/x", argv0("[nfsd]")), Masquerade,
			"Calls itself [nfsd] like a kernel thread, but is an ordinary program: /usr/bin/x.", adviceMasquerade, []string{"pid", "100"}},
		{"kernel thread, unseen", program("", comm("kworker/0:1"), denied(process.DeniedExe)), Masquerade,
			"Calls itself kworker/0:1 like a kernel thread, but is an ordinary program.", adviceMasquerade, []string{"pid", "100"}},
		{"protected name", program("/home/anna/sshd"), Masquerade,
			"Calls itself sshd, but its executable /home/anna/sshd is not where that program is installed.", adviceMasquerade, []string{"pid", "100"}},
		{"writable", program("/usr/bin/x", file(func(f *process.File) { f.Writable = true })), WritableExe,
			"Everybody may write to /usr/bin/x or to its folder, and so choose what it does.", adviceWritableExe, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := assessed(c.process)
			w := find(t, a, c.code)
			f := explain(c.process, &w, language.English)
			if f.Text != c.text {
				t.Errorf("text\ngot  %s\nwant %s", f.Text, c.text)
			}
			if want := c.advice.in(language.English, c.values...); f.Advice != want {
				t.Errorf("advice\ngot  %s\nwant %s", f.Advice, want)
			}
			if f.Warning != w.String() || f.Severity != w.Severity.String() || f.Expected {
				t.Errorf("%+v of %+v", f, w)
			}
		})
	}
}

func TestFindingOfHighMemory(t *testing.T) {
	p := program("/usr/bin/vim", func(p *process.Process) { p.ResidentBytes = 3 << 30 })
	w := Warning{Code: HighMemoryUsage}
	if got := explain(p, &w, language.English).Text; got != "Takes 3.0 GiB of the machine's memory." {
		t.Error(got)
	}
}

func TestExpectedFinding(t *testing.T) {
	p := program("/usr/sbin/sshd", root, listens("tcp 0.0.0.0:22"))
	a := assessed(p)
	e := Explain(p, nil, &a, language.English)
	if len(e.Findings) != 2 || e.Summary != summarySafeExpected.in(language.English) {
		t.Fatalf("%+v", e)
	}
	for _, f := range e.Findings {
		if !f.Expected || f.Advice != adviceExpected.in(language.English) || f.Text == "" {
			t.Errorf("%+v", f)
		}
	}
}

// Every warning has a text and an advice in every language, whatever is known.
func TestEveryCodeIsExplained(t *testing.T) {
	for _, code := range Codes {
		for _, severity := range []Severity{Info, Warn, Danger} {
			for _, l := range language.All {
				w := Warning{Code: code, Severity: severity, Subject: "9999"}
				f := explain(program("/usr/bin/x"), &w, l)
				if f.Text == "" || f.Advice == "" || strings.ContainsAny(f.Text+f.Advice, "{}") {
					t.Errorf("%s in %s: %+v", code, l, f)
				}
			}
		}
	}
}

func TestExplanationInJSON(t *testing.T) {
	p := program("/usr/sbin/sshd", root)
	a := assessed(p)
	text, err := json.Marshal(Explain(p, nil, &a, language.English))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"role":`, `"state":`, `"summary":`, `"findings":[{"warning":"RUNNING_AS_ROOT","severity":"warn","expected":true,"text":`, `"advice":`} {
		if !strings.Contains(string(text), key) {
			t.Errorf("no %s in %s", key, text)
		}
	}
	if text, _ := json.Marshal(Explain(p, nil, &Assessment{}, language.English)); !strings.Contains(string(text), `"findings":[]`) {
		t.Errorf("findings are not an empty list: %s", text)
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[uint64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 1 << 30: "1.0 GiB", 1<<64 - 1: "16.0 EiB",
	} {
		if got := size(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
}

// What of a command line only looks like a path is not shown, and in labels
// nothing of it is.
func TestRoleKeepsNoProgramText(t *testing.T) {
	for path, want := range map[string]string{
		"/opt/run.sh":                         "Command shell; runs /opt/run.sh",
		`$d=new PDO("mysql:x","root","S3.");`: "Command shell",
		"mysqli.default_pw=S3":                "Command shell",
	} {
		p := program("/usr/bin/bash", script(path))
		a := assessed(p)
		if got := Explain(p, nil, &a, language.English).Role; got != want {
			t.Errorf("%s: %s", path, got)
		}
		if got := Description(p, nil, &a, language.English); got != "Command shell" {
			t.Errorf("%s: the label says %s", path, got)
		}
	}
	p := program("/usr/bin/bash", script("a.b"))
	p.OtherScripts = "/opt/backup.sh\x00"
	a := assessed(p)
	if got := Explain(p, nil, &a, language.English).Role; got != "Command shell" {
		t.Errorf("in doubt: %s", got)
	}
}
