package service

import (
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// asked asks a manager that must answer, and returns the services by name.
func asked(t *testing.T, m Manager) map[string]Service {
	t.Helper()
	services, err := m.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return byName(t, services)
}

// byName fails where services are not in order, each once, and safe to show.
func byName(t *testing.T, services []Service) map[string]Service {
	t.Helper()
	all := make(map[string]Service)
	last := ""
	for _, s := range services {
		if s.Name <= last {
			t.Errorf("%q follows %q", s.Name, last)
		}
		last = s.Name
		if !slices.Contains(States, s.State) {
			t.Errorf("%s: no state is called %q", s.Name, s.State)
		}
		for _, text := range []string{s.Name, s.Sub, s.Description} {
			if printable(text) != text {
				t.Errorf("%q is not safe to show", text)
			}
		}
		all[s.Name] = s
	}
	return all
}

// states are the states by name.
func states(services map[string]Service) map[string]State {
	states := make(map[string]State)
	for name, s := range services {
		states[name] = s.State
	}
	return states
}
