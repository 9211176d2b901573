package killapi

// What the console relies on. (The OpenAPI document is to hold the same.)
//
// GET /api/v1/resources; what is not known is null, and so is its health:
//
//	{"taken": "2026-11-24T21:13:37.708Z",
//	 "health": "good"|"warn"|"bad"|null,              worst of all
//	 "cpu":    {"ratio": 0.12|null, "interval_seconds": 2.0|null, "cores": 2, "health": …},   null until a second reading
//	 "load":   {"load1": 0.5, "load5": 0.4, "load15": 0.3, "per_core": 0.25, "health": …},
//	 "memory": {"total_bytes": 1, "used_bytes": 1, "available_bytes": 1, "buffers_bytes": 1, "cached_bytes": 1, "ratio": 0.4, "health": …},
//	 "swap":   {"total_bytes": 0, "used_bytes": 0, "ratio": null, "health": "good"},
//	 "filesystems": [{"mountpoint": "/", "device": "/dev/vda", "fstype": "ext4", "size_bytes": 1, "used_bytes": 1, "available_bytes": 1,
//	                  "ratio": 0.2, "files_ratio": 0.1|null, "read_only": false, "answers": true, "health": …}],
//	 "uptime": {"boot_time": "2026-11-24T20:18:20Z", "seconds": 3317, "text": "0D+00:55"}}
//
// GET /api/v1/services: {"degraded": false, "services": [{"name", "state", "state_text", "health", "source", "configured", …}]}
//
// GET /api/v1/stream?interval=2..60&language=en|ko, server-sent events. The id of an event is a version; data is one line of JSON.
//
//	event: resources   as GET /resources; when it changed
//	event: services    as GET /services; when it changed
//	event: processes   as GET /processes without limit; first, and whenever the stream is too far behind: replaces all rows
//	event: changes     as processes, but "processes" holds only rows that are new or changed, and "gone": ["identity", …]
//	                   those that ended. Rows are known by "identity". Order: verdict (danger first), name, pid.
//	event: problem     {"about": "processes"|"services"|"resources", "code": "unavailable", "text": "…"}: what is about is stale
//	event: end         {"code": "unauthorized"|"stopping"}: the last one; with unauthorized, ask for a token, else come again
//	: comment          every 15 s where there is nothing else
//
// GET /api/v1/logs/stream?source=NAME&language=en|ko, server-sent events:
//
//	event: log         {"lines": [{"time"?, "level", "unit"?, "text", "cut"?}, …]}: first the last 20, then what is appended
//	event: skipped     {"lines": 12}: so many are left out, as the client was too slow
//	event: problem     {"about": "log", "code": "log-unavailable", "text": "why, in words"}, followed by end
//	event: end         {"code": "unauthorized"|"stopping"|"log-unavailable"}
//
// GET /processes, /processes/{pid}, /services, /logs, /stream and /logs/stream take language=en|ko, by default that of --language.
// Too many streams (16 a client, 64 in all) are answered with 429 too-many-streams and Retry-After.
