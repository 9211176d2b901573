// Package ownfile opens the files that server-monitor itself keeps (tokens,
// decisions, the copy of policy) and those that others keep writing (logs), so
// that they may be renamed while they are open, and so that those it makes are
// for their owner alone. Unix grants both by itself; Windows grants neither to
// who does not ask for it.
package ownfile
