package service

// managerName is what the manager of services is called.
const managerName = "the service control manager"

// machineManager is the service control manager, which always runs.
func machineManager(config Config, snapshot Snapshot) (manager closer, runs func() bool) {
	return &scmManager{config: config, snapshot: snapshot}, func() bool { return true }
}
