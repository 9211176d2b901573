// Command bench measures on a real Linux machine what server-monitor costs, and
// what others cost that tell the same: "make bench" builds and runs it, as root.
//
// It lives in a pid, mount and network namespace of its own, in which it is the
// first process, so that nobody else's processes come and go in what is
// measured. There it starts sleeping processes of ordinary users, then all
// subjects side by side, and asks each of them once in every round. All figures
// of a table are of the same run.
//
// The floor, to which costs are compared, is the least that a program can do
// which looks at every process: one pread of a stat file that is open already
// for each, and a listing of /proc.
package main
