// Command vulncheck runs govulncheck against a pinned copy of the Go
// vulnerability database, and tells what is found in modules from what is
// found in the Go release that compiles the program.
//
// The database comes as the module golang.org/x/vulndb, so that the Go module
// proxy is enough, the result of a commit does not change over night, and a
// second run needs no network.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/vuln/scan"
)

// The database of the gate. "go mod download -json golang.org/x/vulndb@latest"
// tells the newest version and its sum.
const (
	pinnedVersion = "v0.0.0-20261105234957-e22db6528018"
	pinnedSum     = "h1:mfngRv0Yoh0VApsXKEN82CjD99kl7mtparN3bs3JnqI="
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	version  string
	dir      string
	systems  string
	strict   bool
	patterns []string
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("vulncheck", flag.ContinueOnError)
	flags.StringVar(&o.version, "database", pinnedVersion, "version of golang.org/x/vulndb, or latest")
	flags.StringVar(&o.dir, "dir", ".", "folder of the module to check")
	flags.StringVar(&o.systems, "systems", "linux,windows", "operating systems to check for")
	flags.BoolVar(&o.strict, "strict", false, "fail for findings in the Go release too")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.patterns = flags.Args()
	return o, nil
}

func run(ctx context.Context, args []string, w io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	database, err := download(ctx, o.version)
	if err != nil {
		return fmt.Errorf("get the vulnerability database: %w", err)
	}
	found := findings{}
	for system := range strings.SplitSeq(o.systems, ",") {
		out, err := govulncheck(ctx, system, database, o)
		if err != nil {
			return fmt.Errorf("check for %s: %w", system, err)
		}
		if err := found.read(out); err != nil {
			return fmt.Errorf("read the result for %s: %w", system, err)
		}
	}
	return found.report(w, o.strict)
}

// download returns the folder of a version of the database. It checks the sum
// of the pinned one itself, so that no checksum server is asked.
func download(ctx context.Context, version string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", "golang.org/x/vulndb@"+version)
	cmd.Env = append(os.Environ(), "GONOSUMDB=golang.org/x/vulndb", "GOFLAGS=-mod=mod")
	out, err := cmd.Output()
	var module struct{ Dir, Sum, Error string }
	if parseErr := json.Unmarshal(out, &module); parseErr != nil {
		return "", errors.Join(err, parseErr)
	}
	switch {
	case module.Error != "":
		return "", errors.New(module.Error)
	case err != nil:
		return "", err
	case version == pinnedVersion && module.Sum != pinnedSum:
		return "", fmt.Errorf("golang.org/x/vulndb@%s has the sum %s, not %s", version, module.Sum, pinnedSum)
	}
	return filepath.Join(module.Dir, "data", "osv"), nil
}

// govulncheck returns the JSON messages of a scan. govulncheck takes a folder
// of OSV files for a database without an index.
func govulncheck(ctx context.Context, system, database string, o options) (io.Reader, error) {
	args := []string{"-C", o.dir, "-format", "json", "-db", "file://" + filepath.ToSlash(database)}
	cmd := scan.Command(ctx, append(args, o.patterns...)...)
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, problems.Bytes())
	}
	return &out, nil
}
