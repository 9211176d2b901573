// Package policy says what is known of programs by their names: what they are
// for, what is normal for them, and whether they may be ended.
//
// A [Set] is one version of it: the catalogue that is embedded in the program,
// and what a store has over it. The catalogue's document of a name still counts
// where the store has one: the store's describes, and both forbid. No document,
// rule or order of them lifts what another forbids.
//
// Whoever starts a process chooses most of its names. What forbids therefore
// looks at all of them, and what grants something at one alone: the name of an
// executable that nobody but root can have put where it is.
package policy
