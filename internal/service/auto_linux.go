package service

import "os"

// machineSystemd is the machine's systemd, and whether that runs: sd_booted(3)
// looks for this folder.
func machineSystemd(config Config) (systemd closer, booted func() bool) {
	folder := config.path("/run/systemd/system")
	return NewSystemd(config), func() bool {
		info, err := os.Lstat(folder)
		return err == nil && info.IsDir()
	}
}
