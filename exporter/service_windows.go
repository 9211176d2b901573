package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"server-monitor/internal/ownfile"
)

// installConfig is what the command "service install" can be told.
type installConfig struct {
	account string
	start   string
	flags   []string
}

// The accounts that the service can run as.
const (
	accountSystem       = "system"
	accountVirtual      = "virtual"
	accountLocalService = "local-service"
)

// accounts are their names for the service control manager.
var accounts = map[string]string{
	accountSystem:       "LocalSystem",
	accountVirtual:      `NT SERVICE\` + ownfile.ServiceName,
	accountLocalService: `NT AUTHORITY\LocalService`,
}

// The ways in which the service can be started.
const (
	startDelayed = "delayed"
	startAuto    = "auto"
	startDemand  = "demand"
)

// addService adds the commands by which the program runs as a service.
func (c *config) addService(app *kingpin.Application) {
	app.GetCommand(serveCommand).Flag(asServiceFlag, "The service control manager has started the program.").Hidden().Bool()
	i := new(installConfig)
	command := app.Command("service", "Run server-monitor as a Windows service. As administrator.")

	install := command.Command("install", "Make the service, with the flags of serve behind --: "+
		"server-monitor service install -- --web.listen-address=:10042")
	checked(&c.problems, install.Flag("account", "Account of the service: system (sees and, with tokens, ends processes of all users), "+
		"virtual (NT SERVICE\\"+ownfile.ServiceName+") or local-service (metrics; little is seen of others' processes).").
		Default(accountSystem), &i.account, parseChoice(accountSystem, accountVirtual, accountLocalService))
	checked(&c.problems, install.Flag("start", "When it is started: delayed (after the other services), auto or demand.").
		Default(startDelayed), &i.start, parseChoice(startDelayed, startAuto, startDemand))
	install.Arg("flags", "Flags of serve.").StringsVar(&i.flags)
	c.commands[install.FullCommand()] = func(c *config) error { return i.install(c) }

	remove := command.Command("uninstall", "Stop the service and remove it. Its files in "+ownfile.Folder()+" stay.")
	c.commands[remove.FullCommand()] = func(*config) error { return uninstallService() }
	start := command.Command("start", "Start the service and wait until it serves.")
	c.commands[start.FullCommand()] = func(*config) error { return startService() }
	stop := command.Command("stop", "Stop the service and wait until it has ended.")
	c.commands[stop.FullCommand()] = func(*config) error { return stopService() }
}

// serveArguments are the arguments of the service: what was given, and where its
// files are unless that was given too.
func (i *installConfig) serveArguments(tokenFile string) []string {
	usual := []string{"--operator.token-file=" + tokenFile, "--audit.file=" + filepath.Join(filepath.Dir(tokenFile), "audit.jsonl")}
	if slices.ContainsFunc(i.flags, func(flag string) bool { return strings.HasPrefix(flag, "--policy.mongodb-uri") }) {
		usual = append(usual, "--policy.copy-file="+filepath.Join(filepath.Dir(tokenFile), "policy.jsonl"))
	}
	arguments := []string{serveCommand, "--" + asServiceFlag}
	for _, flag := range usual {
		name, _, _ := strings.Cut(flag, "=")
		given := func(g string) bool { return g == name || strings.HasPrefix(g, name+"=") }
		if !slices.ContainsFunc(i.flags, given) {
			arguments = append(arguments, flag)
		}
	}
	return append(arguments, i.flags...)
}

// checkArguments tells what is wrong with the arguments of the service, which
// would else be told to the event log.
func (c *config) checkArguments(arguments []string) error {
	app, other := newApp(c.stdout, c.stderr)
	app.Terminate(func(int) {})
	command, err := app.Parse(arguments)
	if err == nil {
		err = other.check(command)
	}
	if err == nil && command != serveCommand {
		err = fmt.Errorf("%q is no flag of %s", arguments[len(arguments)-1], serveCommand)
	}
	return err
}

// install makes the service with all that belongs to it.
func (i *installConfig) install(c *config) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	if err := ownfile.Replaceable(program); err != nil {
		return fmt.Errorf(`%w: whoever may replace the program becomes what it runs as; put it below C:\Program Files`, err)
	}
	tokens, err := usualTokenFile()
	if err != nil {
		return fmt.Errorf("folder of the service: %w", err)
	}
	arguments := i.serveArguments(tokens)
	if err := c.checkArguments(arguments); err != nil {
		return err
	}
	if err := (tokenFileOf(arguments)).Make(); err != nil {
		return err
	}
	manager, err := connectSCM()
	if err != nil {
		return err
	}
	defer manager.Disconnect() //nolint:errcheck // nothing can be done about it
	service, err := manager.CreateService(ownfile.ServiceName, program, i.settings(), arguments...)
	if err != nil {
		return fmt.Errorf("make the service: %w", err)
	}
	defer service.Close()
	if err := i.complete(c, service); err != nil {
		return errors.Join(err, service.Delete())
	}
	_, err = fmt.Fprintf(c.stdout, "The service %s is installed, and runs as %s.\n", ownfile.ServiceName, accounts[i.account])
	return err
}

// settings are those that a service is made with.
func (i *installConfig) settings() mgr.Config {
	settings := mgr.Config{
		DisplayName:      "Server Monitor",
		Description:      "Tells what runs on this server, whether it is dangerous, and why: metrics for Prometheus, console and API for operators.",
		StartType:        mgr.StartAutomatic,
		ErrorControl:     mgr.ErrorNormal,
		ServiceStartName: accounts[i.account],
	}
	if i.start == startDemand {
		settings.StartType = mgr.StartManual
	}
	return settings
}

// waitLimit is how long the service may take to start or to stop.
const waitLimit = 40 * time.Second

func startService() error {
	return withService(windows.SERVICE_START|windows.SERVICE_QUERY_STATUS, func(service *mgr.Service) error {
		if err := service.Start(); err != nil {
			return fmt.Errorf("start the service: %w", err)
		}
		return awaitState(service, svc.Running)
	})
}

func stopService() error {
	return withService(windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS, func(service *mgr.Service) error {
		_, err := service.Control(svc.Stop)
		if err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			return fmt.Errorf("stop the service: %w", err)
		}
		return awaitState(service, svc.Stopped)
	})
}

func uninstallService() error {
	if err := stopService(); err != nil {
		return err
	}
	return withService(windows.DELETE, func(service *mgr.Service) error {
		if err := service.Delete(); err != nil {
			return fmt.Errorf("remove the service: %w", err)
		}
		return removeEventSource()
	})
}

// awaitState waits until the service is in a state. One that stops on the way to
// another has failed, and the event log says why.
func awaitState(service *mgr.Service, want svc.State) error {
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	for {
		status, err := service.Query()
		switch {
		case err != nil:
			return fmt.Errorf("ask for the state of the service: %w", err)
		case status.State == want:
			return nil
		case status.State == svc.Stopped:
			return fmt.Errorf("the service has stopped with exit code %d, %d: the event log says why (Get-WinEvent -ProviderName %s)",
				status.Win32ExitCode, status.ServiceSpecificExitCode, ownfile.ServiceName)
		case ctx.Err() != nil:
			return fmt.Errorf("the service is not in state %d within %v, but in %d", want, waitLimit, status.State)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// connectSCM opens the service control manager to make services.
func connectSCM() (*mgr.Mgr, error) {
	manager, err := mgr.Connect()
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return nil, errors.New("only administrators may do that: start the console as administrator")
	}
	if err != nil {
		return nil, fmt.Errorf("open the service control manager: %w", err)
	}
	return manager, nil
}

// withService opens our service for some rights.
func withService(rights uint32, use func(*mgr.Service) error) error {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return fmt.Errorf("open the service control manager: %w", err)
	}
	defer windows.CloseServiceHandle(manager) //nolint:errcheck // nothing can be done about it
	name, err := windows.UTF16PtrFromString(ownfile.ServiceName)
	if err != nil {
		return err
	}
	handle, err := windows.OpenService(manager, name, rights)
	if err != nil {
		return fmt.Errorf("open the service %s: %w", ownfile.ServiceName, err)
	}
	service := &mgr.Service{Name: ownfile.ServiceName, Handle: handle}
	defer service.Close()
	return use(service)
}
