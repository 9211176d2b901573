package terminate

import (
	"strconv"
	"strings"
	"testing"
)

func TestPlaceOf(t *testing.T) {
	id := strings.Repeat("0a", 32)
	for _, test := range []struct {
		name, path string
		want       Place
	}{
		{"session", "/user.slice/user-1000.slice/session-3.scope",
			Place{Top: userSlice, UID: 1000, Unit: "session-3.scope"}},
		{"session below a session", "/user.slice/user-1000.slice/session-3.scope/system.slice/nginx.service",
			Place{Top: userSlice, UID: 1000, Unit: "session-3.scope"}},
		{"manager", "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox.scope",
			Place{Top: userSlice, UID: 1000, Unit: "user@1000.service", UserUnit: "app-firefox.scope"}},
		{"systemd --user", "/user.slice/user-1000.slice/user@1000.service/init.scope",
			Place{Top: userSlice, UID: 1000, Unit: "user@1000.service", UserUnit: "init.scope"}},
		{"a forged system.slice further down", "/user.slice/user-1000.slice/user@1000.service/system.slice/sshd.service",
			Place{Top: userSlice, UID: 1000, Unit: "user@1000.service", UserUnit: "sshd.service"}},
		{"a forged session of another user further down",
			"/user.slice/user-1000.slice/user@1000.service/user.slice/user-1001.slice/session-1.scope",
			Place{Top: userSlice, UID: 1000, Unit: "user@1000.service", UserUnit: "session-1.scope"}},
		{"another user's manager", "/user.slice/user-1000.slice/user@1001.service/app.service",
			Place{Top: userSlice, UID: -1, Unit: "user@1001.service"}},
		{"a service in a user's slice", "/user.slice/user-1000.slice/backup.service",
			Place{Top: userSlice, UID: -1, Unit: "backup.service"}},
		{"the slice of a user's name", "/user.slice/user-kim.slice/session-1.scope",
			Place{Top: userSlice, UID: -1, Unit: "session-1.scope"}},
		{"a uid in another form", "/user.slice/user-01000.slice/session-1.scope",
			Place{Top: userSlice, UID: -1, Unit: "session-1.scope"}},
		{"a uid with a sign", "/user.slice/user-+1000.slice/session-1.scope",
			Place{Top: userSlice, UID: -1, Unit: "session-1.scope"}},
		{"a session without id", "/user.slice/user-1000.slice/session-.scope",
			Place{Top: userSlice, UID: -1, Unit: "session-.scope"}},
		{"prefix and suffix that overlap", "/user.slice/user-.slice/session-1.scope",
			Place{Top: userSlice, UID: -1, Unit: "session-1.scope"}},
		{"not at the top", "/lxc/user.slice/user-1000.slice/session-3.scope",
			Place{Top: "lxc", UID: -1, Unit: "session-3.scope"}},
		{"from another cgroup namespace", "/../../user.slice/user-1000.slice/session-3.scope",
			Place{Top: "..", UID: -1, Unit: "session-3.scope"}},
		{"system service", "/system.slice/nginx.service",
			Place{Top: systemSlice, UID: -1, Unit: "nginx.service"}},
		{"init", "/init.scope", Place{Top: initScope, UID: -1, Unit: "init.scope"}},
		{"docker", "/system.slice/docker-" + id + ".scope",
			Place{Top: systemSlice, UID: -1, Unit: "docker-" + id + ".scope"}},
		{"root", "/", Place{UID: -1}},
		{"empty", "", Place{UID: -1}},
		{"no path", "user.slice/user-1000.slice/session-3.scope", Place{UID: -1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := placeOf(test.path); got != test.want {
				t.Errorf("got %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// Whatever the text, a login session is one only where the path starts with
// what root alone makes.
func FuzzPlaceOf(f *testing.F) {
	f.Add("/user.slice/user-1000.slice/session-3.scope")
	f.Add("/user.slice/user-1000.slice/user@1000.service/a")
	f.Add("/user.slice/user-.slice/session-.scope")
	f.Fuzz(func(t *testing.T, path string) {
		p := placeOf(path)
		if p.UID < 0 {
			return
		}
		slice := "/user.slice/user-" + strconv.Itoa(p.UID) + ".slice/"
		rest, ok := strings.CutPrefix(path, slice+p.Unit)
		if !ok || rest != "" && rest[0] != '/' || p.Top != userSlice {
			t.Errorf("%q is taken for a session: %+v", path, p)
		}
	})
}
