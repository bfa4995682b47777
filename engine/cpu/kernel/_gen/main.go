// Command _gen writes the assembly of engine/cpu/kernel, its declarations, and
// the functions that choose between it and plain Go. It is run by go generate
// in the folder above.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", "..", "folder of the package kernel")
	flag.Parse()

	constants = readConstants(*dir)
	ConstraintExpr("amd64,!noasm")
	for _, m := range maps {
		m.emit()
	}
	emitReductions()
	writeDispatch(*dir)
	Generate()
}
