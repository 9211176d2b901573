package killapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"server-monitor/internal/language"
	"server-monitor/internal/service"
	"server-monitor/internal/token"
)

// servicePage answers GET /services.
type servicePage struct {
	// Degraded tells that the service manager could not be asked, so that only the
	// configured services are there, as the process table has them.
	Degraded bool         `json:"degraded"`
	Services []serviceRow `json:"services"`
}

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
	StartType   string    `json:"start_type,omitempty"`
	Account     string    `json:"account,omitempty"`
	Restarts    *uint64   `json:"restarts,omitempty"`
	MemoryBytes *uint64   `json:"memory_bytes,omitempty"`
	CPUSeconds  *float64  `json:"cpu_seconds,omitempty"`
	Tasks       *uint64   `json:"tasks,omitempty"`
}

// listServices answers GET /services.
func (a *API) listServices(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	l, err := a.languageOf(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := a.allServices(r.Context(), l)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, page)
}

// allServices lists the services. Where the manager is away, those that the process
// table has are better than none.
func (a *API) allServices(ctx context.Context, l language.Language) (servicePage, error) {
	if a.config.Services == nil {
		return servicePage{}, problemNotOffered
	}
	found, err := a.config.Services.Services(ctx)
	degraded := errors.Is(err, service.ErrManagerAway)
	if err != nil && !(degraded && found != nil) {
		return servicePage{}, fmt.Errorf("list services: %w", err)
	}
	page := servicePage{Degraded: degraded, Services: make([]serviceRow, len(found))}
	for i, s := range found {
		page.Services[i] = serviceRow{
			Name: s.Name, State: string(s.State), StateText: s.State.Text().In(l), Sub: s.Sub,
			Health: s.Health().String(), Source: string(s.Source), Description: s.Description,
			Since: s.Since, MainPID: s.MainPID, Configured: s.Configured,
			StartType: s.StartType, Account: s.Account,
			Restarts: s.Restarts, MemoryBytes: s.MemoryBytes, CPUSeconds: s.CPUSeconds, Tasks: s.Tasks,
		}
	}
	return page, nil
}
