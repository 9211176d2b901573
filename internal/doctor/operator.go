package doctor

import (
	"errors"
	"io/fs"
	"strings"

	"server-monitor/internal/language"
	"server-monitor/internal/token"
)

// checkTokens judges the file of tokens.
func checkTokens(f *Facts) []Finding {
	t := &f.Tokens
	if t.Path == "" {
		return fine("tokens", say("No token file is configured: nothing can be ended or changed.",
			"토큰 파일이 설정되지 않아 종료와 변경 기능이 꺼져 있습니다."))
	}
	if t.Err != nil {
		return []Finding{{
			Check: "tokens", Level: Failed, Remedy: mendTokens(t, f.Windows != nil),
			Found: say("Nobody can be let in: %v.", "토큰을 사용할 수 없습니다: %v.", t.Err),
		}}
	}
	var expired []string
	for i := range t.Records {
		if t.Records[i].Expired(f.Clock.Now) {
			expired = append(expired, t.Records[i].Name+" ("+t.Records[i].ID+")")
		}
	}
	switch {
	case len(t.Records) == len(expired):
		return []Finding{{
			Check: "tokens", Level: Degraded, Remedy: createToken(t.Path),
			Found: say("%s holds no token that is good.", "%s에 유효한 토큰이 없습니다.", t.Path),
		}}
	case len(expired) > 0:
		return []Finding{{
			Check: "tokens", Level: Degraded,
			Found: say("Expired tokens: %s.", "만료된 토큰: %s.", strings.Join(expired, ", ")),
			Remedy: say("server-monitor token revoke ID drops one; server-monitor token create makes another.",
				"server-monitor token revoke ID로 삭제하고 server-monitor token create로 새로 만드십시오."),
		}}
	}
	return fine("tokens", say("%[1]s holds %[2]d tokens.", "%[1]s에 토큰이 %[2]d개 있습니다.", t.Path, len(t.Records)))
}

// mendTokens says how to mend a file that cannot be used.
func mendTokens(t *Tokens, windows bool) language.Text {
	switch {
	case errors.Is(t.Err, token.ErrReadableByOthers) && windows:
		return say("icacls %s /inheritance:r /grant:r SYSTEM:F Administrators:F; it holds hashes alone, yet whoever could write it could let itself in: look at the list of tokens.",
			"icacls %s /inheritance:r /grant:r SYSTEM:F Administrators:F를 실행하고, 다른 사용자가 토큰을 추가하지 않았는지 목록을 확인하십시오.", t.Path)
	case errors.Is(t.Err, token.ErrReadableByOthers):
		return say("chmod 600 %s; it holds hashes alone, yet whoever could write it could let itself in: look at the list of tokens.",
			"chmod 600 %s을(를) 실행하고, 다른 사용자가 토큰을 추가하지 않았는지 목록을 확인하십시오.", t.Path)
	case errors.Is(t.Err, fs.ErrPermission):
		return say("Give %s to the user of the service, or grant CAP_DAC_READ_SEARCH.",
			"%s의 소유자를 서비스 사용자로 바꾸거나 CAP_DAC_READ_SEARCH를 부여하십시오.", t.Path)
	case errors.Is(t.Err, fs.ErrNotExist):
		return createToken(t.Path)
	}
	return say("Restore %[1]s, or move it away and make tokens anew: server-monitor token create --operator.token-file=%[1]s.",
		"%[1]s을(를) 복구하거나, 옮겨 두고 토큰을 새로 만드십시오: server-monitor token create --operator.token-file=%[1]s.", t.Path)
}

func createToken(path string) language.Text {
	command := "server-monitor token create --operator.token-file=%s --name=NAME --role=operator"
	return say(command, command, path)
}

// checkAudit judges the file of decisions.
func checkAudit(f *Facts) []Finding {
	a := &f.Audit
	switch {
	case a.Path == "":
		return fine("audit", say("No audit file is configured: decisions are in the log alone.",
			"감사 파일이 설정되지 않아 결정 내역은 로그에만 남습니다."))
	case a.Err != nil:
		return []Finding{{
			Check: "audit", Level: Failed,
			Found: say("%[1]s cannot be written, so that nothing is ended: %[2]v.",
				"%[1]s에 쓸 수 없어 프로세스를 종료할 수 없습니다: %[2]v.", a.Path, a.Err),
			Remedy: say("Make the folder, writable for the service: LogsDirectory=server-monitor in the unit.",
				"서비스가 쓸 수 있는 폴더를 만드십시오: 유닛에 LogsDirectory=server-monitor."),
		}}
	}
	return fine("audit", say("%s can be written.", "%s에 쓸 수 있습니다.", a.Path))
}

// ourName is the name of the program among processes, cut to the 15 bytes of a
// comm, too.
const ourName = "server-monitor"

// checkListeners judges the addresses that are to be served.
func checkListeners(f *Facts) []Finding {
	var findings []Finding
	for i := range f.Listeners {
		findings = append(findings, checkListener(&f.Listeners[i]))
	}
	return findings
}

func checkListener(l *Listener) Finding {
	check := "listener." + strings.TrimSuffix(l.Flag, ".listen-address")
	failed := Finding{Check: check, Level: Failed}
	switch {
	case l.Err == nil:
		return fine(check, say("%s is free.", "%s을(를) 사용할 수 있습니다.", l.Address))[0]
	case l.InUse && strings.TrimSuffix(l.Owner, ".exe") == ourName:
		return fine(check, say("%[1]s is served by server-monitor, process %[2]d.",
			"server-monitor(프로세스 %[2]d)가 %[1]s을(를) 사용하고 있습니다.", l.Address, l.PID))[0]
	case l.InUse && l.Owner != "":
		failed.Found = say("%[1]s is taken by %[2]s, process %[3]d.", "%[1]s을(를) 다른 프로그램 %[2]s(프로세스 %[3]d)이(가) 사용하고 있습니다.",
			l.Address, l.Owner, l.PID)
		failed.Remedy = say("Stop that program, or choose another address with --%s.",
			"해당 프로그램을 중지하거나 --%s(으)로 다른 주소를 지정하십시오.", l.Flag)
	case l.InUse:
		failed.Level = Degraded
		failed.Found = say("%s is taken, by whom is not to be seen.", "%s을(를) 누군가 사용하고 있으나 확인할 수 없습니다.", l.Address)
		failed.Remedy = say("Run server-monitor doctor as root or administrator to see whether it is server-monitor.",
			"server-monitor doctor를 root 또는 관리자로 실행하여 server-monitor인지 확인하십시오.")
	default:
		failed.Found = say("%[1]s cannot be opened: %[2]v.", "%[1]s을(를) 열 수 없습니다: %[2]v.", l.Address, l.Err)
		failed.Remedy = say("Choose an address that this machine has and a port of 1024 or more with --%s.",
			"이 서버에 있는 주소와 1024 이상의 포트를 --%s(으)로 지정하십시오.", l.Flag)
	}
	return failed
}
