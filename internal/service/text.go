package service

import "server-monitor/internal/language"

// stateTexts are the states in words, for people.
var stateTexts = map[State]language.Text{
	Active:       {English: "active", Korean: "실행 중"},
	Idle:         {English: "active (idle)", Korean: "실행 중 (유휴)"},
	Activating:   {English: "starting", Korean: "시작하는 중"},
	Deactivating: {English: "stopping", Korean: "중지하는 중"},
	Reloading:    {English: "reloading", Korean: "설정을 다시 읽는 중"},
	Inactive:     {English: "inactive", Korean: "중지됨"},
	Failed:       {English: "failed", Korean: "실패"},
	NotFound:     {English: "not found", Korean: "찾을 수 없음"},
	Unsupported:  {English: "unknown", Korean: "확인할 수 없음"},
}

// Text is the state in words.
func (s State) Text() language.Text {
	if text, ok := stateTexts[s]; ok {
		return text
	}
	return language.Text{English: string(s)}
}
