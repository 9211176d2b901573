package terminate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// special does what helpers of single tests do.
func special(verb, argument string) bool {
	switch verb {
	case "loginuid": // says its pid where it could set its audit id
		err := os.WriteFile("/proc/self/loginuid", []byte(argument), 0)
		if err == nil {
			fmt.Println(os.Getpid())
		}
		fmt.Println("ready")
		time.Sleep(time.Hour)
	case "terminate": // ends a process, as server-monitor does
		identity, path, _ := strings.Cut(argument, " ")
		terminateFrom(identity, path)
	case "filtered": // tries to, without pidfd
		report(filterPidfd())
		terminateFrom(argument, "")
	case "blind": // tries to, as a user who sees only processes of their own
		report(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		report(unix.Mount("proc", "/proc", "proc", 0, "hidepid=2"))
		report(errors.Join(syscall.Setgroups(nil), syscall.Setgid(testUID), syscall.Setuid(testUID)))
		terminateFrom(argument, "")
	case "reuse":
		reusePIDs(argument)
	default:
		return false
	}
	return true
}

// terminateFrom ends a process from a helper, and says the outcome.
func terminateFrom(identity, path string) {
	var audit Auditor = &auditLog{}
	if path != "" {
		file, err := OpenAudit(path, 0, 0)
		report(err)
		audit = file
	}
	terminator := New(Config{Process: realProc, Policy: fresh(), Audit: audit, Host: realHost, Grace: time.Minute})
	r := terminator.Terminate(context.Background(), Request{ID: "the-request", Identity: identity})
	fmt.Println(r.Outcome, Codes(r.Reasons))
	fmt.Println("ready")
}

// filterPidfd has the kernel deny pidfd_open(2) to this process, as filters of
// system calls older than it do.
func filterPidfd() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 0, Jf: 1, K: unix.SYS_PIDFD_OPEN},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

// ask runs a helper as root and reads the line that it says.
func ask(t *testing.T, behaviour string, options ...option) string {
	t.Helper()
	v := startSilent(t, behaviour, options...)
	line, err := v.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// Where pidfds are denied, nothing is ended.
func TestNoPidfd(t *testing.T) {
	v := sleeper(t, "1000")
	if got, want := ask(t, "filtered "+v.identity()), "refused [no-pidfd]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !v.living() {
		t.Error("it has ended")
	}
}

// Where procfs hides processes of others, the answer does not say that they are
// gone.
func TestHidden(t *testing.T) {
	needRoot(t)
	v := &victim{t: t, pid: os.Getpid()}
	if got, want := ask(t, "blind "+v.identity(), in(unix.CLONE_NEWNS)), "refused [hidden]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// server-monitor is killed in the grace period: the next start finds the intent,
// says that the outcome is unknown, and resumes nothing.
func TestKilledInBetween(t *testing.T) {
	v := start(t, "ignore")
	path := filepath.Join(t.TempDir(), "audit.log")
	killer := startSilent(t, "terminate "+v.identity()+" "+path)
	eventually(t, "the intent", func() bool {
		text, _ := os.ReadFile(path)
		return strings.Contains(string(text), `"accepted"`)
	})
	time.Sleep(20 * time.Millisecond)
	killer.end()
	audit := openAudit(t, path, 0, 0)
	unfinished, err := audit.Settle(t.Context(), audit)
	if err != nil || !slices.Equal(ids(unfinished), []string{"the-request"}) {
		t.Fatalf("unfinished %v, %v", ids(unfinished), err)
	}
	if e := unfinished[0]; e.Outcome != Unknown || e.Identity != v.identity() || e.UIDs[0] != testUID {
		t.Errorf("recorded %+v", e)
	}
	if !v.living() {
		t.Error("it has ended")
	}
}
