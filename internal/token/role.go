package token

import (
	"fmt"
	"slices"
)

// Role is what the bearer of a token may do.
type Role string

// The roles. Each of the first three may do what the one before it may;
// automation may only deliver alerts.
const (
	Viewer     Role = "viewer"
	Operator   Role = "operator"
	Admin      Role = "admin"
	Automation Role = "automation"
)

// Roles lists all roles.
var Roles = []Role{Viewer, Operator, Admin, Automation}

var ranks = []Role{Viewer, Operator, Admin}

// ParseRole reads a role.
func ParseRole(text string) (Role, error) {
	if !slices.Contains(Roles, Role(text)) {
		return "", fmt.Errorf("no role %q: want viewer, operator, admin or automation", text)
	}
	return Role(text), nil
}

// Includes tells whether the role may do what needs another.
func (r Role) Includes(needed Role) bool {
	if r == needed {
		return slices.Contains(Roles, r)
	}
	have, need := slices.Index(ranks, r), slices.Index(ranks, needed)
	return need >= 0 && have > need
}
