//go:build !windows

package ownfile

import "os"

// Open opens a file for reading. Others may write, rename and remove it
// meanwhile.
func Open(path string) (*os.File, error) { return os.Open(path) }

// OpenAppend opens a file to add to it, or makes one that only its owner may
// read. It may be renamed while it is open.
func OpenAppend(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}

// CreateTemp is [os.CreateTemp] of a file that only its owner may read, which
// it is here.
func CreateTemp(folder, pattern string) (*os.File, error) { return os.CreateTemp(folder, pattern) }

// Replace puts a file into the place of another.
func Replace(from, to string) error { return os.Rename(from, to) }

// MakeFolder makes a folder that only its owner may enter, where there is none.
func MakeFolder(path string) error { return os.MkdirAll(path, 0o700) }
