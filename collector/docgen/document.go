package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"server-monitor/collector"
)

const intro = `# Metrics

<!-- Written by "make generate" from the definitions in collector/. -->

What server-monitor publishes. All names begin with ` + "`server_monitor_`" + `. Which collectors run is up to
` + "`--collector.NAME` and `--no-collector.NAME`" + `; one scrape can be narrowed with ` + "`?collect[]=NAME` or `?exclude[]=NAME`" + `.
`

const outro = `
## The exporter itself

` + "`server_monitor_exporter_build_info`" + ` is 1 and bears the version, the revision and the Go release. The metrics of the
Go client library (` + "`go_*`, `process_*`, `promhttp_*`" + `) tell of the exporter's own process; ` + "`--web.disable-exporter-metrics`" + `
leaves them out.
`

// subjects are the headings of collectors, in the order of the document.
var subjects = []struct{ collector, heading, text string }{
	{"process", "Processes", "Every process is in the sums and in the group of its name and user. Series with a `pid` exist for " +
		"processes worth a row: a verdict other than safe, a listener that others can reach, or much memory " +
		"(`--collector.process.memory-threshold`); `--collector.process.max-pids` bounds them, danger first."},
	{"service", "Services", "Services of systemd, of Windows' service control manager, or of the process table where there is neither. A configured service " +
		"(`--collector.service.name`) is reported where it is absent, too."},
	{"policy", "Policy", "What is known of programs, and where that comes from."},
	{"cpu", "Processors", "With `--collector.cpu.per-core` the seconds bear a label `cpu`, the number of the core."},
	{"memory", "Memory", ""},
	{"load", "Load", ""},
	{"pressure", "Pressure", "Pressure stall information, where the kernel has it (Linux 4.20)."},
	{"filesystem", "File systems", ""},
	{"boot", "Boot", ""},
	{"termination", "Terminations", "Requests to end a process, over the operator listener. The counters are there from the start; the " +
		"histogram, which has classic and native buckets, from the first termination on. `outcome_unknown` is counted two minutes after the start, so that it is seen to rise."},
	{"operator", "Operator listener", "Whom it turns away. Terminations that a guard or policy refuses are counted above."},
	{"", "Scrapes", "How each collector fared in the scrape."},
}

// labels say what the values of a label are. A key with a collector's name
// before it holds for that one alone.
var labels = map[string]string{
	"actor":    "`operator` or `automation`",
	"category": "what kind of program it is, as policy says; empty for an unknown one",
	"code": "code of the answer: `too-many-terminations`, `failed` (the processes could not be examined), `identity-missing`, " +
		"`identity-malformed`, `identity-mismatch`, `other-server` (an alert about a process of another), `condition-gone` (what an alert " +
		"says is no longer so) or `too-large`",
	"collector":     "name of the collector",
	"description":   "role of the program in the language of `--language`",
	"device":        "what is mounted",
	"exe":           "path of the executable, escaped; empty where it may not be read",
	"expected":      "`true` where policy calls the warning normal for the program",
	"fact":          "which fact could not be read",
	"fstype":        "type of the file system",
	"identity":      "opaque name of this very process, which a later process with the same pid does not bear",
	"known":         "`true` where policy describes the program",
	"method":        "how it was ended: `soft` (SIGTERM), `hard` (SIGKILL) or `none`",
	"mode":          "what the time was spent on, as in proc_stat(5)",
	"mountpoint":    "where it is mounted",
	"pid":           "process id",
	"port":          "port number",
	"port_name":     "service that the port is known for; empty for others",
	"process/name":  "name of the program",
	"process/state": "state of the scheduler",
	"policy/source": "where documents come from",
	"protected":     "`true` where policy calls it a part of the system or forbids to end it",
	"protocol":      "`tcp` or `udp`",
	"reason": "code of the answer; `failed-login` for a token that did not hold, `unauthorized` without one, `off` where no token file is " +
		"configured",
	"result": "`terminated`, `killed`, `kill_pending`, `already_exited`, `would_terminate` (a dry run), `refused`, `failed` (nothing stood in the " +
		"way, but the system did not let it happen, or the process went on after SIGTERM) or `outcome_unknown` (server-monitor ended during it)",
	"scope":              "from where peers can come: `loopback`, `private` or `public`",
	"service/name":       "name of the service without .service",
	"service/account":    "account that the service runs as",
	"service/start_type": "`auto`, `delayed-auto`, `demand` or `disabled`",
	"service/source":     "who tells: `systemd`, `scm` (Windows) or `process`",
	"service/state": "`active`, `idle`, `activating`, `deactivating`, `reloading`, `inactive`, `failed`, " +
		"`not_found` or `unsupported`",
	"severity":     "`info`, `warn` or `danger`",
	"subject":      "what the warning is about: a port, a path, a name",
	"terminatable": "`true` where neither a guard nor policy forbids to end it",
	"unit":         "systemd unit or container that it belongs to",
	"user":         "name of the effective user, or the uid where it has none",
	"verdict":      "`safe`, `caution` or `danger`",
	"version":      "fingerprint of the policy",
	"warning":      "code of the warning",
}

// document writes the reference. It fails for a collector without a heading
// and for a label without a meaning.
func document(definitions []collector.Definition) ([]byte, error) {
	by := make(map[string][]collector.Definition)
	for _, d := range definitions {
		by[d.Collector] = append(by[d.Collector], d)
	}
	var b bytes.Buffer
	b.WriteString(intro)
	for _, subject := range subjects {
		if err := section(&b, subject.heading, subject.text, by[subject.collector]); err != nil {
			return nil, err
		}
		delete(by, subject.collector)
	}
	if len(by) > 0 {
		return nil, fmt.Errorf("no heading for collector %q", slices.Sorted(maps.Keys(by))[0])
	}
	b.WriteString(outro)
	return b.Bytes(), nil
}

// section writes the metrics of one collector and the labels they bear.
func section(b *bytes.Buffer, heading, text string, definitions []collector.Definition) error {
	if len(definitions) == 0 {
		return fmt.Errorf("no metrics below %q", heading)
	}
	fmt.Fprintf(b, "\n## %s\n\n", heading)
	if text != "" {
		fmt.Fprintf(b, "%s\n\n", text)
	}
	b.WriteString("| metric | type | labels | meaning |\n|---|---|---|---|\n")
	meanings := make(map[string]string)
	for _, d := range definitions {
		for _, label := range d.Labels {
			meaning, err := meaningOf(d.Collector, label)
			if err != nil {
				return fmt.Errorf("%s: %w", d.Name, err)
			}
			meanings[label] = meaning
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", code(d.Name), strings.ToLower(d.Type.String()),
			code(d.Labels...), strings.ReplaceAll(d.Help, "|", `\|`))
	}
	if len(meanings) > 0 {
		b.WriteString("\n| label | values |\n|---|---|\n")
	}
	for _, label := range slices.Sorted(maps.Keys(meanings)) {
		fmt.Fprintf(b, "| %s | %s |\n", code(label), meanings[label])
	}
	return nil
}

func meaningOf(collector, label string) (string, error) {
	if meaning, ok := labels[collector+"/"+label]; ok {
		return meaning, nil
	}
	if meaning, ok := labels[label]; ok {
		return meaning, nil
	}
	return "", fmt.Errorf("label %q has no meaning", label)
}

// code sets words in the type of code.
func code(words ...string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = "`" + word + "`"
	}
	return strings.Join(quoted, ", ")
}
