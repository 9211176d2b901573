package killapi

import (
	"fmt"
	"net/http"
	"time"

	"server-monitor/internal/service"
	"server-monitor/internal/token"
)

// serviceRow is a service in the answers of the API.
type serviceRow struct {
	Name        string    `json:"name"`
	State       string    `json:"state"`
	StateText   string    `json:"state_text"`
	Sub         string    `json:"sub,omitempty"`
	Health      string    `json:"health"`
	Source      string    `json:"source"`
	Description string    `json:"description,omitempty"`
	Since       time.Time `json:"since,omitzero"`
	MainPID     int       `json:"main_pid,omitempty"`
	Configured  bool      `json:"configured"`
	Restarts    *uint64   `json:"restarts,omitempty"`
	MemoryBytes *uint64   `json:"memory_bytes,omitempty"`
	CPUSeconds  *float64  `json:"cpu_seconds,omitempty"`
	Tasks       *uint64   `json:"tasks,omitempty"`
}

// listServices answers GET /services.
func (a *API) listServices(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	if a.config.Services == nil {
		return problemNotOffered
	}
	found, err := a.config.Services.Services(r.Context())
	if err != nil {
		return fmt.Errorf("list services: %w", err)
	}
	rows := make([]serviceRow, len(found))
	for i, s := range found {
		rows[i] = serviceRow{
			Name: s.Name, State: string(s.State), StateText: s.State.Text().In(a.config.Language), Sub: s.Sub,
			Health: healthNames[service.HealthOf(s.State, s.Configured)], Source: string(s.Source), Description: s.Description,
			Since: s.Since, MainPID: s.MainPID, Configured: s.Configured,
			Restarts: s.Restarts, MemoryBytes: s.MemoryBytes, CPUSeconds: s.CPUSeconds, Tasks: s.Tasks,
		}
	}
	return answer(w, http.StatusOK, map[string]any{"services": rows})
}

var healthNames = map[service.Health]string{service.Good: "good", service.Warn: "warn", service.Bad: "bad"}
