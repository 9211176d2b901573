//go:build !linux

package main

// slackenTimers does nothing where timers have no slack.
func slackenTimers() {}
