// The textbook program: a small network for a yes-or-no question, trained with
// Adam on binary cross-entropy, and measured on rows it was not trained on.
//
//	go run ./examples/textbook
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/train"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	x, y := load(2500, 20)
	standardize(x, 1600) // by the rows that are trained on: 80 % of 2000

	net := nn.Sequential(nn.Dense(128, nn.ReLU), nn.Dense(64, nn.ReLU), nn.Dense(1, nn.Sigmoid))
	fit, err := train.New(net, loss.BinaryCrossEntropy, optim.Adam(0.001)).
		Fit(context.Background(), train.Data(x.Rows(0, 2000), y.Rows(0, 2000)),
			train.Epochs(10), train.BatchSize(32), train.ValidationSplit(0.2), train.OnEpoch(func(e train.Epoch) {
				fmt.Fprintf(w, "Epoch %2d: loss %.4f, validation loss %.4f\n", e.Epoch, e.Loss, e.Validation)
			}))
	if err != nil {
		return err
	}
	testLoss, accuracy, err := fit.Evaluate(train.Data(x.Rows(2000, 2500), y.Rows(2000, 2500)))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Test Loss: %.4f, Test Accuracy: %.4f\n", testLoss, accuracy)
	return nil
}
