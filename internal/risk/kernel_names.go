package risk

import "strings"

// Names that only threads of the kernel bear. Those that an ordinary program has
// as well ("watchdogd", "lockd", "netns") are not among them.
var (
	kernelNames = setOf(
		"kthreadd", "kauditd", "khungtaskd", "oom_reaper", "ksmd", "khugepaged", "kintegrityd", "kblockd", "blkcg_punt_bio",
		"kdevtmpfs", "kthrotld", "kpsmoused", "mm_percpu_wq", "inet_frag_wq", "slub_flushwq", "edac-poller", "devfreq_wq",
		"ipv6_addrconf", "zswap-shrink", "ext4-rsv-conver", "acpi_thermal_pm", "tpm_dev_wq", "ata_sff", "rcu_gp", "rcu_par_gp",
		"rcu_sched", "rcu_preempt", "rcu_bh", "kworker", "ksoftirqd", "kswapd", "kcompactd",
	)
	// kernelStems have a '/' and something more behind them.
	kernelStems = setOf(
		"kworker", "ksoftirqd", "migration", "cpuhp", "idle_inject", "watchdog", "rcuop", "rcuos", "rcuog", "rcub", "rcuc",
		"jbd2", "xfsaild", "xfs-buf", "irq", "kdmflush", "kcryptd", "dmcrypt_write",
	)
	// kernelNumbered have a number behind them.
	kernelNumbered = setOf("kswapd", "kcompactd", "scsi_eh_", "scsi_tmf_")
	// kernelPrefixes have anything or nothing behind them.
	kernelPrefixes = []string{"rcu_tasks_", "rcu_exp_", "pool_workqueue_", "kvm-nx-lpage-re"}
)

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// isKernelName tells a name that only a thread of the kernel has.
func isKernelName(name string) bool {
	if kernelNames[name] {
		return true
	}
	if stem, rest, _ := strings.Cut(name, "/"); rest != "" && kernelStems[stem] {
		return true
	}
	if short := strings.TrimRight(name, "0123456789"); short != name && kernelNumbered[short] {
		return true
	}
	for _, prefix := range kernelPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// kernelClaim is the name by which a process calls itself a thread of the
// kernel, empty where it does not: as its comm, or in brackets as its first
// word, the way that ps shows those threads.
func kernelClaim(comm, argv0 string) string {
	if isKernelName(strings.TrimRight(comm, " ")) {
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
