package collector

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/common/expfmt"

	"server-monitor/internal/inventory"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/process/proctest"
	"server-monitor/internal/risk"
)

var update = flag.Bool("update", false, "write the golden files anew")

// reading makes the process collector of a /proc tree, judged by the embedded
// catalogue.
func reading(t testing.TB, proc, root string, config ProcessConfig) Collector {
	t.Helper()
	reader, err := process.NewReader(process.Config{Proc: proc, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reader.Close)
	judge := risk.NewJudge(risk.Criteria{HighMemoryRatio: risk.DefaultHighMemoryRatio})
	keeper := inventory.NewKeeper(reader, judge, policy.Fixed{Set: policy.NewSet(policy.Linux, policy.Catalogue()...)})
	return NewProcess(keeper, config, discard())
}

// TestProcessGolden compares whole scrapes of /proc trees.
func TestProcessGolden(t *testing.T) {
	for name, tree := range map[string]proctest.Tree{
		"small": proctest.Small(), "hostile": proctest.Hostile(), "container": proctest.Container(),
	} {
		t.Run(name, func(t *testing.T) {
			fixture := tree.Write(t)
			config := testConfig()
			config.Groups = []string{"nginx", "mysqld"}
			c := reading(t, fixture.Proc, fixture.Root, config)
			golden(t, c, "testdata/process_"+name+".prom")
			// Nothing has changed, so a second scrape must say the same.
			if !*update {
				golden(t, c, "testdata/process_"+name+".prom")
			}
			lintExposition(t, c)
		})
	}
}

// golden compares the text of a scrape with a file.
func golden(t *testing.T, c Collector, file string) {
	t.Helper()
	all := families(t, c)
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		if _, err := expfmt.MetricFamilyToText(&text, all[name]); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := lineDiff(string(want), text.String()); diff != "" {
		t.Errorf("%s (run with -update to accept):\n%s", file, diff)
	}
}

// lineDiff lists the lines that only one of two texts has.
func lineDiff(want, got string) string {
	var diff strings.Builder
	wanted, have := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, line := range wanted {
		if !slices.Contains(have, line) {
			fmt.Fprintf(&diff, "-%s\n", line)
		}
	}
	for _, line := range have {
		if !slices.Contains(wanted, line) {
			fmt.Fprintf(&diff, "+%s\n", line)
		}
	}
	if diff.Len() == 0 && want != got {
		return "the order of lines differs"
	}
	return diff.String()
}

// TestProcessMany scrapes a server of 5,000 processes twice.
func TestProcessMany(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err == nil {
		t.Setenv("TMPDIR", "/dev/shm") // for a hundred thousand files
	}
	fixture := proctest.Many(5000).Write(t)
	config := testConfig()
	config.MaxPIDs = 100
	c := reading(t, fixture.Proc, fixture.Root, config)
	for range 2 {
		all := families(t, c)
		kernel, judged := sumOf(all["kernel_threads"]), sumOf(all["processes"])
		zombies := int(seriesOf(all["processes_state"])[`state="zombie"`])
		if kernel < 100 || zombies < 10 || kernel+judged+zombies != 5000 {
			t.Errorf("%d threads of the kernel, %d zombies and %d others, want 5000", kernel, zombies, judged)
		}
		if err := consistent(all, 5000-kernel, judged, config); err != nil {
			t.Error(err)
		}
		if rows, omitted := len(rowsOf(all["process_info"])), sumOf(all["process_pids_omitted"]); rows != config.MaxPIDs || omitted < 100 {
			t.Errorf("%d rows, %d omitted", rows, omitted)
		}
	}
}

// TestProcessUnderChurn scrapes this machine 200 times while processes of
// changing names start and end and sockets open and close. No scrape may fail or
// bear a duplicate, and no counter of a group may fall.
func TestProcessUnderChurn(t *testing.T) {
	programs := someTools(t)
	stop := make(chan struct{})
	var churn sync.WaitGroup
	for range 2 {
		churn.Go(func() { forkUntil(t, stop, programs) })
	}
	churn.Go(func() { listenUntil(stop) })
	defer churn.Wait()
	defer close(stop)
	config := testConfig()
	config.MaxPIDs = 5000 // the machine may have its own crowd of older ones
	c := reading(t, "/proc", "/", config)
	last := map[string]float64{}
	seen := map[string]bool{}
	for n := range 200 {
		scrape := gathered
		if n%20 == 0 {
			scrape = families
		}
		all := scrape(t, c)
		rows := rowsOf(all["process_info"])
		for _, family := range rowFamilyNames {
			if got := rowsOf(all[family]); !slices.Equal(got, rows) || len(all[family].GetMetric()) != len(rows) {
				t.Fatalf("scrape %d: %s is of %v, process_info of %v", n, family, got, rows)
			}
		}
		cpu := seriesOf(all["process_group_cpu_seconds_total"])
		for group, seconds := range last {
			if cpu[group] < seconds {
				t.Fatalf("scrape %d: the counter of %s fell from %v to %v", n, group, seconds, cpu[group])
			}
		}
		last = cpu
		for _, row := range rows {
			seen[row] = true
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d processes were seen: that was no churn", len(seen))
	}
	if self := fmt.Sprintf("name=%q", label(filepath.Base(os.Args[0]))); !strings.Contains(fmt.Sprint(last), self) {
		t.Errorf("no group %s in %v", self, last)
	}
}

// someTools makes copies of a program under names that aim at the exposition.
func someTools(t *testing.T) []string {
	t.Helper()
	tool, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	program, err := os.ReadFile(tool)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var names []string
	for n := range 40 {
		name := filepath.Join(dir, "a\n\"\xff"+strconv.Itoa(n))
		if err := os.WriteFile(name, program, 0o755); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// forkUntil starts short-lived processes.
func forkUntil(t *testing.T, stop <-chan struct{}, programs []string) {
	t.Helper()
	for {
		select {
		case <-stop:
			return
		default:
		}
		if err := exec.Command(programs[rand.IntN(len(programs))], "0.005").Run(); err != nil {
			t.Error(err)
			return
		}
	}
}

// listenUntil opens and closes sockets.
func listenUntil(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if l, err := net.Listen("tcp", "0.0.0.0:0"); err == nil {
			l.Close()
		}
	}
}
