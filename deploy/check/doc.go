// Package check tests what deploy/ and docker-compose.yml start, without
// starting it. It is a module of its own, so that the program does not depend
// on the parser of compose files.
package check
