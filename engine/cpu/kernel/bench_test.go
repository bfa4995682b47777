package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkPeak(b *testing.B) {
	const rounds = 1 << 16
	operations := 0
	for b.Loop() {
		operations += MultiplyAdds(rounds)
	}
	b.ReportMetric(float64(operations)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range []struct {
		m, n, k, options int
	}{
		{512, 512, 512, 0}, {512, 512, 512, 1}, {512, 512, 512, 2}, {1024, 1024, 1024, 0}, {1024, 1024, 1024, 1}, {1024, 1024, 1024, 2}, {1024, 1024, 1024, 3},
		{2048, 2048, 2048, 0}, {2048, 2048, 2048, 3},
		{32, 128, 20, 0}, {32, 64, 128, 0}, {32, 1, 64, 0}, // the layers of a small network
		{20, 128, 32, 1}, {128, 64, 32, 1}, {64, 1, 32, 1}, // the gradients of their weights
		{32, 128, 64, 2}, {32, 64, 1, 2}, // and of their inputs
		{1, 128, 20, 0}, {1, 64, 128, 0}, {1, 1024, 1024, 0}, {4, 1024, 1024, 0}, {1, 1024, 1024, 2},
		{256, 256, 256, 0}, {128, 128, 128, 0}, {64, 10, 256, 0},
	} {
		g, _ := randomGemm(rand.New(rand.NewPCG(1, 1)), s.m, s.n, s.k, s.options)
		g.LDA, g.LDB, g.LDC = g.K, g.N, g.N
		if g.TransA {
			g.LDA = g.M
		}
		if g.TransB {
			g.LDB = g.K
		}
		scratch := make([]float32, g.Scratch())
		name := fmt.Sprintf("%dx%dx%d", s.m, s.k, s.n)
		if g.TransA {
			name += "/transA"
		}
		if g.TransB {
			name += "/transB"
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for task := range g.Tasks() {
					g.Run(task, scratch)
				}
			}
			flops := 2 * float64(s.m) * float64(s.n) * float64(s.k)
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
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
	speed("SumSquares", 1, func() { SumSquares(x) })
	speed("ReduceMax", 1, func() { ReduceMax(x) })
	speed("SumRows", 1, func() { SumRows(z[:64], x, n/64, 64) })
	speed("Transpose", 2, func() { Transpose(z, x, 32, 32, 32) })
	speed("Uniform", 1, func() { Uniform(z, 1, 2, 3, 0) })
	speed("Normal", 1, func() { Normal(z, 1, 2, 3, 0) })
}
