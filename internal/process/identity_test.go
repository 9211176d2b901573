package process

import "testing"

func TestIdentity(t *testing.T) {
	id := Identity{PID: 902, StartTicks: 520, Boot: "5f3a1c9e"}
	const text = "902-520-5f3a1c9e"
	if got := id.String(); got != text {
		t.Errorf("%q, want %q", got, text)
	}
	if got, err := ParseIdentity(text); err != nil || got != id {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{
		"", "902", "902-520", "902-520-5f3a1c9e-", "-902-520-5f3a1c9e", "0-520-5f3a1c9e", "-1-520-5f3a1c9e", "+902-520-5f3a1c9e", "0902-520-5f3a1c9e",
		"902-0520-5f3a1c9e", "902--5f3a1c9e", "902-x-5f3a1c9e", "902-520-5F3A1C9E", "902-520-5f3a1c9", "902-520-5f3a1c9ee", "902-520-5f3a1c9g",
		" 902-520-5f3a1c9e", "902-520-5f3a1c9e\n", "902-18446744073709551616-5f3a1c9e", "99999999999999999999-520-5f3a1c9e",
	} {
		if got, err := ParseIdentity(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add("902-520-5f3a1c9e")
	f.Add("1-18446744073709551615-00000000")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseIdentity(text)
		if err != nil {
			return
		}
		if id.String() != text || id.PID <= 0 {
			t.Errorf("%q: %+v", text, id)
		}
	})
}
