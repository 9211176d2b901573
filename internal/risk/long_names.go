package risk

import (
	"strings"

	"server-monitor/internal/policy"
)

// maxComm is how many bytes of a name the kernel keeps (TASK_COMM_LEN - 1).
const maxComm = 15

// longNames finds the names of one policy set by the bytes that the kernel keeps
// of them. It is worked out from the set alone, once for each.
type longNames struct {
	set   *policy.Set
	byCut map[string][]string
}

func newLongNames(set *policy.Set) *longNames {
	long := &longNames{set: set, byCut: make(map[string][]string)}
	for _, d := range set.Documents() {
		if len(d.Name) > maxComm && (d.Platform == set.Platform() || d.Platform == policy.Common) {
			cut := d.Name[:maxComm]
			long.byCut[cut] = append(long.byCut[cut], d.Name)
		}
	}
	return long
}

// longNames are the names in the set that the kernel would cut to comm.
func (c *inquiry) longNames(comm string) []string {
	if len(comm) != maxComm {
		return nil
	}
	long := c.judge.long.Load()
	if long == nil || long.set != c.set {
		long = newLongNames(c.set)
		c.judge.long.Store(long)
	}
	return long.byCut[strings.ToLower(comm)]
}
