package killapi

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"server-monitor/internal/inventory"
	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// screen is what a client of the stream holds.
type screen struct {
	version uint64
	rows    map[string]string
	total   int
}

// see takes in what a board has for the client.
func (s *screen) see(t *testing.T, b *board) {
	t.Helper()
	updates, now, err := b.since(s.version)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range updates {
		var list struct {
			Total     int
			Processes []json.RawMessage
			Gone      []string
		}
		if err := json.Unmarshal(u.data, &list); err != nil {
			t.Fatal(err)
		}
		if u.name == eventProcesses {
			s.rows = make(map[string]string)
		}
		for _, row := range list.Processes {
			var of struct{ Identity string }
			if err := json.Unmarshal(row, &of); err != nil {
				t.Fatal(err)
			}
			s.rows[of.Identity] = string(row)
		}
		for _, identity := range list.Gone {
			if _, ok := s.rows[identity]; !ok && s.version > 0 {
				// It came and went between two looks, which is fine to hear.
				continue
			}
			delete(s.rows, identity)
		}
		s.total = list.Total
	}
	s.version = now
}

// TestEveryScreenShowsTheSame changes processes at random and lets clients look
// at random: each must end up with what a list would show.
func TestEveryScreenShowsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := new(board)
	screens := []*screen{{}, {}, {}}
	present := map[int]int{} // pid: value
	for round := range 400 {
		for range random.IntN(4) {
			pid := 1 + random.IntN(40)
			if random.IntN(3) == 0 {
				delete(present, pid)
			} else {
				present[pid] = random.IntN(3)
			}
		}
		page := processPage{pageHead: pageHead{page: page{Total: len(present)}}}
		want := map[string]string{}
		for pid, value := range present {
			row := processRow{}
			row.Identity, row.PID, row.Threads = fmt.Sprint("id-", pid), pid, value
			page.Processes = append(page.Processes, row)
			text, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			want[row.Identity] = string(text)
		}
		b.version++
		if err := b.processes.set(&page, b.version); err != nil {
			t.Fatal(err)
		}
		for _, s := range screens {
			if random.IntN(5) == 0 {
				s.see(t, b)
				if !reflect.DeepEqual(s.rows, want) || s.total != len(want) {
					t.Fatalf("round %d: a screen shows %d rows, want %d", round, len(s.rows), len(want))
				}
			}
		}
	}
}

// TestFarBehind has a client that slept while more processes ended than are
// remembered.
func TestFarBehind(t *testing.T) {
	b := new(board)
	set := func(from, to int) {
		page := processPage{}
		for pid := from; pid < to; pid++ {
			row := processRow{}
			row.Identity = fmt.Sprint("id-", pid)
			page.Processes = append(page.Processes, row)
		}
		b.version++
		if err := b.processes.set(&page, b.version); err != nil {
			t.Fatal(err)
		}
	}
	set(0, 10)
	var s screen
	s.see(t, b)
	set(10, maxGone+100)
	set(maxGone+100, maxGone+110)
	s.see(t, b)
	if b.processes.oldest == 0 || len(b.processes.gone) > maxGone {
		t.Errorf("%d that are gone are remembered, from version %d on", len(b.processes.gone), b.processes.oldest)
	}
	if len(s.rows) != 10 {
		t.Errorf("%d rows, want 10", len(s.rows))
	}
}

// TestNothingNew asks twice.
func TestNothingNew(t *testing.T) {
	b := new(board)
	page := processPage{}
	b.version++
	if err := b.processes.set(&page, b.version); err != nil {
		t.Fatal(err)
	}
	_, now, err := b.since(0)
	if err != nil {
		t.Fatal(err)
	}
	if updates, _, _ := b.since(now); len(updates) != 0 {
		t.Errorf("%d updates", len(updates))
	}
}

// BenchmarkBoard renews what the streams of a language show of 2,000 processes, of
// which one in twenty has worked meanwhile.
func BenchmarkBoard(b *testing.B) {
	machine := make([]process.Process, 2000)
	for i := range machine {
		machine[i] = user(10+i, fmt.Sprint("tool", i%50), "/opt/tool/tool", uint16(8000+i%100))
	}
	a := newTestAPI(b, func(c *Config) { c.Inventories = inventoryOf(b, machine) })
	board := a.board(language.English)
	board.collect(b.Context())
	for round := 0; b.Loop(); round++ {
		for i := round % 20; i < len(machine); i += 20 {
			machine[i].CPUSeconds++
		}
		before := board.version
		board.collect(b.Context())
		updates, _, err := board.since(before)
		if err != nil || len(updates) != 1 {
			b.Fatalf("%d updates, %v", len(updates), err)
		}
		b.SetBytes(int64(len(updates[0].data)))
	}
}

// inventoryOf judges processes once.
func inventoryOf(b *testing.B, machine []process.Process) Inventories {
	b.Helper()
	taken, err := fixedInventory{machine}.Take(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return takenInventory{taken}
}

type takenInventory struct{ *inventory.Inventory }

func (t takenInventory) Take(context.Context) (*inventory.Inventory, error) { return t.Inventory, nil }
