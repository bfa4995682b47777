package cpu_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/hone-ml/hone/engine/cpu/kernel"
)

// TestOnEveryPath runs all other tests of this package again with every
// implementation that this one does not use, each in a process that HONE_CPU forces
// to it. Tests whose names end with SameBits compare the implementations anyway.
func TestOnEveryPath(t *testing.T) {
	if os.Getenv("HONE_CPU") != "" {
		t.Skip("HONE_CPU forces one implementation")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range kernel.Paths() {
		if path == kernel.Path() {
			continue
		}
		t.Run(path, func(t *testing.T) {
			c := exec.Command(self, "-test.run=.", "-test.skip=SameBits$", "-rapid.nofailfile")
			c.Env = append(os.Environ(), "HONE_CPU="+path)
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
