package policy

import (
	"errors"
	"fmt"
	"strings"
)

// maxGlob bounds a pattern in bytes, and with it what matching can cost: no
// more than its length times that of the path.
const maxGlob = 1024

// Glob is a compiled pattern of absolute paths. '*' stands for any run of bytes
// but '/', '**' for any run; every other byte stands for itself. A pattern
// that begins with a drive ("c:/", or "*:/" for any), and every one of a
// Windows document, takes capitals and backslashes for their equals.
type Glob struct {
	pattern string
	fold    bool
	// prefix and suffix are the literal ends of the pattern, by which most
	// paths are told to differ; middle is what is between them.
	prefix, suffix string
	middle         []globPart
}

// globPart is one star or a run of literal bytes.
type globPart struct {
	literal string
	star    bool // any run, of all bytes where deep is set
	deep    bool
}

// CompileGlob checks and compiles a pattern; windows tells one of a Windows
// document.
func CompileGlob(pattern string, windows bool) (*Glob, error) {
	drive := hasDrive(pattern)
	if err := checkGlob(pattern, windows); err != nil {
		return nil, fmt.Errorf("path %q: %w", pattern, err)
	}
	g := &Glob{pattern: pattern, fold: windows || drive}
	if g.fold {
		pattern = strings.ToLower(pattern)
	}
	g.split(pattern)
	return g, nil
}

// String is the pattern as it was written.
func (g *Glob) String() string { return g.pattern }

// checkGlob says what is wrong with a pattern.
func checkGlob(pattern string, windows bool) error {
	switch {
	case pattern == "":
		return errors.New("is empty")
	case len(pattern) > maxGlob:
		return fmt.Errorf("is longer than %d bytes", maxGlob)
	case strings.ContainsAny(pattern, "\x00\n\r"):
		return errors.New("holds a control character")
	case strings.Contains(pattern, `\`):
		return errors.New("holds a backslash: write / between folders")
	case strings.Contains(pattern, "***"):
		return errors.New("holds ***: * and ** are all there is")
	case strings.Contains(pattern, "//"), strings.Contains(pattern+"/", "/./"), strings.Contains(pattern+"/", "/../"):
		return errors.New("is not a clean path: the kernel shows none with //, /./ or /../")
	case strings.HasSuffix(pattern, "/"):
		return errors.New("ends in /: write /** for all that is below a folder")
	case pattern[0] == '/' && !windows, hasDrive(pattern):
		return nil
	case windows && !strings.ContainsAny(pattern, "/*"):
		return nil // "registry", "memory compression": the kernel's own have no path
	}
	return errors.New("is not absolute")
}

// hasDrive tells a pattern that begins with "c:/" or "*:/".
func hasDrive(pattern string) bool {
	if len(pattern) < 3 || pattern[1:3] != ":/" {
		return false
	}
	c := pattern[0] | 0x20 // lower case
	return pattern[0] == '*' || c >= 'a' && c <= 'z'
}

// split cuts a pattern into its parts.
func (g *Glob) split(pattern string) {
	first := strings.IndexByte(pattern, '*')
	if first < 0 {
		g.prefix = pattern
		return
	}
	last := strings.LastIndexByte(pattern, '*')
	g.prefix, g.suffix = pattern[:first], pattern[last+1:]
	for rest := pattern[first : last+1]; rest != ""; {
		if rest[0] != '*' {
			end := strings.IndexByte(rest, '*')
			g.middle = append(g.middle, globPart{literal: rest[:end]})
			rest = rest[end:]
			continue
		}
		deep := strings.HasPrefix(rest, "**")
		g.middle = append(g.middle, globPart{star: true, deep: deep})
		rest = strings.TrimLeft(rest, "*")
	}
}

// Match tells whether the pattern stands for path as a whole. No pattern stands
// for a path that leads through "..": such a one is no path of the kernel's.
func (g *Glob) Match(path string) bool {
	if g.fold {
		path = foldPath(path)
	}
	if len(g.middle) == 0 {
		return path == g.prefix
	}
	if len(path) < len(g.prefix)+len(g.suffix) || !strings.HasPrefix(path, g.prefix) ||
		!strings.HasSuffix(path, g.suffix) || strings.Contains(path, "/../") {
		return false
	}
	between := path[len(g.prefix) : len(path)-len(g.suffix)]
	if len(g.middle) == 1 {
		return g.middle[0].deep || !strings.Contains(between, "/")
	}
	return matchParts(g.middle, between)
}

// foldPath makes a path of Windows comparable.
func foldPath(path string) string {
	return strings.ReplaceAll(strings.ToLower(path), `\`, "/")
}

// matchParts works out, part by part, all places in text up to which the parts
// so far can have come. Its cost is the number of parts times the length of the
// text, whatever the pattern.
func matchParts(parts []globPart, text string) bool {
	var buffer [256]bool
	at := buffer[:]
	if len(text) >= len(buffer) {
		at = make([]bool, len(text)+1)
	}
	at = at[:len(text)+1]
	at[0] = true
	for _, part := range parts {
		if part.star {
			spread(at, text, part.deep)
		} else {
			advance(at, text, part.literal)
		}
	}
	return at[len(text)]
}

// spread lets every place reach those behind it, up to the next '/' unless deep.
func spread(at []bool, text string, deep bool) {
	for i := 1; i < len(at); i++ {
		at[i] = at[i] || at[i-1] && (deep || text[i-1] != '/')
	}
}

// advance moves every place behind the literal that stands there.
func advance(at []bool, text, literal string) {
	for i := len(at) - 1; i >= 0; i-- {
		start := i - len(literal)
		at[i] = start >= 0 && at[start] && text[start:i] == literal
	}
}
