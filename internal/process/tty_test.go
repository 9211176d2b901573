package process

import (
	"strings"
	"testing"
)

func TestTTYName(t *testing.T) {
	cases := []struct {
		device int32
		want   string
	}{
		{0, ""},
		{4<<8 | 1, "tty1"},
		{4<<8 | 63, "tty63"},
		{4<<8 | 64, "ttyS0"},
		{5<<8 | 1, "console"},
		{5 << 8, "5:0"}, // /dev/tty is nobody's terminal
		{34816, "pts/0"},
		{34817, "pts/1"},
		{136<<8 | 255, "pts/255"},
		{136<<8 | 44 | 1<<20, "pts/300"},
		{137 << 8, "pts/256"},
		{143<<8 | 255, "pts/2047"},
		{144 << 8, "144:0"},
		{188<<8 | 3, "ttyUSB3"},
		{204<<8 | 64, "ttyAMA0"},
		{204<<8 | 5, "204:5"},
		{229 << 8, "hvc0"},
		{-1, "4095:1048575"},
	}
	for _, c := range cases {
		if got := ttyName(c.device); got != c.want {
			t.Errorf("ttyName(%d) = %q, want %q", c.device, got, c.want)
		}
	}
}

func FuzzTTYName(f *testing.F) {
	f.Add(int32(34816))
	f.Fuzz(func(t *testing.T, device int32) {
		if name := ttyName(device); (name == "") != (device == 0) || strings.ContainsAny(name, " -") {
			t.Errorf("ttyName(%d) = %q", device, name)
		}
	})
}
