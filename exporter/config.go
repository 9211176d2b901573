package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"server-monitor/collector"
	"server-monitor/internal/language"
	"server-monitor/internal/risk"
)

// config is the command line, read and checked.
type config struct {
	stdout, stderr io.Writer
	problems       problems
	commands       map[string]func(*config) error

	paths    collector.Paths
	criteria risk.Criteria
	language language.Language
	logLevel *promslog.Level
	logStyle *promslog.Format
	maxProcs int
	// tokenFile holds the tokens of the operator listener; empty for none.
	tokenFile string
	policy    policyConfig

	serve serveConfig
	scan  scanConfig
}

const help = `Tells what runs on this server, whether it is dangerous, and why.

Without a command it serves metrics for Prometheus.`

// newApp makes the command line and the config that it fills.
func newApp(stdout, stderr io.Writer) (*kingpin.Application, *config) {
	app := kingpin.New("server-monitor", help)
	app.UsageWriter(stdout)
	app.ErrorWriter(stderr)
	app.Version(version.Print("server-monitor"))
	app.HelpFlag.Short('h')
	c := &config{stdout: stdout, stderr: stderr, commands: make(map[string]func(*config) error)}
	c.serve.webs, c.serve.enabled = make(map[string]*web.FlagConfig), make(map[string]*collectorFlag)
	c.addShared(app)
	c.addPolicy(app)
	c.addServe(app)
	c.addScan(app)
	c.addToken(app)
	c.addPolicyCommands(app)
	c.addDoctor(app)
	c.addService(app)
	return app, c
}

// addShared adds the flags that all commands understand.
func (c *config) addShared(app *kingpin.Application) {
	app.Flag("path.procfs", "Mount point of the host's procfs.").Default("/proc").StringVar(&c.paths.Proc)
	app.Flag("path.sysfs", "Mount point of the host's sysfs.").Default("/sys").StringVar(&c.paths.Sys)
	app.Flag("path.rootfs", "Where the host's root file system is mounted.").Default("/").StringVar(&c.paths.Root)
	repeated(&c.problems, app.Flag("risk.allowed-path",
		"Folder beside the standard ones from which programs may run without SUSPICIOUS_PATH. Repeatable."),
		&c.criteria.AllowedPaths, checkFolder)
	checked(&c.problems, app.Flag("risk.high-memory-ratio",
		"Part of the machine's memory from which on a process bears HIGH_MEMORY_USAGE.").
		Default(fmt.Sprint(risk.DefaultHighMemoryRatio)), &c.criteria.HighMemoryRatio, parseRatio)
	checked(&c.problems, app.Flag("language", "Language of explanations: en or ko.").
		Default(string(language.English)), &c.language, language.Parse)
	app.Flag("operator.token-file", "File of the bearer tokens of the operator listener. Without one, nothing can be ended or changed.").
		StringVar(&c.tokenFile)
	checked(&c.problems, app.Flag("log.level", "Least severity of log messages: debug, info, warn or error.").
		Default("info"), &c.logLevel, parseLevel)
	checked(&c.problems, app.Flag("log.format", "Form of log messages: logfmt or json.").
		Default("logfmt"), &c.logStyle, parseFormat)
	checked(&c.problems, app.Flag("runtime.gomaxprocs", "How many processors to use at once (GOMAXPROCS).").
		Envar("GOMAXPROCS").Default("1"), &c.maxProcs, parseCount(1))
}

// checkFolder tells an absolute path, of Unix or of Windows.
func checkFolder(folder string) error {
	drive := len(folder) > 2 && folder[1] == ':' && (folder[2] == '\\' || folder[2] == '/')
	if !strings.HasPrefix(folder, "/") && !drive {
		return fmt.Errorf("%q is not an absolute path", folder)
	}
	return nil
}

func parseLevel(text string) (*promslog.Level, error) {
	level := promslog.NewLevel()
	if err := level.Set(text); err != nil {
		return nil, fmt.Errorf("%q is not debug, info, warn or error", text)
	}
	return level, nil
}

func parseFormat(text string) (*promslog.Format, error) {
	format := promslog.NewFormat()
	if err := format.Set(text); err != nil {
		return nil, fmt.Errorf("%q is not logfmt or json", text)
	}
	return format, nil
}

// check looks at what flags say together, and returns all that was wrong.
func (c *config) check(command string) error {
	for _, root := range [...]*string{&c.paths.Proc, &c.paths.Sys, &c.paths.Root} {
		if *root == "" {
			c.problems.add(errors.New("--path.procfs, --path.sysfs and --path.rootfs must not be empty"))
			break
		}
		*root = filepath.Clean(*root)
	}
	c.policy.check(&c.problems)
	if c.serve.webs[command] != nil {
		c.serve.check(&c.problems, command, c.tokenFile)
	}
	return c.problems.err()
}

// logger makes the logger that the flags ask for.
func (c *config) logger() *slog.Logger { return c.loggerTo(c.stderr) }

// loggerTo makes it for another place than standard error.
func (c *config) loggerTo(w io.Writer) *slog.Logger {
	return promslog.New(&promslog.Config{Level: c.logLevel, Format: c.logStyle, Writer: w})
}
