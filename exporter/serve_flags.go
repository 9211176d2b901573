package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"server-monitor/collector"
	"server-monitor/internal/service"
)

const serveCommand = "serve"

// defaultAddress is where metrics are served.
const defaultAddress = ":10042"

// serveConfig is what the command serve can be told.
type serveConfig struct {
	web                    *web.FlagConfig            // those of the command that runs
	webs                   map[string]*web.FlagConfig // by command
	telemetryPath          string
	disableExporterMetrics bool
	maxRequests            int
	timeoutOffset          time.Duration

	disableDefaults bool
	enabled         map[string]*collectorFlag

	perCore         bool
	mountsExclude   *regexp.Regexp
	fsTypesExclude  *regexp.Regexp
	mountTimeout    time.Duration
	unitInclude     *regexp.Regexp
	unitExclude     *regexp.Regexp
	services        []string
	expected        []string // of the services
	memoryThreshold float64
	maxPIDs         int
	groups          []string
	maxGroups       int

	operator operatorConfig
}

// collectorFlag is --collector.NAME.
type collectorFlag struct{ on, given bool }

// collectorHelp says what each collector tells.
var collectorHelp = map[string]string{
	"boot":        "the time of the last start",
	"cpu":         "processor time by mode",
	"filesystem":  "how full file systems are",
	"load":        "load averages",
	"memory":      "memory and swap",
	"operator":    "whom the operator listener turns away",
	"policy":      "which policy holds and how it fares",
	"pressure":    "pressure stall information (Linux 4.20)",
	"process":     "processes, their warnings and verdicts",
	"service":     "states of services",
	"termination": "what became of terminations",
}

func (c *config) addServe(app *kingpin.Application) {
	command := app.Command(serveCommand, "Serve metrics for Prometheus (default).").Default()
	c.commands[serveCommand] = serve
	c.addServeFlags(command)
}

// addServeFlags adds the flags of serve to a command that serves, or looks at
// what would be served. They share what they fill, as one command runs; only
// the toolkit's flags are made anew for each.
func (c *config) addServeFlags(command *kingpin.CmdClause) {
	s := &c.serve
	s.webs[command.FullCommand()] = kingpinflag.AddFlags(command, defaultAddress)
	command.Flag("web.telemetry-path", "Path under which to serve metrics.").Default("/metrics").StringVar(&s.telemetryPath)
	command.Flag("web.disable-exporter-metrics", "Leave out metrics about the exporter itself (promhttp_*, process_*, go_*).").
		BoolVar(&s.disableExporterMetrics)
	checked(&c.problems, command.Flag("web.max-requests", "How many scrapes may run at once, 0 for any number.").
		Default("40"), &s.maxRequests, parseCount(0))
	checked(&c.problems, command.Flag("web.timeout-offset",
		"How long before the scrape timeout that Prometheus announces collectors are cut off.").
		Default("500ms"), &s.timeoutOffset, parseDuration)
	command.Flag("collector.disable-defaults", "Switch off all collectors that are not switched on by a flag.").
		BoolVar(&s.disableDefaults)
	for _, name := range slices.Sorted(maps.Keys(collectorHelp)) {
		if s.enabled[name] == nil {
			s.enabled[name] = new(collectorFlag)
		}
		f := s.enabled[name]
		command.Flag("collector."+name, "Collect "+collectorHelp[name]+".").Default("true").IsSetByUser(&f.given).BoolVar(&f.on)
	}
	c.addCollectorFlags(command)
	c.addOperator(command)
}

// addCollectorFlags adds what single collectors can be told.
func (c *config) addCollectorFlags(command *kingpin.CmdClause) {
	s := &c.serve
	command.Flag("collector.cpu.per-core", "Tell the time of each core instead of their sum.").BoolVar(&s.perCore)
	checked(&c.problems, command.Flag("collector.filesystem.mount-points-exclude", "Mount points to leave out (regular expression).").
		Default(collector.DefaultMountPointsExclude), &s.mountsExclude, parsePattern)
	checked(&c.problems, command.Flag("collector.filesystem.fs-types-exclude", "Types of file systems to leave out (regular expression).").
		Default(collector.DefaultFSTypesExclude), &s.fsTypesExclude, parsePattern)
	checked(&c.problems, command.Flag("collector.filesystem.mount-timeout", "How long to wait for file systems to answer.").
		Default(collector.DefaultMountTimeout.String()), &s.mountTimeout, parseDuration)
	checked(&c.problems, command.Flag("collector.service.unit-include", "Services to report (anchored regular expression on unit names).").
		Default(".+"), &s.unitInclude, parseAnchored)
	checked(&c.problems, command.Flag("collector.service.unit-exclude", "Services to leave out (anchored regular expression on unit names).").
		Default(""), &s.unitExclude, parseAnchored)
	repeated(&c.problems, command.Flag("collector.service.name",
		"Service that is reported even where it is absent. Repeatable; replaces "+strings.Join(service.DefaultConfigured, ", ")+"."),
		&s.services, checkName)
	checked(&c.problems, command.Flag("collector.process.memory-threshold",
		"Part of the machine's memory from which on a process has series of its own.").
		Default(fmt.Sprint(collector.DefaultMemoryThreshold)), &s.memoryThreshold, parseRatio)
	checked(&c.problems, command.Flag("collector.process.max-pids", "How many processes may have series of their own.").
		Default(fmt.Sprint(collector.DefaultMaxPIDs)), &s.maxPIDs, parseCount(0))
	repeated(&c.problems, command.Flag("collector.process.group",
		"Name of a program whose group is reported as 0 where none runs. Repeatable."), &s.groups, checkName)
	checked(&c.problems, command.Flag("collector.process.max-groups", "How many groups of processes may have series of their own.").
		Default(fmt.Sprint(collector.DefaultMaxGroups)), &s.maxGroups, parseCount(1))
}

// checkName tells a name from what cannot be one.
func checkName(name string) error {
	if name == "" || strings.ContainsAny(name, "/ \t\n") {
		return fmt.Errorf("%q is not a name", name)
	}
	return nil
}

// check looks at what flags of a command say together.
func (s *serveConfig) check(p *problems, command, tokenFile string) {
	s.web = s.webs[command]
	s.expected = s.services
	if len(s.services) == 0 {
		s.services, s.expected = service.DefaultConfigured, service.DefaultExpected
	}
	if !isTelemetryPath(s.telemetryPath) {
		p.add(fmt.Errorf("--web.telemetry-path: %q must begin with a slash, and be neither / nor below /-/, of letters, digits, and ./_-", s.telemetryPath))
	}
	for _, address := range *s.web.WebListenAddresses {
		if strings.Contains(address, "://") { // vsock
			continue
		}
		if err := checkAddress(address); err != nil {
			p.add(fmt.Errorf("--web.listen-address: %w", err))
		}
	}
	if err := web.Validate(*s.web.WebConfigFile); err != nil {
		p.add(fmt.Errorf("--web.config.file: %w", err))
	}
	s.operator.check(p, *s.web.WebConfigFile, tokenFile)
	if len(s.collectors()) == 0 {
		p.add(errors.New("--collector.disable-defaults: no collector is left"))
	}
}

// collectors lists the collectors that are switched on.
func (s *serveConfig) collectors() map[string]bool {
	on := make(map[string]bool)
	for name, f := range s.enabled {
		if f.on && (f.given || !s.disableDefaults) {
			on[name] = true
		}
	}
	return on
}

var telemetryPath = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)+$`)

// isTelemetryPath tells a path that no other page has.
func isTelemetryPath(path string) bool {
	return telemetryPath.MatchString(path) && !strings.HasPrefix(path, "/-/")
}
