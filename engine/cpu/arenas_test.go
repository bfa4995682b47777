package cpu_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// TestProgramsShareArenas: programs of several lengths over one state give the same
// numbers by turns, and at the same time, as each by itself, in the memory of the
// largest.
func TestProgramsShareArenas(t *testing.T) {
	const lengths = 12
	compile := func(state *graph.State, n int) graph.Executable {
		b := graph.New("sum")
		v := state.Lookup("w")
		x := b.Input("x", tensor.Float32, graph.Rows, graph.N(n))
		h := graph.Exp(graph.Mul(x, b.Read(v)))
		for range 3 { // values that several others read are in memory
			h = graph.AddScalar(h, 1)
			h = graph.Mul(h, graph.Reshape(graph.Recip(graph.Sum(h, 1)), graph.Rows, graph.N(1)))
		}
		b.Output("y", h)
		p, err := b.Program()
		if err != nil {
			t.Fatal(err)
		}
		exe, err := cpu.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		return exe
	}
	fresh := func() *graph.State {
		s := graph.NewState()
		if _, err := s.Add("w", tensor.Scalar(0.5), false); err != nil {
			t.Fatal(err)
		}
		return s
	}
	run := func(exe graph.Executable, rows, n int) []float32 {
		x, y := tensor.Zeros(rows, n), tensor.Zeros(0)
		for i := range x.Floats() {
			x.Floats()[i] = float32(i%17) * 0.1
		}
		if err := exe.Run([]*tensor.Tensor{x}, []*tensor.Tensor{y}); err != nil {
			t.Error(err)
			return nil
		}
		return y.Floats()
	}
	shared := fresh()
	var exes []graph.Executable
	var want [][]float32
	for i := range lengths {
		exes = append(exes, compile(shared, 8*(i+1)))
		want = append(want, run(compile(fresh(), 8*(i+1)), 64, 8*(i+1)))
	}
	check := func(i int) {
		got := run(exes[i], 64, 8*(i+1))
		for k := range want[i] {
			if got[k] != want[i][k] {
				t.Errorf("length %d: number %d is %v, by itself %v", 8*(i+1), k, got[k], want[i][k])
				return
			}
		}
	}
	for turn := range 40 {
		check(turn * 5 % lengths)
		run(exes[turn*7%lengths], 1+turn, 8*(turn*7%lengths+1))
	}
	var done sync.WaitGroup
	for g := range 4 {
		done.Go(func() {
			for turn := range 40 {
				check((turn*5 + g) % lengths)
			}
		})
	}
	done.Wait()
	// A large network's programs of twelve lengths take the memory of the longest,
	// whichever comes first.
	for _, shortestFirst := range []bool{false, true} {
		state := fresh()
		var before, after runtime.MemStats
		for i := range lengths {
			exes[i] = compile(state, 256*(i+1))
		}
		used := func(m *runtime.MemStats) {
			runtime.GC()
			runtime.ReadMemStats(m)
		}
		most := int64(4 << 20)
		if shortestFirst {
			used(&before)
			most += int64(cpu.Bytes(exes[lengths-1], 512))
		} else {
			run(exes[lengths-1], 512, 256*lengths)
			used(&before)
		}
		for i := range lengths {
			run(exes[i], 512, 256*(i+1))
		}
		used(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > most {
			t.Errorf("shortest first %v: %d bytes more, expected %d, for the longest", shortestFirst, grown, most)
		}
		runtime.KeepAlive(exes)
	}
}
