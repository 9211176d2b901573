package collector

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
)

// newBootReader reads the line "btime" of /proc/stat (proc_stat(5)).
func newBootReader(paths Paths) (func(context.Context) (uint64, error), error) {
	if err := openProc(paths); err != nil {
		return nil, err
	}
	path := filepath.Join(paths.Proc, "stat")
	return func(context.Context) (boot uint64, err error) {
		err = readProc(path, func(text []byte) (err error) {
			boot, err = parseBootTime(text)
			return err
		})
		return boot, err
	}, nil
}

func parseBootTime(text []byte) (uint64, error) {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			word, _ := field(rest)
			if boot, ok := number64(word); ok && boot > 0 {
				return boot, nil
			}
		}
	}
	return 0, errors.New("no btime in stat")
}
