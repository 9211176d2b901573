package doctor

import (
	"slices"
	"strconv"
	"strings"
)

// sysPtrace is CAP_SYS_PTRACE, by which hidepid hides nothing.
const sysPtrace = 1 << 19

// checkProc judges what /proc keeps back (proc(5), "Mount options").
func checkProc(f *Facts) []Finding {
	p := &f.Proc
	if !f.Native {
		return nil
	}
	if p.Err != nil {
		return []Finding{{
			Check: "proc.mount", Level: Failed,
			Found:  say("How %s is mounted is not known: %v.", "%s의 마운트 상태를 확인할 수 없습니다: %v.", p.Path, p.Err),
			Remedy: say("Mount procfs, and name its mount point with --path.procfs.", "procfs를 마운트하고 --path.procfs로 위치를 지정하십시오."),
		}}
	}
	if slices.Contains(p.Options, "subset=pid") {
		return []Finding{{
			Check: "proc.mount", Level: Failed,
			Found: say("%s is mounted with subset=pid: memory, load and processor time of the machine are hidden.",
				"%s가 subset=pid로 마운트되어 시스템의 메모리, 부하, CPU 시간을 볼 수 없습니다.", p.Path),
			Remedy: say("Take ProcSubset=pid out of the unit, or remount it: mount -o remount,subset= %s.",
				"유닛에서 ProcSubset=pid를 제거하거나 다시 마운트하십시오: mount -o remount,subset= %s.", p.Path),
		}}
	}
	hides := hidePID(p.Options)
	if hides != "" && f.Capabilities.Effective&sysPtrace == 0 {
		return []Finding{{
			Check: "proc.mount", Level: Degraded,
			Found: say("%[1]s is mounted with hidepid=%[2]s, and CAP_SYS_PTRACE is missing: processes of other users are not seen.",
				"%[1]s가 hidepid=%[2]s로 마운트되어 있고 CAP_SYS_PTRACE 권한이 없어 다른 사용자의 프로세스를 볼 수 없습니다.", p.Path, hides),
			Remedy: say("Grant CAP_SYS_PTRACE, or take hidepid= (in a unit: ProtectProc=) away.",
				"CAP_SYS_PTRACE를 부여하거나 hidepid=(유닛에서는 ProtectProc=)를 제거하십시오."),
		}}
	}
	if hides != "" {
		return fine("proc.mount", say("%[1]s is mounted with hidepid=%[2]s, which CAP_SYS_PTRACE lifts.",
			"%[1]s가 hidepid=%[2]s로 마운트되어 있으나 CAP_SYS_PTRACE 권한으로 모두 볼 수 있습니다.", p.Path, hides))
	}
	return fine("proc.mount", say("%s hides no process.", "%s가 모든 프로세스를 보여줍니다.", p.Path))
}

// hidePID is what hidepid= is set to, empty where it hides nothing.
func hidePID(options []string) string {
	for _, o := range options {
		if value, ok := strings.CutPrefix(o, "hidepid="); ok && value != "0" && value != "off" {
			return value
		}
	}
	return ""
}

// mountOptions finds the options of the mount at a path in mountinfo
// (proc_pid_mountinfo(5)): those of the mount, then those of the file system.
// The last mount at a path covers the others.
func mountOptions(mountinfo, path string) (options []string, ok bool) {
	for line := range strings.Lines(mountinfo) {
		before, after, found := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !found || len(left) < 6 || len(right) < 1 || unescapeMount(left[4]) != path {
			continue
		}
		options, ok = strings.Split(left[5], ","), right[0] == "proc"
		if len(right) >= 3 {
			options = append(options, strings.Split(right[2], ",")...)
		}
	}
	if !ok {
		return nil, false
	}
	return options, true
}

// unescapeMount reads the octal escapes of a path in mountinfo.
func unescapeMount(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+4 <= len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// effectiveOf reads the effective capabilities in /proc/PID/status.
func effectiveOf(status string) (uint64, bool) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "CapEff:"); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(rest), 16, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// openFilesOf reads the soft limit of descriptors in /proc/PID/limits.
func openFilesOf(limits string) (uint64, bool) {
	for line := range strings.Lines(limits) {
		rest, ok := strings.CutPrefix(line, "Max open files")
		if !ok {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return 0, false
		}
		if fields[0] == "unlimited" {
			return 1<<64 - 1, true
		}
		n, err := strconv.ParseUint(fields[0], 10, 64)
		return n, err == nil
	}
	return 0, false
}
