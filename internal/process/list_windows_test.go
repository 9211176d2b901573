package process

import (
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// TestProcessList finds this very process in the list of the machine, and with
// it what the handle of a process tells too.
func TestProcessList(t *testing.T) {
	var list processList
	text, err := list.read()
	if err != nil {
		t.Fatal(err)
	}
	var own *rawProcess
	pids := map[int]bool{}
	err = parseProcesses(text, func(p *rawProcess) {
		if pids[p.pid] {
			t.Errorf("pid %d is there twice", p.pid)
		}
		pids[p.pid] = true
		if p.pid == os.Getpid() {
			found := *p
			own = &found
		}
	})
	if err != nil || own == nil {
		t.Fatalf("%v, found %v", err, own)
	}
	if want := createdOf(t, windows.CurrentProcess()); own.created != want {
		t.Errorf("created %d, the process itself says %d", own.created, want)
	}
	if age := time.Since(timeOf(own.created)); age < 0 || age > time.Hour {
		t.Errorf("is %v old", age)
	}
	if own.threads < 1 || own.workingSet == 0 || len(own.name) == 0 {
		t.Errorf("%+v", own)
	}
}

func createdOf(t *testing.T, h windows.Handle) uint64 {
	t.Helper()
	created, err := createdAt(h)
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// listOf lays out a list of processes as Windows does, each with its threads.
func listOf(processes ...[]rawThread) []byte {
	words := make([]uint64, 0, 1024)
	for i, threads := range processes {
		size := (rawProcessSize + len(threads)*rawThreadSize + 7) &^ 7
		words = append(words, make([]uint64, size/8)...)
		entry := words[len(words)-size/8:]
		info := (*windows.SYSTEM_PROCESS_INFORMATION)(unsafe.Pointer(&entry[0]))
		info.UniqueProcessID, info.NumberOfThreads = uintptr(4*(i+1)), uint32(len(threads))
		if i < len(processes)-1 {
			info.NextEntryOffset = uint32(size)
		}
		for n, thread := range threads {
			*(*rawThread)(unsafe.Add(unsafe.Pointer(&entry[0]), rawProcessSize+n*rawThreadSize)) = thread
		}
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*8)
}

func TestStateOfThreads(t *testing.T) {
	waits := rawThread{state: threadWaiting}
	runs := rawThread{state: threadRunning}
	suspended := rawThread{state: threadWaiting, waitReason: reasonSuspended}
	list := listOf([]rawThread{waits, runs}, []rawThread{waits, waits}, []rawThread{suspended, suspended},
		[]rawThread{suspended, waits}, []rawThread{waits, suspended}, nil)
	var got []State
	if err := parseProcesses(list, func(p *rawProcess) { got = append(got, p.state) }); err != nil {
		t.Fatal(err)
	}
	if want := "RSTSSZ"; states(got) != want {
		t.Errorf("%s, want %s", states(got), want)
	}
}

func states(all []State) string {
	text := ""
	for _, s := range all {
		text += string(rune(s))
	}
	return text
}

func TestMalformedList(t *testing.T) {
	whole := listOf([]rawThread{{}}, []rawThread{{}})
	ignore := func(*rawProcess) {}
	for _, cut := range []int{0, 1, rawProcessSize - 1, len(whole) - rawThreadSize - 16} {
		if parseProcesses(whole[:cut], ignore) == nil {
			t.Errorf("cut to %d bytes: no error", cut)
		}
	}
	for _, next := range []uint32{1, 8, 1 << 31, ^uint32(0)} {
		(*windows.SYSTEM_PROCESS_INFORMATION)(unsafe.Pointer(&whole[0])).NextEntryOffset = next
		if parseProcesses(whole, ignore) == nil {
			t.Errorf("next entry at %d: no error", next)
		}
	}
}

// FuzzProcessList feeds the parser anything; the race detector's and the
// runtime's checks of pointers say where it reads what it must not.
func FuzzProcessList(f *testing.F) {
	f.Add(append([]byte(nil), listOf([]rawThread{{}}, nil)...))
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 {
			return
		}
		words := make([]uint64, len(text)/8+1)
		list := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(text))
		copy(list, text)
		_ = parseProcesses(list, func(p *rawProcess) {
			for range p.name { // every rune can be read
				_ = p.pid
			}
		})
	})
}
