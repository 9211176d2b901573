// Package rig builds server-monitor and runs it for end-to-end tests beside the
// programs that it has to do with: Debian's Prometheus, sample processes, and
// a whole Debian server booted with systemd-nspawn. All that it starts ends
// with the test, also when the test fails or is killed.
//
// The package is built with the tag e2e, on Linux.
package rig
