// Command _gen writes the assembly of engine/cpu/kernel for one set of
// instructions, its declarations, and the functions that choose between it and
// plain Go. It is run by go generate in the folder above.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", "..", "folder of the package kernel")
	name := flag.String("target", "AVX2", "AVX2 or AVX512")
	flag.Parse()

	if to = targets[*name]; to == nil {
		log.Fatalf("unknown target %q", *name)
	}
	constants = readConstants(*dir)
	ConstraintExpr("amd64,!noasm")
	for _, m := range maps {
		m.emit()
	}
	emitReductions()
	emitSumAt()
	emitAdam()
	emitRows()
	emitGemm()
	emitPack()
	emitDots()
	emitParts()
	emitPool()
	emitUniform()
	emitPeak()
	writeDispatch(*dir)
	Generate()
	if !to.wide {
		if err := onlyAVX2(filepath.Join(*dir, "avx2_amd64.s")); err != nil {
			log.Fatal(err)
		}
	}
}

// text begins the assembly of a kernel, which is the loop in pseudo-code if
// the condition holds.
func text(name, signature, condition string, loop ...string) {
	TEXT(name+to.name, NOSPLIT, signature)
	Pragma("noescape")
	is := " is"
	if condition != "" {
		is = " is, " + condition + ","
	}
	Doc(append([]string{name + to.name + is, ""}, loop...)...)
}

// onlyAVX2 reports an error if the assembly uses registers that only AVX-512
// has, which the allocator takes when it runs out of the others.
func onlyAVX2(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for i, line := range strings.Split(string(text), "\n") {
		if regexp.MustCompile(`\b[XY](1[6-9]|[23][0-9])\b`).MatchString(line) {
			return fmt.Errorf("%s:%d: more than 16 vector registers:%s", name, i+1, line)
		}
	}
	return nil
}
