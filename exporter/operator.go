package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"

	"server-monitor/collector"
	"server-monitor/internal/logtail"
	"server-monitor/internal/process"
	"server-monitor/internal/resources"
	"server-monitor/internal/terminate"
	"server-monitor/internal/token"
	"server-monitor/killapi"
)

// maxOperators bounds the connections to the operator listener.
const maxOperators = 128

// operator is the listener for people and automation with what is behind it.
type operator struct {
	api        *killapi.API
	terminator *terminate.Terminator // nil where nothing can be ended
	listeners  []net.Listener
	audit      *terminate.FileAuditor // nil without a file
	secret     string                 // the token of the printed link, empty without one
}

// newOperator builds what the flags ask for, nil where it is off.
func (p *parts) newOperator(c *config, set *collector.Set, logger *slog.Logger) (*operator, error) {
	flags := &c.serve.operator
	if flags.off {
		return nil, nil
	}
	o := &operator{}
	ok := false
	defer func() {
		if !ok {
			o.close()
		}
	}()
	api := killapi.Config{
		Inventories: p.keeper, Host: func() *terminate.Host { return p.host }, Services: p.services(c, logger),
		Resources: resources.NewKeeper(gatherResources(set)), AnonymousView: flags.anonymousView || c.tokenFile == "",
		Policy: p.policy, Policies: p.policy.policies(), Language: c.language, Logger: logger,
		Denied: p.denials.Denied, TurnedAway: p.endings.TurnedAway,
	}
	tokens, err := o.tokens(c, logger)
	if err != nil {
		return nil, err
	}
	o.tell(flags, tokens, logger)
	if len(tokens) > 0 {
		api.Tokens, api.Logs = tokens, flags.logs(c.paths.Root)
		if err := o.addTermination(p, c, &api, logger); err != nil {
			return nil, err
		}
	}
	for _, address := range flags.addresses {
		l, err := flags.open(address)
		if err != nil {
			return nil, err
		}
		o.listeners = append(o.listeners, netutil.LimitListener(l, maxOperators))
		api.Hosts = append(api.Hosts, hostsOf(l.Addr(), flags.hosts)...)
	}
	o.api = killapi.New(api)
	ok = true
	return o, nil
}

// tell says what is not served, and why.
func (o *operator) tell(flags *operatorConfig, tokens token.Any, logger *slog.Logger) {
	if len(tokens) == 0 {
		logger.Info("without --operator.token-file the operator listener only shows: no logs, no changes of policy, and nothing can be ended")
	}
	if flags.plain {
		logger.Info("the operator listener is served without TLS: --web.config.file has basic_auth_users, which tokens exclude; " +
			"--operator.config.file gives it a web configuration of its own")
	}
}

// tokens are those that hold: those of the file, and the one of this run that a
// link is printed with.
func (o *operator) tokens(c *config, logger *slog.Logger) (token.Any, error) {
	var all token.Any
	if c.tokenFile != "" {
		keeper, err := token.NewKeeper(token.File{Path: c.tokenFile}, logger)
		if err != nil {
			return nil, misuse{fmt.Errorf("--operator.token-file: %w", err)}
		}
		all = append(all, keeper)
	}
	if c.serve.operator.printLink {
		memory := new(token.Memory)
		o.secret, _ = memory.Create("printed link", token.Operator)
		all = append(all, memory)
	}
	return all, nil
}

// gatherResources reads what the collectors that are on tell of the machine.
// Scrapes that come at the same time share their readings.
func gatherResources(set *collector.Set) resources.Gather {
	names := slices.DeleteFunc(slices.Clone(resources.Collectors), func(name string) bool { return !slices.Contains(set.Names(), name) })
	return func(ctx context.Context) ([]*dto.MetricFamily, error) {
		if len(names) == 0 { // which would select all
			return nil, nil
		}
		selected, err := set.Select(ctx, names, nil)
		if err != nil {
			return nil, err
		}
		registry := prometheus.NewRegistry()
		if err := registry.Register(selected); err != nil {
			return nil, err
		}
		return registry.Gather()
	}
}

// addTermination adds what ends processes, and what keeps account of that.
func (o *operator) addTermination(p *parts, c *config, api *killapi.Config, logger *slog.Logger) error {
	recent := new(terminate.RecentEvents)
	auditors := []terminate.Auditor{terminate.LogAuditor{Handler: logger.Handler()}, recent}
	api.Events = recentEvents{recent}
	if path := c.serve.operator.auditFile; path != "" {
		file, err := terminate.OpenAudit(path, 0, 0)
		if err != nil {
			return misuse{fmt.Errorf("--audit.file: %w", err)}
		}
		o.audit = file
		auditors = append([]terminate.Auditor{file}, auditors...)
		api.Events = file
	}
	auditor := terminate.Auditors(auditors...)
	api.Audit = auditor
	if o.audit != nil {
		unknown, err := o.audit.Settle(context.Background(), auditor)
		if err != nil {
			return fmt.Errorf("--audit.file: %w", err)
		}
		for _, e := range unknown {
			logger.Warn("a request has no known outcome: server-monitor ended during it", "id", e.ID, "pid", e.PID, "name", e.Name, "policy_document", e.Document)
			if e.Document == "" {
				p.endings.Unknown(e.Actor.Kind())
			}
		}
	}
	o.terminator = terminate.New(terminate.Config{
		Process: process.Config{Proc: c.paths.Proc, Root: c.paths.Root}, Policy: p.policy, PolicyRequired: c.policy.required, Audit: auditor,
		Logger: logger, Grace: c.serve.operator.grace, Done: p.observe,
	})
	if obstacle := o.terminator.Obstacle(); obstacle != nil {
		logger.Warn("processes cannot be ended on this server", "code", obstacle.Code, "why", obstacle.Text.English, "detail", obstacle.Detail)
	}
	api.Terminator = o.terminator
	if auto := c.serve.operator.auto; auto != autoOff {
		api.Automation = &killapi.Automation{Enforce: auto == autoEnforce}
	}
	return nil
}

// observe counts a result, once: one that was pending was counted as that, and its
// end tells only how long it took.
func (p *parts) observe(r *terminate.Result) {
	actor := r.Actor.Kind()
	if r.Outcome == terminate.Terminated || r.Outcome == terminate.Killed {
		p.endings.Ended(string(r.Method), r.SoftSeconds+r.HardSeconds)
	}
	if r.Late {
		return
	}
	p.endings.Observe(r.Tally(), string(r.Method), actor)
	if r.Policy.Untrusted {
		p.endings.UntrustedName(actor)
	}
}

// recentEvents gives the events that are kept in memory.
type recentEvents struct{ *terminate.RecentEvents }

// Recent implements [killapi.Events].
func (r recentEvents) Recent(n int) ([]terminate.Event, error) { return r.RecentEvents.Recent(n), nil }

// logs are the logs that may be shown, by name.
func (o *operatorConfig) logs(root string) map[string]logtail.Log {
	files := o.logFiles
	if len(files) == 0 {
		files = usualLogs
	}
	logs := make(map[string]logtail.Log)
	for _, path := range files {
		there := path
		if root != string(filepath.Separator) {
			there = root + path
		}
		logs[path] = logtail.NewFile(there)
	}
	if o.journal {
		journal := logtail.NewJournal(root)
		logs[journal.Name()] = journal
	}
	return logs
}

// hostsOf are the names by which a listener may be called: those that flags
// give, and what its address says of itself.
func hostsOf(addr net.Addr, given []string) []string {
	bound, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return given
	}
	names := append([]string{bound.Addr().WithZone("").String()}, given...)
	switch {
	case bound.Addr().IsLoopback():
		names = append(names, "localhost", "127.0.0.1", "::1")
	case bound.Addr().IsUnspecified():
		names = append(names, "localhost")
		names = append(names, ownNames()...)
	}
	var hosts []string
	port := fmt.Sprint(bound.Port())
	for _, name := range names {
		name = strings.ToLower(name)
		if isAddress := strings.Contains(name, ":") && !strings.HasPrefix(name, "["); isAddress {
			if _, err := netip.ParseAddr(name); err != nil {
				hosts = append(hosts, name) // with a port already
				continue
			}
		}
		hosts = append(hosts, net.JoinHostPort(strings.Trim(name, "[]"), port))
		if port == "443" || port == "80" || isGiven(name, given) {
			hosts = append(hosts, name)
		}
	}
	return hosts
}

// isGiven tells a name that a flag gives: a proxy in front may have another port.
func isGiven(name string, given []string) bool {
	for _, g := range given {
		if strings.EqualFold(g, name) {
			return true
		}
	}
	return false
}

// ownNames are the name and the addresses of this machine.
func ownNames() []string {
	var names []string
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return names
	}
	for _, a := range addresses {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			names = append(names, prefix.Addr().String())
		}
	}
	return names
}

// endpoints are the servers of the operator listener.
func (o *operator) endpoints(flags *operatorConfig) []endpoint {
	file := flags.webConfigFile
	socket := false
	var all []endpoint
	for _, l := range o.listeners {
		all = append(all, endpoint{
			listener: l,
			web:      &web.FlagConfig{WebConfigFile: &file, WebSystemdSocket: &socket},
			server: &http.Server{
				Handler:           withConsole(o.api),
				ReadHeaderTimeout: 5 * time.Second,
				ReadTimeout:       10 * time.Second,
				WriteTimeout:      flags.grace + terminate.DefaultKillWait + 10*time.Second,
				IdleTimeout:       time.Minute,
				MaxHeaderBytes:    16 << 10,
			},
		})
	}
	return all
}

// stop ends the streams and lets terminations that run come to their ends.
func (o *operator) stop(ctx context.Context) error {
	o.api.Close()
	if o.terminator == nil {
		return nil
	}
	return o.terminator.Stop(ctx)
}

// close lets go of listeners and files.
func (o *operator) close() {
	for _, l := range o.listeners {
		l.Close()
	}
	if o.audit != nil {
		o.audit.Close()
	}
}
