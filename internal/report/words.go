package report

import (
	"fmt"

	"server-monitor/internal/language"
	"server-monitor/internal/policy"
)

// words are the fixed texts of a table in one language.
type words struct {
	columns                         []string
	danger, caution, safe, excluded string
	unowned, more, expected, unseen string
	outage                          map[policy.State]string
}

type allWords map[language.Language]*words

// in is the words of a language.
func (a allWords) in(l language.Language) *words {
	if w, ok := a[l]; ok {
		return w
	}
	return a[language.English]
}

var headings = allWords{
	language.English: {
		columns: []string{"PROCESS", "PID", "USER", "CPU", "MEMORY", "PORTS"},
		danger:  "danger", caution: "caution", safe: "safe", excluded: "%d not assessed",
		unowned:  unownedEnglish,
		more:     "and %d more",
		expected: "(expected)",
		unseen:   "could not be seen: %s",
		outage: map[policy.State]string{
			policy.Degraded:     "The policy database does not answer: judged by the last copy of it.",
			policy.NeverReached: "The policy database does not answer: judged by the embedded catalogue alone.",
		},
	},
	language.Korean: {
		columns: []string{"프로세스", "PID", "사용자", "CPU", "메모리", "포트"},
		danger:  "위험", caution: "주의", safe: "안전", excluded: "판정 제외 %d개",
		unowned:  unownedKorean,
		more:     "외 %d개",
		expected: "(정상 범위)",
		unseen:   "확인할 수 없는 정보: %s",
		outage: map[policy.State]string{
			policy.Degraded:     "정책 데이터베이스가 응답하지 않아 마지막 사본으로 판정했습니다.",
			policy.NeverReached: "정책 데이터베이스가 응답하지 않아 내장 카탈로그만으로 판정했습니다.",
		},
	},
}

// summary counts the verdicts.
func (w *words) summary(r *Report) string {
	return fmt.Sprintf("🔴 %d %s  🟡 %d %s  🟢 %d %s  ("+w.excluded+")",
		r.Verdicts["danger"], w.danger, r.Verdicts["caution"], w.caution, r.Verdicts["safe"], w.safe, r.Excluded)
}
