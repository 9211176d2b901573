package process

import "iter"

// Denied is a set of facts that could not be seen for want of permission.
type Denied uint8

// What may be denied.
const (
	DeniedExe Denied = 1 << iota
	DeniedNamespaces
	DeniedSockets
	DeniedCgroup
	// DeniedUser is whom a process runs as, DeniedProtection whether the system
	// shields it; both may be denied on Windows only.
	DeniedUser
	DeniedProtection

	lastDenied = DeniedProtection
	anyDenied  = lastDenied<<1 - 1
	// unixDenied is what may be denied elsewhere than on Windows.
	unixDenied = DeniedUser - 1
)

// All yields the facts of the set one by one.
func (d Denied) All() iter.Seq[Denied] {
	return func(yield func(Denied) bool) {
		for bit := DeniedExe; bit <= lastDenied; bit <<= 1 {
			if d&bit != 0 && !yield(bit) {
				return
			}
		}
	}
}

// String is the label value of a single fact: "exe", "namespaces", "sockets",
// "cgroup", "user" or "protection".
func (d Denied) String() string {
	switch d {
	case DeniedExe:
		return "exe"
	case DeniedNamespaces:
		return "namespaces"
	case DeniedSockets:
		return "sockets"
	case DeniedCgroup:
		return "cgroup"
	case DeniedUser:
		return "user"
	case DeniedProtection:
		return "protection"
	}
	return ""
}
