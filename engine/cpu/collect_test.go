package cpu_test

import (
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// BenchmarkCollection reports how long garbage collections wait for kernels,
// which cannot be interrupted: the shortest time that half and 99 % of the
// waits do not exceed.
func BenchmarkCollection(b *testing.B) {
	for _, s := range []struct {
		name    string
		m, n, k int
		op      graph.Product
		more    func(b *graph.Builder) (x, loss *graph.Node, feeds []*tensor.Tensor) // with the gradient of x
	}{
		{name: "loop in Go"}, // which can be interrupted anywhere
		{"1024", 1024, 1024, 1024, graph.Product{}, nil},
		{"1024/transB", 1024, 1024, 1024, graph.Product{TransB: true}, nil},
		{"1024/transA", 1024, 1024, 1024, graph.Product{TransA: true}, nil},
		{"one row", 1, 4096, 4096, graph.Product{}, nil},
		{"one row/transB", 1, 4096, 4096, graph.Product{TransB: true}, nil},
		{"8 rows", 8, 4096, 4096, graph.Product{}, nil},
		{"32 rows", 32, 4096, 4096, graph.Product{}, nil},
		{"128 rows, long", 128, 64, 16384, graph.Product{}, nil},
		{"wide", 64, 100000, 64, graph.Product{}, nil},
		{name: "convolutions", more: func(b *graph.Builder) (*graph.Node, *graph.Node, []*tensor.Tensor) {
			x, k := b.Input("x", tensor.Float32, graph.Fixed(64, 26, 26, 32)...), b.Input("k", tensor.Float32, graph.Fixed(3, 3, 32, 64)...)
			y := graph.MaxPool(graph.Relu(graph.Conv2D(x, k, graph.Window{})), 2, 2, graph.Window{StrideH: 2, StrideW: 2})
			return x, graph.Sum(graph.Square(y), 0, 1, 2, 3), []*tensor.Tensor{tensor.Zeros(64, 26, 26, 32), tensor.Zeros(3, 3, 32, 64)}
		}},
		{name: "attention", more: func(b *graph.Builder) (*graph.Node, *graph.Node, []*tensor.Tensor) {
			x := b.Input("qkv", tensor.Float32, graph.Fixed(8, 256, 768)...)
			return x, graph.Sum(graph.Square(graph.SelfAttention(x, graph.AttentionOptions{Heads: 8, Causal: true})), 0, 1, 2), []*tensor.Tensor{tensor.Zeros(8, 256, 768)}
		}},
		{name: "softmax of 8,000", more: func(b *graph.Builder) (*graph.Node, *graph.Node, []*tensor.Tensor) {
			x, y := b.Input("x", tensor.Float32, graph.Fixed(2048, 8000)...), b.Input("y", tensor.Int32, graph.Fixed(2048)...)
			return x, graph.Sum(graph.SoftmaxCrossEntropy(x, y, 0), 0), []*tensor.Tensor{tensor.Zeros(2048, 8000), tensor.New(tensor.Int32, 2048)}
		}},
		{name: "bags", more: func(b *graph.Builder) (*graph.Node, *graph.Node, []*tensor.Tensor) {
			x, i := b.Input("x", tensor.Float32, graph.Fixed(100000, 256)...), b.Input("i", tensor.Int32, graph.Fixed(64, 1000)...)
			feeds := []*tensor.Tensor{tensor.Zeros(100000, 256), tensor.New(tensor.Int32, 64, 1000)}
			for j := range feeds[1].Ints() {
				feeds[1].Ints()[j] = int32(j * 7919 % 100000)
			}
			return x, graph.Sum(graph.Square(graph.BagSum(x, i, nil)), 0, 1), feeds
		}},
	} {
		b.Run(s.name, func(b *testing.B) {
			before := cpu.Threads()
			cpu.SetThreads(1) // more than the cores would wait for each other
			defer cpu.SetThreads(before)
			var stop atomic.Bool
			done := make(chan error, 1)
			if s.m == 0 && s.more == nil {
				go func() {
					x := uint64(1)
					for !stop.Load() {
						for range 1 << 20 {
							x ^= x << 13
							x ^= x >> 7
						}
					}
					runtime.KeepAlive(x)
					done <- nil
				}()
			} else {
				p := graph.New("collected")
				shape := func(r, c int, t bool) graph.Shape {
					if t {
						r, c = c, r
					}
					return graph.Fixed(r, c)
				}
				var feeds []*tensor.Tensor
				if s.more != nil {
					x, loss, in := s.more(p)
					feeds = in
					p.Output("loss", loss)
					p.Output("gradient", graph.Gradients(loss, []*graph.Node{x})[0].ToDense(x))
				} else {
					x := p.Input("x", tensor.Float32, shape(s.m, s.k, s.op.TransA)...)
					y := p.Input("y", tensor.Float32, shape(s.k, s.n, s.op.TransB)...)
					p.Output("z", graph.Sum(graph.Apply(s.op, x, y), 0, 1))
					feeds = []*tensor.Tensor{tensor.Zeros(s.m, s.k), tensor.Zeros(s.k, s.n)}
					if s.op.TransA {
						feeds[0] = tensor.Zeros(s.k, s.m)
					}
					if s.op.TransB {
						feeds[1] = tensor.Zeros(s.n, s.k)
					}
				}
				e := mustCompile(b, mustProgram(b, p))
				go func() {
					var err error
					for err == nil && !stop.Load() {
						err = e.Run(feeds, nil)
					}
					done <- err
				}()
			}
			start := waits()
			for b.Loop() {
				runtime.GC()
			}
			after := waits()
			stop.Store(true)
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			total := uint64(0)
			for i := range after.Counts {
				total += after.Counts[i] - start.Counts[i]
			}
			seen, p50, p99 := uint64(0), 0.0, 0.0
			for i := range after.Counts {
				n := after.Counts[i] - start.Counts[i]
				if seen*2 < total && (seen+n)*2 >= total {
					p50 = after.Buckets[i+1]
				}
				if seen*100 < total*99 && (seen+n)*100 >= total*99 {
					p99 = after.Buckets[i+1]
				}
				seen += n
			}
			b.ReportMetric(p50*1e6, "µs/wait(p50)")
			b.ReportMetric(p99*1e6, "µs/wait(p99)")
		})
	}
}

func waits() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/stopping/gc:seconds"}}
	metrics.Read(s)
	h := s[0].Value.Float64Histogram()
	c := *h
	c.Counts = append([]uint64(nil), h.Counts...)
	return &c
}
