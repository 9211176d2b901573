package report

// What is said where the owners of sockets were not found. Windows tells them to
// everybody, but only who opened a socket, not who has inherited it.
const (
	unownedEnglish = "%d listening sockets were opened by processes that have ended: others hold them now."
	unownedKorean  = "이미 종료된 프로세스가 열어 둔 수신 소켓이 %d개 있습니다. 지금은 다른 프로세스가 넘겨받아 가지고 있습니다."
)
