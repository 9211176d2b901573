package service

import "strings"

// States of services as the service control manager numbers them
// (SERVICE_STATUS_PROCESS, dwCurrentState).
const (
	scmStopped         = 1
	scmStartPending    = 2
	scmStopPending     = 3
	scmRunning         = 4
	scmContinuePending = 5
	scmPausePending    = 6
	scmPaused          = 7
)

// scmStates maps them to ours, with Windows' own words. A paused service holds
// what it has and serves nobody.
var scmStates = map[uint32]struct {
	state State
	words string
}{
	scmStopped:         {Inactive, "stopped"},
	scmStartPending:    {Activating, "start pending"},
	scmStopPending:     {Deactivating, "stop pending"},
	scmRunning:         {Active, "running"},
	scmContinuePending: {Activating, "continue pending"},
	scmPausePending:    {Deactivating, "pause pending"},
	scmPaused:          {Idle, "paused"},
}

// Exit codes of services that are stopped and did not fail (winerror.h).
const (
	exitFine         = 0
	exitNeverStarted = 1077 // ERROR_SERVICE_NEVER_STARTED: not since the last start of the machine
	exitShutdown     = 1115 // ERROR_SHUTDOWN_IN_PROGRESS
)

// scmState judges what the manager says of a service. One that is stopped failed
// where it said so, or where its process ended without a word: the manager then
// notes ERROR_PROCESS_ABORTED for it.
func scmState(state, exitCode uint32) (State, string) {
	known, ok := scmStates[state]
	switch {
	case !ok:
		return Unsupported, ""
	case state == scmStopped && exitCode != exitFine && exitCode != exitNeverStarted && exitCode != exitShutdown:
		return Failed, known.words
	}
	return known.state, known.words
}

// Ways in which services are started (QUERY_SERVICE_CONFIG, dwStartType).
const (
	scmAutoStart   = 2
	scmDemandStart = 3
	scmDisabled    = 4
)

// scmStartType is such a way in the words of sc.exe, empty for those of drivers.
func scmStartType(kind uint32, delayed bool) string {
	switch {
	case kind == scmAutoStart && delayed:
		return "delayed-auto"
	case kind == scmAutoStart:
		return "auto"
	case kind == scmDemandStart:
		return "demand"
	case kind == scmDisabled:
		return "disabled"
	}
	return ""
}

// scmService is a service as the service control manager tells it.
type scmService struct {
	name, display string
	state, exit   uint32
	pid           int
}

// scmPick chooses what is reported: the configured services, each as the manager
// spells it, and those others that the patterns select. Names of services are
// the same in capitals and small letters.
func scmPick(config Config, all []scmService) []Service {
	byName := make(map[string]*scmService, len(all))
	for i := range all {
		byName[strings.ToLower(all[i].name)] = &all[i]
	}
	var picked []Service
	taken := make(map[string]bool)
	for _, name := range config.names() {
		found := Service{Name: printable(name), State: NotFound, Source: SCM}
		for _, unit := range knownAs(name).units {
			if s := byName[strings.ToLower(unit)]; s != nil {
				found = s.service()
				break
			}
		}
		found.Configured = true
		if !taken[found.Name] {
			taken[found.Name] = true
			picked = append(picked, found)
		}
	}
	for i := range all {
		if s := all[i].service(); !taken[s.Name] && config.selects(all[i].name) {
			taken[s.Name] = true
			picked = append(picked, s)
		}
	}
	sortByName(picked)
	return picked
}

// service is what there is to say of it without asking further.
func (s *scmService) service() Service {
	state, words := scmState(s.state, s.exit)
	return Service{
		Name: printable(s.name), State: state, Sub: words, Source: SCM, Description: printable(s.display), MainPID: s.pid,
	}
}
