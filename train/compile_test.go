package train

import (
	"fmt"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

// deep is the task of many dense layers.
func deep(layers int) Task {
	var all []nn.Layer
	for range layers {
		all = append(all, nn.Dense(16, nn.ReLU))
	}
	all = append(all, nn.Dense(1))
	return &simpleTask{New(nn.Sequential(all...), loss.MeanSquaredError, nil), tensor.Zeros(4, 16), tensor.Zeros(4, 1)}
}

// BenchmarkCompile builds and compiles a training step: graph, gradients, Adam.
func BenchmarkCompile(b *testing.B) {
	for _, layers := range []int{10, 50, 200} {
		b.Run(fmt.Sprintf("%d_layers/build", layers), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := Program(deep(layers), Options{Optimizer: optim.Adam(1e-3)}); err != nil {
					b.Fatal(err)
				}
			}
		})
		p, _, err := Program(deep(layers), Options{Optimizer: optim.Adam(1e-3)})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%d_layers/compile", layers), func(b *testing.B) {
			for b.Loop() {
				if _, err := cpu.Compile(p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(p.Nodes)), "nodes")
		})
	}
}
