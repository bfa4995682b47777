package cpu_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/internal/reference"
	"github.com/hone-ml/hone/engine/tensor"
)

func addVariable(t fataler, s *graph.State, name string, v *tensor.Tensor) *graph.Variable {
	t.Helper()
	x, err := s.Add(name, v, true)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return x
}

// TestWrites holds small programs of two variables, a = [1 2 3 4] and
// b = [10 20 30 40], against what they must hold after one run.
func TestWrites(t *testing.T) {
	type values []float32
	for _, c := range []struct {
		name         string
		build        func(p *graph.Builder, a, b *graph.Variable)
		wantA, wantB values
		wantOut      []values
	}{
		{"swap", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(a, p.Read(b))
			p.Write(b, p.Read(a))
		}, values{10, 20, 30, 40}, values{1, 2, 3, 4}, nil},
		{"swap, computed", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(a, graph.Neg(p.Read(b)))
			p.Write(b, graph.Neg(p.Read(a)))
		}, values{-10, -20, -30, -40}, values{-1, -2, -3, -4}, nil},
		{"swap, one computed", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(a, graph.Neg(p.Read(b)))
			p.Write(b, p.Read(a))
		}, values{-10, -20, -30, -40}, values{1, 2, 3, 4}, nil},
		{"swap, in separate steps", func(p *graph.Builder, a, b *graph.Variable) {
			flip := func(v *graph.Variable) *graph.Node { // not element-wise
				x := p.Read(v)
				return graph.Concat(0, graph.Slice(x, 0, 2, 4), graph.Slice(x, 0, 0, 2))
			}
			p.Write(a, flip(b))
			p.Write(b, flip(a))
		}, values{30, 40, 10, 20}, values{3, 4, 1, 2}, nil},
		{"the old value is an output", func(p *graph.Builder, a, b *graph.Variable) {
			p.Output("old", p.Read(a))
			p.Write(a, graph.AddScalar(p.Read(a), 1))
			p.Output("again", p.Read(a))
		}, values{2, 3, 4, 5}, values{10, 20, 30, 40}, []values{{1, 2, 3, 4}, {1, 2, 3, 4}}},
		{"a view of the old value is an output", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(a, graph.AddScalar(p.Read(a), 1))
			p.Output("old", graph.Reshape(p.Read(a), graph.N(2), graph.N(2)))
		}, values{2, 3, 4, 5}, values{10, 20, 30, 40}, []values{{1, 2, 3, 4}}},
		{"the new value is an output and read on", func(p *graph.Builder, a, b *graph.Variable) {
			n := graph.AddScalar(p.Read(a), 1)
			p.Write(a, n)
			p.Output("new", n)
			p.Output("sum", graph.Sum(graph.Mul(n, p.Read(a))))
		}, values{2, 3, 4, 5}, values{10, 20, 30, 40}, []values{{2, 3, 4, 5}, {2 + 6 + 12 + 20}}},
		{"the old value is read later", func(p *graph.Builder, a, b *graph.Variable) {
			n := graph.AddScalar(p.Read(a), 1)
			p.Write(a, n)
			total := graph.Sum(n) // depends on the new value
			p.Write(b, graph.Add(p.Read(a), total))
		}, values{2, 3, 4, 5}, values{15, 16, 17, 18}, nil},
		{"the old value is broadcast in the same step", func(p *graph.Builder, a, b *graph.Variable) {
			n := graph.AddScalar(p.Read(a), 1)
			p.Write(a, n)
			first := graph.Slice(p.Read(a), 0, 0, 1)
			p.Write(b, graph.Add(graph.Mul(n, p.Read(b)), first))
		}, values{2, 3, 4, 5}, values{21, 61, 121, 201}, nil},
		{"one value for two variables", func(p *graph.Builder, a, b *graph.Variable) {
			n := graph.Add(p.Read(a), p.Read(b))
			p.Write(a, n)
			p.Write(b, n)
		}, values{11, 22, 33, 44}, values{11, 22, 33, 44}, nil},
		{"another's old and own new value", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(b, p.Read(a))
			p.Write(a, graph.Scale(p.Read(a), 2))
		}, values{2, 4, 6, 8}, values{1, 2, 3, 4}, nil},
		{"a constant and an unread variable", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(a, p.Constant(vector(7, 7, 7, 8)))
			p.Write(b, graph.BroadcastTo(p.Scalar(3), graph.Fixed(4)))
		}, values{7, 7, 7, 8}, values{3, 3, 3, 3}, nil},
		{"scatter into its own variable", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(a, graph.ScatterSet(p.Read(a), p.Constant(indices(2, -1, 0)), p.Constant(vector(5, 6, 7))))
		}, values{7, 2, 5, 4}, values{10, 20, 30, 40}, nil},
		{"scatter what was gathered from it", func(p *graph.Builder, a, b *graph.Variable) {
			to, from := p.Constant(indices(0, 1, 2, 3)), p.Constant(indices(3, 2, 1, 0))
			p.Write(a, graph.ScatterSet(p.Read(a), to, graph.Gather(p.Read(a), from)))
		}, values{4, 3, 2, 1}, values{10, 20, 30, 40}, nil},
		{"scatter the old value into itself", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(a, graph.ScatterSet(p.Read(a), p.Constant(indices(3, 2, 1, 0)), p.Read(a)))
		}, values{4, 3, 2, 1}, values{10, 20, 30, 40}, nil},
		{"scatter into another variable", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(b, graph.ScatterSet(p.Read(a), p.Constant(indices(1)), p.Constant(vector(9))))
		}, values{1, 2, 3, 4}, values{1, 9, 3, 4}, nil},
		{"scatter, and the old value is an output", func(p *graph.Builder, a, b *graph.Variable) {
			p.Write(a, graph.ScatterSet(p.Read(a), p.Constant(indices(1)), p.Constant(vector(9))))
			p.Output("old", p.Read(a))
		}, values{1, 9, 3, 4}, values{10, 20, 30, 40}, []values{{1, 2, 3, 4}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := graph.NewState()
			a := addVariable(t, s, "a", vector(1, 2, 3, 4))
			b := addVariable(t, s, "b", vector(10, 20, 30, 40))
			p := graph.New(c.name)
			c.build(p, a, b)
			program := mustProgram(t, p)
			e, out := mustCompile(t, program), blank(program)
			if err := e.Run(nil, out); err != nil {
				t.Fatal(err)
			}
			if got := a.Value.Floats(); !slices.Equal(got, c.wantA) {
				t.Errorf("a = %v, want %v", got, c.wantA)
			}
			if got := b.Value.Floats(); !slices.Equal(got, c.wantB) {
				t.Errorf("b = %v, want %v", got, c.wantB)
			}
			for i, w := range c.wantOut {
				if got := out[i].Floats(); !slices.Equal(got, w) {
					t.Errorf("output %s = %v, want %v", program.Outputs[i].Name, got, w)
				}
			}
		})
	}
}

// TestRandomWrites runs random programs that write variables several times
// over. All numbers are small integers, so the reference must be met exactly:
// every read sees the value from before the run, and all writes take effect.
func TestRandomWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		below := func(n int, what string) int { return rapid.IntRange(0, n-1).Draw(t, what) }
		s, b := graph.NewState(), graph.New("writes")
		x := b.Input("x", tensor.Float32, graph.Rows, graph.N(4))
		pool := []*graph.Node{graph.Sum(x, 0)} // all of four elements
		for i := range 2 + below(3, "variables") {
			v := addVariable(t, s, fmt.Sprint("v", i), vector(1, 2, 3, 4))
			for j := range v.Value.Floats() {
				v.Value.Floats()[j] += float32(10 * i)
			}
			pool = append(pool, b.Read(v))
		}
		pick := func() *graph.Node { return pool[len(pool)-1-below(len(pool), "node")] }
		bounded := func(x *graph.Node) *graph.Node {
			return graph.Max(graph.Min(x, b.Scalar(500)), b.Scalar(-500))
		}
		for range 1 + below(14, "ops") {
			y := pick()
			switch below(9, "op") {
			case 0:
				y = bounded(graph.Add(y, pick()))
			case 1:
				y = graph.Neg(y)
			case 2:
				y = graph.AddScalar(graph.Max(y, pick()), 1)
			case 3:
				y = graph.Reshape(graph.Transpose(graph.Reshape(y, graph.N(2), graph.N(2))), graph.N(4))
			case 4:
				y = bounded(graph.Add(graph.Sum(y), pick()))
			case 5:
				y = graph.Concat(0, graph.Slice(y, 0, 3, 4), graph.Slice(pick(), 0, 0, 3))
			case 6:
				y = graph.ScatterSet(y, b.Constant(indices(2, -1, 0, 3)), pick())
			case 7:
				y = graph.Gather(y, b.Constant(indices(1, 0, -1, 1)))
			case 8:
				y = bounded(graph.Sub(y, graph.Slice(pick(), 0, 1, 2)))
			}
			pool = append(pool, y)
		}
		for _, v := range s.Variables() {
			if below(5, "write") > 0 {
				b.Write(v, pick())
			}
		}
		for i := range below(3, "outputs") {
			b.Output(fmt.Sprint("y", i), pick())
		}
		p := mustProgram(t, b)
		if len(p.Outputs)+len(p.Writes) == 0 {
			t.Skip("nothing to do")
		}
		e, out := mustCompile(t, p), blank(p)
		for step, rows := range []int{3, 1, 5} {
			feed := tensor.Zeros(rows, 4)
			for i := range feed.Floats() {
				feed.Floats()[i] = float32(i%5 - 2 + step)
			}
			want, err := reference.Eval(p, rows, []*reference.Value{reference.FromTensor(feed)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			before := map[*graph.Variable]*tensor.Tensor{}
			for _, v := range s.Variables() {
				before[v] = v.Value.Clone()
			}
			if err := e.Run([]*tensor.Tensor{feed}, out); err != nil {
				t.Fatal(err)
			}
			for i, o := range out {
				if at := differ(o, want.Outputs[i].Tensor()); at >= 0 && !isZero(o, want.Outputs[i].Tensor(), at) {
					t.Fatalf("step %d: output %d is %v, want %v\n%v", step, i, o.Floats(), want.Outputs[i].F, p)
				}
			}
			for _, v := range s.Variables() {
				w := before[v]
				if n := want.Writes[v]; n != nil {
					w = n.Tensor()
				}
				if at := differ(v.Value, w); at >= 0 && !isZero(v.Value, w, at) {
					t.Fatalf("step %d: %s is %v, want %v\n%v", step, v.Name, v.Value.Floats(), w.Floats(), p)
				}
			}
		}
	})
}

// isZero reports whether two elements differ in the sign of zero alone.
func isZero(a, b *tensor.Tensor, at int) bool { return a.Floats()[at] == 0 && b.Floats()[at] == 0 }

// TestProgramsShareState: what one program writes the next reads.
func TestProgramsShareState(t *testing.T) {
	s := graph.NewState()
	v := addVariable(t, s, "v", vector(1, 2))
	b := graph.New("double")
	b.Write(v, graph.Scale(b.Read(v), 2))
	double := mustCompile(t, mustProgram(t, b))
	b = graph.New("read")
	b.Output("v", b.Read(v))
	p := mustProgram(t, b)
	read, out := mustCompile(t, p), blank(p)
	for i := range 4 {
		if err := read.Run(nil, out); err != nil {
			t.Fatal(err)
		}
		if w := float32(int(1) << i); out[0].Floats()[0] != w || out[0].Floats()[1] != 2*w {
			t.Fatalf("after %d runs: %v", i, out[0].Floats())
		}
		if err := double.Run(nil, nil); err != nil {
			t.Fatal(err)
		}
	}
}
