package process

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxPrintable bounds what [Printable] returns, in bytes. It is PATH_MAX:
	// no path that the kernel takes is longer, so only escapes are ever cut.
	maxPrintable = 4096
	ellipsis     = "…"
	lowerHex     = "0123456789abcdef"
)

// Printable makes a name or path safe to show in a terminal, a log, a label or
// a page. Whoever starts a process or mounts a file system chooses its name,
// and may choose bytes that move the cursor, turn the direction of the text or
// cannot be seen at all.
//
// What is left as it is: printable runes, the ASCII space and backslashes. All
// else is escaped: \n, \t, \r and other ASCII control characters as \xNN,
// bytes that are not UTF-8 as \xNN, and every other rune that leaves no mark
// of its own (control and format characters, bidirectional overrides,
// zero-width characters, fillers, spaces other than the ASCII one, unassigned
// code points) as \uNNNN or \UNNNNNNNN. The result is valid UTF-8, at most
// 4096 bytes long, and ends in "…" where it was cut.
//
// As backslashes are not escaped, two names can have the same result. It is
// for showing, never for telling names apart.
func Printable(s string) string {
	if len(s) <= maxPrintable && allPrintable(s) {
		return s
	}
	return escape(s)
}

func allPrintable(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c >= ' ' && c <= '~' {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if invalid(r, size) || !visible(r) {
			return false
		}
		i += size
	}
	return true
}

// escape writes s with escapes until the bound is reached.
func escape(s string) string {
	var b strings.Builder
	b.Grow(min(2*len(s), maxPrintable))
	fits := 0 // the longest length so far that leaves room for the ellipsis
	var buf [10]byte
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		piece := appendRune(buf[:0], r, size, s[i])
		if b.Len()+len(piece) > maxPrintable {
			return b.String()[:fits] + ellipsis
		}
		b.Write(piece)
		if b.Len() <= maxPrintable-len(ellipsis) {
			fits = b.Len()
		}
		i += size
	}
	return b.String()
}

// appendRune appends the shown form of a rune of the given size whose first
// byte is c.
func appendRune(b []byte, r rune, size int, c byte) []byte {
	switch {
	case invalid(r, size):
		return appendHex(append(b, `\x`...), rune(c), 2)
	case visible(r):
		return utf8.AppendRune(b, r)
	case r == '\n':
		return append(b, `\n`...)
	case r == '\t':
		return append(b, `\t`...)
	case r == '\r':
		return append(b, `\r`...)
	case r < utf8.RuneSelf:
		return appendHex(append(b, `\x`...), r, 2)
	case r <= 0xffff:
		return appendHex(append(b, `\u`...), r, 4)
	default:
		return appendHex(append(b, `\U`...), r, 8)
	}
}

func appendHex(b []byte, r rune, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, lowerHex[r>>shift&0xf])
	}
	return b
}

// invalid tells a byte that is not UTF-8 from a genuine U+FFFD.
func invalid(r rune, size int) bool {
	return r == utf8.RuneError && size <= 1
}

// visible tells whether a rune leaves a mark on the screen. Unicode counts
// some runes as letters or marks that are drawn as nothing at all, such as the
// Hangul fillers and the variation selectors.
func visible(r rune) bool {
	return unicode.IsPrint(r) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
