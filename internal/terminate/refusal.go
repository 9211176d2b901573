package terminate

import "server-monitor/internal/language"

// The codes of reasons that are no guards.
const (
	CodeNotFound          Code = "not-found"
	CodeNotLeader         Code = "not-leader"
	CodeIdentityMissing   Code = "identity-missing"
	CodeIdentityMismatch  Code = "identity-mismatch"
	CodeChanged           Code = "changed"
	CodeInProgress        Code = "in-progress"
	CodePolicyDenied      Code = "policy-denied"
	CodePolicyInvalid     Code = "policy-invalid"
	CodePolicyUnavailable Code = "policy-unavailable"
	CodeNotAutomatic      Code = "not-auto-terminatable"
	CodeAuditUnavailable  Code = "audit-unavailable"
	CodeStopping          Code = "stopping"
	CodeNoPidfd           Code = "no-pidfd"
	CodeForeignProc       Code = "foreign-proc"
	CodePlatform          Code = "unsupported-platform"
	CodeFailed            Code = "failed"
)

// reason makes a reason of code, kind and sentence.
func reason(code Code, kind Kind, english, korean string) Reason {
	return Reason{Code: code, Kind: kind, Text: language.Text{English: english, Korean: korean}}
}

// The reasons that are no guards.
var (
	reasonForeignProc = reason(CodeForeignProc, Unsupported,
		"The procfs that is read belongs to another pid namespace, so its pids are not those that signals go to.",
		"읽고 있는 procfs가 다른 PID 네임스페이스의 것이므로 프로세스 번호를 신뢰할 수 없습니다.")
	reasonPlatform = reason(CodePlatform, Unsupported,
		"Ending processes is not supported on this platform.",
		"이 플랫폼에서는 프로세스 종료를 지원하지 않습니다.")
)
