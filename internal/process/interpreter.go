package process

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// IsInterpreter tells whether a program runs what somebody else wrote, so that
// its name says nothing about what it does: "python3.11", "bash", "busybox",
// the dynamic loader.
func IsInterpreter(name string) bool { return languageOf(name) != nil }

// language is what has to be known of an interpreter's options to find the
// script among its arguments, and never to take the text of a program, which
// may hold a secret, for one. Options are letters, of which one word may hold
// several.
type language struct {
	text  string // options behind which the program itself, or no script, follows
	value string // options with a value: the rest of the word, else the next one
	rest  string // options whose value is the rest of the word
	file  string // options whose value is the script
	data  bool   // a plain word is not a script
	// Long options: those whose value is the next word, those behind which the
	// program itself follows, and those whose value is the script.
	longValue, longText, longFile []string
}

// What several interpreters share.
var (
	shellLanguage  = language{text: "cs", value: "oO", longValue: []string{"--rcfile", "--init-file"}}
	pythonLanguage = language{text: "cm", value: "WXQ", longValue: []string{"--check-hash-based-pycs"}}
	nodeLanguage   = language{text: "ep", value: "rC", longValue: nodeOptions}
	awkLanguage    = language{value: "vFi", file: "fE", data: true}
	luaLanguage    = language{text: "e", value: "lj", rest: "Ob"}
	loaderLanguage = language{longValue: []string{"--library-path", "--argv0", "--preload", "--audit", "--inhibit-rpath", "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask"}}
	plainLanguage  = language{}
	monoLanguage   = language{longValue: []string{"--config"}}
	// What these run is not named by a path, or not where it can be told from
	// the values of options.
	opaqueLanguage = language{data: true}
	// These are many programs in one, some of them shells.
	multiCall = language{data: true}
)

// nodeOptions are the options with a value of "node --help", Node.js 24.
var nodeOptions = []string{
	"--allow-fs-read", "--allow-fs-write", "--build-snapshot-config", "--conditions", "--cpu-prof-dir", "--cpu-prof-interval",
	"--cpu-prof-name", "--debug-port", "--diagnostic-dir", "--disable-proto", "--disable-warning", "--dns-result-order", "--env-file",
	"--env-file-if-exists", "--es-module-specifier-resolution", "--experimental-config-file", "--experimental-default-type",
	"--experimental-loader", "--experimental-policy", "--experimental-sea-config", "--heap-prof-dir", "--heap-prof-interval",
	"--heap-prof-name", "--heapsnapshot-near-heap-limit", "--heapsnapshot-signal", "--icu-data-dir", "--import", "--input-type",
	"--inspect-port", "--inspect-publish-uid", "--loader", "--localstorage-file", "--max-http-header-size",
	"--network-family-autoselection-attempt-timeout", "--openssl-config", "--policy-integrity", "--redirect-warnings", "--report-dir",
	"--report-directory", "--report-filename", "--report-signal", "--require", "--run", "--secure-heap", "--secure-heap-min",
	"--snapshot-blob", "--test-concurrency", "--test-coverage-branches", "--test-coverage-exclude", "--test-coverage-functions",
	"--test-coverage-include", "--test-coverage-lines", "--test-global-setup", "--test-isolation", "--test-name-pattern",
	"--test-reporter", "--test-reporter-destination", "--test-shard", "--test-skip-pattern", "--test-timeout", "--title",
	"--tls-cipher-list", "--tls-keylog", "--trace-event-categories", "--trace-event-file-pattern", "--trace-require-module",
	"--unhandled-rejections", "--use-largepages", "--v8-pool-size", "--watch-path",
}

// languages are the interpreters by name without its version.
var languages = map[string]*language{
	"sh": &shellLanguage, "bash": &shellLanguage, "dash": &shellLanguage, "ash": &shellLanguage, "zsh": &shellLanguage,
	"ksh": &shellLanguage, "mksh": &shellLanguage, "yash": &shellLanguage, "csh": &shellLanguage, "tcsh": &shellLanguage,
	"fish":   {text: "cC", value: "odDfp"},
	"python": &pythonLanguage, "platform-python": &pythonLanguage, "pypy": &pythonLanguage,
	"perl": {text: "eE", value: "I", rest: "MmFixDCV"},
	"ruby": {text: "e", value: "IrCE", rest: "FKTWxi", longValue: []string{
		"--backtrace-limit", "--disable", "--dump", "--enable", "--encoding", "--external-encoding", "--internal-encoding", "--parser",
	}},
	"php": {
		text: "rBREaS", value: "cdztg", file: "fF", longValue: []string{"--bindpath", "--define", "--docroot", "--php-ini", "--zend-extension"},
		longText: []string{
			"--process-begin", "--process-code", "--process-end", "--rc", "--rclass", "--re", "--rextension", "--rextinfo", "--rf", "--rfunction",
			"--ri", "--run", "--rz", "--rzendextension", "--server",
		},
		longFile: []string{"--file", "--process-file"},
	},
	"node": &nodeLanguage, "nodejs": &nodeLanguage, "deno": &nodeLanguage, "bun": &nodeLanguage,
	"lua": &luaLanguage, "luajit": &luaLanguage,
	"awk": &awkLanguage, "gawk": &awkLanguage, "mawk": &awkLanguage, "nawk": &awkLanguage, "original-awk": &awkLanguage,
	"r":         {text: "e", file: "f", longFile: []string{"--file"}},
	"julia":     {text: "eE", value: "LpJtHPCO", longValue: []string{"--load", "--machine-file", "--procs", "--project", "--sysimage", "--threads"}},
	"guile":     {text: "ce", value: "lLC", file: "s"},
	"expect":    {text: "c", value: "dD", file: "fb"},
	"osascript": {text: "e", value: "l"},
	"tclsh":     &plainLanguage, "wish": &plainLanguage, "escript": &plainLanguage,
	"mono": &monoLanguage, "mono-sgen": &monoLanguage,
	"dotnet": {longValue: []string{"--additional-deps", "--additionalprobingpath", "--depsfile", "--fx-version", "--roll-forward", "--runtimeconfig"}},
	"java":   &opaqueLanguage, "beam.smp": &opaqueLanguage, "pwsh": &opaqueLanguage,
	"busybox": &multiCall, "toybox": &multiCall, "coreutils": &multiCall,
}

// windowsInterpreters are the programs of Windows that run what somebody else
// wrote, libraries among it: by their own name, malware runs.
var windowsInterpreters = map[string]bool{
	"cmd": true, "powershell": true, "powershell_ise": true, "wscript": true, "cscript": true, "mshta": true,
	"rundll32": true, "regsvr32": true, "installutil": true, "regasm": true, "regsvcs": true, "msbuild": true, "wsl": true,
}

// languageOf finds an interpreter by the name of its program, nil for any other
// program.
func languageOf(name string) *language {
	name, onWindows := strings.CutSuffix(strings.ToLower(name), ".exe")
	if onWindows && windowsInterpreters[name] {
		return &opaqueLanguage
	}
	if l := languages[name]; l != nil {
		return l
	}
	if l := languages[WithoutVersion(name)]; l != nil {
		return l
	}
	if strings.HasPrefix(name, "luajit-") { // luajit-2.1.0-beta3
		return &luaLanguage
	}
	for _, prefix := range [...]string{"ld-linux", "ld-2.", "ld-musl", "ld64.so", "ld.so"} {
		if strings.HasPrefix(name, prefix) {
			return &loaderLanguage
		}
	}
	return nil
}

// arguments reads the first word of a command line and, where that runs an
// interpreter, the script; raw is the text of /proc/PID/cmdline, which ends
// its words with NUL and may have been overwritten by the process. Where an
// option is not known, the word behind it may be its value, so that another may
// be the script: then others has the words that may be, each ended by a NUL.
// The first two are parts of raw.
func arguments(raw []byte, exe string) (argv0, script, others []byte) {
	argv0, rest := nextWord(bytes.TrimRight(raw, "\x00"))
	l := languageOf(path.Base(exe))
	if l == &multiCall {
		program := path.Base(string(argv0))
		if languageOf(program) == &multiCall { // "busybox sh script"
			var applet []byte
			applet, rest = nextWord(rest)
			program = string(applet)
		}
		if l = languageOf(program); l != &shellLanguage {
			return argv0, nil, nil
		}
	}
	if l == nil {
		return argv0, nil, nil
	}
	script, others = l.script(rest)
	return argv0, script, others
}

// nextWord cuts the first word off a command line.
func nextWord(words []byte) (word, rest []byte) {
	word, rest, _ = bytes.Cut(words, []byte{0})
	return word, rest
}

// maxOthers is how many words that may be the script are told; whoever writes a
// command line with more of them hides his own process alone.
const maxOthers = 15

// script finds the script among the words behind the interpreter's own, and the
// others that may be it.
func (l *language) script(words []byte) (script, others []byte) {
	s := search{language: l, words: words}
	for len(s.words) > 0 && !s.over {
		s.step()
	}
	return s.script, s.others
}

// search goes along the words of a command line for the script.
type search struct {
	*language
	words          []byte // that are still to be read
	script, others []byte
	doubt          bool // the word before is an option that may have the next one as its value
	over           bool
}

// step reads a word, and the next one where that is its value.
func (s *search) step() {
	word, doubted := s.next(), s.doubt
	s.doubt = false
	switch {
	case len(word) == 0:
	case string(word) == "--" && !s.data:
		s.end(s.next())
	case string(word) == "-": // the standard input
		s.over = true
	case bytes.HasPrefix(word, []byte("--")):
		s.long(word)
	case word[0] == '-' || word[0] == '+' && s.language == &shellLanguage:
		s.letters(word[1:])
	case s.data:
		s.over = true
	case doubted:
		s.found(word)
	default:
		s.end(word)
	}
}

func (s *search) next() (word []byte) {
	word, s.words = nextWord(s.words)
	return word
}

// long reads a long option.
func (s *search) long(word []byte) {
	name, value, given := bytes.Cut(word, []byte("="))
	kind := s.longOption(string(name))
	if !given && (kind == plainValue || kind == scriptFile) {
		value = s.next()
	}
	switch kind {
	case programText:
		s.over = true
	case scriptFile:
		s.end(value)
	case unknownOption:
		s.doubt = !given
	}
}

// letters reads the options of one word.
func (s *search) letters(letters []byte) {
	option, value, known := s.option(letters)
	if !known {
		return
	}
	if strings.IndexByte(s.text, option) >= 0 {
		s.over = true
		return
	}
	if len(value) == 0 {
		value = s.next()
	}
	if strings.IndexByte(s.file, option) >= 0 {
		s.end(value)
	}
}

// found takes a word for the script where it looks like a path.
func (s *search) found(word []byte) {
	switch path := scriptPath(word); {
	case path == nil:
	case s.script == nil:
		s.script = path
	case bytes.Count(s.others, []byte{0}) < maxOthers:
		s.others = append(append(s.others, path...), 0)
	}
}

// end takes a word for the script, behind which there can be no other.
func (s *search) end(word []byte) {
	s.found(word)
	s.over = true
}

// optionKind is what the value of an option is.
type optionKind int

const (
	unknownOption optionKind = iota
	plainValue
	programText
	scriptFile
)

// longOption tells what a long option takes.
func (l *language) longOption(name string) optionKind {
	switch name {
	case "--eval", "--print", "--command", "--init-command":
		return programText
	}
	switch {
	case slices.Contains(l.longText, name):
		return programText
	case slices.Contains(l.longFile, name):
		return scriptFile
	case slices.Contains(l.longValue, name):
		return plainValue
	}
	return unknownOption
}

// option finds the first letter of a word that takes a value, or the place of
// the script. Those behind it belong to its value.
func (l *language) option(letters []byte) (option byte, value []byte, found bool) {
	for i, c := range letters {
		switch {
		case strings.IndexByte(l.rest, c) >= 0:
			return 0, nil, false
		case strings.IndexByte(l.text, c) >= 0, strings.IndexByte(l.value, c) >= 0, strings.IndexByte(l.file, c) >= 0:
			return c, letters[i+1:], true
		}
	}
	return 0, nil, false
}

// scriptPath takes a word for a path where it looks like one: a sub-command has
// neither folder nor suffix, an address may hold a password, and the text of a
// program has lines.
func scriptPath(word []byte) []byte {
	if !bytes.ContainsAny(word, "/.") || bytes.Contains(word, []byte("://")) || bytes.ContainsAny(word, "\n\r") {
		return nil
	}
	return word
}
