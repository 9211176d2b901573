//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"server-monitor/e2e/rig"
)

// sessionBlock is a block of a README that is one session of a shell, with what
// each command prints. The word says what the session finds:
//
//   - policy: a MongoDB (FerretDB) on its usual port, and /opt/acme/acme-agent
//     that runs;
//   - operator: the user kim, logged in on a terminal, who runs /home/kim/train,
//     and no folder build/operator.
var sessionBlock = regexp.MustCompile("(?s)<!-- test: (policy|operator) -->\n```console\n(.*?)```")

// step is a command of a session and what a README says that it prints.
type step struct{ command, want string }

// parseSession reads the commands of a block, which may go on in the next line,
// with what they print.
func parseSession(block string) []step {
	var steps []step
	open := false // the command goes on
	for line := range strings.Lines(block) {
		command, begins := strings.CutPrefix(line, "$ ")
		switch {
		case begins && !open:
			steps = append(steps, step{command: command})
		case len(steps) == 0:
			steps = append(steps, step{want: line}) // no command: it fails
		case open:
			steps[len(steps)-1].command += line
		default:
			steps[len(steps)-1].want += line
		}
		open = (begins || open) && strings.HasSuffix(line, "\\\n")
	}
	return steps
}

// mark ends what a command of a session prints; its exit status follows.
const mark = "\x1e"

// beginSession prepares what a session finds, in a network, a process table and
// a file tree of its own: the program under test too, where "make build" puts
// it. Logins are told by their terminals there, as on a host without systemd.
const beginSession = `
set -eu
mode=$1 ferretdb=$2 sample=$3 scratch=$4 monitor=$5
ip link set lo up
mkdir -p build
if [ ! -e build/server-monitor ]; then cp "$monitor" build/server-monitor; fi
mount --bind "$monitor" build/server-monitor
await() { for i in $(seq 200); do if "$@" >/dev/null 2>&1; then return; fi; sleep 0.1; done; echo "in vain: $*"; exit 1; }
case $mode in
policy)
	mkdir "$scratch/data"
	mount -t tmpfs none /opt
	install -D --mode=755 "$sample" /opt/acme/acme-agent
	/opt/acme/acme-agent sleep >/dev/null &
	"$ferretdb" -listen 127.0.0.1:27017 -data "$scratch/data" >/dev/null 2>&1 &
	await bash -c '</dev/tcp/127.0.0.1/27017'
	;;
operator)
	if [ -d /run/systemd/system ]; then mount -t tmpfs none /run/systemd; fi
	{ cat /etc/passwd; echo kim:x:1500:1500::/home/kim:/bin/sh; } >"$scratch/passwd"
	mount --bind "$scratch/passwd" /etc/passwd
	mount -t tmpfs none /home
	install -D --mode=755 --owner=1500 --group=1500 "$sample" /home/kim/train
	rm -rf build/operator
	SHELL=/bin/sh setpriv --reuid=1500 --regid=1500 --clear-groups \
		script --quiet --command '/home/kim/train hog 20 & wait' /dev/null >/dev/null 2>&1 &
	await pgrep --exact train
	;;
esac
set +eu
`

// TestReadmeSessions runs the sessions that the READMEs show. Each command must
// succeed and print what is shown, but for numbers, ids and what stands as "…".
func TestReadmeSessions(t *testing.T) {
	rig.NeedRoot(t)
	rig.NeedPrograms(t, "README", "curl", "unshare", "ip", "jq", "script", "setpriv", "pgrep")
	shown := make(map[string][]string)
	for _, name := range readmes {
		for _, block := range sessionBlock.FindAllStringSubmatch(readPage(t, name), -1) {
			shown[name] = append(shown[name], block[1])
			t.Run(name+"/"+block[1], func(t *testing.T) { runSession(t, block[1], parseSession(block[2])) })
		}
		if want := []string{"policy", "operator"}; fmt.Sprint(shown[name]) != fmt.Sprint(want) {
			t.Errorf("%s shows the sessions %v, want %v", name, shown[name], want)
		}
	}
}

func runSession(t *testing.T, mode string, steps []step) {
	script := beginSession
	for _, s := range steps {
		script += "{ " + s.command + "}\nprintf '" + mark + "%s\\n' $?\n"
		if background := strings.HasSuffix(s.command, "&\n"); background && strings.Contains(s.command, "server-monitor") {
			script += "await curl -fs localhost:10042/-/ready\n"
		}
	}
	ferretdb := ""
	if mode == "policy" {
		ferretdb = programs.Database(t)
	}
	cmd := exec.Command("unshare", "--net", "--pid", "--cgroup", "--fork", "--kill-child", "--mount-proc",
		"bash", "-c", script, "README", mode, ferretdb, programs.Sample, t.TempDir(), programs.Monitor)
	cmd.Dir = programs.Source
	stdout, stderr, status := rig.Run(t, cmd, commandLimit)
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
	printed := strings.SplitAfter(stdout, mark)
	for i, s := range steps {
		if i+1 >= len(printed) {
			t.Fatalf("the session ended before %s", s.command)
		}
		got := strings.TrimSuffix(printed[i], mark)
		if i > 0 {
			_, got, _ = strings.Cut(got, "\n") // the status of the command before
		}
		code, _, _ := strings.Cut(printed[i+1], "\n")
		t.Logf("$ %s%s", s.command, got) // to copy from
		if code != "0" || !samePrint(got, s.want) {
			t.Errorf("$ %sexit status %s, printed\n%swant\n%s", s.command, code, got, s.want)
		}
	}
	if t.Failed() {
		t.Log(stderr)
	}
}

// varying are the parts of what is printed that differ from run to run: ids of
// requests, hexadecimal ids, numbers, and spaces that align columns.
var varying = regexp.MustCompile(`\b[A-Z2-7]{26}\b|\b[0-9a-f]{8,}\b|[0-9]+| {2,}|…`)

// samePrint tells whether something printed fits what is shown.
func samePrint(got, want string) bool {
	var pattern strings.Builder
	want = strings.TrimRight(want, "\n")
	end := 0
	for _, at := range varying.FindAllStringIndex(want, -1) {
		pattern.WriteString(regexp.QuoteMeta(want[end:at[0]]))
		pattern.WriteString(patternOf(want[at[0]:at[1]]))
		end = at[1]
	}
	pattern.WriteString(regexp.QuoteMeta(want[end:]))
	return regexp.MustCompile(`(?s)^` + pattern.String() + `$`).MatchString(strings.TrimRight(got, "\n"))
}

// patternOf is the pattern of a varying part.
func patternOf(text string) string {
	_, notNumber := strconv.ParseUint(text, 10, 64)
	switch {
	case text == "…":
		return ".*?"
	case strings.HasPrefix(text, " "):
		return " +"
	case notNumber == nil:
		return "[0-9]+"
	case strings.ToLower(text) == text:
		return "[0-9a-f]+"
	}
	return "[A-Z2-7]+"
}

// TestSamePrint checks that a difference is seen.
func TestSamePrint(t *testing.T) {
	for _, test := range []struct {
		got, want string
		same      bool
	}{
		{"process 52-6443-966b490e\n", "process 41-1000-966b4900\n", true},
		{"a  b\n", "a     b\n", true},
		{`{"id":"2LXFYEINFGZ76GPJZM42OCCJWQ","outcome":"terminated","x":1}`, `{"id":"N46V43HAKJ5OEDWVMVNO67IFFP","outcome":"terminated",…}`, true},
		{`{"outcome":"refused"}`, `{"outcome":"terminated"}`, false},
		{"one\ntwo\n", "one\n", false},
		{"", "one\n", false},
		{"one\n", "", false},
		{"1.5 s", "1,5 s", false},
	} {
		if samePrint(test.got, test.want) != test.same {
			t.Errorf("%q, shown as %q: %v", test.got, test.want, !test.same)
		}
	}
}
