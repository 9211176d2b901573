package main

import (
	"fmt"
	"os"
	"strconv"
)

// held keeps the memory of hog.
var held []byte

// hog holds so many MiB of memory in use.
func hog(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give a size in MiB")
	}
	size, err := strconv.ParseUint(args[0], 10, 20)
	if err != nil {
		return err
	}
	held = make([]byte, size<<20)
	for i := 0; i < len(held); i += os.Getpagesize() {
		held[i] = 1
	}
	return nil
}
