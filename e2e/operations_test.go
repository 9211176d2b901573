//go:build e2e

package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"server-monitor/e2e/rig"
)

// guides are the operations guide in its languages: the same commands in each.
var guides = []string{"docs/operations.md", "docs/operations.ko.md"}

// guideBlock is a block of commands of the guide, below a comment that says what
// becomes of it:
//
//   - run: NAME: it is run on a booted server; more words may follow a comma;
//   - not run: REASON.
var guideBlock = regexp.MustCompile("(?s)(?:<!-- (run|not run): ([^>]*?) -->\n)?```sh\n(.*?)```")

// block is one of them.
type block struct {
	run            bool
	name, commands string // the name is a reason where it is not run
}

// readGuide reads the blocks of a page. Each must say what becomes of it.
func readGuide(t *testing.T, page string) []block {
	t.Helper()
	var blocks []block
	for _, found := range guideBlock.FindAllStringSubmatch(readPage(t, page), -1) {
		if found[1] == "" {
			t.Errorf("%s: is this run?\n%s", page, found[3])
		}
		b := block{found[1] == "run", found[2], found[3]}
		if b.run {
			b.name, _, _ = strings.Cut(b.name, ",")
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// TestGuidePages checks that the pages have the same commands, that the flags
// and metrics they name exist, and that the list of what was not run is whole.
func TestGuidePages(t *testing.T) {
	help, _, _ := run(t, "--help-long")
	metrics := readPage(t, filepath.Join("docs", "metrics.md"))
	first := readGuide(t, guides[0])
	for _, page := range guides {
		text := readPage(t, page)
		for _, name := range namesIn(text) {
			if flag, ok := strings.CutPrefix(name, "--"); ok && !strings.Contains(help, "--"+flag) && !strings.Contains(help, "--[no-]"+flag) ||
				!ok && !strings.Contains(metrics, "`"+name+"`") {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
		blocks := readGuide(t, page)
		if len(blocks) != len(first) {
			t.Fatalf("%s has %d blocks, %s %d", page, len(blocks), guides[0], len(first))
		}
		_, list, _ := strings.Cut(text, "\n<!-- not run: the list -->\n")
		for i, b := range blocks {
			if b.run != first[i].run || b.run && b.name != first[i].name || withoutComments(b.commands) != withoutComments(first[i].commands) {
				t.Errorf("%s differs:\n%s\nfrom %s:\n%s", page, b.commands, guides[0], first[i].commands)
			}
			if program := strings.Fields(withoutComments(b.commands))[0]; !b.run && !strings.Contains(list, "`"+program) {
				t.Errorf("%s: %s is not run, and not in the list of what was not", page, program)
			}
		}
	}
}

var comment = regexp.MustCompile(`(?m)(^| +)(#|//) .*\n?`)

// withoutComments drops the comments of commands, which are in the language of
// the page.
func withoutComments(commands string) string { return comment.ReplaceAllString(commands, "") }

// operations is a server on which the guide is followed. It is Debian's, with the
// RPM installed by rpm, as Rocky Linux would.
type operations struct {
	*killServer
	versions [2]packed
}

// TestOperations follows the guide, and looks at what came of each step.
func TestOperations(t *testing.T) {
	rig.NeedRoot(t)
	rig.NeedPrograms(t, "rpm", "rpm", "ldd")
	o := &operations{killServer: &killServer{server: &server{Machine: rig.NewMachine(t)}, address: "127.0.0.1:10043"}}
	o.versions = [2]packed{makePackages(t, "0.0.1"), makePackages(t, "0.0.2-rc1")}
	o.prepare(t)
	o.Boot(t)
	o.client = o.Client(t)
	if !t.Run("rpm", o.testInstallRPM) {
		return
	}
	for _, b := range readGuide(t, guides[0]) {
		if !b.run {
			continue
		}
		step, ok := guideSteps[b.name]
		if !ok {
			t.Errorf("nothing looks at %s of the guide", b.name)
		}
		t.Run(b.name, func(t *testing.T) { o.follow(t, b, step) })
	}
	t.Run("erase", o.testEraseRPM)
}

// guideStep is what a block of the guide finds, and what is to be seen after it.
type guideStep struct {
	// in changes what cannot be on this machine as it is in the guide.
	in *strings.Replacer
	// before prepares what the guide takes for granted.
	before func(o *operations, t *testing.T)
	// runs takes the place of running the commands in the machine.
	runs func(o *operations, t *testing.T, commands string)
	// after looks at what came of it, and at what it printed.
	after func(o *operations, t *testing.T, printed string)
}

// guideSteps are those of the guide, by the names of their blocks.
var guideSteps = map[string]guideStep{
	"checksum": {after: (*operations).afterChecksum},
	"start":    {after: (*operations).afterStart},
	"flags":    {after: (*operations).afterFlags},
	"firewall": {runs: (*operations).runFirewall},
	"web":      {in: webHash(), after: (*operations).afterWeb},
	"tokens":   {after: (*operations).afterTokens},
	"rotation": {after: (*operations).afterRotation},
	"audit":    {before: (*operations).endSomething, after: (*operations).afterAudit},
	"nginx":    {in: strings.NewReplacer("-g nginx", "-g www-data"), after: (*operations).afterNginx},
	"mongodb":  {in: toFerretDB, before: (*operations).startDatabase, after: (*operations).afterMongoDB},
	"seed":     {in: toFerretDB, after: (*operations).afterSeed},
	"fleet":    {before: (*operations).bringPromtool, after: (*operations).afterFleet},
	"alloy":    {after: (*operations).afterAlloy},
	"backup":   {after: (*operations).afterBackup},
	"doctor":   {after: (*operations).afterDoctor},
	"upgraded": {before: (*operations).upgrade, after: (*operations).afterUpgraded},
}

// toFerretDB leads to the database of the machine, which knows no users and has
// no certificate.
var toFerretDB = strings.NewReplacer(
	"server_monitor:PASSWORD@mongodb.example.com", "mongodb.example.com",
	"policy_editor:PASSWORD@mongodb.example.com", "mongodb.example.com",
	"?tls=true&replicaSet=rs0", "",
)

// webHash puts in the hash that htpasswd would have printed.
func webHash() *strings.Replacer {
	hash, err := bcrypt.GenerateFromPassword([]byte("change me"), bcrypt.MinCost)
	if err != nil {
		panic(err) // the cost is right
	}
	return strings.NewReplacer("$2y$10$...", string(hash))
}

// follow runs a block of the guide as root.
func (o *operations) follow(t *testing.T, b block, step guideStep) {
	if step.before != nil {
		step.before(o, t)
	}
	commands := b.commands
	if step.in != nil {
		if commands = step.in.Replace(commands); commands == b.commands {
			t.Error("nothing of it had to be changed")
		}
	}
	if step.runs != nil {
		step.runs(o, t, commands)
		return
	}
	shell := o.Command("bash", "-c", "set -euo pipefail; cd /root\n"+commands)
	stdout, stderr, status := rig.Run(t, shell, 2*time.Minute)
	if status != 0 {
		t.Fatalf("exit status %d\n%s\nprinted\n%s%s\n%s", status, commands, stdout, stderr, o.Journal(t, "server-monitor.service"))
	}
	step.after(o, t, stdout)
}
