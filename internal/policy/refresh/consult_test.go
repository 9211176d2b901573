package refresh

import (
	"path/filepath"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
)

type mongostoreID = mongostore.ID

// mongoID is the _id of a document of the fake store.
func mongoID(name string) mongostore.ID {
	return mongostore.Decode(raw(bson.D{{Key: "_id", Value: name}})).ID
}

func TestConsultReadsAnew(t *testing.T) {
	store := newFake()
	store.put("zz", 1, true)
	store.put("old", 1, false)
	store.put("a-very-long-name-of-it", 1, true)
	r, _ := newRefresher(t, store)
	refresh(t, r)
	ask := func(p policy.Subject) (policy.Consultation, bool) {
		c := r.Consult(t.Context(), p)
		return c, c.Set.Denial(p) != nil
	}
	if c, denied := ask(policy.Subject{Name: "zz"}); denied || c.State != policy.Fresh || c.Err != nil || c.Set.Version() != r.Current().Version() {
		t.Errorf("%+v, denied %v", c, denied)
	}
	// No refresh has seen these yet.
	store.put("zz", 2, false)
	store.remove("old")
	store.put("a-very-long-name-of-it", 2, 1)
	store.rules = []bson.D{{{Key: "_id", Value: "r"}, {Key: "enabled", Value: true}, {Key: "effect", Value: "protect"}, {Key: "match", Value: bson.D{{Key: "user", Value: "u"}}}}}
	for _, test := range []struct {
		subject policy.Subject
		want    bool
	}{
		{policy.Subject{Name: "zz"}, true},
		{policy.Subject{Name: "x", Comm: "ZZ"}, true},
		{policy.Subject{Name: "old"}, false},
		{policy.Subject{Name: "x", Comm: "a-very-long-nam"}, true},
		{policy.Subject{Name: "x", User: "u"}, true},
		{policy.Subject{Name: "x"}, false},
		{policy.Subject{Name: "systemd", Exe: "/home/u/systemd"}, true}, // the catalogue holds as ever
	} {
		if _, denied := ask(test.subject); denied != test.want {
			t.Errorf("%+v: denied %v", test.subject, denied)
		}
	}
	if protects(r.Current(), "zz") {
		t.Error("asking about one process changed the set of all")
	}
}

// TestMalformedNamesThatCannotBeLookedUp are known from the last refresh.
func TestMalformedNamesThatCannotBeLookedUp(t *testing.T) {
	store := newFake()
	store.put("zz", 1, true)
	store.documents["zz"][1].Value = "ZZ"
	r, _ := newRefresher(t, store)
	refresh(t, r)
	p := policy.Subject{Name: "zz"}
	if c := r.Consult(t.Context(), p); c.Set.Denial(p) == nil {
		t.Error("a document whose name is in capitals no longer protects")
	}
	store.put("zz", 2, true) // put right: the fresh reading shows the same _id
	if c := r.Consult(t.Context(), p); c.Set.Denial(p) != nil {
		t.Error("a document that was put right still counts as malformed")
	}
}

func TestOutageTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "copy")
	store := newFake()
	store.put("zz", 1, false)
	store.fail(errAway)
	keep := func(c *Config) { c.CopyFile = file }
	p := policy.Subject{Name: "zz"}

	r, _ := newRefresher(t, store, keep)
	_ = r.Refresh(t.Context())
	if c := r.Consult(t.Context(), p); c.State != policy.NeverReached || c.Err == nil || c.Set == nil || !c.Read.IsZero() {
		t.Errorf("never reached: %+v", c)
	}
	store.fail(nil)
	refresh(t, r)
	store.fail(errAway)
	if c := r.Consult(t.Context(), p); c.State != policy.Degraded || c.Set.Denial(p) == nil || c.Read.IsZero() {
		t.Errorf("away, before a refresh has noticed: %+v", c)
	}
	_ = r.Refresh(t.Context())
	if c := r.Consult(t.Context(), p); c.State != policy.Degraded || c.Set.Denial(p) == nil {
		t.Errorf("away: %+v", c)
	}

	again, _ := newRefresher(t, store, keep)
	if c := again.Consult(t.Context(), p); c.State != policy.Degraded || c.Set.Denial(p) == nil || c.Read.IsZero() {
		t.Errorf("started again while it is away: %+v", c)
	}
	fixed := policy.Fixed{Set: policy.NewSet(policy.Linux)}
	if c := fixed.Consult(t.Context(), p); c.State != policy.NotConfigured || c.Set != fixed.Current() {
		t.Errorf("not configured: %+v", c)
	}
}

func TestConsultDoesNotWait(t *testing.T) {
	store := newFake()
	r, _ := newRefresher(t, store)
	refresh(t, r)
	store.block = true
	start := time.Now()
	c := r.Consult(t.Context(), policy.Subject{Name: "zz"})
	if took := time.Since(start); took > ConsultBudget+200*time.Millisecond || c.State != policy.Degraded || c.Err == nil {
		t.Errorf("after %v: %+v", took, c)
	}
	time.Sleep(time.Second) // the deaf call ends, so that it is not taken for a leak
}
