package doctor

import (
	"fmt"
	"strings"
)

// checkPolicy judges the database of policy.
func checkPolicy(f *Facts) []Finding {
	p := &f.Policy
	if !p.Configured {
		return fine("policy.store", say("No database is configured: the embedded catalogue holds, %d documents.",
			"데이터베이스가 설정되지 않아 내장 카탈로그(문서 %d개)를 사용합니다.", p.Catalogue))
	}
	if p.Err != nil {
		return append([]Finding{{
			Check: "policy.store", Level: Failed,
			Found: say("The database %s cannot be read (%v): the last good copy or the catalogue holds, and terminations are refused or stricter.",
				"데이터베이스 %s을(를) 읽을 수 없습니다(%v). 마지막 사본 또는 내장 카탈로그를 사용하며 종료 요청이 거부되거나 더 엄격해집니다.", p.Address, p.Err),
			Remedy: say("Look at network, firewall, user and password, and try server-monitor policy list.",
				"네트워크, 방화벽, 사용자와 암호를 확인하고 server-monitor policy list를 실행해 보십시오."),
		}}, checkCopy(p)...)
	}
	findings := fine("policy.store", say("The database %[1]s answers: %[2]d documents, %[3]d rules.",
		"데이터베이스 %[1]s이(가) 응답합니다: 문서 %[2]d개, 규칙 %[3]d개.", p.Address, p.Documents, p.Rules))
	findings = append(findings, checkSeeded(p), checkIndex(p), checkDocuments(p))
	return append(findings, checkCopy(p)...)
}

// checkSeeded judges whether the catalogue is in the database.
func checkSeeded(p *Policy) Finding {
	if p.Missing == 0 {
		return fine("policy.seeded", say("The catalogue is in the database.", "내장 카탈로그가 데이터베이스에 등록되어 있습니다."))[0]
	}
	return Finding{
		Check: "policy.seeded", Level: Degraded,
		Found: say("%d documents of the catalogue are not in the database: they hold, but cannot be edited there.",
			"카탈로그 문서 %d개가 데이터베이스에 없습니다. 적용은 되지만 그곳에서 편집할 수 없습니다.", p.Missing),
		Remedy: say("server-monitor policy seed; it keeps what anybody has edited.",
			"server-monitor policy seed를 실행하십시오. 운영자가 편집한 내용은 유지됩니다."),
	}
}

// checkIndex judges whether names are unique.
func checkIndex(p *Policy) Finding {
	found := Finding{
		Check: "policy.index", Level: Degraded,
		Remedy: say("server-monitor policy seed makes it; duplicates have to be removed first (server-monitor policy validate names them).",
			"server-monitor policy seed로 생성하십시오. 중복 문서가 있으면 먼저 제거해야 합니다(server-monitor policy validate로 확인)."),
	}
	switch {
	case p.IndexErr != nil:
		found.Found = say("Whether names are unique is not known: %v.", "이름의 유일성을 확인할 수 없습니다: %v.", p.IndexErr)
		found.Remedy = say("Give the user the right to list indexes (role read).", "사용자에게 인덱스 조회 권한(read 역할)을 부여하십시오.")
	case !p.Indexed:
		found.Found = say("There is no unique index on name and platform: two documents of one name make it protected.",
			"name과 platform에 유일 인덱스가 없습니다. 같은 이름의 문서가 둘이면 해당 이름은 보호 대상이 됩니다.")
	default:
		return fine(found.Check, say("Names are unique.", "이름의 유일성이 보장됩니다."))[0]
	}
	return found
}

// mostNamed is how many malformed documents are named.
const mostNamed = 5

// checkDocuments judges whether all documents can be read.
func checkDocuments(p *Policy) Finding {
	n := len(p.Malformed)
	if n == 0 {
		return fine("policy.documents", say("All documents are well-formed.", "모든 문서의 형식이 올바릅니다."))[0]
	}
	names := strings.Join(p.Malformed[:min(n, mostNamed)], ", ")
	if n > mostNamed {
		names += fmt.Sprintf(" … +%d", n-mostNamed)
	}
	return Finding{
		Check: "policy.documents", Level: Failed,
		Found: say("%[1]d malformed documents count as protecting their names: %[2]s.",
			"형식이 잘못된 문서 %[1]d개는 해당 이름을 보호하는 것으로 간주됩니다: %[2]s.", n, names),
		Remedy: say("server-monitor policy validate names each field that is wrong.",
			"server-monitor policy validate로 잘못된 필드를 확인하고 수정하십시오."),
	}
}

// checkCopy judges the file that holds while the database is away.
func checkCopy(p *Policy) []Finding {
	switch {
	case p.CopyFile == "":
		return []Finding{{
			Check: "policy.copy", Level: Degraded,
			Found: say("No copy of policy is kept: after a restart without the database, only the catalogue holds.",
				"정책 사본을 보관하지 않습니다. 데이터베이스 없이 재시작하면 내장 카탈로그만 적용됩니다."),
			Remedy: say("--policy.copy-file=/var/lib/server-monitor/policy.jsonl and StateDirectory=server-monitor in the unit.",
				"--policy.copy-file=/var/lib/server-monitor/policy.jsonl을 지정하고 유닛에 StateDirectory=server-monitor를 추가하십시오."),
		}}
	case p.CopyErr != nil:
		return []Finding{{
			Check: "policy.copy", Level: Failed,
			Found: say("The copy of policy %[1]s cannot be written: %[2]v.", "정책 사본 %[1]s을(를) 쓸 수 없습니다: %[2]v.", p.CopyFile, p.CopyErr),
			Remedy: say("Make the folder writable for the service: StateDirectory=server-monitor in the unit.",
				"서비스가 폴더에 쓸 수 있게 하십시오: 유닛에 StateDirectory=server-monitor."),
		}}
	}
	return fine("policy.copy", say("The copy of policy %s can be written.", "정책 사본 %s을(를) 쓸 수 있습니다.", p.CopyFile))
}
