package train_test

import (
	"context"
	"fmt"
	"log"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/train"
)

// Rows of two columns, and whether the point lies inside the unit circle.
func circle(n int) (x, y *tensor.Tensor) {
	x, y = tensor.Zeros(n, 2), tensor.Zeros(n, 1)
	for i := range n {
		a, b := float32(i*37%101)/50-1, float32(i*53%97)/48-1
		x.Floats()[2*i], x.Floats()[2*i+1] = a, b
		if a*a+b*b < 1 {
			y.Floats()[i] = 1
		}
	}
	return x, y
}

func ExampleModel_Fit() {
	x, y := circle(1000)
	net := nn.Sequential(nn.Dense(16, nn.ReLU), nn.Dense(16, nn.ReLU), nn.Dense(1, nn.Sigmoid))
	fit, err := train.New(net, loss.BinaryCrossEntropy, optim.Adam(1e-2)).
		Fit(context.Background(), train.Data(x, y), train.Epochs(20), train.BatchSize(32), train.ValidationSplit(0.2))
	if err != nil {
		log.Fatal(err)
	}
	p, err := fit.Predict(x)
	if err != nil {
		log.Fatal(err)
	}
	_, accuracy, err := fit.Evaluate(train.Data(x, y))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p, "accuracy above 0.95:", accuracy > 0.95)
	// Output: float32[1000 1] accuracy above 0.95: true
}

func ExampleEarlyStopping() {
	x, y := circle(300)
	net := nn.Sequential(nn.Dense(64, nn.Tanh), nn.Dense(1, nn.Sigmoid))
	fit, err := train.New(net, loss.BinaryCrossEntropy, optim.Adam(3e-2)).
		Fit(context.Background(), train.Data(x, y), train.Epochs(500), train.ValidationSplit(0.3), train.EarlyStopping(5))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(fit.Stopped)
	fmt.Println(len(fit.History)-fit.BestEpoch, "epochs after the best")
	// Output:
	// no improvement for 5 epochs
	// 5 epochs after the best
}

// Classes that are rare weigh as much as the others.
func ExampleDataset() {
	classes := []int32{0, 0, 0, 1}
	y, err := tensor.FromInts(classes)
	if err != nil {
		log.Fatal(err)
	}
	d := train.Data(tensor.Zeros(4, 2), y)
	d.Weights = loss.RowWeights(classes, loss.Balanced(classes, 2))
	fmt.Println(d.Weights)
	// Output: [0.6666667 0.6666667 0.6666667 2]
}

// A shop is a task of two inputs and two outputs: what a customer buys and for
// how much.
type shop struct{ products, brands int }

func (s shop) Inputs(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("visits", tensor.Float32, graph.Rows, graph.N(3)), b.Input("brand", tensor.Int32, graph.Rows)}
}

func (s shop) Targets(b *graph.Builder) []*graph.Node {
	return []*graph.Node{b.Input("product", tensor.Int32, graph.Rows), b.Input("price", tensor.Float32, graph.Rows, graph.N(1))}
}

func (s shop) Forward(c *nn.Context, in []*graph.Node) []*graph.Node {
	h := graph.Concat(-1, in[0], nn.Embedding(s.brands, 4).Apply(c, in[1]))
	h = nn.Dense(16, nn.ReLU).Apply(c, h)
	return []*graph.Node{
		nn.Dense(s.products, nn.Softmax).Apply(c.Sub("product"), h),
		nn.Dense(1).Apply(c.Sub("price"), h),
	}
}

func (s shop) Loss(_ *nn.Context, out, targets []*graph.Node) *graph.Node {
	return graph.Add(loss.SparseCategoricalCrossEntropy.Of(out[0], targets[0]), loss.MeanSquaredError.Of(out[1], targets[1]))
}

func ExampleRun() {
	const n = 200
	visits, brand := tensor.Zeros(n, 3), tensor.New(tensor.Int32, n)
	product, price := tensor.New(tensor.Int32, n), tensor.Zeros(n, 1)
	for i := range n {
		visits.Floats()[3*i+i%3] = 1
		brand.Ints()[i] = int32(i % 5)
		product.Ints()[i] = int32(i % 3)
		price.Floats()[i] = float32(i%5) / 5
	}
	batches, err := train.NewMemory([]*tensor.Tensor{visits, brand, product, price}, nil, 20, true, 1)
	if err != nil {
		log.Fatal(err)
	}
	state := graph.NewState()
	result, err := train.Run(context.Background(), shop{products: 3, brands: 5}, state, batches, nil, train.Options{Epochs: 40, Optimizer: optim.Adam(0.02)})
	if err != nil {
		log.Fatal(err)
	}
	last := result.History[len(result.History)-1]
	fmt.Println(result.Stopped, "- learnt:", last.Loss < 0.05)
	fmt.Println(state.Lookup("product/dense_1/kernel").Value)
	// Output:
	// all 40 epochs done - learnt: true
	// float32[16 3]
}
