package terminate

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

// TestOutage is the table of termination.md, row by row.
func TestOutage(t *testing.T) {
	allowed := allowing("vim.basic")
	forbidden := protecting("vim.basic")
	for _, test := range []struct {
		name       string
		policy     *fakePolicy
		automation bool
		required   bool
		want       []Code
		degraded   bool
	}{
		{"no database, operator", answering(policy.NotConfigured), false, false, nil, false},
		{"no database, operator, forbidden", answering(policy.NotConfigured, forbidden), false, false, []Code{CodePolicyDenied}, false},
		{"no database, automation", answering(policy.NotConfigured, allowed), true, false, []Code{CodePolicyUnavailable}, false},
		{"no database, required", answering(policy.NotConfigured), false, true, []Code{CodePolicyUnavailable}, false},
		{"away, operator", answering(policy.Degraded), false, false, nil, true},
		{"away, operator, forbidden", answering(policy.Degraded, forbidden), false, false, []Code{CodePolicyDenied}, true},
		{"away, automation", answering(policy.Degraded, allowed), true, false, []Code{CodePolicyUnavailable}, true},
		{"away, required", answering(policy.Degraded), false, true, []Code{CodePolicyUnavailable}, true},
		{"never reached, operator", answering(policy.NeverReached), false, false, []Code{CodePolicyUnavailable}, true},
		{"never reached, automation", answering(policy.NeverReached), true, false, []Code{CodePolicyUnavailable}, true},
		{"never reached, required", answering(policy.NeverReached), false, true, []Code{CodePolicyUnavailable}, true},
		{"reached without document, operator", answering(policy.Fresh), false, false, nil, false},
		{"reached without document, automation", answering(policy.Fresh), true, false, []Code{CodeNotAutomatic}, false},
		{"reached without document, required", answering(policy.Fresh), false, true, nil, false},
		{"reached, automation, allowed", answering(policy.Fresh, allowed), true, false, nil, false},
		{"reached, automation, allowed, required", answering(policy.Fresh, allowed), true, true, nil, false},
		{"reached, automation, forbidden", answering(policy.Fresh, forbidden), true, false, []Code{CodePolicyDenied}, false},
		{"reached, operator, forbidden", answering(policy.Fresh, forbidden), false, false, []Code{CodePolicyDenied}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newFake(fakePID)
			terminator, _ := newTerminator(t, newFakes(p), func(c *Config) {
				c.Policy, c.PolicyRequired = test.policy, test.required
			})
			r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p), Actor: Actor{Automation: test.automation}})
			if !slices.Equal(Codes(r.Reasons), test.want) && !(len(test.want) == 0 && r.Outcome == Terminated) {
				t.Errorf("%s %v, want %v", r.Outcome, Codes(r.Reasons), test.want)
			}
			if len(test.want) > 0 && len(p.sent) > 0 {
				t.Errorf("sent %v", p.sent)
			}
			if r.Policy.Degraded != test.degraded {
				t.Errorf("degraded %v, want %v", r.Policy.Degraded, test.degraded)
			}
		})
	}
}

// failing is policy that could not be read anew.
type failing struct{ err error }

func (f failing) Consult(context.Context, policy.Subject) policy.Consultation {
	return policy.Consultation{State: policy.Degraded, Set: policy.Build(policy.Linux, policy.Contents{}), Err: f.err}
}

// Why the last copy decided is in the log.
func TestOutageLogged(t *testing.T) {
	p := newFake(fakePID)
	var log bytes.Buffer
	terminator, _ := newTerminator(t, newFakes(p), func(c *Config) {
		c.Policy, c.Logger = failing{errBroken}, slog.New(slog.NewTextHandler(&log, nil))
	})
	terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
	if !strings.Contains(log.String(), errBroken.Error()) || !strings.Contains(log.String(), "state="+string(policy.Degraded)) {
		t.Errorf("logged %q", log.String())
	}
}

// A malformed document denies, and says that it is malformed.
func TestInvalidDocument(t *testing.T) {
	set := policy.Build(policy.Linux, policy.Contents{Invalid: []policy.Invalid{
		{Collection: policy.KnownProcesses, ID: "x", Name: "vim.basic"},
	}})
	p := newFake(fakePID)
	terminator, _ := newTerminator(t, newFakes(p), func(c *Config) {
		c.Policy = &fakePolicy{answers: []policyAnswer{{set, policy.Fresh}}}
	})
	r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
	if !slices.Equal(Codes(r.Reasons), []Code{CodePolicyInvalid}) || len(p.sent) != 0 {
		t.Errorf("%s %v, sent %v", r.Outcome, Codes(r.Reasons), p.sent)
	}
}

// A denial by a name that the process gave itself says so.
func TestUntrustedName(t *testing.T) {
	p := newFake(fakePID)
	p.facts.Comm, p.facts.Name, p.facts.File.Trusted = "sshd", "miner", false
	terminator, audit := newTerminator(t, newFakes(p), func(c *Config) { c.Policy = fresh(protecting("sshd")) })
	r := terminator.Terminate(t.Context(), Request{Identity: identityOf(p)})
	if !r.Policy.Untrusted || !audit.events[0].UntrustedName || !slices.Equal(Codes(r.Reasons), []Code{CodePolicyDenied}) {
		t.Errorf("%+v", r)
	}
}

// Documents and rules never widen what may be ended without any: whatever is
// added to policy, a guard still holds, a denial still denies, and for an
// operator nothing becomes possible that was not.
func TestPolicyNeverWidens(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{"vim.basic", "vim", "bash", "sshd", "java", "other"}
	widened, narrowed := 0, 0
	for range 3000 {
		f := randomFacts(random, names)
		base := policy.Contents{Catalogue: randomDocuments(random, names), Rules: randomRules(random, names)}
		more := policy.Contents{
			Catalogue: base.Catalogue,
			Store:     randomDocuments(random, names),
			Rules:     append(slices.Clone(base.Rules), randomRules(random, names)...),
		}
		state := policy.States[random.IntN(3)]
		before := operatorMay(t, f, policy.Contents{}, state)
		some := operatorMay(t, f, base, state)
		all := operatorMay(t, f, more, state)
		if some && !before || all && !some {
			widened++
			t.Errorf("policy widened what may be ended: %v %v %v for %+v", before, some, all, f)
		}
		if before && !all {
			narrowed++
		}
	}
	t.Logf("3000 policies: %d widened, %d narrowed", widened, narrowed)
	if narrowed == 0 {
		t.Error("no policy forbade anything: the test says nothing")
	}
}

// operatorMay tells whether an operator could end the process under a policy.
func operatorMay(t *testing.T, f *Facts, contents policy.Contents, state policy.State) bool {
	t.Helper()
	p := newFake(f.PID)
	p.facts = *f
	terminator := New(Config{
		Policy:  &fakePolicy{answers: []policyAnswer{{policy.Build(policy.Linux, contents), state}}},
		Audit:   &auditLog{},
		Targets: newFakes(p), Host: testHostNow,
	})
	r := terminator.Terminate(t.Context(), Request{Identity: f.Identity.String(), DryRun: true})
	return r.Outcome == WouldTerminate
}

func randomFacts(random *rand.Rand, names []string) *Facts {
	f := editor()
	pick := func() string { return names[random.IntN(len(names))] }
	f.Name, f.Comm, f.Argv0 = pick(), pick(), pick()
	f.Exe = "/usr/bin/" + f.Name
	f.File = process.File{Trusted: random.IntN(2) == 0}
	if random.IntN(3) == 0 {
		f.UIDs = []int{1000, random.IntN(3) * 500, 1000, 1000}
	}
	if random.IntN(4) == 0 {
		f.Place = Place{Top: systemSlice, UID: -1, Unit: "x.service"}
	}
	return f
}

func randomDocuments(random *rand.Rand, names []string) []policy.Document {
	var documents []policy.Document
	for range random.IntN(4) {
		d := allowing(names[random.IntN(len(names))])
		d.Platform = []policy.Platform{policy.Linux, policy.Common}[random.IntN(2)]
		d.Policy.Terminatable, d.AutoTerminate = random.IntN(2) == 0, random.IntN(2) == 0
		d.Policy.IsSystem = random.IntN(4) == 0
		documents = append(documents, d)
	}
	return documents
}

func randomRules(random *rand.Rand, names []string) []policy.Rule {
	var rules []policy.Rule
	for i := range random.IntN(3) {
		rules = append(rules, policy.Rule{
			ID: string(rune('a' + i)), Enabled: true, Priority: random.Int64N(10),
			Match:  policy.Match{Name: names[random.IntN(len(names))]},
			Effect: []policy.RuleEffect{policy.Protect, policy.AutoTerminate}[random.IntN(2)],
		})
	}
	return rules
}
