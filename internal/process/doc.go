// Package process tells what runs: one [Snapshot] of all processes of the
// machine and of the sockets on which they wait for peers.
//
// # What is read when, on Linux
//
// Reading /proc is what a scrape pays for, so each fact is read as seldom as
// it can change unseen:
//
//   - Every snapshot, every process: one pread of its stat file, whose
//     descriptor is held. A held descriptor is the identity: it belongs to
//     one process for ever and fails with ESRCH once that process is gone,
//     however often its pid is used again. A statx on a held O_PATH descriptor
//     gives the owner of /proc/PID, which is the effective uid. Another one gives
//     (since Linux 6.2) the number of open descriptors: where the line of stat is
//     the same as before, so that the process has hardly run, only in one snapshot
//     of four, or while the owner of a new socket is looked for; always where the
//     process lives in another network namespace than the host's.
//   - Once for each identity, and again when stat shows another name or
//     other addresses of code, stack, arguments or environment (all of which
//     execve(2) moves), when the owner changes, in the first seconds of a
//     life, and for one process in 64 in turn with every snapshot:
//     executable, cgroup, namespaces and the first word of the command line.
//     The turn catches what the kernel gives no sign of: a move to another
//     cgroup or namespace, a rewritten command line.
//   - Every snapshot, every executable file (not process): whether its path
//     still leads to it, and the modes of file and folder.
//   - Every snapshot: the listening sockets of the host's network, by
//     sock_diag(7) or else from /proc/1/net. Those of other network namespaces,
//     where they are more than a few, when something may have changed there, for
//     without CAP_SYS_ADMIN their tables in /proc/PID/net cost milliseconds. Owners are looked for in
//     /proc/PID/fd, the dearest reading of all, only for sockets and processes
//     that are new and, a few in each snapshot, for processes whose number of
//     descriptors has changed; known owners are verified by one readlink.
//
// Two things are never done: to ask a file system that a server on the network
// has to answer for, and to take the end of a first thread for the end of a
// process that goes on in others.
//
// Everything of one process is read relative to a descriptor of its /proc
// directory, so that facts of two processes that bore the same pid cannot mix.
// Where descriptors run short, files are opened for each reading and the start
// time is compared instead: slower, not wrong. Where not even those can be opened,
// the snapshot fails.
//
// What may be late by this, and by how many snapshots, is in docs/performance.md;
// TestKnownReadsLikeFresh holds readers to it.
//
// A [Handle] reads one live process in the same way, and can signal it.
package process
