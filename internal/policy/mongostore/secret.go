package mongostore

import (
	"net/url"
	"slices"
	"strings"

	"server-monitor/internal/process"
)

// redactor takes what a connection string keeps secret out of texts.
type redactor struct {
	secrets []string // the longest first
	// blunt tells that a secret is too short to be looked for: then texts of
	// the driver are not shown at all.
	blunt bool
	// broken tells that user name or password hold a '%' that begins no escape.
	// The driver would quote it.
	broken bool
}

// shortSecret is the length below which looking for a secret would tear words
// of the text apart, and so give it away.
const shortSecret = 4

// redacted stands for what was taken out.
const redacted = "[redacted]"

// newRedactor finds the secrets in a connection string, which may be malformed.
func newRedactor(uri string) *redactor {
	r := new(redactor)
	_, rest, _ := strings.Cut(uri, "://")
	if end := strings.LastIndexByte(rest, '@'); end >= 0 {
		user, password, _ := strings.Cut(rest[:end], ":")
		_, err := url.PathUnescape(rest[:end])
		r.broken = err != nil
		r.add(rest[:end])
		r.add(password)
		if len(user) >= shortSecret {
			r.add(user)
		}
	}
	_, query, _ := strings.Cut(uri, "?")
	for _, option := range strings.FieldsFunc(query, func(c rune) bool { return c == '&' || c == ';' }) {
		key, value, _ := strings.Cut(option, "=")
		if isSecretOption(key) {
			r.add(value)
		}
	}
	slices.SortFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
	return r
}

// isSecretOption tells options of a connection string whose values are secret.
func isSecretOption(key string) bool {
	key = strings.ToLower(key)
	return strings.Contains(key, "password") || key == "authmechanismproperties"
}

// add notes a secret as it is written and as it is meant.
func (r *redactor) add(secret string) {
	forms := []string{secret}
	if plain, err := url.PathUnescape(secret); err == nil {
		forms = append(forms, plain)
	}
	for _, form := range forms {
		switch {
		case form == "" || slices.Contains(r.secrets, form):
		case len(form) < shortSecret:
			r.blunt = true
		default:
			r.secrets = append(r.secrets, form)
		}
	}
}

// clean is a text without secrets, safe to show.
func (r *redactor) clean(text string) string {
	if r.blunt {
		return "the driver's words are not shown, as the password is too short to be taken out of them"
	}
	for _, secret := range r.secrets {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	return process.Printable(text)
}

// Redact is a connection string without what it keeps secret: scheme, hosts and
// path. It is safe to show.
func Redact(uri string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return redacted
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	rest, _, _ = strings.Cut(rest, "?")
	return process.Printable(scheme + "://" + rest)
}

// storeError is an error of the driver without secrets.
type storeError struct {
	text  string
	cause error
}

func (e *storeError) Error() string { return e.text }

// Unwrap lets callers tell kinds of errors; the text of the cause is not to be
// shown.
func (e *storeError) Unwrap() error { return e.cause }

// wrap says what failed without saying a secret. It keeps nil.
func (r *redactor) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return &storeError{text: what + ": " + r.clean(err.Error()), cause: err}
}
