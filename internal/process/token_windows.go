package process

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// identified is what the token of a process says of its user.
type identified struct {
	sid       string
	elevated  bool
	integrity Integrity
}

// tokenOf reads the token of a process. What may change in it changes what the
// process may do; the user never does.
func (q *queries) tokenOf(h windows.Handle) (identified, error) {
	var token windows.Token
	if err := windows.OpenProcessToken(h, windows.TOKEN_QUERY, &token); err != nil {
		return identified{}, fmt.Errorf("token: %w", err)
	}
	defer func() { _ = token.Close() }()
	user, err := token.GetTokenUser()
	if err != nil {
		return identified{}, fmt.Errorf("user of the token: %w", err)
	}
	return identified{sid: user.User.Sid.String(), elevated: token.IsElevated(), integrity: q.integrityOf(token)}, nil
}

// integrityOf reads the last part of the SID of the token's mandatory label.
// Windows writes a pointer into the buffer, which therefore must not be on the
// stack, that moves.
func (q *queries) integrityOf(token windows.Token) Integrity {
	var size uint32
	buffer := q.text
	err := windows.GetTokenInformation(token, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&buffer[0])), uint32(len(buffer)*2), &size)
	if err != nil {
		return IntegrityUnknown
	}
	label := (*windows.Tokenmandatorylabel)(unsafe.Pointer(&buffer[0]))
	level, ok := strings.CutPrefix(label.Label.Sid.String(), "S-1-16-")
	if number, err := strconv.ParseUint(level, 10, 32); ok && err == nil {
		return Integrity(number)
	}
	return IntegrityUnknown
}

// accountName is "DOMAIN\user" of a SID, empty where nobody knows it.
func accountName(text string) string {
	sid, err := windows.StringToSid(text)
	if err != nil {
		return ""
	}
	account, domain, _, err := sid.LookupAccount("")
	if err != nil || account == "" {
		return ""
	}
	if domain == "" {
		return account
	}
	return domain + `\` + account
}
