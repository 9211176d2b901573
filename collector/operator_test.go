package collector

import "testing"

func TestOperatorCountsFromTheStart(t *testing.T) {
	operator := NewOperator([]string{"role", failedLogin})
	wantSeries(t, families(t, operator), "operator_denied_requests_total", map[string]float64{`reason="failed-login"`: 0, `reason="role"`: 0})
	wantSeries(t, families(t, operator), "operator_failed_logins_total", map[string]float64{"": 0})
	operator.Denied("role")
	operator.Denied(failedLogin)
	operator.Denied(failedLogin)
	wantSeries(t, families(t, operator), "operator_denied_requests_total", map[string]float64{`reason="failed-login"`: 2, `reason="role"`: 1})
	wantSeries(t, families(t, operator), "operator_failed_logins_total", map[string]float64{"": 2})
}
