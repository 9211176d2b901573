package process

import (
	"bytes"
	"strings"
	"testing"
)

func TestArguments(t *testing.T) {
	cases := []struct{ exe, line, argv0, script string }{
		{"/usr/sbin/sshd", "/usr/sbin/sshd -D", "/usr/sbin/sshd", ""},
		{"/usr/sbin/sshd", "", "", ""},
		{"", "tool /etc/secret.txt", "tool", ""},
		{"/usr/bin/mysql", "mysql -psecret /x", "mysql", ""},
		// Shells.
		{"/usr/bin/bash", "-bash", "-bash", ""},
		{"/usr/bin/bash", "bash /opt/run.sh --password x", "bash", "/opt/run.sh"},
		{"/usr/bin/bash", "bash run.sh", "bash", "run.sh"},
		{"/usr/bin/bash", "bash -c /opt/run.sh", "bash", ""},
		{"/usr/bin/bash", "bash -xec /opt/run.sh", "bash", ""},
		{"/usr/bin/bash", "bash -x /opt/run.sh", "bash", "/opt/run.sh"},
		{"/usr/bin/bash", "bash +x /opt/run.sh", "bash", "/opt/run.sh"},
		{"/usr/bin/bash", "bash -o pipefail /opt/run.sh", "bash", "/opt/run.sh"},
		{"/usr/bin/bash", "bash -eo pipefail /opt/run.sh", "bash", "/opt/run.sh"},
		{"/usr/bin/bash", "bash --rcfile /etc/rc /opt/run.sh", "bash", "/opt/run.sh"},
		{"/usr/bin/bash", "bash --posix /opt/run.sh", "bash", "/opt/run.sh"},
		{"/usr/bin/bash", "bash -- /opt/run.sh", "bash", "/opt/run.sh"},
		{"/usr/bin/bash", "bash -s /opt/run.sh", "bash", ""},
		{"/usr/bin/bash", "bash - /opt/run.sh", "bash", ""},
		{"/usr/bin/bash", "bash deploy /etc/x", "bash", ""},
		{"/usr/bin/dash", "/bin/sh /usr/bin/which x", "/bin/sh", "/usr/bin/which"},
		{"/usr/bin/fish", "fish -C a/b", "fish", ""},
		{"/usr/bin/fish", "fish --init-command a/b", "fish", ""},
		{"/usr/bin/fish", "fish /opt/x.fish", "fish", "/opt/x.fish"},
		// Python.
		{"/usr/bin/python3.11", "python3 /srv/app.py --token x", "python3", "/srv/app.py"},
		{"/usr/bin/python3.9", "/usr/bin/python3 -s /usr/sbin/firewalld --nofork", "/usr/bin/python3", "/usr/sbin/firewalld"},
		{"/usr/libexec/platform-python3.6", "/usr/libexec/platform-python -Es /usr/sbin/tuned", "/usr/libexec/platform-python", "/usr/sbin/tuned"},
		{"/usr/bin/python3.11", "python3 -m http.server", "python3", ""},
		{"/usr/bin/python3.11", "python3 -Ic a/b.c", "python3", ""},
		{"/usr/bin/python3.11", "python3 -W ignore.x /srv/app.py", "python3", "/srv/app.py"},
		{"/usr/bin/python3.11", "python3 -Wignore -X dev /srv/app.py", "python3", "/srv/app.py"},
		{"/usr/bin/python3.11", "python3 --check-hash-based-pycs a.b /srv/app.py", "python3", "/srv/app.py"},
		// Perl, Ruby, PHP.
		{"/usr/bin/perl", "perl -w -I lib/x /srv/app.pl", "perl", "/srv/app.pl"},
		{"/usr/bin/perl", "perl -pi.bak -e s/a/b/", "perl", ""},
		{"/usr/bin/perl", "perl -lane print./x", "perl", ""},
		{"/usr/bin/perl", "perl -F: -Mstrict /srv/app.pl", "perl", "/srv/app.pl"},
		{"/usr/bin/ruby3.1", "ruby -rjson /srv/app.rb", "ruby", "/srv/app.rb"},
		{"/usr/bin/php8.2", "php -d a.b=c -f /srv/app.php", "php", "/srv/app.php"},
		{"/usr/bin/php8.2", "php -r echo./x", "php", ""},
		{"/usr/bin/php8.2", "php -f/srv/app.php", "php", "/srv/app.php"},
		// JavaScript and others.
		{"/usr/bin/node", "node --require ./tracer.js /srv/app.js", "node", "/srv/app.js"},
		{"/usr/bin/node", "node --max-old-space-size=4096 /srv/app.js", "node", "/srv/app.js"},
		{"/usr/bin/node", "node --eval a/b", "node", ""},
		{"/usr/bin/node", "node --eval=a/b c/d", "node", ""},
		{"/usr/bin/node", "node -pe a/b", "node", ""},
		{"/usr/bin/deno", "deno run /srv/app.ts", "deno", ""},
		{"/usr/bin/mawk", "awk -f /opt/x.awk /etc/passwd", "awk", "/opt/x.awk"},
		{"/usr/bin/mawk", "awk {print./x} /etc/passwd", "awk", ""},
		{"/usr/bin/luajit-2.1.0-beta3", "luajit -l x.y /srv/app.lua", "luajit", "/srv/app.lua"},
		{"/usr/lib/jvm/java-17/bin/java", "java -jar /srv/app.jar", "java", ""},
		{"/usr/bin/node", "node --env-file .env --title a.b /srv/app.js", "node", "/srv/app.js"},
		{"/usr/bin/php8.2", "php --define mysqli.default_pw=x /srv/app.php", "php", "/srv/app.php"},
		{"/usr/bin/php8.2", "php --file /srv/app.php", "php", "/srv/app.php"},
		{"/usr/bin/php8.2", "php --file=/srv/app.php x.y", "php", "/srv/app.php"},
		{"/usr/bin/ruby3.1", "ruby --encoding a.b /srv/app.rb", "ruby", "/srv/app.rb"},
		{"/usr/bin/dotnet", "dotnet --depsfile x.json /srv/app.dll", "dotnet", "/srv/app.dll"},
		{"/usr/bin/mono", "mono --config /etc/x /srv/app.exe", "mono", "/srv/app.exe"},
		// Many programs in one.
		{"/bin/busybox", "sh /opt/run.sh", "sh", "/opt/run.sh"},
		{"/bin/busybox", "/bin/sh /opt/run.sh", "/bin/sh", "/opt/run.sh"},
		{"/bin/busybox", "busybox ash /opt/run.sh", "busybox", "/opt/run.sh"},
		{"/bin/busybox", "httpd /srv/www", "httpd", ""},
		{"/bin/busybox", "busybox httpd /srv/www", "busybox", ""},
		{"/bin/busybox", "busybox", "busybox", ""},
		// The dynamic loader runs any program.
		{"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2 --library-path /x /home/m/tool", "/lib64/ld-linux-x86-64.so.2", "/home/m/tool"},
		// What only looks like a path.
		{"/usr/bin/bash", "bash https://u:p@host/x.sh", "bash", ""},
		{"/usr/bin/bash", "bash a/b\nc", "bash", ""},
	}
	for _, c := range cases {
		raw := []byte(strings.ReplaceAll(c.line, " ", "\x00") + "\x00")
		argv0, script, others := arguments(raw, c.exe)
		if string(argv0) != c.argv0 || string(script) != c.script || others != nil {
			t.Errorf("%s: %s: argv0 %q, script %q, want %q and %q", c.exe, c.line, argv0, script, c.argv0, c.script)
		}
	}
}

// Where an option is not known, each word that may be the script is told.
func TestArgumentsInDoubt(t *testing.T) {
	for line, want := range map[string]string{
		"node --new-switch /srv/app.js":                         "/srv/app.js",
		"node --new-option a.b /opt/backup.js":                  "a.b /opt/backup.js",
		"node --new-option word /opt/backup.js":                 "/opt/backup.js",
		"node --new-option=a.b /opt/backup.js /etc/x":           "/opt/backup.js",
		"node --one a.b --two c.d -r e.f /opt/backup.js /etc/x": "a.b c.d /opt/backup.js",
		"node --new-option a.b --eval c.d":                      "a.b",
	} {
		_, script, others := arguments([]byte(strings.ReplaceAll(line, " ", "\x00")+"\x00"), "/usr/bin/node")
		got := strings.TrimSpace(string(script) + " " + strings.ReplaceAll(string(others), "\x00", " "))
		if got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// TestArgumentsOverwritten reads what setproctitle(3) and others make of it.
func TestArgumentsOverwritten(t *testing.T) {
	cases := []struct{ exe, raw, argv0 string }{
		{"/usr/sbin/nginx", "nginx: worker process\x00\x00\x00\x00\x00", "nginx: worker process"},
		{"/usr/sbin/nginx", "no end", "no end"},
		{"/usr/sbin/nginx", "\x00\x00", ""},
		{"/usr/sbin/nginx", "\x00second\x00", ""},
	}
	for _, c := range cases {
		if argv0, script, _ := arguments([]byte(c.raw), c.exe); string(argv0) != c.argv0 || script != nil {
			t.Errorf("%q: argv0 %q, script %q", c.raw, argv0, script)
		}
	}
}

func TestIsInterpreter(t *testing.T) {
	for name, want := range map[string]bool{
		"bash": true, "python3.11": true, "python": true, "perl5.36.0": true, "node": true, "java": true, "busybox": true, "Rscript": false, "R": true,
		"ld-linux-x86-64.so.2": true, "ld-musl-x86_64.so.1": true, "PowerShell.exe": true, "powershell": false, "CMD.EXE": true, "rundll32.exe": true, "svchost.exe": false, "pwsh.exe": true, "php8.2": true, "sshd": false, "nginx": false, "": false, "3.11": false,
	} {
		if got := IsInterpreter(name); got != want {
			t.Errorf("IsInterpreter(%q) = %v", name, got)
		}
	}
}

func FuzzArguments(f *testing.F) {
	f.Add([]byte("python3\x00-m\x00x\x00"), "/usr/bin/python3")
	f.Add([]byte("bash\x00-c\x00curl -u user:secret https://x/y\x00"), "/bin/bash")
	f.Add([]byte("\x00\x00-\x00--\x00-\x00"), "/bin/busybox")
	for name := range languages {
		f.Add([]byte(name+"\x00-abc\x00--eval\x00a/b\x00c.d\x00"), "/usr/bin/"+name)
	}
	f.Fuzz(func(t *testing.T, raw []byte, exe string) {
		argv0, script, others := arguments(raw, exe)
		if len(others) > 0 && (others[len(others)-1] != 0 || len(others) > len(raw)+1) {
			t.Errorf("others %q of %q", others, raw)
		}
		if bytes.IndexByte(argv0, 0) >= 0 || bytes.IndexByte(script, 0) >= 0 {
			t.Errorf("argv0 %q, script %q", argv0, script)
		}
		if len(script) > 0 && (bytes.ContainsAny(script, "\n\r") || !bytes.ContainsAny(script, "/.")) {
			t.Errorf("script %q", script)
		}
		if !bytes.Contains(raw, argv0) || !bytes.Contains(raw, script) {
			t.Errorf("argv0 %q, script %q are not of %q", argv0, script, raw)
		}
	})
}

// FuzzArgumentsKeepNoProgramText runs every interpreter with the text of a
// program behind the option that takes one.
func FuzzArgumentsKeepNoProgramText(f *testing.F) {
	f.Add("curl -u admin:hunter2 host/x", uint8(0))
	f.Add("./a.b", uint8(7))
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		commands := [...][2]string{
			{"/bin/bash", "-c"}, {"/bin/sh", "-ec"}, {"/bin/zsh", "-c"}, {"/bin/fish", "-C"}, {"/usr/bin/python3", "-c"}, {"/usr/bin/perl", "-ne"}, {"/usr/bin/ruby", "-e"},
			{"/usr/bin/node", "-e"}, {"/usr/bin/node", "--eval"}, {"/usr/bin/php", "-r"}, {"/usr/bin/lua", "-e"}, {"/usr/bin/expect", "-c"}, {"/usr/bin/awk", "-vX=1"},
			{"/usr/bin/php", "--run"}, {"/usr/bin/php", "--process-code"}, {"/usr/bin/php", "--define"}, {"/usr/bin/node", "--env-file"},
		}
		c := commands[int(which)%len(commands)]
		if text == "" || strings.ContainsRune(text, 0) || strings.HasPrefix(text, "-") {
			return // it would be another option
		}
		if _, script, _ := arguments([]byte(c[0]+"\x00"+c[1]+"\x00"+text+"\x00"), c[0]); script != nil {
			t.Errorf("%s %s: script %q", c[0], c[1], script)
		}
	})
}
