// Package risk says what it means that a process runs: the warnings that it
// bears, what they weigh, the verdict, and all of that in words for people. It
// consists of pure functions of a process and of policy, and knows nothing of
// where those come from.
//
// What a process says of itself (its comm, its command line) never lightens a
// judgement, except where only root could have said it; what its executable
// says counts as far as package process vouches for it. See "Names" in
// termination.md.
package risk
