package main

import (
	"context"
	"fmt"
	"log/slog"

	"server-monitor/collector"
	"server-monitor/internal/inventory"
	"server-monitor/internal/policy"
	"server-monitor/internal/process"
	"server-monitor/internal/risk"
	"server-monitor/internal/service"
	"server-monitor/internal/terminate"
	"server-monitor/killapi"
)

// parts are what the commands work with.
type parts struct {
	reader *process.Reader
	policy *policySource
	keeper *inventory.Keeper
	host   *terminate.Host

	manager *service.AutoManager // nil until somebody needs it
	endings *collector.Termination
	denials *collector.Operator
}

// assemble builds the parts. They must be closed in the end.
func assemble(c *config, logger *slog.Logger) (*parts, error) {
	where := process.Config{Proc: c.paths.Proc, Root: c.paths.Root}
	reader, err := process.NewReader(where)
	if err != nil {
		return nil, misuse{fmt.Errorf("--path.procfs %s: %w", c.paths.Proc, err)}
	}
	source, err := c.openPolicy(logger)
	if err != nil {
		reader.Close()
		return nil, err
	}
	return &parts{
		reader: reader,
		policy: source,
		keeper: inventory.NewKeeper(reader, risk.NewJudge(c.criteria), source),
		host:   terminate.ReadHost(where),

		endings: collector.NewTermination(terminate.Tallies(), killapi.TurnAwayCodes),
		denials: collector.NewOperator(killapi.DenialCodes),
	}, nil
}

func (p *parts) close() {
	if p.manager != nil {
		p.manager.Close()
	}
	p.policy.close()
	p.reader.Close()
}

// collectors makes the collectors that are switched on.
func (p *parts) collectors(c *config, logger *slog.Logger) (*collector.Set, error) {
	s := &c.serve
	makers := map[string]func() (collector.Collector, error){
		"boot":   func() (collector.Collector, error) { return collector.NewBoot(c.paths) },
		"cpu":    func() (collector.Collector, error) { return collector.NewCPU(c.paths, s.perCore) },
		"load":   func() (collector.Collector, error) { return collector.NewLoad(c.paths) },
		"memory": func() (collector.Collector, error) { return collector.NewMemory(c.paths) },
		"filesystem": func() (collector.Collector, error) {
			return collector.NewFilesystem(c.paths, collector.FilesystemConfig{
				MountPointsExclude: s.mountsExclude, FSTypesExclude: s.fsTypesExclude, MountTimeout: s.mountTimeout,
			}, logger)
		},
		"policy":   func() (collector.Collector, error) { return collector.NewPolicy(p.policy.status), nil },
		"pressure": func() (collector.Collector, error) { return collector.NewPressure(c.paths) },
		"process": func() (collector.Collector, error) {
			return collector.NewProcess(p.keeper, collector.ProcessConfig{
				MemoryThreshold: s.memoryThreshold, MaxPIDs: s.maxPIDs, MaxGroups: s.maxGroups, Groups: s.groups,
				Language: c.language, Terminatable: p.terminatable,
			}, logger), nil
		},
		"service": func() (collector.Collector, error) {
			return collector.NewService(p.services(c, logger), s.expected, logger), nil
		},
		"termination": func() (collector.Collector, error) { return p.endings, nil },
		"operator":    func() (collector.Collector, error) { return p.denials, nil },
	}
	on := make(map[string]collector.Collector)
	for name := range s.collectors() {
		made, err := makers[name]()
		if err != nil {
			return nil, fmt.Errorf("--collector.%s: %w", name, err)
		}
		on[name] = made
	}
	return collector.NewSet(logger, on), nil
}

// services makes the manager of services, once.
func (p *parts) services(c *config, logger *slog.Logger) service.Manager {
	if p.manager == nil {
		s := &c.serve
		p.manager = service.NewAuto(service.Config{
			Include: s.unitInclude, Exclude: s.unitExclude, Configured: s.services, Root: c.paths.Root,
		}, p.snapshot, logger)
	}
	return p.manager
}

// snapshot lets services be looked for among the processes.
func (p *parts) snapshot(ctx context.Context) (*process.Snapshot, error) {
	taken, err := p.keeper.Take(ctx)
	if err != nil {
		return nil, err
	}
	return taken.Snapshot, nil
}

// terminatable tells whether neither a guard nor policy forbids to end a
// process.
func (p *parts) terminatable(t *process.Process, a *risk.Assessment, i *inventory.Inventory) bool {
	subject := policy.SubjectOf(t, i.MemoryTotal)
	subject.Warnings = a.Names()
	return !a.Excluded && terminate.Terminatable(t, p.host, i.Policy, subject)
}
