package process

import "strings"

// isKernel tells the idle process and the system process, which are parts of the
// kernel.
func isKernel(pid int32) bool { return pid == 0 || pid == 4 }

// fileOf tells what is known of an executable: one that an installer put where
// only administrators write counts as genuine.
func fileOf(exe string) File { return File{Trusted: underSystem(exe)} }

// underSystem tells the folders of Windows that only administrators fill.
func underSystem(exe string) bool {
	exe = strings.ToLower(exe)
	for _, writable := range [...]string{"c:/windows/temp/", "c:/windows/tasks/", "c:/windows/tracing/"} {
		if strings.HasPrefix(exe, writable) {
			return false // everybody may make files there
		}
	}
	for _, folder := range [...]string{"c:/windows/", "c:/program files/", "c:/program files (x86)/"} {
		if strings.HasPrefix(exe, folder) {
			return true
		}
	}
	return false
}
