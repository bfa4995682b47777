package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func BenchmarkPeak(b *testing.B) {
	const rounds = 1 << 16
	operations := 0
	for b.Loop() {
		operations += MultiplyAdds(rounds)
	}
	b.ReportMetric(float64(operations)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// peak is the rate of multiply-adds now: a processor's clock changes.
func peak() float64 {
	start := time.Now()
	return float64(MultiplyAdds(1<<17)) / time.Since(start).Seconds()
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range []struct {
		m, n, k, options int
	}{
		{512, 512, 512, 0}, {512, 512, 512, 1}, {512, 512, 512, 2}, {512, 512, 512, 3},
		{1024, 1024, 1024, 0}, {1024, 1024, 1024, 1}, {1024, 1024, 1024, 2}, {1024, 1024, 1024, 3},
		{2048, 2048, 2048, 0}, {2048, 2048, 2048, 1}, {2048, 2048, 2048, 2}, {2048, 2048, 2048, 3},
		{32, 128, 20, 0}, {32, 64, 128, 0}, {32, 1, 64, 0}, // the layers of a small network
		{20, 128, 32, 1}, {128, 64, 32, 1}, {64, 1, 32, 1}, // the gradients of their weights
		{32, 128, 64, 2}, {32, 64, 1, 2}, // and of their inputs
		{128, 512, 784, 0}, {784, 512, 128, 1}, {128, 784, 512, 2}, {2048, 128, 128, 0}, {2048, 512, 128, 0}, {64, 10, 256, 0},
		{1, 128, 20, 0}, {1, 64, 128, 0}, {1, 64, 4096, 0}, {1, 1024, 1024, 0}, {1, 1024, 1024, 2}, {1, 4096, 4096, 0}, {1, 4096, 4096, 2},
		{4, 1024, 1024, 0}, {8, 1024, 1024, 0}, {8, 1024, 1024, 2}, {8, 4096, 4096, 0}, {8, 4096, 4096, 2},
		{32, 1024, 1024, 0}, {32, 1024, 1024, 2}, {32, 4096, 4096, 0}, {32, 4096, 4096, 2}, {32, 256, 256, 0}, {32, 256, 256, 2},
		{256, 256, 256, 0}, {128, 128, 128, 0},
	} {
		g := Gemm{
			M: s.m, N: s.n, K: s.k, TransA: s.options&1 != 0, TransB: s.options&2 != 0,
			A: make([]float32, s.m*s.k), B: make([]float32, s.k*s.n), C: make([]float32, s.m*s.n),
			LDA: s.k, LDB: s.n, LDC: s.n,
		}
		for i := range g.A {
			g.A[i] = float32(i % 7)
		}
		for i := range g.B {
			g.B[i] = float32(i % 5)
		}
		if g.TransA {
			g.LDA = g.M
		}
		if g.TransB {
			g.LDB = g.K
		}
		shared, scratch := make([]float32, g.Shared()), make([]float32, g.Scratch())
		name := fmt.Sprintf("%dx%dx%d", s.m, s.k, s.n)
		if g.TransA {
			name += "/transA"
		}
		if g.TransB {
			name += "/transB"
		}
		b.Run(name, func(b *testing.B) {
			before := peak()
			for b.Loop() {
				runIn(&g, shared, scratch)
			}
			b.StopTimer()
			flops := 2 * float64(s.m) * float64(s.n) * float64(s.k) * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(flops/1e9, "GFLOP/s")
			b.ReportMetric(100*flops/((before+peak())/2), "%peak")
			b.ReportMetric(4*float64(s.k)*float64(s.n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s(B)")
		})
	}
}

func BenchmarkElementwise(b *testing.B) {
	const n = 1024 // what engine/cpu carries through its chains
	x, y, z := make([]float32, n), make([]float32, n), make([]float32, n)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range x {
		x[i], y[i] = float32(r.NormFloat64()), float32(r.NormFloat64())
	}
	speed := func(name string, slices int, f func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(slices) * n * 4)
			for b.Loop() {
				f()
			}
		})
	}
	for _, k := range binaryTable {
		speed(k.name, 3, func() { k.f(z, x, y) })
	}
	for _, k := range scalarTable {
		speed(k.name, 2, func() { k.f(z, x, 1.5) })
	}
	for _, k := range unaryTable {
		speed(k.name, 2, func() { k.f(z, x) })
	}
	speed("Select", 4, func() { Select(z, x, x, y) })
	speed("Sum", 1, func() { Sum(x) })
	speed("ReduceMax", 1, func() { ReduceMax(x) })
	speed("SumRows", 1, func() { SumRows(z[:64], x, n/64, 64) })
	speed("Transpose", 2, func() { Transpose(z, x, 32, 32, 32) })
	speed("Uniform", 1, func() { Uniform(z, 1, 2, 3, 0) })
	speed("Normal", 1, func() { Normal(z, 1, 2, 3, 0) })
}

func BenchmarkConvolution(b *testing.B) {
	for _, s := range []Convolution{
		{Rows: 8, Height: 26, Width: 26, In: 32, KH: 3, KW: 3, Out: 64, OutHeight: 24, OutWidth: 24},
		{Rows: 8, Height: 28, Width: 28, In: 1, KH: 3, KW: 3, Out: 32, OutHeight: 26, OutWidth: 26},
		{Rows: 8, Height: 14, Width: 14, In: 128, KH: 3, KW: 3, Out: 128, OutHeight: 14, OutWidth: 14, Top: 1, Left: 1},
		{Rows: 8, Height: 28, Width: 28, In: 64, KH: 3, KW: 3, Out: 128, OutHeight: 14, OutWidth: 14, Top: 1, Left: 1, StrideH: 2, StrideW: 2},
		{Rows: 8, Height: 1, Width: 64, In: 128, KH: 1, KW: 5, Out: 128, OutHeight: 1, OutWidth: 60},
	} {
		c := images{Convolution: s}
		c.StrideH, c.StrideW = max(c.StrideH, 1), max(c.StrideW, 1)
		x, k, y := newGuarded(c.Rows*c.Height*c.Width*c.In), newGuarded(c.KH*c.KW*c.In*c.Out), newGuarded(c.Rows*c.OutHeight*c.OutWidth*c.Out)
		c.X, c.K, c.Y = x.x, k.x, y.x
		fill := func() {
			for _, v := range [][]float32{c.X, c.K, c.Y} {
				for i := range v {
					v[i] = float32(i%7) - 3
				}
			}
		}
		for _, p := range convolutionParts(&c, x, k, y) {
			fill()
			shared, scratch := make([]float32, p.shared), make([]float32, p.scratch)
			b.Run(fmt.Sprintf("%dx%dx%d·%dx%dx%d/%s", c.Height, c.Width, c.In, c.KH, c.KW, c.Out, p.name), func(b *testing.B) {
				before := peak()
				for b.Loop() {
					p.all(shared, scratch)
				}
				b.StopTimer()
				flops := 2 * float64(c.Rows*c.OutHeight*c.OutWidth*c.Out) * float64(c.KH*c.KW*c.In) * float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(flops/1e9, "GFLOP/s")
				b.ReportMetric(100*flops/((before+peak())/2), "%peak")
			})
		}
	}
}
