package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// manual puts right what kingpin's manual page lacks: its heading has the whole
// of the version's text, and its name no description, by which whatis(1) finds
// it (man-pages(7)).
func manual(page, version string, date time.Time) (string, error) {
	_, rest, ok := strings.Cut(page, ".SH \"NAME\"\n")
	if !ok {
		return "", errors.New("manual: no section NAME")
	}
	_, rest, ok = strings.Cut(rest, ".SH ")
	if !ok {
		return "", errors.New("manual: no section after NAME")
	}
	head := fmt.Sprintf(".TH SERVER-MONITOR 1 %q %q \"User Commands\"\n.SH NAME\nserver-monitor \\- %s\n.SH ",
		date.Format(time.DateOnly), "server-monitor "+version, "tells what runs on a server, whether it is dangerous, and why")
	return head + rest + manualEnd, nil
}

// manualEnd is what a manual page has behind its commands.
const manualEnd = `.SH "EXIT STATUS"
.TP
.B 0
All went well.
.TP
.B 1
A command could not go on, or what --fail-on of scan, doctor or policy validate look for was found.
.TP
.B 2
Flags or arguments are wrong.
.SH FILES
.TP
.I /etc/default/server-monitor, /etc/sysconfig/server-monitor
Flags of the service, on Debian and on Rocky Linux, in SERVER_MONITOR_OPTS.
.TP
.I /etc/server-monitor
Tokens and the connection string of the database; only root may see them.
.TP
.I /usr/share/doc/server-monitor/examples/termination.conf
Drop-in of systemd that lets operators end processes.
.SH "SEE ALSO"
.BR systemctl (1),
.BR journalctl (1),
.BR capabilities (7)
`

// changelog is Debian's changelog of a package (deb-changelog(5)).
func changelog(version, maintainer string, date time.Time) string {
	return fmt.Sprintf("server-monitor (%s-1) stable; urgency=medium\n\n  * Release %s; CHANGELOG.md of the source tells what is new.\n\n"+
		" -- %s  %s\n",
		strings.Replace(version, "-", "~", 1), version, maintainer, date.Format(time.RFC1123Z))
}
