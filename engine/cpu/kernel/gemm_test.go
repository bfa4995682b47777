package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
)

// naive is the contract of Gemm, word by word: every element is a chain of
// fused multiply-adds in ascending k.
func naive(g *Gemm, c []float32) {
	for i := range g.M {
		for j := range g.N {
			sum := float32(0)
			if g.Accumulate {
				sum = c[i*g.LDC+j]
			}
			for k := range g.K {
				a, b := i*g.LDA+k, k*g.LDB+j
				if g.TransA {
					a = k*g.LDA + i
				}
				if g.TransB {
					b = j*g.LDB + k
				}
				sum = fma32(g.A[a], g.B[b], sum)
			}
			c[i*g.LDC+j] = sum
		}
	}
}

// stored returns a slice that holds exactly a matrix, the rows ld apart.
func stored(r *rand.Rand, rows, columns, ld int, wild bool) *guarded {
	if rows == 0 || columns == 0 {
		return newGuarded(0)
	}
	g := newGuarded((rows-1)*ld + columns)
	for i := range g.x {
		if i%ld >= columns {
			continue // between the rows, where a NaN would show
		}
		g.x[i] = float32(r.NormFloat64())
		if wild {
			g.x[i] = number(r)
		}
	}
	return g
}

func randomGemm(r *rand.Rand, m, n, k, options int) (g *Gemm, c *guarded) {
	g = &Gemm{M: m, N: n, K: k, TransA: options&1 != 0, TransB: options&2 != 0, Accumulate: options&4 != 0}
	shape := func(rows, columns int, transposed bool) (int, int, int) {
		if transposed {
			rows, columns = columns, rows
		}
		return rows, columns, max(columns, 1) + r.IntN(2)*r.IntN(20)
	}
	wild := options&8 != 0
	rows, columns, ld := shape(m, k, g.TransA)
	g.A, g.LDA = stored(r, rows, columns, ld, wild).x, ld
	rows, columns, ld = shape(k, n, g.TransB)
	g.B, g.LDB = stored(r, rows, columns, ld, wild).x, ld
	rows, columns, ld = shape(m, n, false)
	c = stored(r, rows, columns, ld, wild)
	g.C, g.LDC = c.x, ld
	return g, c
}

// checkGemm compares the product with the naive one, bit by bit, gaps between
// the rows of C included.
func checkGemm(t *testing.T, g *Gemm, c *guarded) {
	t.Helper()
	name := fmt.Sprintf("%dx%d·%dx%d transA=%v transB=%v accumulate=%v ld %d %d %d", g.M, g.K, g.K, g.N, g.TransA, g.TransB, g.Accumulate, g.LDA, g.LDB, g.LDC)
	want := append([]float32(nil), g.C...)
	naive(g, want)
	scratch, shared := newGuarded(g.Scratch()), newGuarded(g.Shared())
	for i := range shared.x {
		shared.x[i] = nan
	}
	for task := range g.Preparations() {
		g.Prepare(task, shared.x)
	}
	for task := range g.Tasks() {
		for i := range scratch.x {
			scratch.x[i] = nan
		}
		g.Run(task, shared.x, scratch.x)
	}
	shared.check(t, name+" shared")
	checkSame(t, name, g.C, want)
	c.check(t, name)
	scratch.check(t, name+" scratch")
}

func TestGemm(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for m := range 14 { // every number of rows in a tile and every tail of a panel
			for n := range 34 {
				g, c := randomGemm(r, m, n, r.IntN(20), r.IntN(16))
				checkGemm(t, g, c)
			}
		}
		for range 25 {
			g, c := randomGemm(r, 1+r.IntN(40), 1+r.IntN(40), r.IntN(600), r.IntN(16))
			checkGemm(t, g, c)
		}
		for options := range 8 { // several tasks and several blocks of k
			for _, shape := range [][3]int{{50, 20, 270}, {20, 150, 64}, {110, 37, 64}, {3, 200, 270}, {1, 300, 270}, {300, 1, 270}, {150, 70, 530}, {70, 520, 130}} {
				g, c := randomGemm(r, shape[0], shape[1], shape[2], options)
				checkGemm(t, g, c)
			}
		}
		for i, shape := range [][2]int{{12, 150}, {17, 40}, {33, 300}, {64, 17}} { // few rows of a transposed matrix
			g, c := randomGemm(r, shape[0], shape[1], swappedK+r.IntN(60), 2+i%2+4*(i/2))
			checkGemm(t, g, c)
		}
		for i, m := range []int{1, 2, 8, 17, 30} { // a far matrix of few rows
			g, c := randomGemm(r, m, 1000+r.IntN(50), 270+r.IntN(20), i%2+4*(i/2%2))
			checkGemm(t, g, c)
		}
		g, c := randomGemm(r, 130, 0, 20000, 0) // nothing, of many rows
		checkGemm(t, g, c)
		for i, shape := range [][2]int{{15, 131}, {40, 300}, {99, 140}, {130, 150}} { // the gradient of weights of many examples, in tiles of two heights
			g, c := randomGemm(r, shape[0], shape[1], 2*blockK+1+r.IntN(2*blockK), 1+4*(i%2))
			checkGemm(t, g, c)
		}
	})
}

// TestGemmRowsAlone: a row of the product is the same whatever the other rows
// and the number of tasks.
func TestGemmRowsAlone(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		for options := range 4 {
			g, _ := randomGemm(r, 60, 40, 300, options)
			run(g)
			for i := 0; i < g.M; i += 7 {
				one, c := *g, make([]float32, g.N)
				one.M, one.C = 1, c
				one.A = g.A[i*g.LDA:]
				if g.TransA {
					one.A = g.A[i:]
				}
				run(&one)
				checkSame(t, fmt.Sprintf("row %d alone", i), c, g.C[i*g.LDC:][:g.N])
			}
		}
	})
}

func run(g *Gemm) { runIn(g, make([]float32, g.Shared()), make([]float32, g.Scratch())) }

func runIn(g *Gemm, shared, scratch []float32) {
	for task := range g.Preparations() {
		g.Prepare(task, shared)
	}
	for task := range g.Tasks() {
		g.Run(task, shared, scratch)
	}
}

func TestGemmTasksAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	g, _ := randomGemm(r, 150, 220, 280, 0)
	want := append([]float32(nil), g.C...)
	naive(g, want)
	if g.Tasks() < 2 {
		t.Fatalf("%d tasks", g.Tasks())
	}
	var wait sync.WaitGroup
	shared := make([]float32, g.Shared())
	for task := range g.Preparations() {
		wait.Go(func() { g.Prepare(task, shared) })
	}
	wait.Wait()
	for task := range g.Tasks() {
		wait.Go(func() { g.Run(task, shared, make([]float32, g.Scratch())) })
	}
	wait.Wait()
	checkSame(t, "concurrent tasks", g.C, want)
}

func TestGemmTasksCoverC(t *testing.T) {
	for _, shape := range [][3]int{{1, 1, 1}, {32, 128, 20}, {512, 512, 512}, {1, 4096, 4096}, {4096, 1, 4096}, {100, 100, 100000}, {100000, 7, 3}, {0, 5, 5}, {5, 0, 5}, {5, 5, 0}} {
		g := Gemm{M: shape[0], N: shape[1], K: shape[2]}
		g = g.turned()
		rows, columns := g.shape()
		if rows < 1 || columns < 1 || columns%panel != 0 {
			t.Errorf("%v: tasks of %d×%d", shape, rows, columns)
		}
		work := min(rows, g.M) * min(columns, g.N) * g.K
		if limit := max(2*maxTask, minRows*minColumns*g.K); work > limit {
			t.Errorf("%v: a task of %d multiply-adds, more than %d", shape, work, limit)
		}
	}
}

func TestGemmAllocatesNothing(t *testing.T) {
	g, _ := randomGemm(rand.New(rand.NewPCG(11, 12)), 40, 40, 300, 2)
	shared, scratch := make([]float32, g.Shared()), make([]float32, g.Scratch())
	if n := testing.AllocsPerRun(10, func() { runIn(g, shared, scratch) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// exactFMA rounds a·b + c once, by way of exact arithmetic.
func exactFMA(a, b, c float32) float32 {
	x, y, z := new(big.Float).SetPrec(2000), new(big.Float).SetPrec(2000), new(big.Float).SetPrec(2000)
	x.SetFloat64(float64(a))
	x.Mul(x, y.SetFloat64(float64(b)))
	x.Add(x, z.SetFloat64(float64(c)))
	v, _ := x.Float32()
	return v
}

func TestFMA(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	finite := func(v float32) bool { return v-v == 0 }
	check := func(a, b, c float32) {
		if !finite(a) || !finite(b) || !finite(c) {
			return
		}
		got, want := fma32(a, b, c), exactFMA(a, b, c)
		if got != want && !sameBits(got, want) {
			t.Errorf("fma(%b, %b, %b) = %b, want %b", a, b, c, got, want)
		}
	}
	for _, a := range special {
		for _, b := range special {
			for _, c := range special {
				check(a, b, c)
			}
		}
	}
	for range 20000 {
		// Products whose sum lies near the middle between two numbers.
		c := float32(1+r.IntN(1<<24)) * float32(math.Ldexp(1, r.IntN(40)-160))
		unit := math.Ldexp(math.Abs(float64(c)), -24)
		a := float32(math.Sqrt(unit)) * float32(1+float64(r.IntN(5)-2)*0x1p-23)
		check(a, a, c)
		check(-a, a, c)
		check(1+float32(r.IntN(8))*0x1p-23, float32(math.Ldexp(1, -24))*(1+float32(r.IntN(8))*0x1p-23), 1)
		check(math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32()))
	}
}

func FuzzGemm(f *testing.F) {
	f.Add(uint8(7), uint8(17), uint16(30), uint8(3), uint64(1))
	f.Fuzz(func(t *testing.T, m, n uint8, k uint16, options uint8, seed uint64) {
		onEachPath(t, func(t *testing.T) {
			g, c := randomGemm(rand.New(rand.NewPCG(seed, 0)), int(m%160), int(n%200), int(k%600), int(options%16))
			checkGemm(t, g, c)
		})
	})
}
