package logtail

import "regexp"

// Level is how grave a line is.
type Level string

// The levels.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Info    Level = "info"
	Debug   Level = "debug"
)

// levelWords tell a level by what programs commonly write, the gravest first.
var levelWords = []struct {
	level Level
	words *regexp.Regexp
}{
	{Error, regexp.MustCompile(`(?i)\b(emerg(ency)?|alert|crit(ical)?|fatal|panic(ked)?|err(or)?s?|fail(ed|ure)?|denied)\b`)},
	{Warning, regexp.MustCompile(`(?i)\b(warn(ing)?s?|deprecated|timed out)\b`)},
	{Debug, regexp.MustCompile(`(?i)\b(debug|trace)\b`)},
}

// explicitLevel is the level that logfmt and JSON name, which goes before the
// words of the text.
var explicitLevel = regexp.MustCompile(`(?i)\b"?(?:level|lvl|severity)"?\s*[=:]\s*"?(emerg\w*|alert|crit\w*|fatal|panic|err\w*|warn\w*|notice|info\w*|debug|trace)`)

// levelOf guesses the level of a line of text.
func levelOf(text string) Level {
	if named := explicitLevel.FindStringSubmatch(text); named != nil {
		text = named[1]
		if text[0]|0x20 == 'e' { // "err", "eror", "emerg": whatever it is spelled like
			return Error
		}
	}
	for _, l := range levelWords {
		if l.words.MatchString(text) {
			return l.level
		}
	}
	return Info
}

// levelOfPriority is the level of a priority of syslog(3), 0 to 7.
func levelOfPriority(priority int) Level {
	switch {
	case priority <= 3:
		return Error
	case priority == 4:
		return Warning
	case priority == 7:
		return Debug
	}
	return Info
}
