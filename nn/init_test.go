package nn_test

import (
	"math"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/nn"
)

// values returns what an initialiser gives a parameter.
func values(t *testing.T, i nn.Initializer, shape ...int) []float32 {
	t.Helper()
	b, state := graph.New("init"), graph.NewState()
	(&nn.Context{B: b, State: state, InitSeed: 3}).Param("w", shape, i)
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return state.Lookup("w").Value.Floats()
}

// TestInitializerMoments holds mean, deviation and bounds of 120·80·3 draws
// for a kernel [3 120 80] against the formulas of the papers.
func TestInitializerMoments(t *testing.T) {
	const in, out = 3 * 120, 3 * 80
	for name, c := range map[string]struct {
		deviation float64
		uniform   bool
	}{
		"glorot_uniform": {math.Sqrt(2. / (in + out)), true},
		"glorot_normal":  {math.Sqrt(2. / (in + out)), false},
		"he_uniform":     {math.Sqrt(2. / in), true},
		"he_normal":      {math.Sqrt(2. / in), false},
		"lecun_uniform":  {math.Sqrt(1. / in), true},
		"lecun_normal":   {math.Sqrt(1. / in), false},
		"uniform":        {0.05 / math.Sqrt(3), true},
		"normal":         {0.05, false},
		"zeros":          {0, false},
	} {
		i, err := nn.InitializerByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if i.Name() != name {
			t.Errorf("%s is named %s", name, i.Name())
		}
		var sum, squares, largest float64
		x := values(t, i, 3, 120, 80)
		for _, v := range x {
			sum += float64(v)
			squares += float64(v) * float64(v)
			largest = max(largest, math.Abs(float64(v)))
		}
		n := float64(len(x))
		if mean := sum / n; math.Abs(mean) > 5*c.deviation/math.Sqrt(n) {
			t.Errorf("%s: the mean is %g", name, mean)
		}
		// Within five deviations of the estimate, generously that of a normal.
		if d := math.Sqrt(squares / n); math.Abs(d-c.deviation) > 5*c.deviation/math.Sqrt(2*n) {
			t.Errorf("%s: the deviation is %g, want %g", name, d, c.deviation)
		}
		limit := c.deviation * math.Sqrt(3)
		if c.uniform && (largest > limit*(1+1e-6) || largest < limit*0.99) {
			t.Errorf("%s: the largest value is %g, want nearly %g", name, largest, limit)
		}
		if !c.uniform && c.deviation > 0 && largest < 3*c.deviation {
			t.Errorf("%s: the largest value is %g, too small for a normal", name, largest)
		}
	}
	for _, v := range values(t, nn.Ones, 5) {
		if v != 1 {
			t.Errorf("ones gives %g", v)
		}
	}
}

func TestOrthogonal(t *testing.T) {
	for _, shape := range [][]int{{20, 20}, {30, 12}, {12, 30}, {2, 6, 5}, {1, 1}, {7}} {
		x := values(t, nn.Orthogonal, shape...)
		cols := shape[len(shape)-1]
		rows := len(x) / cols
		// at(i, k) is element k of vector i, of which the fewer ones are orthonormal.
		n, length := rows, cols
		at := func(i, k int) float64 { return float64(x[i*cols+k]) }
		if rows > cols {
			n, length = cols, rows
			at = func(i, k int) float64 { return float64(x[k*cols+i]) }
		}
		for i := range n {
			for j := range n {
				dot, want := 0.0, 0.0
				for k := range length {
					dot += at(i, k) * at(j, k)
				}
				if i == j {
					want = 1
				}
				if math.Abs(dot-want) > 1e-6 {
					t.Errorf("shape %v: vectors %d and %d have product %g, want %g", shape, i, j, dot, want)
				}
			}
		}
	}
}

func TestEmptyParameter(t *testing.T) {
	if x := values(t, nn.Orthogonal, 0, 3); len(x) != 0 {
		t.Errorf("a parameter of shape [0 3] has %d values", len(x))
	}
}
