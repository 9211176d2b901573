//go:build !linux

package main

// leaveProgramFile does nothing where there is no madvise(2).
func leaveProgramFile() {}
