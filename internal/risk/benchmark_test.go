package risk

import (
	"testing"

	"server-monitor/internal/language"
)

func BenchmarkAssess(b *testing.B) {
	for name, p := range map[string]struct{ exe, script string }{
		"known":   {"/usr/bin/vim", ""},
		"script":  {"/usr/bin/python3.11", "/usr/bin/x.py"},
		"unknown": {"/usr/bin/mine", ""},
	} {
		b.Run(name, func(b *testing.B) {
			one := program(p.exe, script(p.script))
			b.ReportAllocs()
			for b.Loop() {
				judge.Assess(one, Moment{}, linux)
			}
		})
	}
	b.Run("server", func(b *testing.B) {
		server := program("/usr/sbin/sshd", root, listens("tcp 0.0.0.0:22", "tcp [::]:22"))
		b.ReportAllocs()
		for b.Loop() {
			judge.Assess(server, Moment{}, linux)
		}
	})
}

func BenchmarkExplain(b *testing.B) {
	server := program("/usr/sbin/sshd", root, listens("tcp 0.0.0.0:22", "tcp [::]:22"))
	a := assessed(server)
	b.ReportAllocs()
	for b.Loop() {
		Explain(server, nil, &a, language.Korean)
	}
}
