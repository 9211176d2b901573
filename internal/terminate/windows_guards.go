package terminate

// The codes of the guards that only Windows has.
const (
	GuardWindowsKernel    Code = "windows-kernel"
	GuardCriticalProcess  Code = "critical-process"
	GuardProtectedProcess Code = "protected-process"
	GuardSession0         Code = "session-0"
	GuardLocalSystem      Code = "local-system"
	GuardServiceHost      Code = "service-host"
	GuardWindowsCore      Code = "windows-core"
	GuardHostsService     Code = "hosts-service"
)

// windowsGuards are all rules that forbid to end a process of Windows: first
// what it is, then to whom it belongs, then what it does.
var windowsGuards = []guard{
	plain(GuardWindowsKernel,
		"It is part of the kernel of Windows.",
		"Windows 커널의 일부입니다.",
		isWindowsKernel),
	shared(GuardSelf),
	shared(GuardAncestor),
	shared(GuardZombie),
	sharedCode(GuardUnreadable, isUnreadableOnWindows),
	plain(GuardCriticalProcess,
		"It is a critical process: Windows stops with a blue screen when it ends.",
		"중요(critical) 프로세스입니다. 종료하면 Windows가 블루 스크린과 함께 멈춥니다.",
		onWindows(isCritical)),
	plain(GuardProtectedProcess,
		"Windows protects it even from administrators.",
		"Windows가 관리자로부터도 보호하는 프로세스입니다.",
		onWindows(isShielded)),
	plain(GuardSession0,
		"It runs in session 0, where services and Windows itself live, not in the session of a logged-in user.",
		"로그인한 사용자의 세션이 아니라 서비스와 시스템이 실행되는 세션 0에 속합니다.",
		onWindows(isInSession0)),
	plain(GuardLocalSystem,
		"It runs as SYSTEM, who may do anything on this machine.",
		"이 컴퓨터의 모든 권한을 가진 SYSTEM 계정으로 실행 중입니다.",
		onWindows(isLocalSystem)),
	sharedCode(GuardServiceAccount, isWindowsAccount),
	plain(GuardServiceHost,
		"It is svchost, the host of Windows services; stop the single service instead.",
		"Windows 서비스를 실행하는 svchost입니다. 해당 서비스만 중지하십시오.",
		isServiceHost),
	detailed(GuardWindowsCore,
		"It is a program that Windows or the session of a user cannot do without.",
		"Windows 또는 사용자 세션에 없어서는 안 되는 프로그램입니다.",
		isWindowsCore),
	detailed(GuardHostsService,
		"It runs a Windows service; stop that service instead.",
		"Windows 서비스를 실행하는 프로세스입니다. 해당 서비스를 중지하십시오.",
		hostsService),
}

// shared is the guard of a code that holds on all systems alike.
func shared(code Code) guard {
	for i := range guards {
		if guards[i].Code == code {
			return guards[i]
		}
	}
	panic("no guard " + string(code))
}

// sharedCode is a guard that says the same on all systems, and looks at other
// facts on Windows.
func sharedCode(code Code, holds func(f *Facts, h *Host) (string, bool)) guard {
	g := shared(code)
	g.holds = holds
	return g
}
