// Package e2e tests server-monitor from outside, as a built program on a real
// machine: scraped by Debian's Prometheus, run by a booted systemd, asked on the
// command line. "make e2e" installs what that takes and runs it.
package e2e

// The golden list of metrics comes from a real scrape, so that it takes what
// the tests take: root on Debian.
//
//go:generate sh install.sh
//go:generate go test -tags e2e -count=1 -run ^TestMachine$/^golden$ . -update
