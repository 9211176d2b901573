package killapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"server-monitor/internal/language"
	"server-monitor/internal/report"
)

// board is what the streams of one language show. It is renewed when one of them
// asks, once for all that ask at the same time, and each stream is sent what
// changed since it was last.
type board struct {
	api      *API
	language language.Language
	flights  singleflight.Group

	mu      sync.Mutex
	renewed time.Time
	// version counts the renewals, from 1 on.
	version   uint64
	processes processBoard
	services  cell
	resources cell
}

// cell is one event's data, with the version in which it changed.
type cell struct {
	name    string // of the event; that of a problem where it could not be read
	data    []byte
	changed uint64
}

// set takes in data.
func (c *cell) set(name string, data []byte, version uint64) {
	if c.name != name || !bytes.Equal(c.data, data) {
		*c = cell{name, data, version}
	}
}

// renewLimit ends a renewal that no stream waits for any more.
const renewLimit = 20 * time.Second

// renew collects anew what is older than age.
func (b *board) renew(ctx context.Context, age time.Duration) error {
	b.mu.Lock()
	fresh := b.version > 0 && time.Since(b.renewed) < age
	b.mu.Unlock()
	if fresh {
		return nil
	}
	flight := b.flights.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewLimit)
		defer cancel()
		b.collect(ctx)
		return nil, nil
	})
	select {
	case <-flight:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// collect reads everything and notes what changed.
func (b *board) collect(ctx context.Context) {
	var processes processPage
	var services, machine []byte
	var processErr, serviceErr, machineErr error
	var read sync.WaitGroup
	read.Go(func() {
		processErr = unharmed(func() (err error) { processes, err = b.api.allProcesses(ctx, b.language); return err })
	})
	read.Go(func() {
		serviceErr = unharmed(func() (err error) { services, err = b.api.serviceData(ctx, b.language); return err })
	})
	read.Go(func() {
		machineErr = unharmed(func() (err error) { machine, err = b.api.resourceData(ctx); return err })
	})
	read.Wait()

	b.mu.Lock()
	defer b.mu.Unlock()
	b.version++
	b.renewed = time.Now()
	if processErr == nil {
		processErr = b.processes.set(&processes, b.version)
	}
	b.set(&b.processes.problem, eventProcesses, nil, processErr)
	b.set(&b.services, eventServices, services, serviceErr)
	b.set(&b.resources, eventResources, machine, machineErr)
}

// unharmed keeps a panic in what it calls from ending the program, which it would
// outside of the goroutine of a request.
func unharmed(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// set takes in the data of an event, or why there is none. What the server does
// not offer is no problem.
func (b *board) set(c *cell, event string, data []byte, err error) {
	switch {
	case err == nil && data != nil:
		c.set(event, data, b.version)
	case err == nil, errors.Is(err, problemNotOffered):
		c.set("", nil, b.version)
	default:
		if c.name != eventProblem {
			b.api.config.Logger.Error("stream cannot show everything", "about", event, "err", err)
		}
		c.set(eventProblem, streamProblem{event, "unavailable", textUnavailable.In(b.language)}.json(), b.version)
	}
}

var textUnavailable = language.Text{
	English: "It cannot be read; the log of server-monitor says why.",
	Korean:  "정보를 읽을 수 없습니다. 원인은 server-monitor 로그를 확인하십시오.",
}

// The events of the stream of the console.
const (
	eventProcesses = "processes"
	eventChanges   = "changes"
	eventServices  = "services"
	eventResources = "resources"
)

// streamProblem is the data of a problem in a stream.
type streamProblem struct {
	// About is the event that cannot be sent.
	About string `json:"about"`
	Code  string `json:"code"`
	Text  string `json:"text"`
}

func (p streamProblem) json() []byte {
	text, _ := json.Marshal(p) // of texts alone
	return text
}

// update is one event to send.
type update struct {
	name string
	data []byte
}

// since gives what changed after a version, all of it where that is 0, and the
// version that it leads to.
func (b *board) since(version uint64) (updates []update, now uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range [...]*cell{&b.resources, &b.services, &b.processes.problem} {
		if c.changed > version && c.name != "" {
			updates = append(updates, update{c.name, c.data})
		}
	}
	u, err := b.processes.since(version)
	if err != nil {
		return nil, 0, err
	}
	if u != nil {
		updates = append(updates, *u)
	}
	return updates, b.version, nil
}

// processBoard holds the processes of a board.
type processBoard struct {
	problem cell
	head    pageHead
	changed uint64      // the version in which anything of it changed
	order   []*boardRow // as lists have them
	rows    map[string]*boardRow
	gone    []goneRow // oldest first
	// oldest is the first version after which all that are gone are known.
	oldest uint64
}

// boardRow is a process as JSON, with the version in which it changed.
type boardRow struct {
	identity string
	text     json.RawMessage
	changed  uint64
}

// goneRow is a process that has ended.
type goneRow struct {
	identity string
	version  uint64
}

// maxGone bounds how many of the processes that ended are remembered. A stream
// that is behind further is sent everything.
const maxGone = 4096

// set takes in a list of all processes.
func (p *processBoard) set(page *processPage, version uint64) error {
	if p.rows == nil {
		p.rows = make(map[string]*boardRow, len(page.Processes))
	}
	head := page.pageHead
	head.Taken = p.head.Taken // that alone is no news
	news := p.changed == 0 || !reflect.DeepEqual(head, p.head)
	order := make([]*boardRow, len(page.Processes))
	for i := range page.Processes {
		text, err := json.Marshal(&page.Processes[i])
		if err != nil {
			return fmt.Errorf("encode process: %w", err)
		}
		identity := page.Processes[i].Identity
		row := p.rows[identity]
		if row == nil || !bytes.Equal(row.text, text) {
			row = &boardRow{identity, text, version}
			p.rows[identity] = row
			news = true
		}
		order[i] = row
	}
	present := make(map[string]bool, len(order))
	for _, row := range order {
		present[row.identity] = true
	}
	for identity := range p.rows {
		if !present[identity] {
			delete(p.rows, identity)
			p.gone = append(p.gone, goneRow{identity, version})
			news = true
		}
	}
	for len(p.gone) > maxGone {
		p.oldest = p.gone[0].version
		p.gone = p.gone[1:]
	}
	if news {
		p.order, p.head, p.changed = order, page.pageHead, version
	}
	return nil
}

// fullList is the data of the event processes: what GET /processes answers with,
// without an end.
type fullList struct {
	pageHead
	Processes []json.RawMessage `json:"processes"`
}

// changeList is the data of the event changes.
type changeList struct {
	pageHead
	// Processes are those that are new or look different.
	Processes []json.RawMessage `json:"processes"`
	// Gone are the identities of those that have ended.
	Gone []string `json:"gone"`
}

// since makes the event that leads from a version to the present one, nil where
// there is none.
func (p *processBoard) since(version uint64) (*update, error) {
	if p.changed == 0 || p.changed <= version {
		return nil, nil
	}
	rows := []json.RawMessage{}
	if version == 0 || version < p.oldest {
		for _, row := range p.order {
			rows = append(rows, row.text)
		}
		data, err := json.Marshal(fullList{p.head, rows})
		return &update{eventProcesses, data}, err
	}
	for _, row := range p.order {
		if row.changed > version {
			rows = append(rows, row.text)
		}
	}
	gone := []string{}
	for _, g := range p.gone {
		if _, back := p.rows[g.identity]; g.version > version && !back {
			gone = append(gone, g.identity)
		}
	}
	slices.SortFunc(gone, strings.Compare)
	data, err := json.Marshal(changeList{p.head, rows, slices.Compact(gone)})
	return &update{eventChanges, data}, err
}

// allProcesses is the list that GET /processes gives, without an end.
func (a *API) allProcesses(ctx context.Context, l language.Language) (processPage, error) {
	taken, err := a.config.Inventories.Take(ctx)
	if err != nil {
		return processPage{}, err
	}
	all := report.New(taken, l)
	return a.page(taken, all, all.Processes, 0, len(all.Processes)), nil
}

// serviceData is the answer of GET /services.
func (a *API) serviceData(ctx context.Context, l language.Language) ([]byte, error) {
	page, err := a.allServices(ctx, l)
	if err != nil {
		return nil, err
	}
	return json.Marshal(page)
}

// resourceData is the answer of GET /resources.
func (a *API) resourceData(ctx context.Context) ([]byte, error) {
	if a.config.Resources == nil {
		return nil, problemNotOffered
	}
	taken, err := a.config.Resources.Take(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(taken)
}
