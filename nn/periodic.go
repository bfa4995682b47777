package nn

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/engine/graph"
)

// A PeriodicForm is what Periodic makes of an angle.
type PeriodicForm int

const (
	// PLR is periodic, linear, ReLU: sine and cosine of every angle, a dense
	// layer and ReLU (Gorishniy et al. 2022, section 3.3).
	PLR PeriodicForm = iota
	// PBLD is periodic with bias, linear, dense: the cosine of every angle, which
	// has a learned phase, and a dense layer, whose result the number itself
	// stands beside (Holzmüller et al. 2024, section 3).
	PBLD
)

// Periodic gives a number [rows 1] a vector of length dim by waves of trained
// frequencies, which start normal with deviation sigma: angles are 2π·c·x. A
// small sigma starts with smooth functions; the best one depends on the data.
//
// Its variables are frequency [1 frequencies], in PBLD phase [1 frequencies],
// kernel [n units] and bias [units]: n is 2·frequencies and units is dim in
// PLR, frequencies and dim−1 in PBLD.
func Periodic(form PeriodicForm, frequencies, dim int, sigma float64) Layer {
	return leaf("periodic", func(c *Context, x *graph.Node) *graph.Node {
		n, units := 2*frequencies, dim
		if form == PBLD {
			n, units = frequencies, dim-1
		}
		if !isNumber(x) || n < 1 || units < 1 || !(sigma > 0) || math.IsInf(sigma, 0) {
			return c.B.Fail("periodic", fmt.Errorf("%d frequencies of deviation %g and vectors of %d on %v, expected one or more above 0 and a length of %d or more, on float32[rows 1]", frequencies, sigma, dim, x.Type, 1+dim-units))
		}
		angle := graph.Scale(graph.Mul(x, c.Param("frequency", []int{1, frequencies}, Normal(sigma))), 2*math.Pi)
		var waves *graph.Node
		if form == PBLD {
			waves = graph.Cos(graph.Add(angle, c.Param("phase", []int{1, frequencies}, Uniform(math.Pi))))
		} else {
			waves = graph.Concat(1, graph.Cos(angle), graph.Sin(angle))
		}
		// As in PyTorch, whose start both papers have.
		start := Uniform(1 / math.Sqrt(float64(n)))
		y := graph.Add(graph.MatMul(waves, c.Param("kernel", []int{n, units}, start)), c.Param("bias", []int{units}, start))
		if form == PBLD {
			return graph.Concat(1, y, x)
		}
		return graph.Relu(y)
	})
}
