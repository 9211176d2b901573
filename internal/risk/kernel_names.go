package risk

import "strings"

// kernelNames are names that only threads of the kernel bear. Names that an
// ordinary program has as well ("watchdogd", "lockd", "netns") are not among
// them.
var kernelNames = map[string]bool{
	"kthreadd": true, "kauditd": true, "khungtaskd": true, "oom_reaper": true, "kcompactd": true, "ksmd": true,
	"khugepaged": true, "kintegrityd": true, "kblockd": true, "blkcg_punt_bio": true, "kdevtmpfs": true,
	"kthrotld": true, "kswapd": true, "kpsmoused": true, "mm_percpu_wq": true, "inet_frag_wq": true,
	"slub_flushwq": true, "edac-poller": true, "devfreq_wq": true, "ipv6_addrconf": true, "zswap-shrink": true,
	"ext4-rsv-conver": true, "acpi_thermal_pm": true, "tpm_dev_wq": true, "ata_sff": true, "rcu_gp": true,
	"rcu_par_gp": true, "rcu_sched": true, "rcu_preempt": true, "rcu_bh": true, "ksoftirqd": true, "kworker": true,
	"migration": true, "cpuhp": true,
}

// kernelPrefixes begin the names of the kernel's threads that there are many
// of; behind those that end in a letter a number follows.
var kernelPrefixes = []string{
	"kworker/", "ksoftirqd/", "migration/", "cpuhp/", "idle_inject/", "watchdog/", "rcuop/", "rcuos/", "rcuog/",
	"rcub/", "rcuc/", "rcu_tasks_", "rcu_exp_", "pool_workqueue_", "jbd2/", "xfsaild/", "xfs-buf/", "irq/",
	"kdmflush/", "kcryptd/", "dmcrypt_write/", "kvm-nx-lpage-re", "scsi_eh_", "scsi_tmf_", "kswapd", "kcompactd",
}

// isKernelName tells a name that only a thread of the kernel has.
func isKernelName(name string) bool {
	if kernelNames[name] {
		return true
	}
	for _, prefix := range kernelPrefixes {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		last := prefix[len(prefix)-1]
		if last == '/' || last == '_' || rest != "" && rest[0] >= '0' && rest[0] <= '9' || prefix == "kvm-nx-lpage-re" {
			return rest != "" || last != '/' && last != '_'
		}
	}
	return false
}

// kernelClaim is the name by which a process calls itself a thread of the
// kernel, empty where it does not: as its comm, or in brackets as its first
// word, the way that ps shows those threads.
func kernelClaim(comm, argv0 string) string {
	if name := strings.TrimRight(comm, " "); isKernelName(name) {
		return comm
	}
	shown := strings.TrimRight(argv0, " ")
	if len(shown) < 3 || shown[0] != '[' || shown[len(shown)-1] != ']' {
		return ""
	}
	inside := strings.TrimSpace(shown[1 : len(shown)-1])
	// A title in brackets that holds a sentence ("[celeryd: worker@host]") is
	// no name of a thread.
	if inside == "" || strings.ContainsAny(inside, " \t\n") {
		return ""
	}
	return shown
}
