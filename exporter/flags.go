package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// problems collects what is wrong with the values of flags, so that all of it
// can be told at once instead of one at every try.
type problems struct{ found []error }

func (p *problems) add(err error) { p.found = append(p.found, err) }

// err joins the problems, nil without any.
func (p *problems) err() error { return errors.Join(p.found...) }

// value is a flag whose text is parsed into a T.
type value[T any] struct {
	name     string
	problems *problems
	parse    func(string) (T, error)
	target   *T
	text     string
}

// Set implements [kingpin.Value]. Errors are kept for later.
func (v *value[T]) Set(text string) error {
	v.text = text
	parsed, err := v.parse(text)
	if err != nil {
		v.problems.add(fmt.Errorf("%s: %w", v.name, err))
		return nil
	}
	*v.target = parsed
	return nil
}

// String implements [kingpin.Value].
func (v *value[T]) String() string { return v.text }

// checked lets a flag be parsed into target.
func checked[T any](p *problems, flag *kingpin.FlagClause, target *T, parse func(string) (T, error)) {
	flag.SetValue(&value[T]{name: "--" + flag.Model().Name, problems: p, parse: parse, target: target})
}

// checkedArg does the same for an argument.
func checkedArg[T any](p *problems, arg *kingpin.ArgClause, target *T, parse func(string) (T, error)) {
	arg.SetValue(&value[T]{name: arg.Model().Name, problems: p, parse: parse, target: target})
}

// list is a flag that may be given several times. What is given replaces the
// defaults.
type list struct {
	name     string
	problems *problems
	check    func(string) error
	target   *[]string
}

// Set implements [kingpin.Value].
func (l *list) Set(text string) error {
	if err := l.check(text); err != nil {
		l.problems.add(fmt.Errorf("--%s: %w", l.name, err))
		return nil
	}
	*l.target = append(*l.target, text)
	return nil
}

// String implements [kingpin.Value].
func (l *list) String() string { return "" }

// IsCumulative tells kingpin that the flag may be repeated.
func (l *list) IsCumulative() bool { return true }

// repeated lets a flag be given several times.
func repeated(p *problems, flag *kingpin.FlagClause, target *[]string, check func(string) error) {
	flag.SetValue(&list{name: flag.Model().Name, problems: p, check: check, target: target})
}

// parseRatio reads a part of a whole.
func parseRatio(text string) (float64, error) {
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return 0, fmt.Errorf("%q is not a number from 0 to 1", text)
	}
	return ratio, nil
}

// parseCount reads a number of at least min.
func parseCount(min int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < min {
			return 0, fmt.Errorf("%q is not a whole number of at least %d", text, min)
		}
		return n, nil
	}
}

// parseDuration reads a time span that is not negative.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration such as 5s or 1m30s", text)
	}
	return d, nil
}

// parsePattern reads a regular expression, nil for an empty one.
func parsePattern(text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, nil
	}
	return regexp.Compile(text)
}

// parseAnchored reads a regular expression that has to match all of a name.
func parseAnchored(text string) (*regexp.Regexp, error) {
	if text == "" {
		return nil, nil
	}
	if _, err := regexp.Compile(text); err != nil {
		return nil, err
	}
	return regexp.Compile("^(?:" + text + ")$")
}
