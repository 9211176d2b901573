package check

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

func TestRunbooks(t *testing.T) {
	alerts := make(map[string]bool)
	for _, a := range readRules(t).Alerts {
		alerts[a.Name()] = true
		t.Run(a.Name(), func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(Folder, "runbooks", a.Name()+".md"))
			if err != nil {
				t.Fatal(err)
			}
			checkRunbook(t, &a, string(text))
		})
	}
	files, err := filepath.Glob(filepath.Join(Folder, "runbooks", "ServerMonitor*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".md"); !alerts[name] {
			t.Errorf("%s is of no alert", file)
		}
	}
}

// checkRunbook checks that a runbook is of the rule as it is, and complete.
func checkRunbook(t *testing.T, a *Alert, text string) {
	t.Helper()
	fires := "at once"
	if a.For > 0 {
		fires = "after: " + model.Duration(time.Duration(a.For)).String()
	}
	head := "# " + a.Name() + "\n\nSeverity: " + a.Labels["severity"] + " · fires " + fires + "\n"
	if !strings.HasPrefix(text, head) {
		t.Errorf("it does not begin with\n%s", head)
	}
	_, rest, _ := strings.Cut(text, "\n## ")
	parts := strings.Split(rest, "\n## ")
	if len(parts) != len(Sections) {
		t.Fatalf("%d sections, want %q", len(parts), Sections)
	}
	for i, part := range parts {
		title, body, _ := strings.Cut(part, "\n")
		if title != Sections[i] || len(strings.TrimSpace(body)) < 5 {
			t.Errorf("section %q: want %q and a text", title, Sections[i])
		}
	}
}

// TestRendered fails where "go generate" would change something.
func TestRendered(t *testing.T) {
	want, err := Render(Folder, readRules(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(Folder, "runbooks", name))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("runbooks/%s is not what \"go generate\" writes in alerts/check (%v)", name, err)
		}
	}
	err = filepath.WalkDir(filepath.Join(Folder, "runbooks", "html"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && want["html/"+filepath.Base(path)] == nil {
			t.Errorf("%s is left over", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
