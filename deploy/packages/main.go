// Command packages makes the RPM and DEB packages of server-monitor, an SBOM for
// each program in them, and the checksums of all. The same source gives the same
// bytes: nothing depends on the time, the user or the machine.
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // registers the packager
	_ "github.com/goreleaser/nfpm/v2/rpm" // registers the packager
)

// build says what to make packages of.
type build struct {
	source, out, version string
	// host is a program that runs here, to ask for its manual.
	host string
	time time.Time
	// maintainer is a name with an address of mail in angle brackets.
	maintainer string
}

// Who answers for a package: whoever builds it says so in [maintainerVariable].
// The address of the default can be nobody's (RFC 2606).
const (
	maintainerVariable = "PACKAGE_MAINTAINER"
	defaultMaintainer  = "server-monitor maintainers <maintainers@server-monitor.invalid>"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
}

// run packs each ARCH=PROGRAM of the arguments.
func run(args []string) error {
	b := new(build)
	flags := flag.NewFlagSet("packages", flag.ContinueOnError)
	flags.StringVar(&b.source, "source", "../..", "folder of the repository")
	flags.StringVar(&b.out, "out", "../../dist", "folder for the packages")
	flags.StringVar(&b.version, "version", "", "version of the packages")
	flags.StringVar(&b.host, "host", "", "program that runs on this machine")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.version == "" || b.host == "" || flags.NArg() == 0 {
		return errors.New("want -version, -host and ARCH=PROGRAM")
	}
	var err error
	if b.time, err = sourceDate(os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		return err
	}
	if b.maintainer, err = maintainer(os.Getenv(maintainerVariable)); err != nil {
		return err
	}
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return err
	}
	var made []string
	for _, arg := range flags.Args() {
		arch, program, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is not ARCH=PROGRAM", arg)
		}
		files, err := b.pack(arch, program)
		if err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
		made = append(made, files...)
	}
	return writeChecksums(filepath.Join(b.out, "SHA256SUMS"), made)
}

// sourceDate reads SOURCE_DATE_EPOCH (reproducible-builds.org), which must be
// set: any other time would differ from build to build.
func sourceDate(text string) (time.Time, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds <= 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %q is not a number of seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// maintainer reads who answers for the packages, the default where nobody says.
func maintainer(text string) (string, error) {
	text = cmp.Or(text, defaultMaintainer)
	address, err := mail.ParseAddress(text)
	if err != nil || address.Name == "" || text != address.Name+" <"+address.Address+">" {
		return "", fmt.Errorf("%s: %q is not of the form Name <mail@address>", maintainerVariable, text)
	}
	return text, nil
}

// pack makes the packages and the SBOM of one program, and returns their paths.
func (b *build) pack(arch, program string) ([]string, error) {
	stage, err := os.MkdirTemp("", "server-monitor-packages-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(stage)
	if err := b.stage(stage, program); err != nil {
		return nil, err
	}
	var made []string
	for _, format := range [...]string{"deb", "rpm"} {
		path, err := b.packFormat(format, arch, stage)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", format, err)
		}
		made = append(made, path)
	}
	text, err := sbomOf(program, b.version, b.time)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(b.out, "server-monitor_"+b.version+"_linux_"+arch+".cdx.json")
	return append(made, path), os.WriteFile(path, text, 0o644)
}

// stage puts into a folder what is built of a package.
func (b *build) stage(folder, program string) error {
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	contents := map[string][]byte{"server-monitor": text}
	for name, flag := range map[string]string{
		"server-monitor.1.gz": "--help-man", "completion.bash": "--completion-script-bash", "completion.zsh": "--completion-script-zsh",
	} {
		if contents[name], err = exec.CommandContext(context.Background(), b.host, flag).Output(); err != nil {
			return fmt.Errorf("%s %s: %w", b.host, flag, err)
		}
	}
	page, err := manual(string(contents["server-monitor.1.gz"]), b.version, b.time)
	if err != nil {
		return err
	}
	contents["server-monitor.1.gz"] = compress([]byte(page))
	contents["completion.zsh"] = bytes.TrimLeft(contents["completion.zsh"], "\n") // #compdef is only seen in the first line
	contents["changelog.gz"] = compress([]byte(changelog(b.version, b.maintainer, b.time)))
	for name, text := range contents {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// packFormat makes one package.
func (b *build) packFormat(format, arch, stage string) (path string, err error) {
	source, err := filepath.Abs(b.source)
	if err != nil {
		return "", err
	}
	values := map[string]string{"ARCH": arch, "VERSION": b.version, "SOURCE": source, "STAGE": stage, "MAINTAINER": b.maintainer}
	config, err := nfpm.ParseFileWithEnvMapping(filepath.Join(source, "deploy/packages/nfpm.yaml"), func(name string) string { return values[name] })
	if err != nil {
		return "", err
	}
	info, err := config.Get(format)
	if err != nil {
		return "", err
	}
	info.MTime = b.time
	for _, script := range [...]*string{&info.Scripts.PostInstall, &info.Scripts.PreRemove, &info.Scripts.PostRemove} {
		*script = filepath.Join(source, *script)
	}
	info = nfpm.WithDefaults(info)
	packager, err := nfpm.Get(format)
	if err != nil {
		return "", err
	}
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return "", err
	}
	path = filepath.Join(b.out, packager.ConventionalFileName(info))
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	return path, errors.Join(packager.Package(info, file), file.Close())
}

// compress makes a gzip file without a name and a time.
func compress(text []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is right
	}
	_, _ = w.Write(text) // to memory
	_ = w.Close()
	return b.Bytes()
}

// writeChecksums writes what "sha256sum --check" reads.
func writeChecksums(path string, files []string) error {
	var b strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(text), filepath.Base(file))
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
