package service

// DefaultConfigured are the services that every Windows is expected to run: the
// event log, the firewall, the endpoints of RPC and the task scheduler.
var DefaultConfigured = []string{"EventLog", "MpsSvc", "RpcEptMapper", "Schedule"}

// DefaultExpected are those of them that every server runs.
var DefaultExpected = DefaultConfigured
