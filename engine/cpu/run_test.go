package cpu_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// TestRunErrors: each wrong feed is an error that names program and input and
// changes no variable.
func TestRunErrors(t *testing.T) {
	n := newNetwork(t)
	e := mustCompile(t, n.train())
	before := n.snapshot()
	replaced := func(i int, with *tensor.Tensor) []*tensor.Tensor {
		f := n.batch(8, 0)
		f[i] = with
		return f
	}
	set := func(i, at int, v int32) []*tensor.Tensor {
		f := n.batch(8, 0)
		f[i].Ints()[at] = v
		return f
	}
	for _, c := range []struct {
		name  string
		feeds []*tensor.Tensor
		outs  int
		want  []string
	}{
		{"too few feeds", n.batch(8, 0)[:3], 2, []string{"3", "6", "rate"}},
		{"nil", replaced(1, nil), 2, []string{"category"}},
		{"width", replaced(0, tensor.Zeros(8, features+1)), 2, []string{"input x", "float32[8 14]", "float32[rows 13]"}},
		{"rank", replaced(0, tensor.Zeros(8)), 2, []string{"input x", "float32[8]", "float32[rows 13]"}},
		{"dtype", replaced(1, tensor.Zeros(8)), 2, []string{"input category", "float32[8]", "int32[rows]"}},
		{"rows", replaced(4, tensor.New(tensor.Int32, 9)), 2, []string{"input label", "9", "8"}},
		{"too many outputs", n.batch(8, 0), 3, []string{"3", "2"}},
		{"index too large", set(1, 3, entries), 2, []string{"gather", "category", "50", "position 3", "49"}},
		{"index below −1", set(1, 7, -2), 2, []string{"gather", "category", "-2"}},
		{"label too large", set(4, 0, classes), 2, []string{"softmax_cross_entropy", "label", "3"}},
	} {
		err := e.Run(c.feeds, make([]*tensor.Tensor, c.outs))
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, w := range append(c.want, "train: ") {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error %q does not contain %q", c.name, err, w)
			}
		}
		if d := describe(n.snapshot(), before); d != "" {
			t.Fatalf("%s: the run changed a variable: %s", c.name, d)
		}
	}
	if err := e.Run(n.batch(8, 0), nil); err != nil {
		t.Errorf("after errors: %v", err)
	}
}

// TestIndicesOutOfRange: every op that reads indices says so, whether they
// are fed or computed.
func TestIndicesOutOfRange(t *testing.T) {
	for name, build := range map[string]func(b *graph.Builder, i *graph.Node) *graph.Node{
		"gather": func(b *graph.Builder, i *graph.Node) *graph.Node {
			return graph.Gather(b.Constant(tensor.Zeros(3, 2)), i)
		},
		"one_hot": func(b *graph.Builder, i *graph.Node) *graph.Node { return graph.OneHot(i, 3) },
		"scatter_add": func(b *graph.Builder, i *graph.Node) *graph.Node {
			return graph.ScatterAdd(i, b.Constant(vector(1, 2)), 3)
		},
		"scatter_set": func(b *graph.Builder, i *graph.Node) *graph.Node {
			return graph.ScatterSet(b.Constant(vector(1, 2, 3)), i, b.Constant(vector(1, 2)))
		},
		"softmax_cross_entropy": func(b *graph.Builder, i *graph.Node) *graph.Node {
			return graph.SoftmaxCrossEntropy(b.Constant(tensor.Zeros(2, 3)), i, 0)
		},
		"softmax_cross_entropy_grad": func(b *graph.Builder, i *graph.Node) *graph.Node {
			return graph.Apply(graph.CrossEntropyGrad{}, b.Constant(tensor.Zeros(2, 3)), i, b.Constant(vector(1, 1)))
		},
	} {
		for _, computed := range []bool{false, true} {
			b := graph.New("p")
			i := b.Input("i", tensor.Int32, graph.N(2))
			used := i
			if computed {
				used = graph.Concat(0, graph.Slice(i, 0, 1, 2), graph.Slice(i, 0, 0, 1))
			}
			b.Output("y", build(b, used))
			e := mustCompile(t, mustProgram(t, b))
			for _, bad := range []int32{3, -2, 1 << 30, -1 << 31} {
				err := e.Run([]*tensor.Tensor{indices(0, bad)}, nil)
				if err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%s, computed %v, index %d: error %v", name, computed, bad, err)
				}
			}
			if err := e.Run([]*tensor.Tensor{indices(2, -1)}, nil); err != nil {
				t.Errorf("%s, computed %v: %v", name, computed, err)
			}
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(b *graph.Builder)
		want  []string
	}{
		{"nothing to do", func(b *graph.Builder) { b.Input("x", tensor.Float32, graph.Rows) }, []string{"no outputs"}},
		{"rows cubed", func(b *graph.Builder) {
			x := b.Input("x", tensor.Float32, graph.Rows, graph.N(1), graph.N(1))
			b.Output("y", graph.BroadcastTo(x, graph.Shape{graph.Rows, graph.Rows, graph.Rows}))
		}, []string{"broadcast", "[rows rows rows]"}},
		{"rows that no input tells", func(b *graph.Builder) {
			seed, step := b.Input("seed", tensor.Int32, graph.N(2)), b.Input("step", tensor.Int32)
			b.Output("noise", graph.Normal(seed, step, graph.Rows, graph.N(2)))
		}, []string{"normal", "rows", "input"}},
		{"a row count that no input tells", func(b *graph.Builder) { b.Output("n", b.RowCount()) }, []string{"row_count", "input"}},
	} {
		b := graph.New("p")
		c.build(b)
		_, err := cpu.Compile(mustProgram(t, b))
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, w := range append(c.want, "p") {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error %q does not contain %q", c.name, err, w)
			}
		}
	}
}

// TestNoRows: an empty batch gives empty results and zero gradients.
func TestNoRows(t *testing.T) {
	b := graph.New("p")
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(3))
	i := b.Input("i", tensor.Int32, graph.Rows)
	w := b.Constant(tensor.Zeros(3, 2))
	y := graph.MatMul(x, w)
	g := graph.Gradients(graph.Sum(graph.SoftmaxCrossEntropy(graph.Tanh(y), i, 0.1)), []*graph.Node{w})[0].Dense
	b.Output("y", graph.Softmax(y))
	b.Output("g", g)
	b.Output("sum", graph.Sum(x))
	b.Output("max", graph.ReduceMax(x, 1))
	b.Output("unique", graph.UniqueRows(i))
	b.Output("spread", graph.ScatterAdd(i, x, 2))
	b.Output("hot", graph.OneHot(i, 2))
	b.Output("flip", graph.Transpose(x))
	b.Output("twice", graph.Concat(0, x, x))
	b.Output("cut", graph.Slice(x, 1, 1, 2))
	b.Output("wide", graph.Add(graph.Reshape(x, graph.Rows, graph.N(1), graph.N(3)), b.Constant(tensor.Zeros(4, 1))))
	p := mustProgram(t, b)
	e, out := mustCompile(t, p), blank(p)
	for _, rows := range []int{0, 2, 0} {
		if err := e.Run([]*tensor.Tensor{tensor.Zeros(rows, 3), tensor.New(tensor.Int32, rows)}, out); err != nil {
			t.Fatal(err)
		}
		for k, o := range out {
			if want := p.Outputs[k].Node.Shape().Of(nil, rows); !tensor.SameShape(o.Shape(), want) {
				t.Errorf("%d rows: %s is %v, want %v", rows, p.Outputs[k].Name, o, want)
			}
			for _, v := range o.Raw() {
				if rows == 0 && v != 0 {
					t.Errorf("no rows: %s is %v", p.Outputs[k].Name, o.Raw())
				}
			}
		}
	}
}

// TestOutputs: nil skips one, a short list skips the rest, and a tensor that
// is large enough keeps its storage.
func TestOutputs(t *testing.T) {
	b := graph.New("p")
	x := b.Input("x", tensor.Float32, graph.Rows)
	b.Output("a", graph.Neg(x))
	b.Output("b", graph.Square(x))
	b.Output("x", x)
	e := mustCompile(t, mustProgram(t, b))
	out := tensor.Zeros(100)
	storage := &out.Raw()[0]
	if err := e.Run([]*tensor.Tensor{vector(2, 3)}, []*tensor.Tensor{nil, out}); err != nil {
		t.Fatal(err)
	}
	if len(out.Floats()) != 2 || out.Floats()[1] != 9 || &out.Raw()[0] != storage {
		t.Errorf("the output is %v %v", out, out.Floats())
	}
	if err := e.Run([]*tensor.Tensor{vector(2, 3)}, []*tensor.Tensor{nil, nil, out}); err != nil || out.Floats()[1] != 3 {
		t.Errorf("an input as output: %v, %v", out.Floats(), err)
	}
	if err := e.Run([]*tensor.Tensor{vector(2, 3)}, nil); err != nil {
		t.Error(err)
	}
}

// TestConcurrentRuns: one executable runs in many goroutines with batches of
// different sizes, each with the result that it has alone.
func TestConcurrentRuns(t *testing.T) {
	n := newNetwork(t)
	p := n.predict()
	e := mustCompile(t, p)
	sizes, runs := []int{257, 2, 5, 64, 130, 1}, 20
	if raced {
		sizes, runs = sizes[1:4], 4
	}
	want := make([]*tensor.Tensor, len(sizes))
	for i, rows := range sizes {
		out := blank(p)
		if err := e.Run(n.batch(rows, i)[:2], out); err != nil {
			t.Fatal(err)
		}
		want[i] = out[0]
	}
	withThreads(4, func() {
		var wg sync.WaitGroup
		for worker := range 6 {
			wg.Go(func() {
				out := blank(p)
				for k := range runs {
					i := (worker + k) % len(sizes)
					if err := e.Run(n.batch(sizes[i], i)[:2], out); err != nil {
						t.Error(err)
						return
					}
					if at := differ(out[0], want[i]); at >= 0 {
						t.Errorf("%d rows: element %d is %v, alone %v", sizes[i], at, out[0].Floats()[at], want[i].Floats()[at])
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestConcurrentWrites: runs that write take turns, so that none is lost, and
// predictions beside them see a state between two runs.
func TestConcurrentWrites(t *testing.T) {
	s := graph.NewState()
	count := addVariable(t, s, "count", tensor.Zeros(2000))
	b := graph.New("count")
	b.Write(count, graph.AddScalar(b.Read(count), 1))
	add := mustCompile(t, mustProgram(t, b))
	b = graph.New("spread")
	b.Output("spread", graph.Sub(graph.ReduceMax(b.Read(count)), graph.Neg(graph.ReduceMax(graph.Neg(b.Read(count))))))
	p := mustProgram(t, b)
	spread := mustCompile(t, p)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			out := blank(p)
			for range 100 {
				if err := add.Run(nil, nil); err != nil {
					t.Error(err)
				}
				if err := spread.Run(nil, out); err != nil || out[0].Floats()[0] != 0 {
					t.Errorf("a run saw half of a write: spread %v, error %v", out[0].Floats(), err)
				}
			}
		})
	}
	wg.Wait()
	for _, v := range count.Value.Floats() {
		if v != 400 {
			t.Fatalf("counted %v, want 400", v)
		}
	}
}

// TestTwoStatesDoNotDeadlock: a generator's step reads the discriminator and
// the other way round. Were each to lock its own state first, both would wait
// for ever, so both must lock the one that was made first, first.
func TestTwoStatesDoNotDeadlock(t *testing.T) {
	g, d := graph.NewState(), graph.NewState()
	vg, vd := addVariable(t, g, "g", tensor.Zeros(4)), addVariable(t, d, "d", tensor.Zeros(4))
	step := func(own, other *graph.Variable) graph.Executable {
		b := graph.New("step of " + own.Name)
		b.Write(own, graph.AddScalar(graph.Add(b.Read(own), graph.Scale(b.Read(other), 0)), 1))
		return mustCompile(t, mustProgram(t, b))
	}
	steps := []graph.Executable{step(vg, vd), step(vd, vg)}
	for i, e := range steps {
		d.Mu.Lock()
		done := make(chan error)
		go func() { done <- e.Run(nil, nil) }()
		for tries := 0; g.Mu.TryLock(); tries++ { // until the run holds g and waits for d
			g.Mu.Unlock()
			if tries == 10000 {
				t.Errorf("step %d waits for the second state without holding the first", i)
				break
			}
			time.Sleep(time.Millisecond)
		}
		d.Mu.Unlock()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	var wg sync.WaitGroup
	for _, e := range steps {
		wg.Go(func() {
			for range 500 {
				if err := e.Run(nil, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if vg.Value.Floats()[0] != 501 || vd.Value.Floats()[0] != 501 {
		t.Errorf("counted %v and %v", vg.Value.Floats()[0], vd.Value.Floats()[0])
	}
}

// TestTrainingStepAllocatesNothing, once the arena has grown to the batch and
// when no profile is taken any more.
func TestTrainingStepAllocatesNothing(t *testing.T) {
	for _, threads := range []int{1, 2} {
		withThreads(threads, func() {
			n := newNetwork(t)
			p := n.train()
			e, out := mustCompile(t, p), blank(p)
			large, small := n.batch(64, 0), n.batch(9, 1)
			step := func() {
				for _, f := range [][]*tensor.Tensor{large, small} {
					if err := e.Run(f, out); err != nil {
						t.Fatal(err)
					}
				}
			}
			profile, err := cpu.StartProfile()
			if err != nil {
				t.Fatal(err)
			}
			step()
			profile.Stop()
			if a := testing.AllocsPerRun(5, step); a != 0 {
				t.Errorf("%d threads: two steps allocate %v times", threads, a)
			}
		})
	}
}

// TestTrainingLearns: many steps of the hand-written Adam lower the loss.
func TestTrainingLearns(t *testing.T) {
	n := newNetwork(t)
	p := n.train()
	e, out := mustCompile(t, p), blank(p)
	var first, last float32
	for step := range 30 {
		if err := e.Run(n.batch(32, step), out); err != nil {
			t.Fatal(err)
		}
		last = out[0].Floats()[0]
		if step == 0 {
			first = last
		}
	}
	if !(last < 0.7*first) {
		t.Errorf("the loss went from %v to %v", first, last)
	}
}
