package service

import "os"

// managerName is what the manager of services is called.
const managerName = "systemd"

// machineManager is the machine's systemd, and whether that runs: sd_booted(3)
// looks for this folder.
func machineManager(config Config, _ Snapshot) (systemd closer, booted func() bool) {
	folder := config.path("/run/systemd/system")
	return NewSystemd(config), func() bool {
		info, err := os.Lstat(folder)
		return err == nil && info.IsDir()
	}
}
