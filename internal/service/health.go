package service

import "server-monitor/internal/language"

// Health is the colour of a service's dot.
type Health int

// The colours, as the metric service_health encodes them.
const (
	Good Health = iota
	Warn
	Bad
)

// HealthOf is the colour of a state. Green means that nothing is wrong, not
// that something runs: most units of a healthy machine are inactive, as they
// wait for a timer, a socket or a need that never arises. That a service
// ought to run is known only of one that somebody configured, so only there is
// it bad not to. A failed unit is bad whoever asked for it.
//
// Yellow is what passes (starting, stopping, reloading) or cannot be judged:
// one that stays yellow deserves a look, as a unit that systemd restarts over
// and over is "activating" between two attempts.
func HealthOf(state State, configured bool) Health {
	switch state {
	case Active:
		return Good
	case Failed:
		return Bad
	case Inactive, NotFound:
		if configured {
			return Bad
		}
		return Good
	default:
		return Warn
	}
}

// Health is the colour of the service's dot.
func (s Service) Health() Health { return HealthOf(s.State, s.Configured) }

// String is the code of a colour, the same in every language.
func (h Health) String() string {
	switch h {
	case Good:
		return "good"
	case Warn:
		return "warn"
	default:
		return "bad"
	}
}

// Text is the word for a colour.
func (h Health) Text() language.Text {
	switch h {
	case Good:
		return language.Text{English: "normal", Korean: "정상"}
	case Warn:
		return language.Text{English: "caution", Korean: "주의"}
	default:
		return language.Text{English: "danger", Korean: "위험"}
	}
}
