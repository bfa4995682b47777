package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// The ops of this file are passes of optimisers over their parameters, which
// else would be many element-wise nodes. They have no gradient.

// Moment is the op of MovingMean; of squares where Square is set.
type Moment struct {
	Keep, Take, Least float32
	Square            bool
}

func (Moment) elementwise() {}

// Name returns "moment" or "moment_square".
func (o Moment) Name() string {
	if o.Square {
		return "moment_square"
	}
	return "moment"
}

// Infer returns the shape to which both inputs broadcast.
func (Moment) Infer(in []Type) (Type, error) { return inferBroadcast(in) }

// MovingMean returns keep·old + (1−keep)·x, or of x² where square is set. Where
// that is nearer to 0 than least it is 0; choose a least too small to move a
// parameter. Means of gradients that have become 0,
// such as those of units that are silent, would else fall for some hundred steps
// and then stay subnormal numbers, with which a processor computes a hundred times
// as slowly. NaN stays NaN.
func MovingMean(old, x *Node, keep, least float64, square bool) *Node {
	return Apply(Moment{float32(keep), float32(1 - keep), float32(least), square}, old, x)
}

// Adam is the op of AdamStep.
type Adam struct{ Epsilon float32 }

func (Adam) elementwise() {}

// Name returns "adam".
func (Adam) Name() string { return "adam" }

// Infer returns the shape to which the first three inputs broadcast; the others
// are scalars.
func (Adam) Infer(in []Type) (Type, error) {
	for _, t := range in[3:] {
		if t.DType != tensor.Float32 || len(t.Shape) > 0 {
			return Type{}, fmt.Errorf("rate and root are %v and %v, expected float32 scalars", in[3], in[4])
		}
	}
	return inferBroadcast(in[:3])
}

// AdamStep returns p − m·rate/(√v·root + epsilon), the step of Kingma and Ba 2015,
// algorithm 1: rate is the learning rate over 1−β₁ᵗ, and root 1/√(1−β₂ᵗ); both
// are scalars.
func AdamStep(p, m, v, rate, root *Node, epsilon float64) *Node {
	return Apply(Adam{float32(epsilon)}, p, m, v, rate, root)
}
