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
func (a *API) authenticate(r *http.Request, c call) (token.Record, error) {
	if a.config.Tokens == nil {
		if c.open {
			return anonymous, nil
		}
		return token.Record{}, problemOff
	}
	header, given := r.Header["Authorization"]
	if !given && c.open && a.config.AnonymousView {
		return anonymous, nil
	}
	from := remoteAddr(r)
	if wait := a.failures.full(from); wait > 0 {
		p := *problemLogins
		p.retryAfter = wait
		return token.Record{}, &p
	}
	who, err := a.accept(header)
	if err != nil {
		a.failures.add(from)
		a.config.Logger.Warn("login failed", "from", from, "err", err)
		return token.Record{}, problemNoToken
	}
	if !who.Role.Includes(c.role) {
		a.config.Logger.Warn("role does not include the call", "from", from, "token", who.ID, "role", who.Role, "call", c.method+" "+c.path)
		return token.Record{}, problemRole
	}
	return who, nil
}

// accept looks the token of a header up.
func (a *API) accept(header []string) (token.Record, error) {
	if len(header) != 1 {
		return token.Record{}, token.ErrMalformed
	}
	scheme, secret, _ := strings.Cut(header[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return token.Record{}, token.ErrMalformed
	}
	return a.config.Tokens.Accept(strings.TrimSpace(secret))
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
