package main

import "os"

// deleteSelf removes the file that it runs from; start it from a copy.
func deleteSelf([]string) error {
	file, err := os.Executable()
	if err != nil {
		return err
	}
	return os.Remove(file)
}
