package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web"

	"server-monitor/internal/terminate"
)

// defaultOperatorAddress is where people and automation are served.
const defaultOperatorAddress = "127.0.0.1:10043"

// operatorConfig is what the operator listener can be told.
type operatorConfig struct {
	off           bool
	addresses     []string
	webConfigFile string
	insecure      bool
	secure        bool // TLS is configured; check finds out
	plain         bool // the web configuration of metrics has basic authentication; check finds out
	hosts         []string
	anonymousView bool
	printLink     bool
	logFiles      []string
	journal       bool

	grace     time.Duration
	auto      string
	auditFile string
}

// The values of --terminate.auto.
const (
	autoOff     = "off"
	autoDryRun  = "dry-run"
	autoEnforce = "enforce"
)

func (c *config) addOperator(command *kingpin.CmdClause) {
	o := &c.serve.operator
	command.Flag("operator.off", "Do not serve the operator listener.").BoolVar(&o.off)
	repeated(&c.problems, command.Flag("operator.listen-address",
		"Address of the listener for people and automation. Repeatable; replaces "+defaultOperatorAddress+"."),
		&o.addresses, checkAddress)
	command.Flag("operator.config.file", "Web configuration of the operator listener (TLS). Without it that of --web.config.file holds, "+
		"unless it has basic_auth_users.").
		StringVar(&o.webConfigFile)
	command.Flag("operator.insecure", "Serve the operator listener beyond loopback without TLS: whoever is on the way can read tokens and use them.").
		BoolVar(&o.insecure)
	repeated(&c.problems, command.Flag("operator.host",
		"Name, with port where it is not that of the scheme, by which clients may call the operator listener, beside its addresses. Repeatable."),
		&o.hosts, checkHost)
	command.Flag("operator.anonymous-view", "Show processes, services and resources without a token even where there are tokens.").
		BoolVar(&o.anonymousView)
	command.Flag("operator.print-link", "Print an address of the console that holds a token of the role operator, good until server-monitor ends. "+
		"For trying it out: whoever reads the output has the token.").BoolVar(&o.printLink)
	repeated(&c.problems, command.Flag("operator.log-file", "Log file that the operator listener shows. Repeatable; replaces the usual ones."),
		&o.logFiles, checkFolder)
	command.Flag("operator.journal", "Show the journal of systemd.").Default(journalDefault).BoolVar(&o.journal)
	checked(&c.problems, command.Flag("terminate.grace", "How long a process has to obey SIGTERM before SIGKILL.").
		Default(terminate.DefaultGrace.String()), &o.grace, parseGrace)
	checked(&c.problems, command.Flag("terminate.auto", "What alerts may do: off, dry-run (decide, end nothing) or enforce.").
		Default(autoDryRun), &o.auto, parseChoice(autoOff, autoDryRun, autoEnforce))
	command.Flag("audit.file", "File to which every decision on a termination is written, beside the log.").StringVar(&o.auditFile)
}

// parseGrace reads a grace period: never so short that no program can obey, nor
// so long that an answer is lost.
func parseGrace(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 100*time.Millisecond || d > time.Minute {
		return 0, fmt.Errorf("%q is not a duration from 100ms to 1m", text)
	}
	return d, nil
}

// checkAddress tells an address with a port.
func checkAddress(address string) error {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return fmt.Errorf("%q is not host:port", address)
	}
	return nil
}

// checkHost tells a name as in the header Host.
func checkHost(host string) error {
	if host == "" || strings.ContainsAny(host, "/ *?#@") {
		return fmt.Errorf("%q is not a host name", host)
	}
	return nil
}

// check looks at what flags say together.
func (o *operatorConfig) check(p *problems, webConfigFile, tokenFile string) {
	if len(o.addresses) == 0 {
		o.addresses = []string{defaultOperatorAddress}
	}
	if o.off {
		return
	}
	if tokenFile == "" && !o.printLink {
		o.checkWithoutTokens(p)
	}
	if !o.checkWebConfig(p, webConfigFile) || o.secure || o.insecure {
		return
	}
	for _, address := range o.addresses {
		if !isLoopback(address) {
			p.add(fmt.Errorf("--operator.listen-address %s: %w", address, errInTheClear))
		}
	}
}

// checkWithoutTokens refuses what says that processes shall be ended where
// nobody can ask for it.
func (o *operatorConfig) checkWithoutTokens(p *problems) {
	const why = "%s needs --operator.token-file: without tokens nothing can be ended, nor kept account of"
	if o.auditFile != "" {
		p.add(fmt.Errorf(why, "--audit.file"))
	}
	if o.auto == autoEnforce {
		p.add(fmt.Errorf(why, "--terminate.auto=enforce"))
	}
}

// checkWebConfig finds the web configuration that holds, and tells whether it
// can be used. Basic authentication and tokens are both for the header
// Authorization: a configuration with it is for metrics alone.
func (o *operatorConfig) checkWebConfig(p *problems, ofMetrics string) bool {
	file := o.webConfigFile
	if file == "" {
		file = ofMetrics
	}
	secure, basic, err := webSecurity(file)
	switch own := o.webConfigFile != ""; {
	case err != nil && own:
		p.add(fmt.Errorf("--operator.config.file: %w", err))
	case err == nil && basic && own:
		p.add(errors.New("--operator.config.file: basic_auth_users cannot be used together with bearer tokens; " +
			"give the operator listener a web configuration of its own, with TLS alone"))
	case err == nil && basic:
		o.plain = true
	case err == nil:
		o.webConfigFile, o.secure = file, secure
	}
	return err == nil
}

var errInTheClear = errors.New("beyond loopback, tokens would cross the network in the clear; " +
	"configure TLS with --operator.config.file, or accept that with --operator.insecure")

// open opens an address. A name such as localhost may lead elsewhere than its
// looks promise.
func (o *operatorConfig) open(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil && !o.secure && !o.insecure && !isLoopback(l.Addr().String()) {
		l.Close()
		err = errInTheClear
	}
	if err != nil {
		return nil, fmt.Errorf("--operator.listen-address %s: %w", address, err)
	}
	return l, nil
}

// webSecurity tells whether a web configuration turns on TLS and basic
// authentication.
func webSecurity(file string) (tls, basic bool, err error) {
	if file == "" {
		return false, false, nil
	}
	if err := web.Validate(file); err != nil {
		return false, false, err
	}
	return readWebConfig(file)
}

// isLoopback tells an address that only this machine reaches. A name may lead
// anywhere tomorrow; of names only localhost is taken.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
