package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// pathEnv names the environment variable that chooses the implementation.
const pathEnv = "HONE_CPU"

// A pathKind is one implementation of all kernels, the best last.
type pathKind uint8

const (
	pathGeneric pathKind = iota // plain Go
	pathAVX2                    // AVX2 and FMA on amd64
	pathAVX512                  // AVX-512 F, BW, DQ and VL on amd64
)

var pathNames = [...]string{pathGeneric: "generic", pathAVX2: "avx2", pathAVX512: "avx512"}

// active is the implementation in use. It is set before any kernel runs.
var active pathKind

var setupErr error

func init() { setupErr = Use(os.Getenv(pathEnv)) }

// Setup returns the error in the environment's choice of implementation, if
// any. A program shows it before it uses the engine.
func Setup() error {
	if setupErr != nil {
		return fmt.Errorf("%s: %w", pathEnv, setupErr)
	}
	return nil
}

// Path names the implementation in use, as in HONE_CPU.
func Path() string { return pathNames[active] }

// Paths names the implementations that this build has and this processor can
// run, the best last.
func Paths() []string {
	var names []string
	for _, p := range available() {
		names = append(names, pathNames[p])
	}
	return names
}

// Use chooses the implementation by its name, or the best one if it is empty.
// It must not be called while kernels run. It changes the speed, never the
// result.
func Use(name string) error {
	can := available()
	if name == "" {
		active = can[len(can)-1]
		return nil
	}
	for _, p := range can {
		if pathNames[p] == name {
			active = p
			return nil
		}
	}
	active = can[len(can)-1]
	if slices.Contains(pathNames[:], name) {
		return fmt.Errorf("%s does not run here: this build on this processor has %s", name, strings.Join(Paths(), ", "))
	}
	return fmt.Errorf("unknown implementation %q: expected one of %s, or nothing for the best", name, strings.Join(pathNames[:], ", "))
}
