package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/alecthomas/kingpin/v2"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/policy/policycmd"
)

// policyOptions is what the commands below policy can be told.
type policyOptions struct {
	output     string
	platform   policy.Platform
	filter     policycmd.Filter
	source     string
	target     string
	edit       policycmd.Edit
	files      []string
	collection string
	dry        bool
	pid        int
}

// policyCommand does one command, with the store that is configured, nil without
// one.
type policyCommand func(ctx context.Context, p *policycmd.Printer, store *mongostore.Store) error

// addPolicyCommands adds the commands that show and change policy.
func (c *config) addPolicyCommands(app *kingpin.Application) {
	o := new(policyOptions)
	group := app.Command("policy", "Show and change what is known of programs.")
	checked(&c.problems, group.Flag("output", "Form of the output: table or json.").Short('o').Default("table"),
		&o.output, parseChoice("table", "json"))
	checked(&c.problems, group.Flag("platform", "Platform whose policy is shown: linux or windows; that of this machine without it.").
		Default(string(platform)), &o.platform, parsePlatform)
	c.addPolicyViews(group, o)
	c.addPolicyEdits(group, o)
	c.addPolicyTransfers(group, o)
}

// parsePlatform reads a platform that processes run on.
func parsePlatform(text string) (policy.Platform, error) {
	if p := policy.Platform(text); p == policy.Linux || p == policy.Windows {
		return p, nil
	}
	return "", fmt.Errorf("%q is not linux or windows", text)
}

// policyCommand registers a command.
func (c *config) policyCommand(clause *kingpin.CmdClause, o *policyOptions, do policyCommand) *kingpin.CmdClause {
	c.commands[clause.FullCommand()] = func(c *config) error {
		return c.withStore(func(ctx context.Context, store *mongostore.Store) error {
			return do(ctx, &policycmd.Printer{W: c.stdout, JSON: o.output == "json", Language: c.language}, store)
		})
	}
	return clause
}

// addPolicyViews adds what only shows.
func (c *config) addPolicyViews(group *kingpin.CmdClause, o *policyOptions) {
	withSet := func(do func(*policycmd.Printer, *policy.Set) error) policyCommand {
		return func(ctx context.Context, p *policycmd.Printer, store *mongostore.Store) error {
			set, err := policycmd.Load(ctx, o.platform, store)
			if err != nil {
				return err
			}
			return do(p, set)
		}
	}
	list := c.policyCommand(group.Command("list", "List the documents that hold."), o, withSet(func(p *policycmd.Printer, set *policy.Set) error {
		o.filter.Source = policy.Source(o.source)
		return p.List(set, o.filter)
	}))
	list.Flag("category", "Only documents of this category.").StringVar(&o.filter.Category)
	list.Flag("tag", "Only documents with this tag.").StringVar(&o.filter.Tag)
	list.Flag("name", "Only documents whose names hold this.").StringVar(&o.filter.Name)
	checked(&c.problems, list.Flag("source", "Only documents from here: catalogue or mongodb.").Default(""), &o.source,
		parseChoice("", string(policy.Embedded), string(policy.MongoDB)))
	c.policyCommand(group.Command("rules", "List the process rules that are enabled."), o, withSet((*policycmd.Printer).Rules))
	show := c.policyCommand(group.Command("show", "Show all documents of a name."), o, withSet(func(p *policycmd.Printer, set *policy.Set) error {
		return p.Show(set, o.target)
	}))
	show.Arg("name", "NAME or PLATFORM/NAME, as linux/nginx.").Required().StringVar(&o.target)
	check := c.policyCommand(group.Command("check", "Explain which documents and rules apply to a live process, and why."), o,
		func(ctx context.Context, p *policycmd.Printer, _ *mongostore.Store) error {
			return c.checkPolicy(ctx, p, o.pid)
		})
	checkedArg(&c.problems, check.Arg("pid", "Id of the process.").Required(), &o.pid, parseCount(1))
}

// addPolicyEdits adds what changes single documents.
func (c *config) addPolicyEdits(group *kingpin.CmdClause, o *policyOptions) {
	set := c.policyCommand(group.Command("set", "Change the document of a name, or make one."), o,
		func(ctx context.Context, p *policycmd.Printer, store *mongostore.Store) error {
			return p.Set(ctx, store, o.target, o.edit)
		})
	set.Arg("target", "PLATFORM/NAME, as linux/nginx.").Required().StringVar(&o.target)
	e := &o.edit
	for _, f := range []struct {
		name, help string
		target     **string
	}{
		{"category", "What kind of program it is.", &e.Category},
		{"description", "What it is for, in English.", &e.Description},
		{"description-ko", "What it is for, in Korean.", &e.DescriptionKo},
		{"reason", "Why it must not be ended, in English.", &e.Reason},
		{"reason-ko", "Why it must not be ended, in Korean.", &e.ReasonKo},
	} {
		checked(&c.problems, set.Flag(f.name, f.help), f.target, func(text string) (*string, error) { return &text, nil })
	}
	for _, f := range []struct {
		name, help string
		target     **bool
	}{
		{"system", "Whether the machine needs it: yes or no.", &e.System},
		{"terminatable", "Whether it may be ended: yes or no.", &e.Terminatable},
		{"auto-terminate", "Whether automation may end it: yes or no.", &e.AutoTerminate},
	} {
		checked(&c.problems, set.Flag(f.name, f.help).PlaceHolder("yes|no"), f.target, parseYes)
	}
	for _, f := range []struct {
		name, help string
		target     **[]string
	}{
		{"path", "Glob of executables that may bear the name. Repeatable; an empty one takes all away.", &e.Paths},
		{"expected-warning", "Warning that is normal for it, as PUBLIC_PORT(22). Repeatable; an empty one takes all away.", &e.ExpectedWarnings},
		{"tag", "Free word. Repeatable; an empty one takes all away.", &e.Tags},
	} {
		set.Flag(f.name, f.help).SetValue(&optionalList{target: f.target})
	}
	remove := c.policyCommand(group.Command("delete", "Remove the documents of a name from the database."), o,
		func(ctx context.Context, p *policycmd.Printer, store *mongostore.Store) error {
			return p.Delete(ctx, store, o.target)
		})
	remove.Arg("target", "PLATFORM/NAME, as linux/nginx; COLLECTION:ID where the name cannot be read.").Required().StringVar(&o.target)
}

// addPolicyTransfers adds what works on many documents.
func (c *config) addPolicyTransfers(group *kingpin.CmdClause, o *policyOptions) {
	collection := func(clause *kingpin.CmdClause) {
		clause.Flag("collection", "Collection that arrays and single documents belong to.").Default("known_processes").
			EnumVar(&o.collection, "known_processes", "process_rules")
	}
	seed := c.policyCommand(group.Command("seed", "Make collections and index, and write the catalogue; what an operator wrote stays."), o,
		func(ctx context.Context, p *policycmd.Printer, store *mongostore.Store) error {
			return p.Seed(ctx, store, policy.Catalogue(), o.dry)
		})
	seed.Flag("dry-run", "Only say what would be done.").BoolVar(&o.dry)
	load := c.policyCommand(group.Command("import", "Write documents from files of (extended) JSON into the database."), o,
		func(ctx context.Context, p *policycmd.Printer, store *mongostore.Store) error {
			return withFiles(o.files, func(files []policycmd.File) error { return p.Import(ctx, store, files, o.collection, o.dry) })
		})
	load.Arg("file", "File, - for the standard input.").Required().StringsVar(&o.files)
	load.Flag("dry-run", "Only say what would be done.").BoolVar(&o.dry)
	collection(load)
	c.policyCommand(group.Command("export", "Write both collections as extended JSON."), o,
		func(ctx context.Context, p *policycmd.Printer, store *mongostore.Store) error {
			return p.Export(ctx, store)
		})
	validate := c.policyCommand(group.Command("validate", "Say what is wrong with files, or with the database without any; exits with 1 where documents are malformed."), o,
		func(ctx context.Context, p *policycmd.Printer, store *mongostore.Store) error {
			if len(o.files) == 0 {
				return p.ValidateStore(ctx, store)
			}
			return withFiles(o.files, func(files []policycmd.File) error { return p.ValidateFiles(files, o.collection) })
		})
	validate.Arg("file", "File, - for the standard input.").StringsVar(&o.files)
	collection(validate)
}

// withFiles opens files for reading.
func withFiles(names []string, do func([]policycmd.File) error) error {
	var opened []*os.File
	defer func() {
		for _, f := range opened {
			f.Close()
		}
	}()
	var files []policycmd.File
	for _, name := range names {
		if name == "-" {
			files = append(files, policycmd.File{Name: name, Reader: os.Stdin})
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		opened = append(opened, f)
		files = append(files, policycmd.File{Name: name, Reader: f})
	}
	return do(files)
}

// checkPolicy asks policy about a live process.
func (c *config) checkPolicy(ctx context.Context, p *policycmd.Printer, pid int) error {
	logger := c.logger()
	parts, err := assemble(c, logger)
	if err != nil {
		return err
	}
	defer parts.close()
	parts.policy.settle(ctx, logger)
	taken, err := parts.keeper.Take(ctx)
	if err != nil {
		return err
	}
	index, ok := taken.Index(pid)
	if !ok {
		return fmt.Errorf("no process has the id %d", pid)
	}
	process, assessment := &taken.Processes[index], taken.Assessments[index]
	subject := policy.SubjectOf(process, taken.MemoryTotal)
	subject.Warnings = assessment.Names()
	return p.Check(policycmd.Checked{
		PID: pid, Identity: process.Identity.String(), Subject: subject, Described: assessment.Document,
		Answer: parts.policy.Consult(ctx, subject),
	})
}

// parseYes reads yes or no.
func parseYes(text string) (*bool, error) {
	if !slices.Contains([]string{"yes", "no"}, text) {
		return nil, fmt.Errorf("%q is not yes or no", text)
	}
	yes := text == "yes"
	return &yes, nil
}

// optionalList is a flag that may be absent, or there several times.
type optionalList struct{ target **[]string }

// Set implements [kingpin.Value]. An empty text makes an empty list.
func (o *optionalList) Set(text string) error {
	if *o.target == nil {
		*o.target = &[]string{}
	}
	if text != "" {
		**o.target = append(**o.target, text)
	}
	return nil
}

// String implements [kingpin.Value].
func (o *optionalList) String() string { return "" }

// IsCumulative tells kingpin that the flag may be repeated.
func (o *optionalList) IsCumulative() bool { return true }
