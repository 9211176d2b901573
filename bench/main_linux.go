package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// options are what a run can be told.
type options struct {
	binary   string
	counts   []int
	rounds   int
	churn    int
	rows     string
	peers    bool
	markdown bool
	scenario string
	seconds  int
	// descriptors limits those of the monitor in the soak, 0 for no limit.
	descriptors int
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] { // what the program starts of itself
		case "work":
			fail(work(os.Args[2:]))
			return
		case "subject":
			fail(serveSubject(os.Args[2:]))
			return
		}
	}
	o, err := parseOptions()
	fail(err)
	if os.Getpid() != 1 {
		fail(enterNamespaces())
		return
	}
	fail(prepareNamespaces())
	switch o.scenario {
	case "table":
		fail(measureAll(o))
	case "soak":
		fail(soak(o))
	case "fleet":
		fail(fleet(o))
	default:
		fail(fmt.Errorf("-scenario: %q is not table, soak or fleet", o.scenario))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseOptions() (options, error) {
	var o options
	var counts string
	flag.StringVar(&o.scenario, "scenario", "table", "what to do: table, soak or fleet")
	flag.StringVar(&o.binary, "binary", "build/server-monitor", "the server-monitor to measure")
	flag.StringVar(&counts, "processes", "300,3000,10000", "how many processes, by commas")
	flag.IntVar(&o.rounds, "rounds", 10, "how often everything is asked, without and with churn each")
	flag.IntVar(&o.churn, "churn", 5, "how many processes in a hundred end and start between two rounds with churn")
	flag.StringVar(&o.rows, "rows", "few", "how many processes are worth series of their own: few, or many, which is more than the limit")
	flag.BoolVar(&o.peers, "peers", true, "measure other programs too")
	flag.BoolVar(&o.markdown, "markdown", false, "print the tables as Markdown, for docs/performance.md")
	flag.IntVar(&o.seconds, "seconds", 60, "how long to soak, or to watch the fleet")
	flag.IntVar(&o.descriptors, "descriptors", 0, "how many descriptors the monitor may have in the soak, 0 for as many as there are")
	flag.Parse()
	for text := range strings.SplitSeq(counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 10 {
			return o, fmt.Errorf("-processes: %q is not a number from 10 on", text)
		}
		o.counts = append(o.counts, n)
	}
	if o.rows != "few" && o.rows != "many" {
		return o, fmt.Errorf("-rows: %q is not few or many", o.rows)
	}
	if o.rounds < 1 || o.seconds < 1 {
		return o, errors.New("-rounds and -seconds begin at 1")
	}
	return o, nil
}
