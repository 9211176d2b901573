package doctor

// checkWindows judges what only Windows has.
func checkWindows(f *Facts) []Finding {
	w := f.Windows
	if w == nil {
		return nil
	}
	return append(append(checkElevation(w), checkSCM(w)...), checkEvents(w)...)
}

// checkElevation judges what is seen of processes of others.
func checkElevation(w *Windows) []Finding {
	found := Finding{
		Check: "windows.elevation", Level: Degraded,
		Remedy: say("Run server-monitor as administrator, or as a service with --account=system.",
			"server-monitor를 관리자 권한으로 실행하거나 --account=system 서비스로 설치하십시오."),
	}
	switch {
	case w.TokenErr != nil:
		found.Found = say("The rights of the process cannot be read: %v.", "프로세스 권한을 읽을 수 없습니다: %v.", w.TokenErr)
	case !w.Elevated:
		found.Found = say("It runs without the rights of an administrator: executables and users of others' processes are not seen, nor can they be ended.",
			"관리자 권한 없이 실행되어 다른 사용자 프로세스의 실행 파일과 사용자를 볼 수 없고 종료할 수도 없습니다.")
	case !w.Debug:
		found.Check = "windows.privilege"
		found.Found = say("SeDebugPrivilege is missing: protected facts of others' processes are not seen.",
			"SeDebugPrivilege 권한이 없어 다른 프로세스의 일부 정보를 볼 수 없습니다.")
		found.Remedy = say("Look at the policy \"Debug programs\" (secpol.msc, User Rights Assignment), and at what the service keeps: sc.exe qprivs server-monitor.",
			"로컬 보안 정책(secpol.msc, 사용자 권한 할당)의 \"프로그램 디버그\"와 서비스에 남은 권한(sc.exe qprivs server-monitor)을 확인하십시오.")
	default:
		return fine(found.Check, say("It has the rights of an administrator, and SeDebugPrivilege.", "관리자 권한과 SeDebugPrivilege가 있습니다."))
	}
	return []Finding{found}
}

// checkSCM judges where services come from.
func checkSCM(w *Windows) []Finding {
	if w.ServicesErr == nil {
		return fine("windows.services", say("The service control manager answers: %d services.",
			"서비스 제어 관리자가 응답합니다: 서비스 %d개.", w.Services))
	}
	return []Finding{{
		Check: "windows.services", Level: Failed,
		Found: say("The service control manager cannot be asked: %v.", "서비스 제어 관리자를 조회할 수 없습니다: %v.", w.ServicesErr),
		Remedy: say("Look at its access control list: sc.exe sdshow scmanager.",
			"액세스 제어 목록을 확인하십시오: sc.exe sdshow scmanager."),
	}}
}

// checkEvents judges where the service tells what goes wrong.
func checkEvents(w *Windows) []Finding {
	switch {
	case !w.Installed:
		return nil
	case w.EventsErr != nil:
		return []Finding{{
			Check: "windows.events", Level: Degraded,
			Found: say("The event log does not know how to show events of the service: %v.",
				"이벤트 로그에 서비스의 이벤트 원본이 등록되어 있지 않습니다: %v.", w.EventsErr),
			Remedy: say("server-monitor service uninstall, then install: that registers the source. Its files stay.",
				"server-monitor service uninstall 후 install을 실행하면 원본이 등록됩니다. 파일은 유지됩니다."),
		}}
	}
	return fine("windows.events", say("The event log shows events of the service.", "이벤트 로그에 서비스의 이벤트가 표시됩니다."))
}
