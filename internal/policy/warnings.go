package policy

import (
	"slices"
	"strconv"
	"strings"
)

// WarningCodes are the warnings that a document can expect and a rule can ask
// for: those of package risk, which is above this one.
var WarningCodes = []string{
	"RUNNING_AS_ROOT", "PUBLIC_PORT", "SYSTEM_PORT", "HIGH_MEMORY_USAGE", "SUSPICIOUS_PATH",
	"DELETED_EXE", "FILELESS_EXE", "MASQUERADE", "WRITABLE_EXE",
}

// parseWarning reads CODE or CODE(subject), as documents write warnings.
func parseWarning(text string) (code, subject string, ok bool) {
	code, rest, found := strings.Cut(text, "(")
	if !slices.Contains(WarningCodes, code) {
		return "", "", false
	}
	if !found {
		return code, "", true
	}
	subject, ok = strings.CutSuffix(rest, ")")
	if !ok || !validSubject(code, subject) {
		return "", "", false
	}
	return code, subject, true
}

// validSubject tells what a warning can be about: a port, a path or a name.
func validSubject(code, subject string) bool {
	switch code {
	case "PUBLIC_PORT", "SYSTEM_PORT":
		port, err := strconv.ParseUint(subject, 10, 16)
		return err == nil && port > 0 && strconv.FormatUint(port, 10) == subject &&
			(code == "PUBLIC_PORT" || port < 1024)
	case "RUNNING_AS_ROOT", "HIGH_MEMORY_USAGE":
		return false // there is one of each at most
	case "MASQUERADE":
		return subject != "" && !strings.Contains(subject, "/")
	}
	return strings.HasPrefix(subject, "/") || len(subject) > 3 && subject[1] == ':'
}
