package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// onEachPath runs a test with every implementation that runs here.
func onEachPath(t *testing.T, f func(t *testing.T)) {
	before := Path()
	defer func() {
		if err := Use(before); err != nil {
			t.Error(err)
		}
	}()
	for _, path := range Paths() {
		if err := Use(path); err != nil {
			t.Fatal(err)
		}
		t.Run(path, f)
	}
}

// sameBits compares two numbers: a NaN is a NaN.
func sameBits(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || (a != a && b != b)
}

var (
	nan = float32(math.NaN())
	inf = float32(math.Inf(1))
)

// special are the numbers that kernels get wrong.
var special = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, inf, -inf, nan,
	math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 0x1p-126, -0x1p-126, 0x1.fffffcp-127,
	math.MaxFloat32, -math.MaxFloat32, 0x1p24, 0x1p23 + 1, 88.72284, -103.97208, -104.1, 89, 100, -100,
	0.625, 0.62499994, 0.921875, 0.92187494, 1e-10, -1e-10, 0.70710677, 1.4142135, -0.99999994, 0.99999994, 1.0000001,
}

// number is sometimes special, else of a random size, often an ordinary one.
func number(r *rand.Rand) float32 {
	switch r.IntN(8) {
	case 0:
		return special[r.IntN(len(special))]
	case 1:
		return math.Float32frombits(r.Uint32())
	default:
		return float32(r.NormFloat64() * 3)
	}
}

const guard = 0x7fc0dead // a NaN that no kernel makes

// A guarded slice has a margin before it, and one behind it or a page that nobody
// may read, which no kernel may touch.
type guarded struct {
	whole []float32
	x     []float32
	lead  int // of the margin before x
}

const margin = 24

// newGuarded returns a slice that starts at an odd place and has no capacity
// beyond its length. On Linux it ends before a page that nobody may read, and its
// memory is used again after some hundred others.
func newGuarded(n int) *guarded {
	g := &guarded{whole: fencedMemory(margin + n), lead: margin}
	if g.whole == nil {
		g.whole, g.lead = make([]float32, n+2*margin+1), margin+1
	}
	for i := range g.whole {
		g.whole[i] = math.Float32frombits(guard)
	}
	g.x = g.whole[g.lead : g.lead+n : g.lead+n]
	return g
}

func randomGuarded(r *rand.Rand, n int) *guarded {
	g := newGuarded(n)
	for i := range g.x {
		g.x[i] = number(r)
	}
	return g
}

func (g *guarded) check(t *testing.T, what string) {
	t.Helper()
	for i, v := range g.whole {
		if inside := i >= g.lead && i < g.lead+len(g.x); !inside && math.Float32bits(v) != guard {
			t.Fatalf("%s: wrote %d elements outside a slice of %d", what, i-g.lead, len(g.x))
		}
	}
}

func checkSame(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if !sameBits(got[i], want[i]) {
			t.Fatalf("%s: element %d of %d is %v (%08x), want %v (%08x)", what, i, len(want),
				got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// lengths are all short ones and some around the vector widths.
func lengths() []int {
	var n []int
	for i := range 70 {
		n = append(n, i)
	}
	return append(n, 127, 128, 129, 255, 1000, 1031)
}

func TestSetup(t *testing.T) {
	before, beforeErr := active, setupErr
	defer func() { active, setupErr = before, beforeErr }()
	if got := Paths()[0]; got != "generic" {
		t.Errorf("the first path is %q", got)
	}
	setupErr = Use("avx9000")
	if err := Setup(); err == nil || !strings.Contains(err.Error(), `HONE_CPU: unknown implementation "avx9000"`) ||
		!strings.Contains(err.Error(), "generic") {
		t.Errorf("an unknown name gives the error %v", err)
	}
	for _, name := range pathNames {
		err := Use(name)
		if slices.Contains(Paths(), name) {
			if err != nil || Path() != name {
				t.Errorf("%s: path %s, error %v", name, Path(), err)
			}
		} else if err == nil || !strings.Contains(err.Error(), name+" does not run here") || Path() != Paths()[len(Paths())-1] {
			t.Errorf("%s, which this processor or build lacks: path %s, error %v", name, Path(), err)
		}
	}
	if err := Use("generic"); err != nil || Path() != "generic" {
		t.Errorf("generic: path %s, error %v", Path(), err)
	}
	setupErr = Use("")
	if err := Setup(); err != nil || Path() != Paths()[len(Paths())-1] {
		t.Errorf("the default: path %s of %v, error %v", Path(), Paths(), err)
	}
}

func TestArgumentsTooShort(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		x := make([]float32, 64)
		for name, f := range map[string]func(){
			"Add":     func() { Add(x[:9], x[:9], x[:8]) },
			"Exp":     func() { Exp(x[:9], x[:8]) },
			"MulS":    func() { MulS(x[:9], x[:8], 2) },
			"Select":  func() { Select(x[:9], x[:9], x[:8], x[:9]) },
			"SumRows": func() { SumRows(x[:8], x[8:24], 3, 8) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s read beyond a slice's length", name)
					}
				}()
				f()
			}()
		}
	})
}

func what(name string, n int) string { return fmt.Sprintf("%s of %d", name, n) }
