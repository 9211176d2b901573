package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// parseSeries reads all series of a page, none of which may be there twice.
func parseSeries(page io.Reader) (map[string]float64, error) {
	values := map[string]float64{}
	lines := bufio.NewScanner(page)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			return nil, fmt.Errorf("line %q", line)
		}
		if _, ok := values[line[:at]]; ok {
			return nil, fmt.Errorf("%s is there twice", line[:at])
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, err
		}
		values[line[:at]] = value
	}
	return values, lines.Err()
}

// The series that every process with a row has, beside process_info.
var rowMetrics = [...]string{
	"verdict", "cpu_seconds_total", "resident_memory_bytes", "memory_ratio", "start_time_seconds", "threads",
}

// scrapeSums is what is added up of one scrape.
type scrapeSums struct {
	judged, states, members, threads, groupThreads float64
	infos                                          int
	// rows are the labels of each of rowMetrics.
	rows map[string][]string
}

// agree checks what must hold between series of one scrape.
func agree(values map[string]float64) error {
	sums, err := sumUp(values)
	if err != nil {
		return err
	}
	switch {
	case sums.states != sums.members:
		return fmt.Errorf("%v processes by state, but %v in groups", sums.states, sums.members)
	case sums.threads != sums.groupThreads:
		return fmt.Errorf("%v threads, but %v in groups", sums.threads, sums.groupThreads)
	case sums.judged > sums.states || sums.judged < soakProcesses:
		return fmt.Errorf("%v processes judged of %v", sums.judged, sums.states)
	}
	want := sums.rows[rowMetrics[0]]
	slices.Sort(want)
	if len(want) != sums.infos {
		return fmt.Errorf("%d rows, but %d verdicts", sums.infos, len(want))
	}
	for _, name := range rowMetrics[1:] {
		got := sums.rows[name]
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("process_%s is there for %d processes, process_%s for %d, or for others", name, len(got), rowMetrics[0], len(want))
		}
	}
	return nil
}

func sumUp(values map[string]float64) (scrapeSums, error) {
	sums := scrapeSums{rows: map[string][]string{}}
	for series, value := range values {
		name, labels, _ := strings.Cut(series, "{")
		name, ours := strings.CutPrefix(name, "server_monitor_")
		if !ours {
			continue
		}
		switch name {
		case "scrape_collector_success":
			if value != 1 {
				return sums, fmt.Errorf("%s %v", series, value)
			}
		case "process_info":
			sums.infos++
		case "processes":
			sums.judged += value
		case "processes_state":
			sums.states += value
		case "process_group_processes":
			sums.members += value
		case "threads":
			sums.threads = value
		case "process_group_threads":
			sums.groupThreads += value
		}
		if row, ok := strings.CutPrefix(name, "process_"); ok && slices.Contains(rowMetrics[:], row) {
			sums.rows[row] = append(sums.rows[row], labels)
		}
	}
	return sums, nil
}

// follow checks that no counter of ours is less than in the scrape before. The
// kernel's own time of waiting for disks may be (proc_stat(5)).
func follow(before, now map[string]float64) error {
	for _, series := range slices.Sorted(maps.Keys(now)) {
		name, labels, _ := strings.Cut(series, "{")
		last, ok := before[series]
		if !ok || !strings.HasPrefix(name, "server_monitor_") || !strings.HasSuffix(name, "_total") || strings.Contains(labels, `"iowait"`) {
			continue
		}
		if now[series] < last {
			return fmt.Errorf("%s fell from %v to %v", series, last, now[series])
		}
	}
	return nil
}
