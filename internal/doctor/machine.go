package doctor

import (
	"strings"
	"time"

	"server-monitor/internal/language"
	"server-monitor/internal/logtail"
)

// checkSystemd judges where services come from.
func checkSystemd(f *Facts) []Finding {
	s := &f.Systemd
	switch {
	case !f.Native:
		return nil
	case !s.Booted:
		return []Finding{{
			Check: "systemd", Level: Degraded,
			Found: say("systemd does not run here: services are looked for among the processes.",
				"systemd가 실행되고 있지 않아 프로세스 목록에서 서비스를 찾습니다."),
			Remedy: say("In a container, mount /run/systemd and /run/dbus of the host below --path.rootfs; elsewhere nothing is to be done.",
				"컨테이너라면 호스트의 /run/systemd와 /run/dbus를 --path.rootfs 아래에 마운트하십시오. 그 외에는 조치할 것이 없습니다."),
		}}
	case s.Err != nil:
		return []Finding{{
			Check: "systemd", Level: Failed,
			Found: say("systemd runs but cannot be asked: %v.", "systemd가 실행 중이지만 조회할 수 없습니다: %v.", s.Err),
			Remedy: say("Look at systemctl status dbus.socket, and allow AF_UNIX to the service.",
				"systemctl status dbus.socket을 확인하고 서비스에 AF_UNIX를 허용하십시오."),
		}}
	}
	return fine("systemd", say("systemd answers: %d services.", "systemd가 응답합니다: 서비스 %d개.", s.Services))
}

// checkJournal judges the log that the console shows.
func checkJournal(f *Facts) []Finding {
	j := &f.Journal
	group := say("Add the user of server-monitor to the group systemd-journal, or grant CAP_DAC_READ_SEARCH; --no-operator.journal turns it off.",
		"server-monitor 사용자를 systemd-journal 그룹에 추가하거나 CAP_DAC_READ_SEARCH를 부여하십시오. --no-operator.journal로 끌 수 있습니다.")
	switch {
	case !f.Native || !j.Wanted:
		return nil
	case j.Err != nil:
		return []Finding{{Check: "journal", Level: Degraded, Found: logtail.Problem(j.Err), Remedy: group}}
	case j.Lines == 0:
		return []Finding{{
			Check: "journal", Level: Degraded, Remedy: group,
			Found: say("The journal shows nothing: it is empty, or may not be read.", "저널에 내용이 없습니다. 비어 있거나 읽을 권한이 없습니다."),
		}}
	}
	return fine("journal", say("The journal can be read.", "저널을 읽을 수 있습니다."))
}

// Each process takes a descriptor for its stat and one for its facts; the rest
// is for connections, files and the program itself.
const (
	descriptorsEach = 2
	descriptorsMore = 256
)

// checkFiles judges the limit of open files.
func checkFiles(f *Facts) []Finding {
	l := &f.Files
	switch {
	case !f.Native:
		return nil
	case l.Err != nil:
		return []Finding{{
			Check: "files", Level: Degraded,
			Found: say("How many files may be open, or how many processes there are, is not known: %v.",
				"열 수 있는 파일 수 또는 프로세스 수를 알 수 없습니다: %v.", l.Err),
			Remedy: say("Mount /proc, and run server-monitor doctor as root.", "/proc를 마운트하고 server-monitor doctor를 root로 실행하십시오."),
		}}
	}
	need := uint64(l.Processes)*descriptorsEach + descriptorsMore
	if l.Limit < need {
		return []Finding{{
			Check: "files", Level: Degraded,
			Found: say("%[1]d files may be open; %[2]d processes call for %[3]d: what does not fit is opened anew with each scrape.",
				"파일을 %[1]d개까지 열 수 있으나 프로세스 %[2]d개에는 %[3]d개가 필요합니다. 부족한 만큼 수집할 때마다 다시 엽니다.",
				l.Limit, l.Processes, need),
			Remedy: say("Set LimitNOFILE=%d or more in the unit.", "유닛에 LimitNOFILE=%d 이상을 지정하십시오.", 2*need),
		}}
	}
	return fine("files", say("%d files may be open, enough for %d processes.",
		"파일을 %d개까지 열 수 있어 프로세스 %d개에 충분합니다.", l.Limit, l.Processes))
}

// earliest is a time at which there was no such program; a machine whose clock
// says less has lost it.
var earliest = time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)

// checkClock judges the clock, by which start times and tokens are told.
func checkClock(f *Facts) []Finding {
	c := &f.Clock
	found := Finding{Check: "clock", Level: Failed, Remedy: say("Set the clock and keep it right: timedatectl set-ntp true, or chronyd.",
		"시계를 맞추고 동기화하십시오: timedatectl set-ntp true 또는 chronyd.")}
	boot := c.Boot.UTC().Format(time.RFC3339)
	switch {
	case c.Err != nil:
		found.Found = say("The time of the last start is not known: %v.", "마지막 부팅 시각을 알 수 없습니다: %v.", c.Err)
	case c.Now.Before(earliest):
		found.Found = say("The clock says %s, which cannot be.", "시계가 %s을(를) 가리키고 있어 올바르지 않습니다.", c.Now.UTC().Format(time.RFC3339))
	case c.Boot.After(c.Now.Add(time.Minute)):
		found.Found = say("The machine started in the future, at %s.", "부팅 시각이 미래(%s)로 되어 있습니다.", boot)
	case c.Boot.Before(earliest):
		found.Level = Degraded
		found.Found = say("The machine is said to have started at %s: the clock was wrong then.",
			"부팅 시각이 %s(으)로 되어 있습니다. 당시 시계가 잘못되어 있었습니다.", boot)
	case c.Unsynchronised:
		found.Level = Degraded
		found.Found = say("Nobody keeps the clock right: start times, tokens and alerts are as wrong as it is.",
			"시계가 동기화되지 않습니다. 시작 시각, 토큰, 알림이 그만큼 어긋납니다.")
	default:
		return fine("clock", say("The machine started at %s.", "부팅 시각: %s.", boot))
	}
	return []Finding{found}
}

// checkLanguage judges whether the terminal shows what is written.
func checkLanguage(f *Facts) []Finding {
	l := &f.Language
	utf8 := strings.Contains(strings.ToUpper(strings.ReplaceAll(l.Locale, "-", "")), "UTF8")
	if l.Chosen == language.Korean && f.Native && !utf8 {
		return []Finding{{
			Check: "language", Level: Degraded,
			Found: say("Texts are Korean, but the locale is %q: the terminal may not show Hangul.",
				"한국어를 사용하지만 로캘이 %q(이)라 터미널에 한글이 깨질 수 있습니다.", l.Locale),
			Remedy: say("export LC_ALL=C.UTF-8, or ko_KR.UTF-8 where that is installed.",
				"export LC_ALL=C.UTF-8을 실행하거나, 설치되어 있다면 ko_KR.UTF-8을 사용하십시오."),
		}}
	}
	if l.Chosen == language.Korean {
		return fine("language", say("Texts are Korean.", "한국어로 표시합니다."))
	}
	return fine("language", say("Texts are English.", "영어로 표시합니다."))
}
