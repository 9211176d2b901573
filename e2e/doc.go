// Package e2e tests server-monitor from outside, as a built program on a real
// machine: scraped by Debian's Prometheus, run by a booted systemd, asked on the
// command line. "make e2e" installs what that takes (install.sh, web/install.sh)
// and runs it.
//
// The environment may say:
//
//   - SERVER_MONITOR_BINARY: a built program to test in place of the source's.
//   - SERVER_MONITOR_E2E_CACHE: where the file tree of the Debian server is kept
//     between runs; else below XDG_CACHE_HOME or /var/cache.
//   - SERVER_MONITOR_E2E_SKIP: what may be missing, by commas: root, machine,
//     prometheus, container, rpm, wine, README. Tests that need it are then skipped;
//     without it they fail.
package e2e

// The golden list of metrics comes from a real scrape, so that it takes what
// the tests take: root on Debian.
//
//go:generate sh install.sh
//go:generate go test -tags e2e -count=1 -run ^TestMachine$/^golden$ . -update
