package main

import (
	"math"
	"math/rand/v2"

	"github.com/hone-ml/hone/engine/tensor"
)

// load makes the data: whether a point lies outside a shell around the origin
// of its first five dimensions.
func load(rows, columns int) (x, y *tensor.Tensor) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y = tensor.Zeros(rows, columns), tensor.Zeros(rows, 1)
	for i := range rows {
		sum := 0.0
		for j := range columns {
			v := r.NormFloat64()
			x.Floats()[i*columns+j] = float32(10 + 3*v)
			if j < 5 {
				sum += v * v
			}
		}
		if math.Sqrt(sum) > 2.1 {
			y.Floats()[i] = 1
		}
	}
	return x, y
}

// standardize scales every column to mean 0 and deviation 1 over the first n rows.
func standardize(x *tensor.Tensor, n int) {
	for j := range x.RowLen() {
		var sum, squares float64
		for i := range n {
			v := float64(x.Floats()[i*x.RowLen()+j])
			sum, squares = sum+v, squares+v*v
		}
		mean := sum / float64(n)
		deviation := math.Sqrt(squares/float64(n) - mean*mean)
		for i := range x.Shape()[0] {
			k := i*x.RowLen() + j
			x.Floats()[k] = float32((float64(x.Floats()[k]) - mean) / deviation)
		}
	}
}
