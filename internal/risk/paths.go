package risk

import (
	"strings"

	"server-monitor/internal/policy"
)

// standardPaths are the folders of installed programs on Linux and other Unix
// systems.
var standardPaths = []string{"/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt"}

// writablePlaces are the folders where everybody may put files.
var writablePlaces = []string{"/tmp", "/var/tmp", "/dev/shm"}

// location is what the place of an executable says.
type location uint8

const (
	nowhere  location = iota // there is no path
	standard                 // where installed programs are, or allowed by the operator
	unusual                  // anywhere else
	writable                 // where everybody may put files
)

// locate tells where an executable lies. What the operator allows goes before
// all; a writable place before a standard one around it, as c:/windows/temp.
func locate(exe string, platform policy.Platform, allowed []string) location {
	if platform == policy.Windows {
		return locateOnWindows(normalWindows(exe), allowed)
	}
	switch {
	case exe == "":
		return nowhere
	case isAllowed(exe, platform, allowed):
		return standard
	case below(exe, writablePlaces):
		return writable
	case below(exe, standardPaths):
		return standard
	}
	return unusual
}

// scriptPlace is the folder where everybody may put files that a script lies
// in, "" where it lies elsewhere. The script is the word of the process itself,
// and part of its command line: the warning bears the folder alone.
func scriptPlace(script string) string { return folderAround(script, writablePlaces) }

// isAllowed tells whether an operator named a folder around the executable.
func isAllowed(exe string, platform policy.Platform, allowed []string) bool {
	for _, folder := range allowed {
		if platform == policy.Windows {
			folder = normalWindows(folder)
		}
		if isBelow(exe, strings.TrimRight(folder, "/")) {
			return true
		}
	}
	return false
}

// below tells whether a path is in or below one of the folders.
func below(path string, folders []string) bool { return folderAround(path, folders) != "" }

// folderAround is the first of the folders that a path is in or below, "" where
// it is in none.
func folderAround(path string, folders []string) string {
	for _, folder := range folders {
		if isBelow(path, folder) {
			return folder
		}
	}
	return ""
}

// isBelow compares whole segments: "/usrevil" is not below "/usr". A path with
// ".." in it, which no kernel shows, is below nothing.
func isBelow(path, folder string) bool {
	return len(path) > len(folder) && path[len(folder)] == '/' && strings.HasPrefix(path, folder) &&
		!strings.Contains(path, "/../")
}

// isDeveloperTool tells programs that on Windows are installed wherever a
// developer likes.
func isDeveloperTool(d *policy.Document) bool {
	return d != nil && (d.Category == "developer_tool" || d.Category == "runtime")
}

// appendFile appends the warnings about the executable file.
func (j *Judge) appendFile(found []Warning, c *inquiry) []Warning {
	file := &c.File
	if c.exe != "" && !(file.Memory && !strings.HasPrefix(c.exe, "/dev/shm/")) { // else there is no place
		switch locate(c.exe, c.platform, j.criteria.AllowedPaths) {
		case writable:
			found = append(found, Warning{Code: SuspiciousPath, Severity: Danger, Subject: c.exe})
		case unusual:
			if c.platform != policy.Windows || !isDeveloperTool(c.document) {
				found = append(found, Warning{Code: SuspiciousPath, Severity: Warn, Subject: c.exe})
			}
		}
	}
	if place := scriptPlace(c.Script); place != "" && !isAllowed(c.Script, c.platform, j.criteria.AllowedPaths) {
		found = append(found, Warning{Code: SuspiciousPath, Severity: Warn, Subject: place})
	}
	switch {
	case file.Memory:
		found = append(found, Warning{Code: FilelessExe, Severity: Danger, Subject: c.exe})
	case file.Deleted:
		found = append(found, Warning{Code: DeletedExe, Severity: Warn, Subject: c.exe})
	}
	if name := c.masquerade(); name != "" {
		found = append(found, Warning{Code: Masquerade, Severity: Danger, Subject: name})
	}
	if file.Writable {
		found = append(found, Warning{Code: WritableExe, Severity: Danger, Subject: c.exe})
	}
	return found
}
