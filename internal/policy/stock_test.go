package policy

// stockProgram is a program as a stock server runs it.
type stockProgram struct {
	exe       string
	protected bool
	warnings  []string // what it bears there, all of it normal
}

func (p *stockProgram) name() string { return baseName(p.exe) }

const asRoot = "RUNNING_AS_ROOT"

// stockServer are the programs of Debian 12 and Rocky 9 servers, at the paths
// that the kernel shows: both have /bin, /sbin and /lib merged into /usr.
var stockServer = []stockProgram{
	// systemd
	{"/usr/lib/systemd/systemd", true, []string{asRoot}},
	{"/usr/lib/systemd/systemd-journald", true, []string{asRoot}},
	{"/usr/lib/systemd/systemd-logind", true, []string{asRoot}},
	{"/usr/lib/systemd/systemd-networkd", true, []string{"PUBLIC_PORT(68)"}},
	{"/usr/lib/systemd/systemd-resolved", true, nil},
	{"/usr/lib/systemd/systemd-timesyncd", true, nil},
	{"/usr/lib/systemd/systemd-executor", true, []string{asRoot}},
	{"/usr/bin/udevadm", true, []string{asRoot}},
	{"/usr/lib/systemd/systemd-udevd", true, []string{asRoot}},
	// logins and the bus
	{"/usr/sbin/agetty", true, []string{asRoot}},
	{"/usr/bin/login", true, []string{asRoot}},
	{"/usr/bin/dbus-daemon", true, nil},
	{"/usr/bin/dbus-broker", true, nil},
	{"/usr/bin/dbus-broker-launch", true, []string{asRoot}},
	{"/usr/lib/polkit-1/polkitd", true, nil},
	{"/usr/sbin/sshd", true, []string{asRoot, "PUBLIC_PORT(22)"}},
	{"/usr/lib/openssh/sshd-session", true, []string{asRoot}},
	{"/usr/libexec/openssh/sshd-session", true, []string{asRoot}},
	{"/usr/libexec/openssh/sshd-auth", true, nil},
	// network and time
	{"/usr/sbin/NetworkManager", true, []string{asRoot, "PUBLIC_PORT(68)"}},
	{"/usr/libexec/nm-dispatcher", true, []string{asRoot}},
	{"/usr/sbin/dhclient", true, []string{asRoot, "PUBLIC_PORT(68)"}},
	{"/usr/sbin/chronyd", true, nil},
	{"/usr/sbin/firewalld", true, []string{asRoot}},
	// housekeeping
	{"/usr/sbin/rsyslogd", true, []string{asRoot}},
	{"/usr/sbin/cron", true, []string{asRoot}},
	{"/usr/sbin/crond", true, []string{asRoot}},
	{"/usr/sbin/atd", true, []string{asRoot}},
	{"/usr/sbin/auditd", true, []string{asRoot}},
	{"/usr/sbin/sedispatch", true, []string{asRoot}},
	{"/usr/sbin/tuned", true, []string{asRoot}},
	{"/usr/sbin/irqbalance", true, []string{asRoot}},
	{"/usr/sbin/gssproxy", true, []string{asRoot}},
	{"/usr/sbin/rpcbind", true, []string{"PUBLIC_PORT(111)"}},
	{"/usr/sbin/sssd", true, []string{asRoot}},
	{"/usr/sbin/mcelog", true, []string{asRoot}},
	{"/usr/sbin/rngd", true, []string{asRoot}},
	{"/usr/bin/rhsmcertd", true, []string{asRoot}},
	{"/usr/sbin/smartd", true, []string{asRoot}},
	{"/usr/bin/unattended-upgrade", true, []string{asRoot}},
	// servers
	{"/usr/sbin/nginx", true, []string{asRoot, "PUBLIC_PORT(80)", "PUBLIC_PORT(443)"}},
	{"/usr/sbin/apache2", true, []string{asRoot, "PUBLIC_PORT(80)", "PUBLIC_PORT(443)"}},
	{"/usr/sbin/httpd", true, []string{asRoot, "PUBLIC_PORT(80)", "PUBLIC_PORT(443)"}},
	{"/usr/lib/postgresql/15/bin/postgres", true, nil},
	{"/usr/bin/postgres", true, nil},
	{"/usr/pgsql-16/bin/postgres", true, nil},
	{"/usr/sbin/mariadbd", true, nil},
	{"/usr/libexec/mariadbd", true, nil},
	{"/usr/sbin/mysqld", true, nil},
	{"/usr/libexec/mysqld", true, nil},
	{"/usr/bin/redis-server", true, nil},
	{"/usr/bin/redis-check-rdb", true, nil}, // Debian's redis-server is a link to it
	{"/usr/bin/mongod", true, nil},
	{"/usr/lib/postfix/sbin/master", true, []string{asRoot, "PUBLIC_PORT(25)"}},
	{"/usr/sbin/exim4", true, nil},
	{"/usr/sbin/php-fpm", true, []string{asRoot}},
	// containers
	{"/usr/bin/dockerd", true, []string{asRoot}},
	{"/usr/bin/containerd", true, []string{asRoot}},
	{"/usr/bin/containerd-shim-runc-v2", true, []string{asRoot}},
	{"/usr/bin/docker-proxy", true, []string{asRoot, "PUBLIC_PORT(80)"}},
	{"/usr/libexec/docker/docker-proxy", true, []string{asRoot}},
	{"/usr/bin/podman", true, []string{asRoot}},
	{"/usr/bin/conmon", true, []string{asRoot}},
	{"/usr/libexec/podman/netavark", true, []string{asRoot}},
	{"/usr/libexec/podman/aardvark-dns", true, []string{asRoot}},
	{"/usr/bin/runc", true, []string{asRoot}},
	{"/usr/bin/crun", true, []string{asRoot}},
	// monitoring
	{"/usr/bin/prometheus", true, []string{"PUBLIC_PORT(9090)"}},
	{"/usr/local/bin/prometheus", true, []string{"PUBLIC_PORT(9090)"}},
	{"/usr/bin/prometheus-node-exporter", true, []string{"PUBLIC_PORT(9100)"}},
	{"/usr/local/bin/node_exporter", true, []string{"PUBLIC_PORT(9100)"}},
	{"/usr/bin/prometheus-alertmanager", true, []string{"PUBLIC_PORT(9093)"}},
	{"/usr/share/grafana/bin/grafana", true, []string{"PUBLIC_PORT(3000)"}},
	{"/usr/sbin/grafana-server", true, []string{"PUBLIC_PORT(3000)"}},
	{"/usr/bin/server-monitor", true, []string{asRoot, "PUBLIC_PORT(10042)"}},
	{"/usr/local/bin/server-monitor", true, []string{asRoot, "PUBLIC_PORT(10042)"}},
	// what people run: as root it is shown as such, which makes it yellow
	{"/usr/bin/bash", false, nil},
	{"/usr/bin/dash", false, nil},
	{"/usr/bin/sleep", false, nil},
	{"/usr/bin/sudo", true, []string{asRoot}},
	{"/usr/bin/su", true, []string{asRoot}},
	{"/usr/bin/tmux", false, nil},
	{"/usr/bin/vim.basic", false, nil},
	{"/usr/bin/top", false, nil},
	{"/usr/bin/ssh", false, nil},
}
