package risk

import (
	"testing"

	"server-monitor/internal/process"
)

func TestPorts(t *testing.T) {
	cases := []struct {
		name    string
		sockets []string
		want    string
	}{
		{"none", nil, ""},
		{"info", []string{"tcp 0.0.0.0:80", "tcp [::]:443"}, "PUBLIC_PORT(80) info, PUBLIC_PORT(443) info"},
		{"warn", []string{"tcp 0.0.0.0:22"}, "PUBLIC_PORT(22) warn"},
		{"danger", []string{"tcp 0.0.0.0:3306"}, "PUBLIC_PORT(3306) danger"},
		{"remote control", []string{"tcp 0.0.0.0:3389"}, "PUBLIC_PORT(3389) danger"},
		{"administration", []string{"tcp 0.0.0.0:10250"}, "PUBLIC_PORT(10250) danger"},
		{"loopback", []string{"tcp 127.0.0.1:3306", "tcp [::1]:3306", "tcp 127.9.9.9:99"}, ""},
		{"loopback written as IPv6", []string{"tcp [::ffff:127.0.0.1]:3306"}, ""},
		{"private", []string{"tcp 10.0.0.1:3306"}, "PUBLIC_PORT(3306) danger"},
		{"loopback and more", []string{"tcp 127.0.0.1:3306", "tcp 10.0.0.1:3306"}, "PUBLIC_PORT(3306) danger"},
		{"both families are one", []string{"tcp 0.0.0.0:3306", "tcp [::]:3306"}, "PUBLIC_PORT(3306) danger"},
		{"both protocols are one", []string{"tcp 0.0.0.0:53", "udp 0.0.0.0:53"}, "PUBLIC_PORT(53) warn"},
		{"DNS over UDP", []string{"udp 0.0.0.0:53"}, "PUBLIC_PORT(53) warn"},
		{"SNMP over UDP", []string{"udp 0.0.0.0:161"}, "PUBLIC_PORT(161) danger"},
		{"DHCP client", []string{"udp 0.0.0.0:68", "udp [fe80::1]:546"}, "PUBLIC_PORT(68) info, PUBLIC_PORT(546) info"},
		{"unknown below 1024", []string{"tcp 0.0.0.0:1"}, "SYSTEM_PORT(1) danger"},
		{"last below 1024", []string{"tcp 0.0.0.0:1023"}, "SYSTEM_PORT(1023) danger"},
		{"1024 is an ordinary port", []string{"tcp 0.0.0.0:1024"}, ""},
		{"unknown UDP below 1024", []string{"udp 0.0.0.0:700"}, "SYSTEM_PORT(700) danger"},
		{"unknown UDP of the upper range", []string{"udp 0.0.0.0:50000", "udp 0.0.0.0:33000"}, ""},
		{"port known over another protocol", []string{"udp 0.0.0.0:27017", "udp 0.0.0.0:5432"}, ""},
		{"system port known over another protocol", []string{"udp 0.0.0.0:80"}, "SYSTEM_PORT(80) danger"},
		{"known over one, unknown over the other", []string{"tcp 0.0.0.0:80", "udp 0.0.0.0:80"}, "SYSTEM_PORT(80) danger, PUBLIC_PORT(80) info"},
		{"unknown port", []string{"tcp 0.0.0.0:31337"}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := list(assessed(program("/usr/bin/mine", listens(c.sockets...))).Warnings); got != c.want {
				t.Errorf("[%s], want [%s]", got, c.want)
			}
		})
	}
}

func TestScopeOfPorts(t *testing.T) {
	cases := []struct {
		name    string
		sockets []string
		scope   process.Scope
		foreign bool
	}{
		{"private", []string{"tcp 192.168.1.1:22"}, process.Private, false},
		{"public", []string{"tcp 198.51.100.1:22"}, process.Public, false},
		{"the widest counts", []string{"tcp 0.0.0.0:22", "tcp 192.168.1.1:22", "tcp 127.0.0.1:22"}, process.Public, false},
		{"container", []string{"tcp 0.0.0.0:22 foreign"}, process.Private, true},
		{"container and host", []string{"tcp 0.0.0.0:22 foreign", "tcp 192.168.1.1:22"}, process.Private, false},
		{"container and loopback of the host", []string{"tcp 0.0.0.0:22 foreign", "tcp 127.0.0.1:22"}, process.Private, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := find(t, assessed(program("/usr/bin/mine", listens(c.sockets...))), PublicPort)
			if w.Scope != c.scope || w.Foreign != c.foreign {
				t.Errorf("scope %v, foreign %v, want %v, %v", w.Scope, w.Foreign, c.scope, c.foreign)
			}
		})
	}
}
