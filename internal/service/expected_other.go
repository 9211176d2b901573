//go:build !windows

package service

// DefaultConfigured are the services that are looked for unless others are named.
var DefaultConfigured = []string{"nginx", "sshd", "rsyslog", "docker", "python"}

// DefaultExpected are those of them that every server runs.
var DefaultExpected []string
