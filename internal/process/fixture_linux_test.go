package process

import (
	"testing"

	"server-monitor/internal/process/proctest"
)

func fixtureReader(t testing.TB, f *proctest.Fixture) *Reader {
	t.Helper()
	r, err := NewReader(Config{Proc: f.Proc, Root: f.Root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}
