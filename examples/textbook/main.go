// The textbook program: a small network for a yes-or-no question, trained with
// Adam on binary cross-entropy, and measured on rows it was not trained on.
//
//	go run ./examples/textbook
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/train"
)

func main() {
	x, y := load(2500, 20)
	standardize(x, 2000) // by the rows that are trained on
	net := nn.Sequential(nn.Dense(128, nn.ReLU), nn.Dense(64, nn.ReLU), nn.Dense(1, nn.Sigmoid))
	fit, err := train.New(net, loss.BinaryCrossEntropy, optim.Adam(0.001)).
		Fit(context.Background(), train.Data(x.Rows(0, 2000), y.Rows(0, 2000)),
			train.Epochs(10), train.BatchSize(32), train.ValidationSplit(0.2), train.OnEpoch(func(e train.Epoch) {
				fmt.Printf("Epoch %2d: loss %.4f, validation loss %.4f\n", e.Epoch, e.Loss, e.Validation)
			}))
	if err != nil {
		log.Fatal(err)
	}
	testLoss, accuracy, err := fit.Evaluate(train.Data(x.Rows(2000, 2500), y.Rows(2000, 2500)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Test Loss: %.4f, Test Accuracy: %.4f\n", testLoss, accuracy)
}

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
