package service

import "slices"

// known is what a service is called in the two places where it is looked for.
type known struct {
	// names are what people call it.
	names []string
	// units are the names of its unit, without ".service". Those of Debian and
	// of Red Hat differ.
	units []string
	// programs are the names of its executable.
	programs []string
}

// knownServices are those whose unit or program is not called like the service.
// The client of a service often is ("docker", "ssh"), and proves nothing.
var knownServices = []known{
	{[]string{"sshd", "ssh"}, []string{"sshd", "ssh"}, []string{"sshd"}},
	{[]string{"docker"}, []string{"docker"}, []string{"dockerd"}},
	{[]string{"rsyslog"}, []string{"rsyslog"}, []string{"rsyslogd"}},
	{[]string{"cron", "crond"}, []string{"crond", "cron"}, []string{"crond", "cron"}},
	{[]string{"httpd", "apache", "apache2"}, []string{"httpd", "apache2"}, []string{"httpd", "apache2"}},
	{[]string{"mysql", "mysqld"}, []string{"mysqld", "mysql", "mariadb"}, []string{"mysqld", "mariadbd"}},
	{[]string{"mariadb"}, []string{"mariadb"}, []string{"mariadbd"}},
	{[]string{"redis", "redis-server"}, []string{"redis", "redis-server"}, []string{"redis-server"}},
	{[]string{"postgresql", "postgres"}, []string{"postgresql"}, []string{"postgres"}},
	{[]string{"mongod", "mongodb"}, []string{"mongod", "mongodb"}, []string{"mongod"}},
	{[]string{"chrony", "chronyd"}, []string{"chronyd", "chrony"}, []string{"chronyd"}},
	{[]string{"named", "bind9"}, []string{"named", "bind9"}, []string{"named"}},
	// These are run by units of other names, and have none of their own.
	{[]string{"python"}, nil, []string{"python"}},
	{[]string{"node"}, nil, []string{"node", "nodejs"}},
	{[]string{"java"}, nil, []string{"java"}},
}

// knownAs finds what is known of a service; of others that unit and program are
// called like it.
func knownAs(name string) known {
	for _, k := range knownServices {
		if slices.Contains(k.names, name) {
			return k
		}
	}
	return known{names: []string{name}, units: []string{name}, programs: []string{name}}
}

// hasNoUnit tells a service that systemd never knows.
func hasNoUnit(name string) bool { return len(knownAs(name).units) == 0 }
