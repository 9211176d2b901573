package risk

import (
	"testing"

	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

func TestKernelNames(t *testing.T) {
	for _, name := range []string{
		"kthreadd", "kworker/0:1", "kworker/u8:2-events_unbound", "kworker/R-rcu_gp", "ksoftirqd/0", "migration/12", "rcu_preempt",
		"rcu_sched", "rcu_gp", "rcu_tasks_kthre", "rcu_exp_gp_kthr", "rcuop/3", "cpuhp/0", "kswapd0", "kcompactd0", "ksmd", "khugepaged",
		"kauditd", "kdevtmpfs", "oom_reaper", "irq/24-ahci", "jbd2/sda1-8", "scsi_eh_0", "xfsaild/dm-0", "pool_workqueue_", "watchdog/0",
		"idle_inject/1", "kworker", "kthrotld", "kvm-nx-lpage-re", "kvm-nx-lpage-recovery-1",
	} {
		if !isKernelName(name) {
			t.Errorf("%q is not told for a thread of the kernel", name)
		}
	}
	for _, name := range []string{
		"", "k", "kwin_x11", "kworkerd", "ksoftirq", "watchdog", "watchdogd", "netns", "lockd", "nfsd", "loop0", "rcu", "rcu_nocb", "migrate",
		"irqbalance", "jbd2", "kswap", "kswapd0x", "scsi_eh_", "irq/", "kubelet", "kdeinit5", "writeback",
	} {
		if isKernelName(name) {
			t.Errorf("%q is told for a thread of the kernel", name)
		}
	}
}

// The catalogue is the judge of all these: what a process bears wrongly, if
// anything.
func TestMasquerade(t *testing.T) {
	deleted := file(func(f *process.File) { f.Deleted, f.Trusted = true, false })
	link := file(func(f *process.File) { f.CommIsLink = true })
	daemon := user(33, "www-data")
	kernel := func(p *process.Process) { p.Kernel = true }
	cases := []struct {
		name    string
		process *process.Process
		want    string
	}{
		// Threads of the kernel.
		{"kworker", program("/home/anna/x", comm("kworker/0:1")), "kworker/0:1"},
		{"kworker of root's", program("/usr/bin/x", root, comm("kworker/u8:0-flush")), "kworker/u8:0-flush"},
		{"blank behind the name", program("/usr/bin/x", comm("kthreadd ")), "kthreadd "},
		{"brackets", program("/usr/bin/x", argv0("[kworker/0:1]")), "[kworker/0:1]"},
		{"brackets around any name", program("/usr/bin/x", root, argv0("[scsi_tmf_0]")), "[scsi_tmf_0]"},
		{"brackets around a program", program("/usr/bin/x", argv0("[nginx]")), "[nginx]"},
		{"brackets and blanks", program("/usr/bin/x", argv0("[ kthreadd ] ")), "[ kthreadd ]"},
		{"a file of that name", program("/usr/bin/kthreadd"), "kthreadd"},
		{"a thread of the kernel", program("", comm("kworker/0:1"), kernel), ""},
		{"a title in brackets", program("/usr/bin/x", argv0("[celeryd: celery@host:MainProcess]")), ""},
		{"the program [", program("/usr/bin/[", argv0("[")), ""},
		{"brackets around nothing", program("/usr/bin/x", argv0("[]")), ""},
		{"brackets at the end", program("/usr/sbin/sshd", root, argv0("sshd: /usr/sbin/sshd -D [listener]")), ""},
		{"executable denied, somebody", program("", comm("kworker/0:1"), denied(process.DeniedExe)), "kworker/0:1"},
		{"executable denied, root", program("", root, comm("kworker/0:1"), denied(process.DeniedExe)), ""},
		{"a helper that the kernel starts, before its program", program("", user(0, "root"), comm("kworker/u8:0")), ""},

		// The names of protected programs.
		{"executable in a home folder", program("/home/anna/sshd"), "sshd"},
		{"executable for everybody, of root's", program("/tmp/sshd", root, untrusted), "sshd"},
		{"comm", program("/home/anna/x", comm("sshd")), "sshd"},
		{"comm of an installed program", program("/usr/bin/sleep", comm("sshd")), "sshd"},
		{"comm of a service's interpreter", program("/usr/bin/perl", daemon, unit("apache2.service"), comm("crond")), "crond"},
		{"title of a service's interpreter", program("/usr/bin/perl", daemon, unit("apache2.service"), argv0("/usr/sbin/crond")), "crond"},
		{"title", program("/usr/bin/sleep", argv0("sshd: anna@pts/0")), "sshd"},
		{"title with a path", program("/usr/bin/sleep", argv0("/usr/sbin/sshd")), "sshd"},
		{"comm cut by the kernel", program("/home/anna/x", comm("systemd-journal")), "systemd-journal"},
		{"capitals", program("/home/anna/x", comm("NetworkManager")), "NetworkManager"},
		{"unknown program of root's", program("/usr/bin/xyz", root, comm("sshd")), "sshd"},
		{"longer form of the name, not installed", program("/home/anna/sshd-x", comm("sshd")), "sshd"},
		{"memfd", program("/memfd:x", comm("sshd"), func(p *process.Process) { p.Name, p.File.Memory, p.File.Trusted = "memfd:x", true, false }), "sshd"},
		{"memfd of the name", program("/memfd:/usr/sbin/sshd", untrusted), "sshd"},
		{"interpreter with the script of another program", program("/usr/bin/python3.11", comm("sshd"), script("/usr/sbin/sshd")), "sshd"},
		{"protected script by an interpreter of one's own", program("/home/anna/python3", comm("firewalld"), script("/usr/sbin/firewalld")), "firewalld"},
		{"protected script's name for another", program("/usr/bin/python3.11", comm("firewalld"), script("/home/anna/x.py")), "firewalld"},
		{"container: dropped file", program("/tmp/sshd", container, untrusted), "sshd"},
		{"container: comm", program("/usr/bin/perl", container, comm("crond")), "crond"},
		{"a cgroup that only looks like a container's", program("/home/anna/sshd", container, func(p *process.Process) { p.Unit = "user@1000.service" }), "sshd"},
		{"a user's namespace: file at another place", program("/usr/local/x/sshd", rootless), "sshd"},

		// What is due to a process.
		{"at home", program("/usr/sbin/sshd", root), ""},
		{"the old place", program("/lib/systemd/systemd-journald", root), ""},
		{"deleted by an update", program("/usr/sbin/sshd", root, deleted), ""},
		{"comm cut by the kernel, at home", program("/usr/lib/systemd/systemd-journald", root), ""},
		{"installed by hand", program("/opt/custom/sbin/sshd", root), ""},
		{"installed by hand, deleted by an update", program("/opt/custom/sbin/sshd", root, deleted), ""},
		{"login shell", program("/usr/bin/bash", argv0("-bash")), ""},
		{"login shell of su", program("/usr/bin/bash", root, argv0("-su")), ""},
		{"(sd-pam)", program("/usr/lib/systemd/systemd", comm("(sd-pam)"), argv0("(sd-pam)")), ""},
		{"(systemd)", program("/usr/lib/systemd/systemd", root, comm("(systemd)"), argv0("(systemd)")), ""},
		{"systemd before the program of a service", program("/usr/lib/systemd/systemd-executor", root, comm("(nginx)"), argv0("(nginx)")), ""},
		{"systemd before a protected service", program("/usr/lib/systemd/systemd", root, comm("(sshd)"), argv0("(sshd)")), ""},
		{"systemd of a user", program("/usr/lib/systemd/systemd", argv0("/usr/lib/systemd/systemd")), ""},
		{"systemd called init", program("/usr/lib/systemd/systemd", root, argv0("/sbin/init")), ""},
		{"udevd, which is udevadm", program("/usr/bin/udevadm", root, comm("systemd-udevd"), argv0("/lib/systemd/systemd-udevd")), ""},
		{"worker of udevd", program("/usr/bin/udevadm", root, comm("(udev-worker)"), argv0("(udev-worker)")), ""},
		{"cron's child", program("/usr/sbin/cron", root, argv0("/usr/sbin/CRON")), ""},
		{"sshd of a session", program("/usr/sbin/sshd", argv0("sshd: anna@pts/0")), ""},
		{"sshd-session", program("/usr/lib/openssh/sshd-session", root, argv0("sshd-session: anna [priv]")), ""},
		{"sshd-session called sshd", program("/usr/lib/openssh/sshd-session", argv0("sshd: anna@pts/0")), ""},
		{"nginx worker", program("/usr/sbin/nginx", daemon, unit("nginx.service"), argv0("nginx: worker process")), ""},
		{"postgres", program("/usr/lib/postgresql/15/bin/postgres", user(110, "postgres"), argv0("postgres: 15/main: checkpointer ")), ""},
		{"php-fpm", program("/usr/sbin/php-fpm8.2", daemon, unit("php8.2-fpm.service"), argv0("php-fpm: pool www")), ""},
		{"login", program("/usr/bin/login", root, argv0("/bin/login")), ""},
		{"avahi", program("/usr/sbin/avahi-daemon", user(108, "avahi"), argv0("avahi-daemon: running [host.local]")), ""},
		{"dbus of a user", program("/usr/bin/dbus-daemon"), ""},
		{"vi, which is vim.basic", program("/usr/bin/vim.basic", comm("vi"), argv0("vi"), link), ""},
		{"sh, which is dash", program("/usr/bin/dash", comm("sh"), argv0("sh"), link), ""},
		{"systemd-resolve, which is resolvectl", program("/usr/bin/resolvectl", comm("systemd-resolve"), argv0("systemd-resolve"), link), ""},
		{"shutdown, which is systemctl", program("/usr/bin/systemctl", root, comm("shutdown"), argv0("shutdown"), link), ""},
		{"sendmail, which is exim4", program("/usr/sbin/exim4", root, comm("sendmail"), argv0("sendmail"), link), ""},
		{"firewalld, a script", program("/usr/bin/python3.11", root, comm("firewalld"), script("/usr/sbin/firewalld"), argv0("/usr/bin/python3")), ""},
		{"firewalld, its script unseen", program("/usr/bin/python3.11", root, comm("firewalld")), ""},
		{"setroubleshootd, a script with a user of its own", program("/usr/bin/python3.9", user(990, "setroubleshoot"), unit("setroubleshootd.service"),
			comm("setroubleshootd")), ""},
		{"dnf by somebody", program("/usr/bin/python3.9", comm("dnf"), script("/usr/bin/dnf"), argv0("/usr/bin/python3")), ""},
		{"networkd-dispatcher", program("/usr/bin/python3.11", root, comm("networkd-dispat"), script("/usr/bin/networkd-dispatcher"), argv0("/usr/bin/python3")), ""},
		{"unattended-upgrades", program("/usr/bin/python3.11", root, comm("unattended-upgr"), argv0("/usr/bin/python3"),
			script("/usr/share/unattended-upgrades/unattended-upgrade-shutdown")), ""},
		{"container: its own sshd", program("/usr/sbin/sshd", container, user(0, "root")), ""},
		{"container: a place of its own", program("/app/login", container), ""},
		{"container: busybox", program("/bin/busybox", container, comm("crond"), argv0("crond"), link), ""},
		{"container: mapped root's firewalld", program("/usr/bin/python3.11", container, user(100000, "100000"), comm("firewalld"), script("/usr/sbin/firewalld")), ""},
		{"a user's namespace: busybox", program("/bin/busybox", rootless, comm("crond"), argv0("crond")), ""},
		{"a user's namespace: nginx", program("/usr/sbin/nginx", rootless, argv0("nginx: master process nginx")), ""},
		{"busybox without links", program("/usr/bin/busybox", root, comm("syslogd")), ""},
		{"a word like any other", program("/home/anna/frontend"), ""},
		{"browser's child", program("/usr/lib/chromium/chromium", argv0("/usr/lib/chromium/chromium --type=renderer")), ""},
		{"electron", program("/usr/share/code/code", argv0("/usr/share/code/code --type=zygote")), ""},
		{"java", program("/usr/lib/jvm/java-17/bin/java", argv0("java")), ""},
		{"node that names its thread", program("/usr/bin/node", comm("node-MainThread"), argv0("node")), ""},
		{"executable denied", program("", comm("sshd"), denied(process.DeniedExe)), ""},
		{"executable unknown", program("", comm("sshd")), ""},
		{"name of no protected program", program("/home/anna/nano", comm("vim"), argv0("emacs")), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, got := assessed(c.process), ""
			for _, w := range a.Warnings {
				if w.Code == Masquerade {
					got = w.Subject
					if w.Severity != Danger || a.Verdict != Dangerous {
						t.Errorf("severity %v, verdict %v", w.Severity, a.Verdict)
					}
				}
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A trusted program that is known to call itself otherwise, as root.
func TestMasqueradeOfTrustedProgram(t *testing.T) {
	set := policy.NewSet(policy.Linux,
		policy.Document{Name: "k3s", Platform: policy.Linux, Paths: []string{"/var/lib/rancher/**"}},
		policy.Document{Name: "containerd", Platform: policy.Linux, Paths: []string{"/usr/bin/containerd"}, Policy: policy.Policy{IsSystem: true}},
	)
	for name, c := range map[string]struct {
		process *process.Process
		want    bool
	}{
		"root":          {program("/var/lib/rancher/bin/k3s", root, comm("containerd")), false},
		"somebody":      {program("/var/lib/rancher/bin/k3s", comm("containerd")), true},
		"root, unknown": {program("/usr/bin/k4s", root, comm("containerd")), true},
		"not trusted":   {program("/var/lib/rancher/bin/k3s", root, comm("containerd"), untrusted), true},
	} {
		if got := has(judge.Assess(c.process, Moment{}, set), Masquerade); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestMasqueradeOnWindows(t *testing.T) {
	trusted := func(p *process.Process) { p.File.Trusted = true }
	cases := []struct {
		name, exe, want string
		changes         []made
	}{
		{"at home", "C:/Windows/System32/svchost.exe", "", []made{trusted}},
		{"32 bits", "C:/Windows/SysWOW64/svchost.exe", "", []made{trusted}},
		{"another folder of Windows", "C:/Windows/svchost.exe", "svchost.exe", []made{trusted}},
		{"a folder for everybody", "C:/Windows/Temp/svchost.exe", "svchost.exe", []made{trusted}},
		{"a user's folder", "C:/Users/anna/svchost.exe", "svchost.exe", nil},
		{"other software's", "C:/Program Files/X/registry", "", []made{trusted}},
		{"capitals", "c:/users/anna/LSASS.EXE", "LSASS.EXE", nil},
		{"unknown name", "C:/Users/anna/mine.exe", "", nil},
		{"a name of Linux", "C:/Users/anna/kthreadd", "", nil},
		{"executable unseen", "", "", []made{comm("svchost.exe"), denied(process.DeniedExe)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := program(c.exe, append([]made{untrusted, argv0(""), user(-1, "anna")}, c.changes...)...)
			got := ""
			for _, w := range onWindows(p).Warnings {
				if w.Code == Masquerade {
					got = w.Subject
				}
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
