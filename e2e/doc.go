// Package e2e tests server-monitor from outside, as a built program on a real
// machine: scraped by Debian's Prometheus, run by a booted systemd, asked on the
// command line. "make e2e" installs what that takes and runs it.
package e2e
