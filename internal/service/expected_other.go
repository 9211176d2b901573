//go:build !windows

package service

// DefaultConfigured are the services that a server is expected to run.
var DefaultConfigured = []string{"nginx", "sshd", "rsyslog", "docker", "python"}
