package logtail

import "os"

// openFile opens a file for reading; os shares it for writing and removal.
func openFile(path string) (*os.File, error) { return os.Open(path) }
