package token

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestMemoryAndFileTogether(t *testing.T) {
	file := File{Path: filepath.Join(t.TempDir(), "tokens.json")}
	inFile, kept, err := file.Create("kept", Viewer, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := NewKeeper(file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	memory := new(Memory)
	inMemory, made := memory.Create("this run", Operator)
	all := Any{keeper, memory}
	for secret, want := range map[string]Record{inFile: kept, inMemory: made} {
		if got, err := all.Accept(secret); err != nil || got.ID != want.ID || got.Role != want.Role {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		if !all.Knows(want.ID) {
			t.Errorf("%s is not known", want.ID)
		}
	}
	if text, err := os.ReadFile(file.Path); err != nil || len(text) == 0 {
		t.Fatal(err)
	} else if records, err := parse(text); err != nil || len(records) != 1 {
		t.Errorf("%d records in the file, %v: what is in memory must not get there", len(records), err)
	}
	wrong := inMemory[:len(inMemory)-1] + "_"
	if inMemory == wrong {
		wrong = inMemory[:len(inMemory)-1] + "-"
	}
	for secret, want := range map[string]error{wrong: ErrUnknown, "smk_00000000_" + inFile[13:]: ErrUnknown, "": ErrMalformed, inFile[:20]: ErrMalformed} {
		if _, err := all.Accept(secret); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", secret, err, want)
		}
	}
	if all.Knows("00000000") {
		t.Error("an unknown id is known")
	}
	if err := os.Remove(file.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := all.Accept(inMemory); err != nil {
		t.Errorf("without the file: %v", err)
	}
	if _, err := all.Accept(inFile); err == nil {
		t.Error("a token of a file that is gone holds")
	}
}
