package terminate

import "server-monitor/internal/language"

// The codes of reasons that are no guards.
const (
	CodeNotFound          Code = "not-found"
	CodeNotLeader         Code = "not-leader"
	CodeIdentityMissing   Code = "identity-missing"
	CodeIdentityMalformed Code = "identity-malformed"
	CodeIdentityMismatch  Code = "identity-mismatch"
	CodeNameMismatch      Code = "name-mismatch"
	CodeChanged           Code = "changed"
	CodeInProgress        Code = "in-progress"
	CodePolicyDenied      Code = "policy-denied"
	CodePolicyInvalid     Code = "policy-invalid"
	CodePolicyUnavailable Code = "policy-unavailable"
	CodeNotAutomatic      Code = "not-auto-terminatable"
	CodeAuditUnavailable  Code = "audit-unavailable"
	CodeStopping          Code = "stopping"
	CodeCancelled         Code = "cancelled"
	CodeNotPermitted      Code = "not-permitted"
	CodeHidden            Code = "hidden"
	CodeNoPidfd           Code = "no-pidfd"
	CodeForeignProc       Code = "foreign-proc"
	CodePlatform          Code = "unsupported-platform"
	CodeFailed            Code = "failed"
)

// CodeFailedLogin is the code of a token that does not hold, in the audit alone.
const CodeFailedLogin Code = "failed-login"

// reason makes a reason of code, kind and sentence.
func reason(code Code, kind Kind, english, korean string) Reason {
	return Reason{Code: code, Kind: kind, Text: language.Text{English: english, Korean: korean}}
}

// The reasons that are no guards.
var (
	reasonNotFound = reason(CodeNotFound, Missing,
		"There is no such process.",
		"해당 프로세스가 없습니다.")
	reasonNotLeader = reason(CodeNotLeader, Missing,
		"The id is a thread's, not a process's.",
		"프로세스가 아니라 스레드의 번호입니다.")
	reasonIdentityMissing = reason(CodeIdentityMissing, Conflict,
		"The request must name the identity that a list handed out, or the trusted name of the process.",
		"목록에서 받은 식별자(identity) 또는 프로세스의 신뢰할 수 있는 이름을 지정해야 합니다.")
	reasonIdentityMalformed = reason(CodeIdentityMalformed, Conflict,
		"The identity is not one that a list hands out.",
		"식별자(identity)의 형식이 올바르지 않습니다.")
	reasonIdentityMismatch = reason(CodeIdentityMismatch, Conflict,
		"The pid belongs to another process now.",
		"이 PID는 이제 다른 프로세스의 것입니다.")
	reasonNameMismatch = reason(CodeNameMismatch, Conflict,
		"The name is not the trusted name of the process; ask with its identity instead.",
		"요청한 이름이 프로세스의 신뢰할 수 있는 이름과 다릅니다. 식별자(identity)로 요청하십시오.")
	reasonChanged = reason(CodeChanged, Conflict,
		"The process changed while it was being checked.",
		"확인하는 동안 프로세스가 바뀌었습니다.")
	reasonInProgress = reason(CodeInProgress, Conflict,
		"A termination of this process is under way.",
		"이 프로세스의 종료가 이미 진행 중입니다.")
	reasonPolicyDenied = reason(CodePolicyDenied, Forbidden,
		"Policy forbids to end it.",
		"정책에 따라 종료할 수 없습니다.")
	reasonPolicyInvalid = reason(CodePolicyInvalid, Forbidden,
		"The policy document of its name is malformed, and therefore protects it.",
		"이 이름의 정책 문서가 올바르지 않으므로 보호 대상으로 처리합니다.")
	reasonPolicyUnavailable = reason(CodePolicyUnavailable, Unavailable,
		"Policy could not be read afresh, which this request needs.",
		"이 요청에 필요한 최신 정책을 읽지 못했습니다.")
	reasonNotAutomatic = reason(CodeNotAutomatic, Forbidden,
		"Policy does not let automation end it.",
		"정책이 자동 종료를 허용하지 않습니다.")
	reasonAuditUnavailable = reason(CodeAuditUnavailable, Unavailable,
		"The audit could not be written, and nothing is ended unaudited.",
		"감사 기록을 남길 수 없어 종료하지 않았습니다.")
	reasonStopping = reason(CodeStopping, Unavailable,
		"server-monitor is stopping.",
		"server-monitor가 종료되는 중입니다.")
	reasonCancelled = reason(CodeCancelled, Unavailable,
		"The request was withdrawn before anything was sent.",
		"시그널을 보내기 전에 요청이 취소되었습니다.")
	reasonNotPermitted = reason(CodeNotPermitted, Unsupported,
		"The system does not let server-monitor signal this process.",
		"server-monitor에 이 프로세스로 시그널을 보낼 권한이 없습니다.")
	reasonHidden = reason(CodeHidden, Unsupported,
		"The process is there, but the system hides it from server-monitor.",
		"프로세스가 있지만 시스템이 server-monitor에 보여 주지 않습니다.")
	reasonNoPidfd = reason(CodeNoPidfd, Unsupported,
		"The kernel gives no pidfd, without which the wrong process might be hit.",
		"커널에서 pidfd를 사용할 수 없어 다른 프로세스를 잘못 종료할 위험이 있습니다.")
	reasonForeignProc = reason(CodeForeignProc, Unsupported,
		"The procfs that is read belongs to another pid namespace, so its pids are not those that signals go to.",
		"읽고 있는 procfs가 다른 PID 네임스페이스의 것이므로 프로세스 번호를 신뢰할 수 없습니다.")
	reasonPlatform = reason(CodePlatform, Unsupported,
		"Ending processes is not supported on this platform.",
		"이 플랫폼에서는 프로세스 종료를 지원하지 않습니다.")
	reasonFailed = reason(CodeFailed, Unavailable,
		"The process could not be examined.",
		"프로세스를 확인하지 못했습니다.")
)

// otherReasons lists the reasons that are no guards.
var otherReasons = []Reason{
	reasonNotFound, reasonNotLeader, reasonIdentityMissing, reasonIdentityMalformed, reasonIdentityMismatch, reasonNameMismatch, reasonChanged,
	reasonInProgress, reasonPolicyDenied, reasonPolicyInvalid, reasonPolicyUnavailable, reasonNotAutomatic,
	reasonAuditUnavailable, reasonStopping, reasonCancelled, reasonNotPermitted, reasonHidden, reasonNoPidfd, reasonForeignProc,
	reasonPlatform, reasonFailed,
}

// Reasons lists every reason there is, guards first, for documentation.
func Reasons() []Reason {
	return append(guardReasons(), otherReasons...)
}
