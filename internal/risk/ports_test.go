package risk

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
)

func TestLookupPort(t *testing.T) {
	cases := []struct {
		protocol process.Protocol
		number   uint16
		name     string
		severity Severity
	}{
		{process.TCP, 22, "ssh", Warn},
		{process.TCP, 80, "http", Info},
		{process.TCP, 443, "https", Info},
		{process.UDP, 443, "https", Info},
		{process.TCP, 53, "dns", Warn},
		{process.UDP, 53, "dns", Warn},
		{process.UDP, 161, "snmp", Danger},
		{process.TCP, 23, "telnet", Danger},
		{process.TCP, 3389, "rdp", Danger},
		{process.TCP, 5900, "vnc", Danger},
		{process.TCP, 3306, "mysql", Danger},
		{process.TCP, 5432, "postgresql", Danger},
		{process.TCP, 6379, "redis", Danger},
		{process.TCP, 27017, "mongodb", Danger},
		{process.TCP, 2375, "docker", Danger},
		{process.TCP, 9229, "node-inspector", Danger},
		{process.TCP, 445, "smb", Danger},
		{process.TCP, 25, "smtp", Warn},
		{process.TCP, 5672, "amqp", Danger},
		{process.TCP, 9092, "kafka", Danger},
		{process.UDP, 27017, "", 0},
		{process.UDP, 22, "", 0},
		{process.TCP, 161 + 1, "", 0},
		{process.TCP, 0, "", 0},
		{process.UDP, 50000, "", 0},
	}
	for _, c := range cases {
		t.Run(c.protocol.String()+" "+strconv.Itoa(int(c.number)), func(t *testing.T) {
			port, ok := LookupPort(c.protocol, c.number)
			switch {
			case ok != (c.name != ""):
				t.Errorf("found %v", ok)
			case ok && (port.Name != c.name || port.Severity != c.severity):
				t.Errorf("%s %v, want %s %v", port.Name, port.Severity, c.name, c.severity)
			}
		})
	}
}

// Every class of ports of the seed is in the table, and every port in it has a
// name of its own and something to say in every language.
func TestPortTable(t *testing.T) {
	label := regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	numbers, names := map[uint16]bool{}, map[string]uint16{}
	entries := 0
	for _, class := range portClasses {
		for _, e := range class.ports {
			entries++
			numbers[e.number] = true
			if e.number == 0 || e.over == 0 || e.service == "" || !label.MatchString(e.name) {
				t.Errorf("incomplete: %+v", e)
			}
			if other, ok := names[e.name]; ok {
				t.Errorf("%d and %d are both called %s", other, e.number, e.name)
			}
			names[e.name] = e.number
		}
	}
	if len(numbers) != entries {
		t.Errorf("%d rows, %d ports: one is in the table twice", entries, len(numbers))
	}
	if len(numbers) < 60 {
		t.Errorf("%d ports, want at least 60", len(numbers))
	}
	for key, port := range knownPorts {
		for _, l := range language.All {
			for _, text := range []string{port.Reason(l), port.Advice(l)} {
				if text == "" || strings.ContainsAny(text, "{}") {
					t.Errorf("%v %d in %s: %q", key.protocol, key.number, l, text)
				}
			}
		}
	}
}

// What the catalogue calls normal is what the table leads to: a port that it
// expects to be public is known, one that it expects as a port of the system is
// not, unless it expects either.
func TestPortsOfCatalogue(t *testing.T) {
	known := func(number uint16) bool {
		_, tcp := LookupPort(process.TCP, number)
		_, udp := LookupPort(process.UDP, number)
		return tcp || udp
	}
	checked := 0
	for _, d := range policy.Catalogue() {
		expected := setOf(d.ExpectedWarnings...)
		for _, text := range d.ExpectedWarnings {
			code, rest, found := strings.Cut(text, "(")
			if !found || code != string(PublicPort) && code != string(SystemPort) {
				continue
			}
			checked++
			subject := strings.TrimSuffix(rest, ")")
			number, err := strconv.ParseUint(subject, 10, 16)
			switch {
			case err != nil:
				t.Errorf("%s/%s: %s", d.Platform, d.Name, text)
			case code == string(PublicPort) && !known(uint16(number)):
				t.Errorf("%s/%s expects %s, which is not in the table", d.Platform, d.Name, text)
			case code == string(SystemPort) && known(uint16(number)) && !expected["PUBLIC_PORT("+subject+")"]:
				t.Errorf("%s/%s expects %s, which is in the table", d.Platform, d.Name, text)
			case code == string(SystemPort) && number >= systemPorts:
				t.Errorf("%s/%s expects %s, which is no port of the system", d.Platform, d.Name, text)
			}
		}
	}
	if checked < 200 {
		t.Errorf("only %d expectations about ports in the catalogue", checked)
	}
}
