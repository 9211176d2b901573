package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"server-monitor/internal/doctor"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/process"
)

// doctorConfig is what the command doctor can be told, beside the flags of
// serve.
type doctorConfig struct {
	output string
	strict bool
	pid    int
}

// addDoctor adds the command that says what does not work. It takes the flags of
// serve, too, so that it can be given those of the service; its help shows its
// own alone.
func (c *config) addDoctor(app *kingpin.Application) {
	d := new(doctorConfig)
	command := app.Command("doctor", "Say what of server-monitor works on this machine, what is degraded and how to mend it. "+
		"Takes the flags of serve, to judge what they ask for. Exits with 1 where something failed.")
	c.addServeFlags(command)
	for _, flag := range command.Model().Flags {
		command.GetFlag(flag.Name).Hidden()
	}
	checked(&c.problems, command.Flag("output", "Form of the output: table or json.").Short('o').Default("table"),
		&d.output, parseChoice("table", "json"))
	command.Flag("strict", "Exit with 1 where something is degraded, too.").BoolVar(&d.strict)
	checked(&c.problems, command.Flag("pid", "Process whose rights and limits are judged in place of our own, such as that of the service.").
		Default("0"), &d.pid, parseCount(0))
	c.commands[command.FullCommand()] = d.run
}

// run examines the machine, with the store that is configured.
func (d *doctorConfig) run(c *config) error {
	return c.withStore(func(ctx context.Context, store *mongostore.Store) error { return d.examine(ctx, c, store) })
}

// examine looks at everything and prints what was found.
func (d *doctorConfig) examine(ctx context.Context, c *config, store *mongostore.Store) error {
	o := &c.serve.operator
	findings := doctor.Examine(doctor.Gather(ctx, &doctor.Config{
		Process: process.Config{Proc: c.paths.Proc, Root: c.paths.Root}, PID: d.pid,
		Store: store, CopyFile: c.policy.copyFile, TokenFile: c.tokenFile, AuditFile: o.auditFile,
		Journal: o.journal && !o.off, Listeners: c.serve.listeners(), Language: c.language,
	}))
	write := doctor.WriteTable
	if d.output == "json" {
		write = doctor.WriteJSON
	}
	if err := write(c.stdout, findings, c.language); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if worst := doctor.Worst(findings); worst == doctor.Failed || d.strict && worst == doctor.Degraded {
		return exitStatus(exitFailed)
	}
	return nil
}

// listeners are the addresses of TCP that serve opens by itself.
func (s *serveConfig) listeners() []doctor.Listener {
	var all []doctor.Listener
	if !*s.web.WebSystemdSocket {
		for _, address := range *s.web.WebListenAddresses {
			if !strings.HasPrefix(address, "vsock://") {
				all = append(all, doctor.Listener{Flag: "web.listen-address", Address: address})
			}
		}
	}
	if !s.operator.off {
		for _, address := range s.operator.addresses {
			all = append(all, doctor.Listener{Flag: "operator.listen-address", Address: address})
		}
	}
	return all
}
