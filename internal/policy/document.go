package policy

import (
	"slices"
	"time"
)

// Document is one entry of the collection known_processes: what is known of
// the programs that bear a name on a platform. A document that is part of a
// [Set] must not be changed.
type Document struct {
	// Name is the base name of the executable in lower case.
	Name string `json:"name"`
	// Platform is where the document holds; see the constants.
	Platform Platform `json:"platform"`
	// Category groups programs; see [Categories].
	Category string `json:"category"`
	// Description is the role of the program in one line of English.
	Description string `json:"description"`
	// DescriptionI18n holds the role by language, "en" and "ko".
	DescriptionI18n map[string]string `json:"description_i18n,omitempty"`
	// Policy says what may be done with it.
	Policy Policy `json:"policy"`
	// Paths are globs of the executables that may bear the name. Where there
	// are any, the document holds for no other executable. '*' stands for
	// any run of bytes but '/', '**' for any run.
	Paths []string `json:"paths,omitempty"`
	// ExpectedWarnings are the warnings that are normal for the program, as
	// CODE for all subjects or CODE(subject) for one.
	ExpectedWarnings []string `json:"expected_warnings,omitempty"`
	// AutoTerminate lets automation end it.
	AutoTerminate bool `json:"auto_terminate,omitempty"`
	// Tags are free words of the operators.
	Tags []string `json:"tags,omitempty"`
	// CreatedAt and UpdatedAt are zero in the embedded catalogue.
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`

	prepared *prepared // what a set needs of the document, worked out once
}

// Policy is the part of a [Document] that forbids.
type Policy struct {
	// IsSystem tells a process that the machine needs.
	IsSystem bool `json:"is_system"`
	// Terminatable is false where the process must not be ended.
	Terminatable bool `json:"terminatable"`
	// Reason says why, in English.
	Reason string `json:"reason"`
	// ReasonI18n holds the reason by language.
	ReasonI18n map[string]string `json:"reason_i18n,omitempty"`
}

// Platform is the operating system that a document holds for.
type Platform string

// The platforms.
const (
	Linux   Platform = "linux"
	Windows Platform = "windows"
	Common  Platform = "common"
)

// Platforms lists all platforms.
var Platforms = []Platform{Linux, Windows, Common}

// Categories are the words that a document's category may be.
var Categories = []string{
	"system_core", "service_manager", "hardware", "session", "shell", "utility", "package_manager",
	"scheduler", "logging", "time", "network", "dns", "remote_access", "security", "authentication",
	"web_server", "proxy", "database", "cache", "message_broker", "search", "mail", "file_sharing",
	"storage", "backup", "virtualization", "container", "orchestration", "monitoring",
	"configuration_management", "runtime", "application_server", "developer_tool", "editor", "desktop",
	"browser", "communication", "office", "media", "game", "printing", "updater", "cloud_agent",
}

// Denies tells whether the document forbids to end what bears its name: a
// process that the machine needs is not ended, whatever else is written.
func (d *Document) Denies() bool { return d.Policy.IsSystem || !d.Policy.Terminatable }

// MayBeAt tells whether the document holds for an executable at path.
func (d *Document) MayBeAt(path string) bool {
	if len(d.Paths) == 0 {
		return true
	}
	if d.prepared != nil {
		return matchAny(d.prepared.paths, path)
	}
	return matchAny(compilePaths(d), path)
}

// prepared is what is worked out once for each document.
type prepared struct {
	paths  []*Glob
	digest digest
}

// Prepare works out what sets need of a document, so that it is done once for a
// document that becomes part of many. The document must not be changed after.
func Prepare(d *Document) Document { return *prepare(d) }

// prepare works out what a set needs of a document. A document that has it
// already comes back as it is, so that only what changed costs anything.
func prepare(d *Document) *Document {
	if d.prepared != nil {
		return d
	}
	ready := *d
	ready.prepared = &prepared{paths: compilePaths(d), digest: digestOf(d)}
	return &ready
}

// compilePaths compiles the paths of a document. One that is wrong matches
// nothing; [Validate] names it.
func compilePaths(d *Document) []*Glob {
	globs := make([]*Glob, 0, len(d.Paths))
	for _, pattern := range d.Paths {
		if g, err := CompileGlob(pattern, d.Platform == Windows); err == nil {
			globs = append(globs, g)
		}
	}
	return slices.Clip(globs)
}

func matchAny(globs []*Glob, path string) bool {
	for _, g := range globs {
		if g.Match(path) {
			return true
		}
	}
	return false
}
