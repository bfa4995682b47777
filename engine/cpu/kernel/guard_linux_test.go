package kernel

import (
	"math/rand/v2"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// A fenced region is memory between two pages that nobody may touch: reading one
// number beyond it ends the process.
type fenced []float32

func fence(numbers int) (fenced, error) {
	page := syscall.Getpagesize()
	inside := (4*numbers + page - 1) / page * page
	raw, err := syscall.Mmap(-1, 0, inside+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	for _, fence := range [][]byte{raw[:page], raw[page+inside:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			return nil, err
		}
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&raw[page])), inside/4), nil
}

func newFenced(t *testing.T, numbers int) fenced {
	t.Helper()
	f, err := fence(numbers)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// rings are the regions that fencedMemory deals out in turn: many small ones, some
// large.
var rings = []*struct {
	numbers, next int
	regions       []fenced
}{{numbers: 8 << 10, regions: make([]fenced, 2048)}, {numbers: 512 << 10, regions: make([]fenced, 48)}}

// fencedMemory returns n numbers before a fence, or nil if there are no such many.
// The same memory comes again after some others.
func fencedMemory(n int) []float32 {
	for _, r := range rings {
		if n > r.numbers {
			continue
		}
		at := r.next
		r.next = (at + 1) % len(r.regions)
		if r.regions[at] == nil {
			f, err := fence(r.numbers)
			if err != nil {
				return nil
			}
			r.regions[at] = f
		}
		return r.regions[at].at(true, n)
	}
	return nil
}

// at returns n numbers that begin behind the first fence, or end before the second.
func (f fenced) at(end bool, n int) []float32 {
	if end {
		return f[len(f)-n:]
	}
	return f[:n:n]
}

func (f fenced) random(r *rand.Rand, end bool, n int) []float32 {
	x := f.at(end, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// TestFences: whoever reads one number too many, or one too early, is caught.
func TestFences(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	end, start := newFenced(t, 5).at(true, 5), newFenced(t, 5).at(false, 5)
	for i, p := range []unsafe.Pointer{unsafe.Add(unsafe.Pointer(&end[0]), 20), unsafe.Add(unsafe.Pointer(&start[0]), -4)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d: nobody noticed", i)
				}
			}()
			t.Log(*(*float32)(p))
		}()
	}
	if x := newGuarded(7).x; cap(x) != 7 {
		t.Errorf("a capacity of %d", cap(x))
	}
}

// TestNoKernelReadsBeyond: the results are held against the specification elsewhere.
func TestNoKernelReadsBeyond(t *testing.T) {
	var region [4]fenced
	for i := range region {
		region[i] = newFenced(t, 70*700)
	}
	onEachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(41, 42))
		for _, end := range []bool{true, false} {
			for _, n := range lengths() {
				a, b, c, dst := region[0].random(r, end, n), region[1].random(r, end, n), region[2].random(r, end, n), region[3].at(end, n)
				for _, k := range unaryTable {
					k.f(dst, a)
				}
				for _, k := range binaryTable {
					k.f(dst, a, b)
				}
				for _, k := range scalarTable {
					k.f(dst, a, 2)
				}
				Select(dst, a, b, c)
				for _, k := range reduceTable {
					k.f(a)
				}
				Uniform(dst, 1, 2, 3, 4)
				Normal(dst, 1, 2, 3, 4)
				for _, rows := range []int{1, 2, 7} {
					SumRows(dst, region[0].random(r, end, rows*n), rows, n)
					Transpose(region[3].at(end, rows*n), region[0].at(end, rows*n), rows, n, rows)
				}
			}
			for range 300 {
				m, n, k := r.IntN(70), r.IntN(70), r.IntN(700)
				if r.IntN(4) == 0 { // few rows of a wide matrix go other ways
					m, n, k = 1+r.IntN(3), 70+r.IntN(600), 1+r.IntN(60)
				}
				g := Gemm{M: m, N: n, K: k, TransA: r.IntN(2) == 0, TransB: r.IntN(2) == 0, LDA: k, LDB: n, LDC: n}
				if g.TransA {
					g.LDA = m
				}
				if g.TransB {
					g.LDB = k
				}
				g.A, g.B, g.C = region[0].random(r, end, m*k), region[1].random(r, end, k*n), region[2].at(end, m*n)
				run(&g)
			}
		}
	})
}
