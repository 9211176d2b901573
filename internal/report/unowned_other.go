//go:build !windows

package report

// What is said where the owners of sockets were not found.
const (
	unownedEnglish = "%d listening sockets belong to processes that may not be seen: run as root, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH."
	unownedKorean  = "소유 프로세스를 볼 수 없는 수신 소켓이 %d개 있습니다. root로, 또는 CAP_SYS_PTRACE와 CAP_DAC_READ_SEARCH 권한으로 실행하십시오."
)
