// Command _gen writes the assembly of engine/cpu/kernel, its declarations, and
// the functions that choose between it and plain Go. It is run by go generate
// in the folder above.
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
	flag.Parse()

	constants = readConstants(*dir)
	ConstraintExpr("amd64,!noasm")
	for _, m := range maps {
		m.emit()
	}
	emitReductions()
	emitGemm()
	emitPack()
	writeDispatch(*dir)
	Generate()
	if err := onlyAVX2(filepath.Join(*dir, "avx2_amd64.s")); err != nil {
		log.Fatal(err)
	}
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
