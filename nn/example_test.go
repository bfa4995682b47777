package nn_test

import (
	"fmt"
	"log"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

func ExampleSummary() {
	net := nn.Sequential(
		nn.Dense(128, nn.ReLU),
		nn.Dropout(0.1),
		nn.Residual(nn.LayerNorm(), nn.Dense(128, nn.ReLU)),
		nn.Dense(1, nn.Sigmoid))
	parts, err := nn.Outline(net, graph.Type{Shape: graph.Shape{graph.Rows, graph.N(20)}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(nn.Summary(parts))
	// Output:
	// layer                    output      parameters
	// dense_1                  [rows 128]       2,688
	// dropout_1                [rows 128]           0
	// residual_1               [rows 128]           0
	// residual_1/layer_norm_1  [rows 128]         256
	// residual_1/dense_1       [rows 128]      16,512
	// dense_2                  [rows 1]           129
	// total                                    19,585
}

// A layer of your own: the network sees a column of ones beside its input.
func ExampleFunc() {
	ones := nn.Func(func(c *nn.Context, x *graph.Node) *graph.Node {
		return graph.Concat(1, x, graph.BroadcastTo(c.B.Scalar(1), graph.Shape{graph.Rows, graph.N(1)}))
	})
	net := nn.Sequential(ones, nn.Dense(2, nn.NoBias(), nn.Init(nn.Ones)))

	b := graph.New("predict")
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(3))
	b.Output("y", net.Apply(&nn.Context{B: b, State: graph.NewState()}, x))
	program, err := b.Program()
	if err != nil {
		log.Fatal(err)
	}
	run, err := cpu.Compile(program)
	if err != nil {
		log.Fatal(err)
	}
	in, err := tensor.FromFloats([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		log.Fatal(err)
	}
	out := tensor.Zeros(0, 0)
	if err := run.Run([]*tensor.Tensor{in}, []*tensor.Tensor{out}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(out, out.Floats())
	// Output: float32[2 2] [7 7 16 16]
}
