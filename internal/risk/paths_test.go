package risk

import (
	"testing"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

func TestLocate(t *testing.T) {
	allowed := []string{"/srv/apps", "/data/", "/tmp/build", `D:\Tools`}
	cases := []struct {
		exe      string
		platform policy.Platform
		want     location
	}{
		{"/usr/bin/vim", policy.Linux, standard},
		{"/bin/vim", policy.Linux, standard},
		{"/sbin/init", policy.Linux, standard},
		{"/lib/systemd/systemd", policy.Linux, standard},
		{"/lib64/ld-linux-x86-64.so.2", policy.Linux, standard},
		{"/opt/x/bin/x", policy.Linux, standard},
		{"/usrevil", policy.Linux, unusual},
		{"/usrevil/x", policy.Linux, unusual},
		{"/usr", policy.Linux, unusual},
		{"/lib32/x", policy.Linux, unusual},
		{"/usr/../home/anna/x", policy.Linux, unusual},
		{"/home/anna/x", policy.Linux, unusual},
		{"/root/x", policy.Linux, unusual},
		{"/var/lib/x/x", policy.Linux, unusual},
		{"/x", policy.Linux, unusual},
		{"(path longer than 4096 bytes)", policy.Linux, unusual},
		{"/tmp/x", policy.Linux, writable},
		{"/tmp/a/b/usr/bin/x", policy.Linux, writable},
		{"/tmpfs/x", policy.Linux, unusual},
		{"/var/tmp/x", policy.Linux, writable},
		{"/var/tmpx/x", policy.Linux, unusual},
		{"/dev/shm/x", policy.Linux, writable},
		{"/dev/shm/.hidden/x", policy.Linux, writable},
		{"/srv/apps/x", policy.Linux, standard},
		{"/srv/apps2/x", policy.Linux, unusual},
		{"/srv/apps", policy.Linux, unusual},
		{"/data/x", policy.Linux, standard},
		{"/tmp/build/x", policy.Linux, standard},
		{"/tmp/built/x", policy.Linux, writable},
		{"", policy.Linux, nowhere},
		{"c:/windows/x", policy.Linux, unusual},
		{"C:/Windows/System32/svchost.exe", policy.Windows, standard},
		{`C:\Windows\System32\svchost.exe`, policy.Windows, standard},
		{"C:/Program Files/X/x.exe", policy.Windows, standard},
		{"C:/Program Files (x86)/X/x.exe", policy.Windows, standard},
		{"C:/Program Filesystem/x.exe", policy.Windows, unusual},
		{"C:/ProgramData/x.exe", policy.Windows, unusual},
		{"D:/x.exe", policy.Windows, unusual},
		{"C:/Users/anna/Desktop/x.exe", policy.Windows, unusual},
		{"C:/Windows/Temp/x.exe", policy.Windows, writable},
		{"C:/WINDOWS/TEMP/a/x.exe", policy.Windows, writable},
		{"C:/Windows/Temperature/x.exe", policy.Windows, standard},
		{"C:/Temp/x.exe", policy.Windows, writable},
		{"C:/Users/Public/x.exe", policy.Windows, writable},
		{"C:/Users/Anna/AppData/Local/Temp/x.exe", policy.Windows, writable},
		{"C:/Users/Anna/AppData/Local/Temporary/x.exe", policy.Windows, unusual},
		{"C:/Users/Anna/AppData/Local/x.exe", policy.Windows, unusual},
		{"C:/Users/x.exe", policy.Windows, unusual},
		{"d:/tools/x.exe", policy.Windows, standard},
		{`\\?\C:\Windows\System32\svchost.exe`, policy.Windows, standard},
		{`\\server\share\x.exe`, policy.Windows, unusual},
		{"//server/c:/windows/x.exe", policy.Windows, unusual},
		{"C:/Windows /System32/x.exe", policy.Windows, unusual},
		{"C:/Windows/../Users/anna/x.exe", policy.Windows, unusual},
		{"C:/ProgramData/Microsoft/Windows Defender/Platform/4.18/MsMpEng.exe", policy.Windows, standard},
		{"C:/ProgramData/Microsoft/x.exe", policy.Windows, unusual},
		{"C:/ProgramData/Package Cache/{1}/setup.exe", policy.Windows, standard},
		{"C:/Windows/Tasks/x.exe", policy.Windows, writable},
		{"C:/Windows/System32/spool/drivers/color/x.exe", policy.Windows, writable},
		{"C:/Windows/System32/Tasks/x.exe", policy.Windows, writable},
		{"C:/Windows/System32/TasksX/x.exe", policy.Windows, standard},
		{"C:/$Recycle.Bin/S-1-5-21-1/x.exe", policy.Windows, writable},
		{"C:/Users/anna/Downloads/x.exe", policy.Windows, writable},
		{"C:/Users/anna/Downloads2/x.exe", policy.Windows, unusual},
		{"C:/Users/anna/AppData/Local/Microsoft/Windows/INetCache/IE/x.exe", policy.Windows, writable},
		{"C:/Users/Downloads/x.exe", policy.Windows, unusual},
		{"C:/Windows/System32/drivers/etc/hosts:x.exe", policy.Windows, writable},
		{"D:/Tools/notes.txt:x.exe", policy.Windows, writable},
		{"/usr/bin/x", policy.Windows, unusual},
		{"Registry", policy.Windows, nowhere},
		{"", policy.Windows, nowhere},
	}
	for _, c := range cases {
		t.Run(string(c.platform)+" "+c.exe, func(t *testing.T) {
			if got := locate(c.exe, c.platform, allowed); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestFileWarnings(t *testing.T) {
	memory := file(func(f *process.File) { f.Memory, f.Deleted, f.Trusted = true, true, false })
	deleted := file(func(f *process.File) { f.Deleted, f.Trusted = true, false })
	writableFile := file(func(f *process.File) { f.Writable, f.Trusted = true, false })
	named := func(name string) made { return func(p *process.Process) { p.Name = name } }
	chroot := func(p *process.Process) { p.Root = "/srv/jail" }
	cases := []struct {
		name    string
		process *process.Process
		want    string
	}{
		{"standard", program("/usr/bin/mine"), ""},
		{"home", program("/home/anna/mine"), "SUSPICIOUS_PATH warn"},
		{"for everybody", program("/tmp/mine"), "SUSPICIOUS_PATH danger"},
		{"a container's own path", program("/usr/bin/mine", container), ""},
		{"a container's own path for everybody", program("/tmp/mine", container), "SUSPICIOUS_PATH danger"},
		{"another root folder", program("/srv/jail/usr/bin/mine", chroot), ""},
		{"place for everybody in another root folder", program("/srv/jail/tmp/mine", chroot), "SUSPICIOUS_PATH danger"},
		{"a user's own root folder", program("/srv/jail/usr/bin/mine", chroot, rootless), "SUSPICIOUS_PATH warn"},
		{"executable unseen", program("", comm("mine"), denied(process.DeniedExe)), ""},
		{"deleted", program("/usr/bin/mine", deleted), "DELETED_EXE warn"},
		{"deleted elsewhere", program("/tmp/mine", deleted), "SUSPICIOUS_PATH danger, DELETED_EXE warn"},
		{"memfd", program("/memfd:mine", memory, named("memfd:mine")), "FILELESS_EXE danger"},
		{"memfd called like a path", program("/memfd:/usr/sbin/sshd", memory, named("memfd:sshd"), comm("mine")), "FILELESS_EXE danger, MASQUERADE danger"},
		{"System V memory", program("/SYSV00000000", memory), "FILELESS_EXE danger"},
		{"unlinked shared memory", program("/dev/shm/mine", memory), "SUSPICIOUS_PATH danger, FILELESS_EXE danger"},
		{"shared memory with a name", program("/dev/shm/mine"), "SUSPICIOUS_PATH danger"},
		{"writable", program("/usr/bin/mine", writableFile), "WRITABLE_EXE danger"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := assessed(c.process)
			if got := list(a.Warnings); got != c.want {
				t.Errorf("[%s], want [%s]", got, c.want)
			}
			if a.Known() {
				t.Errorf("known by %s", a.Document.Name)
			}
		})
	}
}

func TestUnseenIsNeverSafe(t *testing.T) {
	for fact := range (process.DeniedExe | process.DeniedNamespaces | process.DeniedSockets | process.DeniedCgroup | process.DeniedUser | process.DeniedProtection).All() {
		p := program("/usr/bin/vim")
		p.Denied = fact
		if a := assessed(p); a.Verdict != Caution || a.Unseen != fact || len(a.Warnings) > 0 {
			t.Errorf("%v: %v, unseen %v, [%s]", fact, a.Verdict, a.Unseen, list(a.Warnings))
		}
	}
	if a := assessed(program("/usr/bin/vim")); a.Verdict != Safe {
		t.Errorf("all seen: %v", a.Verdict)
	}
}

func TestAllowedPaths(t *testing.T) {
	folders := []string{"/srv/apps"}
	j := NewJudge(Criteria{AllowedPaths: folders})
	folders[0] = "/other"
	if a := j.Assess(program("/srv/apps/mine"), Moment{}, linux); has(a, SuspiciousPath) {
		t.Errorf("allowed, yet [%s]", list(a.Warnings))
	}
}

// Developers install their tools anywhere on Windows, but not in the folders
// where malware starts.
func TestDeveloperToolsOfWindows(t *testing.T) {
	set := func(platform policy.Platform, category string) *policy.Set {
		return policy.NewSet(platform, policy.Document{Name: "tool.exe", Platform: policy.Common, Category: category})
	}
	cases := []struct {
		name, exe string
		set       *policy.Set
		want      string
	}{
		{"developer's tool", "C:/Users/anna/x/tool.exe", set(policy.Windows, "developer_tool"), ""},
		{"runtime", "D:/tool.exe", set(policy.Windows, "runtime"), ""},
		{"another program", "C:/Users/anna/x/tool.exe", set(policy.Windows, "browser"), "SUSPICIOUS_PATH warn"},
		{"unknown program", "C:/Users/anna/x/mine.exe", set(policy.Windows, "runtime"), "SUSPICIOUS_PATH warn"},
		{"in a place for everybody", "C:/Users/Public/tool.exe", set(policy.Windows, "runtime"), "SUSPICIOUS_PATH danger"},
		{"on Linux", "/home/anna/tool.exe", set(policy.Linux, "runtime"), "SUSPICIOUS_PATH warn"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := list(judge.Assess(program(c.exe, untrusted), Moment{}, c.set).Warnings); got != c.want {
				t.Errorf("[%s], want [%s]", got, c.want)
			}
		})
	}
	root := judge.Assess(program("D:/tool.exe", untrusted, user(-1, "SYSTEM")), Moment{}, set(policy.Windows, "runtime"))
	if list(root.Warnings) != "RUNNING_AS_ROOT warn" {
		t.Errorf("exempt from more than the path rule: [%s]", list(root.Warnings))
	}
}

// The interpreter is installed, but what it runs is put there by anybody.
func TestScriptInWritablePlace(t *testing.T) {
	for path, want := range map[string]string{
		"/tmp/evil.sh": "SUSPICIOUS_PATH warn", "/dev/shm/.x/a.py": "SUSPICIOUS_PATH warn", "/var/tmp/x.pl": "SUSPICIOUS_PATH warn",
		"/tmpx/x.sh": "", "/tmp/../opt/x.sh": "", "/opt/acme/run.sh": "", "tmp/x.sh": "", "": "",
	} {
		p := program("/usr/bin/bash", script(path))
		a := assessed(p)
		if got := list(a.Warnings); got != want {
			t.Errorf("%s: [%s], want [%s]", path, got, want)
		}
		if wanted := map[bool]Verdict{true: Safe, false: Caution}[want == ""]; a.Verdict != wanted {
			t.Errorf("%s: %v, want %v", path, a.Verdict, wanted)
		}
	}
	p := program("/usr/bin/bash", script("/tmp/evil.sh"))
	a := assessed(p)
	if f := Explain(p, nil, &a, language.English).Findings[0]; f.Text != "Runs a script from /tmp, a place where everybody may put files." ||
		a.Warnings[0].Subject != "/tmp" {
		t.Errorf("explained as %+v", f)
	}
	allowing := NewJudge(Criteria{AllowedPaths: []string{"/tmp/build"}, HighMemoryRatio: 1})
	if a := allowing.Assess(program("/usr/bin/bash", script("/tmp/build/x.sh")), Moment{}, linux); len(a.Warnings) > 0 {
		t.Errorf("where it is allowed: %v", a.Warnings)
	}
}
