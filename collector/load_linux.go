package collector

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
)

// newLoadReader reads /proc/loadavg (proc_loadavg(5)).
func newLoadReader(paths Paths) (func(context.Context) (loadAverages, error), error) {
	if err := openProc(paths); err != nil {
		return nil, err
	}
	path := filepath.Join(paths.Proc, "loadavg")
	return func(context.Context) (averages loadAverages, err error) {
		err = readProc(path, func(text []byte) (err error) {
			averages, err = parseLoad(text)
			return err
		})
		return averages, err
	}, nil
}

func parseLoad(text []byte) (averages loadAverages, err error) {
	for i := range averages {
		var word []byte
		word, text = field(text)
		if averages[i], err = strconv.ParseFloat(string(word), 64); err != nil || !(averages[i] >= 0) {
			return loadAverages{}, fmt.Errorf("no load average: %.20q", word)
		}
	}
	return averages, nil
}
