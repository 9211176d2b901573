package killapi

import (
	"context"
	"fmt"
	"net/http"

	"server-monitor/internal/resources"
	"server-monitor/internal/token"
)

// Resources reads those of the machine; [resources.Keeper] does.
type Resources interface {
	Take(ctx context.Context) (*resources.Resources, error)
}

// showResources answers GET /resources.
func (a *API) showResources(w http.ResponseWriter, r *http.Request, _ token.Record) error {
	if a.config.Resources == nil {
		return problemNotOffered
	}
	taken, err := a.config.Resources.Take(r.Context())
	if err != nil {
		return fmt.Errorf("take resources: %w", err)
	}
	return answer(w, http.StatusOK, taken)
}
