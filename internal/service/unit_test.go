package service

import (
	"strings"
	"testing"

	"server-monitor/internal/language"
)

func TestUnitState(t *testing.T) {
	cases := []struct {
		load, active string
		want         State
		worth        bool
	}{
		{"loaded", "active", Active, true},
		{"loaded", "reloading", Reloading, true},
		{"loaded", "refreshing", Reloading, true},
		{"loaded", "inactive", Inactive, true},
		{"loaded", "failed", Failed, true},
		{"loaded", "activating", Activating, true},
		{"loaded", "deactivating", Deactivating, true},
		{"loaded", "maintenance", Inactive, true},
		{"loaded", "", Unsupported, true},
		{"loaded", "new-in-300", Unsupported, true},
		{"not-found", "inactive", NotFound, false},
		{"not-found", "active", Active, true},
		{"not-found", "failed", Failed, true},
		{"masked", "inactive", Inactive, false},
		{"masked", "active", Active, true},
		{"masked", "failed", Failed, true},
		{"bad-setting", "inactive", Inactive, true},
		{"error", "inactive", Inactive, true},
	}
	for _, c := range cases {
		if got := unitState(c.load, c.active); got != c.want {
			t.Errorf("%s %s is %s", c.load, c.active, got)
		}
		if got := worthReporting(c.load, c.active); got != c.worth {
			t.Errorf("%s %s is worth reporting: %v", c.load, c.active, got)
		}
	}
}

func TestCanBeUnit(t *testing.T) {
	for name, want := range map[string]bool{
		"nginx": true, "getty@tty1": true, `a\x2db`: true, "a:b-c_d.e": true, strings.Repeat("a", 247): true,
		"": false, "@": false, "getty@": false, "@tty1": false, "a b": false, "a/b": false, "a\n": false, "가": false,
		strings.Repeat("a", 248): false,
	} {
		if got := canBeUnit(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestHealthOf(t *testing.T) {
	cases := map[State]struct{ unit, configured Health }{
		Active: {Good, Good}, Idle: {Warn, Warn}, Activating: {Warn, Warn}, Deactivating: {Warn, Warn}, Reloading: {Warn, Warn},
		Inactive: {Good, Bad}, Failed: {Bad, Bad}, NotFound: {Good, Bad}, Unsupported: {Warn, Warn},
	}
	for _, state := range States {
		want, ok := cases[state]
		if !ok {
			t.Errorf("no wish for %s", state)
		}
		if got := HealthOf(state, false); got != want.unit {
			t.Errorf("%s: %v", state, got)
		}
		if got := HealthOf(state, true); got != want.configured {
			t.Errorf("%s, configured: %v", state, got)
		}
	}
}

func TestTexts(t *testing.T) {
	seen := map[language.Text]State{}
	for _, state := range States {
		text := state.Text()
		if text.English == "" || text.Korean == "" {
			t.Errorf("%s: %+v", state, text)
		}
		if other, ok := seen[text]; ok {
			t.Errorf("%s and %s are both %q", state, other, text.English)
		}
		seen[text] = state
	}
	for health, code := range map[Health]string{Good: "good", Warn: "warn", Bad: "bad"} {
		if health.String() != code || health.Text().Korean == "" || health.Text().English == "" {
			t.Errorf("%s: %+v", health, health.Text())
		}
	}
}
