package graph

import (
	"fmt"

	"github.com/hone-ml/hone/engine/tensor"
)

// Random is the op of Uniform and Normal. Stream tells the random ops of a
// program apart.
type Random struct {
	Shape  Shape
	Stream int32
	Normal bool
}

// Name returns "uniform" or "normal".
func (o *Random) Name() string {
	if o.Normal {
		return "normal"
	}
	return "uniform"
}

// Infer returns the wanted shape.
func (o *Random) Infer(in []Type) (Type, error) {
	seed, step := in[0], in[1]
	if seed.DType != tensor.Int32 || !seed.Shape.Equal(Fixed(2)) || step.DType != tensor.Int32 || len(step.Shape) != 0 {
		return Type{}, fmt.Errorf("seed is %v and step %v, expected int32[2] and an int32 scalar", seed, step)
	}
	return floats(o.Shape), nil
}

func random(seed, step *Node, shape Shape, normal bool) *Node {
	b := seed.b
	b.streams++
	return Apply(&Random{append(Shape(nil), shape...), b.streams, normal}, seed, step)
}

// Uniform returns numbers in [0, 1). Each is a function of the seed (int32
// [2]: low and high word), the step, the place of this call in the program and
// the element's index, and of nothing else (Philox4x32-10, Salmon et al. 2011).
func Uniform(seed, step *Node, dims ...Dim) *Node { return random(seed, step, dims, false) }

// Normal returns standard normal numbers, as Uniform.
func Normal(seed, step *Node, dims ...Dim) *Node { return random(seed, step, dims, true) }
