package token

import (
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"
)

// TestForeignOwner: the owner of a file could make himself an admin.
func TestForeignOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to give a file away")
	}
	f := newFile(t)
	secret, _ := create(t, f, Admin, time.Time{})
	k := keeper(t, f)
	if _, err := k.Accept(secret); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(f.Path, 65533, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Accept(secret); !errors.Is(err, ErrForeignOwner) {
		t.Errorf("accepted from the file of another user: %v", err)
	}
	if _, err := NewKeeper(f, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrForeignOwner) {
		t.Errorf("started with it: %v", err)
	}
	// Root manages the file of a service that has a user of its own.
	if records, err := f.Load(); err != nil || len(records) != 1 {
		t.Errorf("%v, %v", records, err)
	}
	if _, err := os.Stat(f.Path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(f.Path, 0, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Accept(secret); err != nil {
		t.Errorf("given back: %v", err)
	}
}
