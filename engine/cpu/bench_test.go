package cpu_test

import (
	"fmt"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// BenchmarkProduct is a program of one product, on one thread and on two.
func BenchmarkProduct(b *testing.B) {
	for _, n := range []int{128, 256, 512, 1024, 2048} {
		for _, op := range []graph.Product{{}, {TransA: true}, {TransB: true}, {TransA: true, TransB: true}} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%d/transA=%v/transB=%v/threads=%d", n, op.TransA, op.TransB, threads), func(b *testing.B) {
					p := graph.New("product")
					x, y := p.Input("x", tensor.Float32, graph.Fixed(n, n)...), p.Input("y", tensor.Float32, graph.Fixed(n, n)...)
					p.Output("z", graph.Apply(op, x, y))
					program, err := p.Program()
					if err != nil {
						b.Fatal(err)
					}
					e, err := cpu.Compile(program)
					if err != nil {
						b.Fatal(err)
					}
					feeds := []*tensor.Tensor{tensor.Zeros(n, n), tensor.Zeros(n, n)}
					for i := range feeds[0].Floats() {
						feeds[0].Floats()[i], feeds[1].Floats()[i] = float32(i%7), float32(i%5)
					}
					withThreads(threads, func() {
						for b.Loop() {
							if err := e.Run(feeds, nil); err != nil {
								b.Fatal(err)
							}
						}
					})
					b.ReportMetric(2*float64(n)*float64(n)*float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
