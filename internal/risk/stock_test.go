package risk

import (
	"testing"

	"server-monitor/internal/process"
)

// Servers as they come, with the sockets that their programs open, judged by the
// catalogue: nothing benign is red, and what is not even yellow is green. A
// script of root's is yellow, as no name of an interpreter is to be trusted.
func TestStockServers(t *testing.T) {
	as := user
	session := func(p *process.Process) { p.Slice, p.Unit, p.TTY = "user.slice", "session-3.scope", "pts/0" }
	cases := []struct {
		exe     string
		changes []made
		want    Verdict
	}{
		// Debian 12.
		{"/usr/lib/systemd/systemd", []made{root, argv0("/sbin/init")}, Safe},
		{"/usr/lib/systemd/systemd", []made{argv0("/lib/systemd/systemd")}, Safe},
		{"/usr/lib/systemd/systemd", []made{comm("(sd-pam)"), argv0("(sd-pam)")}, Safe},
		{"/usr/lib/systemd/systemd-journald", []made{root}, Safe},
		{"/usr/lib/systemd/systemd-logind", []made{root}, Safe},
		{"/usr/lib/systemd/systemd-timesyncd", []made{as(997, "systemd-timesync"), unit("systemd-timesyncd.service"), listens("udp 0.0.0.0:40123")}, Safe},
		{"/usr/lib/systemd/systemd-networkd", []made{as(998, "systemd-network"), unit("systemd-networkd.service"), listens("udp 192.168.1.5:68", "udp [fe80::1]:546")}, Safe},
		{"/usr/lib/systemd/systemd-resolved", []made{as(996, "systemd-resolve"), unit("systemd-resolved.service"),
			listens("udp 127.0.0.53:53", "tcp 127.0.0.53:53", "udp 0.0.0.0:5355", "tcp [::]:5355")}, Safe},
		{"/usr/bin/udevadm", []made{root, comm("systemd-udevd"), argv0("/lib/systemd/systemd-udevd")}, Safe},
		{"/usr/bin/dbus-daemon", []made{as(101, "messagebus"), unit("dbus.service"), argv0("/usr/bin/dbus-daemon")}, Safe},
		{"/usr/sbin/cron", []made{root}, Safe},
		{"/usr/sbin/cron", []made{root, argv0("/usr/sbin/CRON")}, Safe},
		{"/usr/sbin/rsyslogd", []made{root}, Safe},
		{"/usr/sbin/agetty", []made{root, argv0("/sbin/agetty")}, Safe},
		{"/usr/sbin/sshd", []made{root, argv0("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"), listens("tcp 0.0.0.0:22", "tcp [::]:22")}, Safe},
		{"/usr/sbin/sshd", []made{root, argv0("sshd: anna [priv]")}, Safe},
		{"/usr/sbin/sshd", []made{session, argv0("sshd: anna@pts/0")}, Safe},
		{"/usr/bin/bash", []made{session, argv0("-bash")}, Safe},
		{"/usr/sbin/dhclient", []made{root, listens("udp 0.0.0.0:68")}, Safe},
		{"/usr/sbin/exim4", []made{as(105, "Debian-exim"), unit("exim4.service"), listens("tcp 127.0.0.1:25", "tcp [::1]:25")}, Safe},
		{"/usr/sbin/rpcbind", []made{as(104, "_rpc"), unit("rpcbind.service"), listens("tcp 0.0.0.0:111", "udp 0.0.0.0:111")}, Safe},
		{"/usr/sbin/rpc.statd", []made{as(105, "statd"), unit("rpc-statd.service"), listens("udp 0.0.0.0:41234", "tcp 0.0.0.0:35001", "udp 127.0.0.1:700")}, Safe},
		{"/usr/sbin/nginx", []made{root, argv0("nginx: master process /usr/sbin/nginx -g daemon on;"), listens("tcp 0.0.0.0:80", "tcp [::]:443")}, Safe},
		{"/usr/sbin/nginx", []made{as(33, "www-data"), unit("nginx.service"), argv0("nginx: worker process"), listens("tcp 0.0.0.0:80")}, Safe},
		{"/usr/sbin/apache2", []made{root, listens("tcp [::]:80")}, Safe},
		{"/usr/lib/postgresql/15/bin/postgres", []made{as(110, "postgres"), unit("postgresql@15-main.service"), listens("tcp 127.0.0.1:5432")}, Safe},
		{"/usr/sbin/mariadbd", []made{as(111, "mysql"), unit("mariadb.service"), listens("tcp 127.0.0.1:3306")}, Safe},
		{"/usr/bin/redis-check-rdb", []made{as(112, "redis"), unit("redis-server.service"), comm("redis-server"), argv0("/usr/bin/redis-server"),
			listens("tcp 127.0.0.1:6379", "tcp [::1]:6379"), file(func(f *process.File) { f.CommIsLink = true })}, Safe},
		{"/usr/sbin/php-fpm8.2", []made{root, argv0("php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)")}, Safe},
		{"/usr/sbin/avahi-daemon", []made{as(108, "avahi"), unit("avahi-daemon.service"), argv0("avahi-daemon: running [host.local]"),
			listens("udp 0.0.0.0:5353", "udp 0.0.0.0:41111")}, Safe},
		{"/usr/sbin/cupsd", []made{root, listens("tcp 127.0.0.1:631")}, Safe},
		{"/usr/sbin/cups-browsed", []made{root, listens("udp 0.0.0.0:631")}, Safe},
		{"/usr/sbin/chronyd", []made{as(113, "_chrony"), unit("chrony.service"), listens("udp 127.0.0.1:323", "udp [::1]:323")}, Safe},
		{"/usr/bin/python3.11", []made{root, comm("unattended-upgr"), argv0("/usr/bin/python3"), script("/usr/share/unattended-upgrades/unattended-upgrade-shutdown")}, Caution},
		{"/usr/bin/prometheus-node-exporter", []made{as(114, "prometheus"), unit("prometheus-node-exporter.service"), listens("tcp [::]:9100")}, Safe},
		// Rocky 9.
		{"/usr/sbin/NetworkManager", []made{root, listens("udp 192.168.1.5:68")}, Safe},
		{"/usr/bin/dbus-broker", []made{as(81, "dbus"), unit("dbus-broker.service"), argv0("dbus-broker")}, Safe},
		{"/usr/bin/dbus-broker-launch", []made{root}, Safe},
		{"/usr/sbin/auditd", []made{root}, Safe},
		{"/usr/sbin/sedispatch", []made{root}, Safe},
		{"/usr/sbin/crond", []made{root}, Safe},
		{"/usr/lib/polkit-1/polkitd", []made{as(998, "polkitd"), unit("polkit.service")}, Safe},
		{"/usr/sbin/irqbalance", []made{root}, Safe},
		{"/usr/sbin/gssproxy", []made{root}, Safe},
		{"/usr/bin/rhsmcertd", []made{root}, Safe},
		{"/usr/libexec/mariadbd", []made{as(27, "mysql"), unit("mariadb.service"), listens("tcp 127.0.0.1:3306")}, Safe},
		{"/usr/libexec/mariadbd", []made{as(27, "mysql"), unit("mariadb.service"), listens("tcp [::]:3306")}, Dangerous}, // as it comes
		{"/usr/sbin/httpd", []made{as(48, "apache"), unit("httpd.service"), listens("tcp [::]:80")}, Safe},
		{"/usr/bin/python3.9", []made{root, comm("firewalld"), argv0("/usr/bin/python3"), script("/usr/sbin/firewalld")}, Caution},
		{"/usr/bin/python3.9", []made{root, comm("tuned"), argv0("/usr/bin/python3"), script("/usr/sbin/tuned")}, Caution},
		{"/usr/bin/python3.9", []made{session, comm("dnf"), argv0("/usr/bin/python3"), script("/usr/bin/dnf")}, Safe},
		{"/usr/bin/python3.9", []made{session, comm("cockpit-bridge"), argv0("/usr/bin/python3"), script("/usr/bin/cockpit-bridge")}, Safe},
		// Ubuntu 24.04.
		{"/usr/lib/snapd/snapd", []made{root}, Safe},
		{"/usr/sbin/ModemManager", []made{root}, Safe},
		{"/usr/libexec/udisks2/udisksd", []made{root}, Safe},
		{"/usr/sbin/multipathd", []made{root, argv0("/sbin/multipathd")}, Safe},
		{"/usr/bin/python3.12", []made{root, comm("networkd-dispat"), argv0("/usr/bin/python3"), script("/usr/bin/networkd-dispatcher")}, Caution},
		{"/usr/lib/openssh/sshd-session", []made{session, argv0("sshd-session: anna@pts/0")}, Safe},
		// Containers' engines.
		{"/usr/bin/dockerd", []made{root}, Safe},
		{"/usr/bin/containerd", []made{root, listens("tcp 127.0.0.1:35671")}, Safe},
		{"/usr/bin/containerd-shim-runc-v2", []made{root}, Safe},
		{"/usr/bin/docker-proxy", []made{root, listens("tcp 0.0.0.0:8080", "tcp [::]:8080")}, Safe},
	}
	for _, c := range cases {
		p := program(c.exe, c.changes...)
		t.Run(p.Name+" "+p.Argv0, func(t *testing.T) {
			if a := assessed(p); a.Verdict != c.want || !a.Known() {
				t.Errorf("%v, known %v, [%s], want %v", a.Verdict, a.Known(), list(a.Warnings), c.want)
			}
		})
	}
}
