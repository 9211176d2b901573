package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/risk"
)

// Style says whether a table is coloured.
type Style bool

// The styles.
const (
	Plain    Style = false
	Coloured Style = true
)

// The colours of ECMA-48, 8.3.117 (SGR).
const (
	red    = "31"
	yellow = "33"
	green  = "32"
	dim    = "2"
	bold   = "1"
)

// paint puts text in a colour.
func (s Style) paint(colour, text string) string {
	if s == Plain || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// portsShown is how many ports of a process a row names.
const portsShown = 5

// WriteTable prints a report for people: a line of figures for each process,
// below it what the process is for, what was found and what to do.
func WriteTable(w io.Writer, r *Report, l language.Language, style Style) error {
	out := bufio.NewWriter(w)
	words := headings.in(l)
	fmt.Fprintf(out, "%s  %s\n", words.summary(r), style.paint(dim, r.Taken.Format(time.DateTime)))
	if r.PolicyState == policy.Degraded || r.PolicyState == policy.NeverReached {
		fmt.Fprintln(out, words.outage[r.PolicyState])
	}
	if r.UnownedSockets > 0 {
		fmt.Fprintf(out, words.unowned+"\n", r.UnownedSockets)
	}
	cells := make([][]string, 0, len(r.Processes)+1)
	cells = append(cells, words.columns)
	for i := range r.Processes {
		cells = append(cells, r.Processes[i].cells(r.Taken, words))
	}
	lines := align(cells)
	fmt.Fprintf(out, "\n   %s\n", style.paint(bold, lines[0]))
	for i := range r.Processes {
		p := &r.Processes[i]
		fmt.Fprintf(out, "%s %s\n", p.verdict.Dot(), style.paint(colourOf(p.Verdict), lines[i+1]))
		if i+1 < len(r.Processes) && p.isLike(&r.Processes[i+1]) {
			continue // one explanation is enough for all of them
		}
		p.writeExplanation(out, words, style)
	}
	return out.Flush()
}

// isLike tells a process of which nothing else can be said than of this one.
func (p *Process) isLike(other *Process) bool {
	return p.Name == other.Name && p.Verdict == other.Verdict && p.Role == other.Role &&
		slices.Equal(p.Unseen, other.Unseen) &&
		slices.EqualFunc(p.Findings, other.Findings, func(a, b risk.Finding) bool {
			return a.Warning == b.Warning && a.Expected == b.Expected
		})
}

// cells are the figures of a process, as text.
func (p *Process) cells(now time.Time, words *words) []string {
	cpu := 0.0
	if age := now.Sub(p.StartTime).Seconds(); age > 0 {
		cpu = p.CPUSeconds / age
	}
	ports, more := p.Ports(portsShown)
	listed := strings.Join(ports, ",")
	if more > 0 {
		listed += " " + fmt.Sprintf(words.more, more)
	}
	if listed == "" {
		listed = "-"
	}
	return []string{
		p.Name, strconv.Itoa(p.PID), p.User, fmt.Sprintf("%.1f%%", 100*cpu),
		fmt.Sprintf("%s %.1f%%", bytesText(p.ResidentBytes), 100*p.MemoryRatio), listed,
	}
}

// writeExplanation prints what is behind the verdict.
func (p *Process) writeExplanation(out io.Writer, words *words, style Style) {
	fmt.Fprintf(out, "     %s\n", style.paint(dim, p.Role))
	for _, f := range p.Findings {
		expected := ""
		if f.Expected {
			expected = " " + words.expected
		}
		fmt.Fprintf(out, "     %s%s: %s\n", style.paint(colourOfFinding(f), f.Warning), expected, f.Text)
		if !f.Expected && f.Advice != "" {
			fmt.Fprintf(out, "       → %s\n", f.Advice)
		}
	}
	if len(p.Unseen) > 0 {
		fmt.Fprintf(out, "     %s\n", style.paint(dim, fmt.Sprintf(words.unseen, strings.Join(p.Unseen, ", "))))
	}
}

func colourOf(verdict string) string {
	switch verdict {
	case risk.Dangerous.String():
		return red
	case risk.Caution.String():
		return yellow
	}
	return green
}

func colourOfFinding(f risk.Finding) string {
	switch {
	case f.Expected:
		return dim
	case f.Severity == risk.Danger.String():
		return red
	case f.Severity == risk.Warn.String():
		return yellow
	}
	return dim
}

// bytesText is an amount of memory with a binary prefix.
func bytesText(n uint64) string {
	value, unit := float64(n)/(1<<20), "MiB"
	if value >= 1024 {
		value, unit = value/1024, "GiB"
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}
