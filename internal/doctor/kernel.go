package doctor

import (
	"errors"

	"server-monitor/internal/language"
	"server-monitor/internal/process"
)

// checkKernel judges features of the kernel.
func checkKernel(f *Facts) []Finding {
	if !f.Native {
		return nil
	}
	return append(append(checkHandles(f), checkSockDiag(f)...), checkPressure(f)...)
}

// checkHandles judges by what processes are ended.
func checkHandles(f *Facts) []Finding {
	err := f.Kernel.Handles
	found := Finding{Check: "kernel.pidfd", Level: Degraded}
	if f.Terminations {
		found.Level = Failed
	}
	switch {
	case err == nil:
		return fine(found.Check, say("Processes can be held by pidfd.", "pidfd로 프로세스를 안전하게 지정할 수 있습니다."))
	case errors.Is(err, process.ErrForeignProc):
		found.Check = "proc.namespace"
		found.Found = say("/proc does not show our own pid namespace, so that no process can be ended from here: %v.",
			"/proc가 자신의 PID 네임스페이스를 보여주지 않아 프로세스를 종료할 수 없습니다: %v.", err)
		found.Remedy = say("Run server-monitor on the host, or its container with the host's pid namespace (docker run --pid=host).",
			"server-monitor를 호스트에서 실행하거나, 컨테이너라면 호스트 PID 네임스페이스를 사용하십시오(docker run --pid=host).")
	default:
		found.Found = say("No process can be held by pidfd, and so none can be ended: %v.",
			"pidfd를 사용할 수 없어 프로세스를 종료할 수 없습니다: %v.", err)
		found.Remedy = say("Use Linux 5.3 or newer, and allow pidfd_open and pidfd_send_signal in the filter of system calls.",
			"Linux 5.3 이상을 사용하고, 시스템 호출 필터에서 pidfd_open과 pidfd_send_signal을 허용하십시오.")
	}
	return []Finding{found}
}

// checkSockDiag judges how ports are found.
func checkSockDiag(f *Facts) []Finding {
	if f.Kernel.SockDiag == nil {
		return fine("kernel.sock_diag", say("The kernel lists listening sockets (sock_diag).", "커널이 수신 소켓 목록을 제공합니다(sock_diag)."))
	}
	return []Finding{{
		Check: "kernel.sock_diag", Level: Degraded,
		Found: say("The kernel does not list sockets (%v): ports are read from /proc/net, which is slower.",
			"커널에서 소켓 목록을 얻을 수 없어(%v) 더 느린 /proc/net에서 포트를 읽습니다.", f.Kernel.SockDiag),
		Remedy: say("Load the modules tcp_diag and udp_diag, and allow AF_NETLINK to the service (RestrictAddressFamilies=).",
			"tcp_diag와 udp_diag 모듈을 적재하고, 서비스에 AF_NETLINK를 허용하십시오(RestrictAddressFamilies=)."),
	}}
}

// checkPressure judges pressure stall information.
func checkPressure(f *Facts) []Finding {
	if f.Kernel.Pressure == nil {
		return fine("kernel.psi", say("The kernel tells pressure (PSI).", "커널이 부하 정체 정보(PSI)를 제공합니다."))
	}
	return []Finding{{
		Check: "kernel.psi", Level: Degraded,
		Found: say("There are no metrics of pressure: %v.", "부하 정체(PSI) 지표를 얻을 수 없습니다: %v.", f.Kernel.Pressure),
		Remedy: say("Boot Linux 4.20 or newer with psi=1; on Rocky Linux: grubby --update-kernel=ALL --args=psi=1, and a restart.",
			"Linux 4.20 이상을 psi=1 옵션으로 부팅하십시오. Rocky Linux: grubby --update-kernel=ALL --args=psi=1 실행 후 재부팅."),
	}}
}

// capabilities are those that server-monitor has a use for, by their numbers in
// linux/include/uapi/linux/capability.h.
var capabilities = []struct {
	name string
	bit  uint
	lost language.Text
	// ends tells a right that only terminations need.
	ends bool
}{
	{"CAP_SYS_PTRACE", 19, language.Text{
		English: "executables, namespaces and ports of other users' processes are not seen",
		Korean:  "다른 사용자의 프로세스에 대한 실행 파일, 네임스페이스, 포트를 볼 수 없습니다",
	}, false},
	{"CAP_DAC_READ_SEARCH", 2, language.Text{
		English: "files in folders that are closed to it are not seen",
		Korean:  "접근이 제한된 폴더의 파일을 확인할 수 없습니다",
	}, false},
	{"CAP_KILL", 5, language.Text{
		English: "processes of other users cannot be ended",
		Korean:  "다른 사용자의 프로세스를 종료할 수 없습니다",
	}, true},
}

// checkCapabilities judges the rights of the process.
func checkCapabilities(f *Facts) []Finding {
	c := &f.Capabilities
	if !f.Native {
		return nil
	}
	if c.Err != nil {
		return []Finding{{
			Check: "capabilities", Level: Failed,
			Found: say("The rights of the process cannot be read: %v.", "프로세스 권한을 읽을 수 없습니다: %v.", c.Err),
			Remedy: say("Give --pid the id of a process that runs, and mount /proc.",
				"--pid에 실행 중인 프로세스 번호를 지정하고 /proc를 마운트하십시오."),
		}}
	}
	var findings []Finding
	for _, right := range capabilities {
		check := "capability." + right.name
		switch {
		case c.Effective&(1<<right.bit) != 0:
			findings = append(findings, fine(check, say("It is there.", "권한이 있습니다."))...)
		case right.ends && !f.Terminations:
			findings = append(findings, fine(check, say("It is not there, nor needed: nothing can be ended without tokens.",
				"권한이 없지만, 토큰이 없어 종료 기능이 꺼져 있으므로 필요하지 않습니다."))...)
		default:
			findings = append(findings, missingRight(check, right.name, right.lost))
		}
	}
	return findings
}

// missingRight tells of a right that is not there.
func missingRight(check, name string, lost language.Text) Finding {
	return Finding{
		Check: check, Level: Degraded,
		Found: language.Text{
			English: "It is missing: " + lost.English + ".",
			Korean:  "권한이 없습니다: " + lost.Korean + ".",
		},
		Remedy: say("Give the service AmbientCapabilities=%[1]s and the same in CapabilityBoundingSet=, as the packaged unit does, or run as root.",
			"제공된 유닛처럼 서비스의 AmbientCapabilities=와 CapabilityBoundingSet=에 %[1]s를 추가하거나 root로 실행하십시오.", name),
	}
}
