package killapi

import (
	"net/http"
	"net/netip"
	"strings"

	"server-monitor/internal/token"
)

// anonymous is who makes a call that needs no token.
var anonymous = token.Record{Name: "anonymous", Role: token.Viewer}

// authenticate tells who makes a call, and refuses where the role does not
// include it.
func (a *API) authenticate(r *http.Request, c *call) (token.Record, error) {
	if c.role == "" {
		return anonymous, nil
	}
	if a.config.Tokens == nil {
		if c.open {
			return anonymous, nil
		}
		return token.Record{}, problemOff
	}
	header, given := r.Header["Authorization"]
	if !given {
		if c.open && a.config.AnonymousView {
			return anonymous, nil
		}
		return token.Record{}, problemNoToken
	}
	who, err := a.login(remoteAddr(r), header)
	if err != nil {
		return token.Record{}, err
	}
	if !who.Role.Includes(c.role) {
		a.config.Logger.Warn("role does not include the call", "from", remoteAddr(r), "token", who.ID, "role", who.Role, "call", c.method+" "+c.path)
		return who, problemRole
	}
	return who, nil
}

// login accepts a token, unless too many of that address were wrong. Tokens that
// exist are counted one by one: several people may share an address (a proxy's,
// or that of this very machine), and one of them could lock out the others with
// tokens that he makes up.
func (a *API) login(from string, header []string) (token.Record, error) {
	key, known := from, ""
	if len(header) == 1 {
		if id, err := token.ID(bearer(header[0])); err == nil && a.config.Tokens.Knows(id) {
			known = id
			key += " " + id
		}
	}
	a.logins.Lock() // so that no more than the limit are tried at once
	defer a.logins.Unlock()
	if wait := a.failures.full(key); wait > 0 {
		p := *problemLogins
		p.retryAfter = wait
		return token.Record{}, &p
	}
	who, err := a.accept(header)
	if err != nil {
		a.failures.add(key)
		a.config.Logger.Warn("login failed", "from", from, "err", err)
		a.auditLogin(from, known, err)
		return token.Record{}, problemLogin
	}
	return who, nil
}

// accept looks the token of a header up.
func (a *API) accept(header []string) (token.Record, error) {
	if len(header) != 1 {
		return token.Record{}, token.ErrMalformed
	}
	return a.config.Tokens.Accept(bearer(header[0]))
}

// bearer is the token in a header Authorization, empty where it holds another
// kind of secret.
func bearer(header string) string {
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(secret)
}

// remoteAddr is the address of the peer. Headers that claim another one, such
// as X-Forwarded-For, are written by whoever likes to.
func remoteAddr(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr := peer.Addr().Unmap().WithZone("")
	if addr.Is6() { // whoever has one address of a network has them all
		if network, err := addr.Prefix(64); err == nil && !addr.IsLoopback() {
			return network.String()
		}
	}
	return addr.String()
}
