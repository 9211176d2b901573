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
	long, longText, longFile []string
}

// What several interpreters share.
var (
	shellLanguage  = language{text: "cs", value: "oO", long: []string{"--rcfile", "--init-file"}}
	pythonLanguage = language{text: "cm", value: "WXQ", long: []string{"--check-hash-based-pycs"}}
	nodeLanguage   = language{text: "ep", value: "rC", long: nodeOptions}
	awkLanguage    = language{value: "vFi", file: "fE", data: true}
	luaLanguage    = language{text: "e", value: "lj", rest: "Ob"}
	loaderLanguage = language{long: []string{"--library-path", "--argv0", "--preload", "--audit", "--inhibit-rpath", "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask"}}
	plainLanguage  = language{}
	monoLanguage   = language{long: []string{"--config"}}
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
	"ruby": {text: "e", value: "IrCE", rest: "FKTWxi", long: []string{
		"--backtrace-limit", "--disable", "--dump", "--enable", "--encoding", "--external-encoding", "--internal-encoding", "--parser",
	}},
	"php": {
		text: "rBREaS", value: "cdztg", file: "fF", long: []string{"--bindpath", "--define", "--docroot", "--php-ini", "--zend-extension"},
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
	"julia":     {text: "eE", value: "LpJtHPCO", long: []string{"--load", "--machine-file", "--procs", "--project", "--sysimage", "--threads"}},
	"guile":     {text: "ce", value: "lLC", file: "s"},
	"expect":    {text: "c", value: "dD", file: "fb"},
	"osascript": {text: "e", value: "l"},
	"tclsh":     &plainLanguage, "wish": &plainLanguage, "escript": &plainLanguage,
	"mono": &monoLanguage, "mono-sgen": &monoLanguage,
	"dotnet": {long: []string{"--additional-deps", "--additionalprobingpath", "--depsfile", "--fx-version", "--roll-forward", "--runtimeconfig"}},
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
	found := func(path []byte) {
		switch {
		case path == nil:
		case script == nil:
			script = path
		case bytes.Count(others, []byte{0}) < maxOthers:
			others = append(append(others, path...), 0)
		}
	}
	doubt := false // the word before is an option that may have this one as its value
	for len(words) > 0 {
		var word []byte
		word, words = nextWord(words)
		doubted := doubt
		doubt = false
		switch {
		case len(word) == 0:
		case string(word) == "--" && !l.data:
			word, _ = nextWord(words)
			found(scriptPath(word))
			return script, others
		case string(word) == "-": // the standard input
			return script, others
		case bytes.HasPrefix(word, []byte("--")):
			name, value, given := bytes.Cut(word, []byte("="))
			kind := l.longOption(string(name))
			if !given && (kind == plainValue || kind == scriptFile) {
				value, words = nextWord(words)
			}
			switch kind {
			case programText:
				return script, others
			case scriptFile:
				found(scriptPath(value))
				return script, others
			case unknownOption:
				doubt = !given
			}
		case word[0] == '-' || word[0] == '+' && l == &shellLanguage:
			option, value, known := l.option(word[1:])
			if !known {
				continue
			}
			if strings.IndexByte(l.text, option) >= 0 {
				return script, others
			}
			if len(value) == 0 {
				value, words = nextWord(words)
			}
			if strings.IndexByte(l.file, option) >= 0 {
				found(scriptPath(value))
				return script, others
			}
		case l.data:
			return script, others
		default:
			found(scriptPath(word))
			if !doubted {
				return script, others
			}
		}
	}
	return script, others
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
	case slices.Contains(l.long, name):
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
