package process

import (
	"fmt"
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
func tokenOf(h windows.Handle) (identified, error) {
	var token windows.Token
	if err := windows.OpenProcessToken(h, windows.TOKEN_QUERY, &token); err != nil {
		return identified{}, fmt.Errorf("token: %w", err)
	}
	defer func() { _ = token.Close() }()
	user, err := token.GetTokenUser()
	if err != nil {
		return identified{}, fmt.Errorf("user of the token: %w", err)
	}
	return identified{sid: user.User.Sid.String(), elevated: token.IsElevated(), integrity: integrityOf(token)}, nil
}

// integrityOf reads the last part of the SID of the token's mandatory label.
func integrityOf(token windows.Token) Integrity {
	var buffer [64]uint64 // of words, for their alignment
	var size uint32
	err := windows.GetTokenInformation(token, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&buffer[0])), uint32(unsafe.Sizeof(buffer)), &size)
	if err != nil {
		return IntegrityUnknown
	}
	label := (*windows.Tokenmandatorylabel)(unsafe.Pointer(&buffer[0]))
	if label.Label.Sid == nil || label.Label.Sid.SubAuthorityCount() == 0 {
		return IntegrityUnknown
	}
	return Integrity(label.Label.Sid.SubAuthority(uint32(label.Label.Sid.SubAuthorityCount()) - 1))
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
