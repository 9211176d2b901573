package process

import "strings"

// Windows is what is known of a process of Windows beside what all systems tell.
type Windows struct {
	// SID is the security identifier of the user, as "S-1-5-18"; empty where it
	// may not be seen.
	SID string
	// Session is the number of the session: services are in 0, who logs in gets
	// one of the others. It is -1 where it is unknown.
	Session int
	// Integrity is the mandatory integrity level.
	Integrity Integrity
	// Elevated tells a token with all rights of an administrator.
	Elevated bool
	// Critical tells a process with whose end Windows stops (break on
	// termination), Protected one that the kernel shields even from
	// administrators (PS_PROTECTION).
	Critical, Protected bool
	// InSystem tells that the executable lies in a folder of Windows itself,
	// as System32.
	InSystem bool
}

// Integrity is a mandatory integrity level, the last part of S-1-16-N.
type Integrity uint32

// The levels that Windows gives. IntegrityUnknown is no level of Windows's but
// what stands for one that may not be seen.
const (
	IntegrityUnknown Integrity = 0
	IntegrityLow     Integrity = 0x1000
	IntegrityMedium  Integrity = 0x2000
	IntegrityHigh    Integrity = 0x3000
	IntegritySystem  Integrity = 0x4000
)

// String is the level as a word. Values between two levels count as the lower.
func (i Integrity) String() string {
	switch {
	case i >= IntegritySystem:
		return "system"
	case i >= IntegrityHigh:
		return "high"
	case i >= IntegrityMedium:
		return "medium"
	case i >= IntegrityLow:
		return "low"
	}
	return ""
}

// The security identifiers of the accounts that Windows has for itself.
const (
	SIDSystem         = "S-1-5-18"
	SIDLocalService   = "S-1-5-19"
	SIDNetworkService = "S-1-5-20"
)

// IsPersonSID tells the identifier of an account of a person: one of this
// machine or of a domain, or of Entra ID. What Windows makes for itself,
// services, window managers, drivers and virtual machines, has others. Service
// accounts of a domain cannot be told from people's by theirs.
func IsPersonSID(sid string) bool {
	return strings.HasPrefix(sid, "S-1-5-21-") || strings.HasPrefix(sid, "S-1-12-1-")
}

// IsAdministratorSID tells the built-in account Administrator of a machine or
// domain, whatever it is called.
func IsAdministratorSID(sid string) bool {
	return strings.HasPrefix(sid, "S-1-5-21-") && strings.HasSuffix(sid, "-500")
}
