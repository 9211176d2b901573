package main

import "server-monitor/internal/policy"

// platform is the one whose documents hold here.
const platform = policy.Windows

// usualLogs are none: Windows logs to its event log, which has viewers of its
// own. Log files of programs are shown where a flag names them.
var usualLogs []string

// journalDefault is that there is no journal.
const journalDefault = "false"
