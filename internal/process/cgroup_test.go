package process

import (
	"strings"
	"testing"
)

func TestCgroupPath(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"unified", "0::/system.slice/sshd.service\n", "/system.slice/sshd.service"},
		{"without a last newline", "0::/init.scope", "/init.scope"},
		{"classic", "12:pids:/a\n1:name=systemd:/system.slice/sshd.service\n", "/system.slice/sshd.service"},
		{"both", "1:name=systemd:/system.slice/a.service\n0::/system.slice/b.service\n", "/system.slice/a.service"},
		{"both, systemd's is not used", "1:name=systemd:/\n0::/system.slice/b.service\n", "/system.slice/b.service"},
		{"both, the root", "1:name=systemd:/\n0::/\n", "/"},
		{"no systemd", "5:cpu,cpuacct:/docker/x\n4:memory:/y\n", ""},
		{"a colon in the path", "0::/user.slice/a:b.scope\n", "/user.slice/a:b.scope"},
		{"a name that only begins so", "1:name=systemd2:/x\n0::/y\n", "/y"},
		{"nothing", "", ""},
		{"not in the form", "what\n:\n", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := string(cgroupPath([]byte(c.text))); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestPlace(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	const user = "/user.slice/user-1000.slice/user@1000.service"
	cases := []struct {
		path string
		want placement
	}{
		{"/", placement{}},
		{"", placement{}},
		{"/init.scope", placement{unit: "init.scope"}},
		{"/system.slice/sshd.service", placement{slice: "system.slice", unit: "sshd.service"}},
		{"/system.slice/system-getty.slice/getty@tty1.service", placement{slice: "system.slice", unit: "getty@tty1.service"}},
		{"/system.slice/postgresql.service/main", placement{slice: "system.slice", unit: "postgresql.service"}},
		{"/user.slice/user-1000.slice/session-3.scope", placement{slice: "user.slice", unit: "session-3.scope"}},
		{user + "/init.scope", placement{slice: "user.slice", unit: "user@1000.service", userUnit: "init.scope"}},
		{user + "/app.slice/app-foo.scope", placement{slice: "user.slice", unit: "user@1000.service", userUnit: "app-foo.scope"}},
		// Whoever is given a part of the tree makes what folders they like in it.
		{user + "/system.slice/sshd.service", placement{slice: "user.slice", unit: "user@1000.service", userUnit: "sshd.service"}},
		{user + "/a.scope/system.slice/b.service", placement{slice: "user.slice", unit: "user@1000.service", userUnit: "a.scope"}},
		{"/user.slice/user-1000.slice/session-3.scope/system.slice/sshd.service", placement{slice: "user.slice", unit: "session-3.scope"}},
		{"/system.slice/a.service/user.slice/user-0.slice/session-1.scope", placement{slice: "system.slice", unit: "a.service"}},
		{"/evil/system.slice/sshd.service", placement{slice: "system.slice", unit: "sshd.service"}}, // only root makes folders there
		{"/../../system.slice/sshd.service", placement{slice: "system.slice", unit: "sshd.service"}},
		// Engines with systemd's driver.
		{"/system.slice/docker-" + id + ".scope", placement{"system.slice", "docker-" + id + ".scope", "", id}},
		{"/machine.slice/libpod-" + id + ".scope/container", placement{"machine.slice", "libpod-" + id + ".scope", "", id}},
		{"/machine.slice/libpod-conmon-" + id + ".scope", placement{"machine.slice", "libpod-conmon-" + id + ".scope", "", ""}},
		{user + "/user.slice/libpod-" + id + ".scope", placement{"user.slice", "user@1000.service", "libpod-" + id + ".scope", id}},
		{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope", placement{"kubepods.slice", "cri-containerd-" + id + ".scope", "", id}},
		{"/kubepods.slice/kubepods-pod1.slice/crio-" + id + ".scope/system.slice/sshd.service", placement{"kubepods.slice", "crio-" + id + ".scope", "", id}},
		{"/system.slice/docker-short.scope", placement{slice: "system.slice", unit: "docker-short.scope"}},
		{"/system.slice/docker-" + strings.ToUpper(id) + ".scope", placement{slice: "system.slice", unit: "docker-" + strings.ToUpper(id) + ".scope"}},
		// Engines without it.
		{"/docker/" + id, placement{container: id}},
		{"/docker/" + id + "/system.slice/sshd.service", placement{container: id}},
		{"/docker/buildkit/abc", placement{container: "abc"}},
		{"/kubepods/besteffort/pod1/" + id, placement{container: id}},
		{"/kubepods/besteffort/pod1", placement{}},
		{"/lxc/web", placement{container: "web"}},
		{"/lxc.payload.web/system.slice/a.service", placement{container: "web"}},
		{"/a/lxc/web", placement{}},
		{"/docker/notes", placement{}},
		// Machines of systemd.
		{"/machine.slice/machine-rocky9.scope/payload", placement{"machine.slice", "machine-rocky9.scope", "", "rocky9"}},
		{"/machine.slice/systemd-nspawn@web.service/payload/init.scope", placement{"machine.slice", "systemd-nspawn@web.service", "", "web"}},
		{`/machine.slice/machine-qemu\x2d1\x2dvm.scope`, placement{slice: "machine.slice", unit: `machine-qemu\x2d1\x2dvm.scope`}},
	}
	for _, c := range cases {
		if got := place(c.path); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.path, got, c.want)
		}
	}
}

func FuzzPlace(f *testing.F) {
	f.Add("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope\n")
	f.Add("1:name=systemd:/docker/" + strings.Repeat("ab", 32) + "\n0::/\n")
	f.Add("0::////..//../.slice/.scope/.service/lxc/\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := string(cgroupPath([]byte(text)))
		if !strings.Contains(text, path) || strings.Contains(path, "\n") {
			t.Errorf("path %q of %q", path, text)
		}
		p := place(path)
		for _, part := range []string{p.slice, p.unit, p.userUnit, p.container} {
			if strings.Contains(part, "/") || !strings.Contains(path, part) {
				t.Errorf("%q: %+v", path, p)
			}
		}
		// What is added to the right changes nothing but what is still open.
		if longer := place(path + "/system.slice/sshd.service"); p.unit != "" && (longer.unit != p.unit || longer.slice != p.slice) {
			t.Errorf("%q: %+v became %+v", path, p, longer)
		}
	})
}
