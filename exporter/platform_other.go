//go:build !windows

package main

import "server-monitor/internal/policy"

// platform is the one whose documents hold here.
const platform = policy.Linux

// usualLogs are shown where no other log files are named.
var usualLogs = []string{"/var/log/messages", "/var/log/syslog", "/var/log/secure", "/var/log/auth.log"}

// journalDefault tells whether the journal is shown without a word.
const journalDefault = "true"
