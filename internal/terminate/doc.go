// Package terminate ends a process, or says exactly why it must not be ended.
//
// What may be ended is decided by guards: rules on what a process cannot
// choose for itself (its uids, cgroup, namespaces, session and ancestors), read
// from the live process through a handle that no other process can ever slip
// under. Policy may forbid more; nothing it says lifts a guard.
//
// A request runs one sequence: handle, identity, guards, fresh policy, audit of
// the intent, SIGTERM, a wait on the handle, all checks once more, SIGKILL,
// another wait, audit of the outcome. Every refusal has a stable [Code] and a
// sentence in each language.
package terminate
