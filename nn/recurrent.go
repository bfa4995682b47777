package nn

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/hone-ml/hone/engine/graph"
)

// GRU goes through sequences with gated recurrent units (graph.GRU) and returns the
// state at each place: [rows length width] → [rows length units], or with
// bidirectional [rows length 2·units], where the second half goes from the last
// place to the first. The context has to have Lengths; states beyond them are 0.
//
// Its variables are, of each direction forward and backward, kernel [width 3·units]
// and bias [3·units] for candidate, reset and update gate, and recurrent
// [units 3·units] for reset gate, update gate and candidate.
func GRU(units int, bidirectional bool) Layer {
	return recurrent("gru", units, 3, bidirectional, Zeros, graph.GRU)
}

// LSTM is GRU with long short-term memories (graph.LSTM): four parts in place of
// three, for input gate, forget gate, candidate and output gate. The forget gates'
// bias starts at 1, as in Keras (Jozefowicz et al. 2015, section 5).
func LSTM(units int, bidirectional bool) Layer {
	remember := Initializer{"forget_one", func(_ *rand.Rand, _ []int, x []float32) {
		for i := units; i < 2*units; i++ {
			x[i] = 1
		}
	}}
	return recurrent("lstm", units, 4, bidirectional, remember, graph.LSTM)
}

func recurrent(kind string, units, gates int, both bool, bias Initializer, through func(x, kernel, lengths *graph.Node, reverse bool) *graph.Node) Layer {
	return leaf(kind, func(c *Context, x *graph.Node) *graph.Node {
		width, ok := sequence(c, kind, x)
		switch {
		case !ok:
			return x
		case units < 1:
			return c.B.Fail(kind, fmt.Errorf("%d units, expected 1 or more", units))
		case c.Lengths == nil:
			return c.B.Fail(kind, errors.New("the context has no Lengths, which say how long each sequence is"))
		}
		way := func(name string, reverse bool) *graph.Node {
			c := c.Sub(name)
			n := gates * units
			flat := graph.Reshape(x, graph.Dim{N: x.Shape()[1].N, PerRow: true}, graph.N(width))
			in := graph.Linear(flat, c.Param("kernel", []int{width, n}, GlorotUniform), c.Param("bias", []int{n}, bias), false)
			in = graph.Reshape(in, graph.Rows, x.Shape()[1], graph.N(n))
			return through(in, c.Param("recurrent", []int{units, n}, Orthogonal), c.Lengths, reverse)
		}
		y := way("forward", false)
		if both {
			y = graph.Concat(2, y, way("backward", true))
		}
		return y
	})
}
