package service

import "time"

// keptFacts are what systemd said of a unit. They hold until the unit changes
// its state: systemd notes the moment of each change, the silent ones of a
// restart among them (unit_notify in its src/core/unit.c).
type keptFacts struct {
	stamp uint64 // StateChangeTimestampMonotonic
	age   int    // how often they were used since
	state State
	sub   string

	since    time.Time
	start    *time.Time
	mainPID  int
	restarts *uint64

	// group is where the control group tells what the unit uses; nil where
	// systemd has to be asked.
	group *groupUse
}

// keptFor is how often facts are used before they are read anew. A service may
// name another main process without a change of state (MAINPID= of sd_notify(3)).
const keptFor = 16

// hold tells whether the facts are those of a unit as it is now.
func (k *keptFacts) hold(stamp uint64, s *Service) bool {
	return k != nil && k.stamp == stamp && k.age < keptFor && k.state == s.State && k.sub == s.Sub
}

// keep takes over what is known of a service.
func keep(stamp uint64, age int, s *Service, group *groupUse) *keptFacts {
	return &keptFacts{
		stamp: stamp, age: age, state: s.State, sub: s.Sub,
		since: s.Since, start: s.StartTime, mainPID: s.MainPID, restarts: s.Restarts, group: group,
	}
}

// give tells a service what is known of it.
func (k *keptFacts) give(s *Service) {
	s.Since, s.StartTime, s.MainPID, s.Restarts = k.since, k.start, k.mainPID, k.restarts
}

// sameActivation tells whether the unit has not been started anew since.
func (k *keptFacts) sameActivation(s *Service) bool {
	return k != nil && k.start != nil && s.StartTime != nil && k.start.Equal(*s.StartTime)
}
