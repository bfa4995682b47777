package cpu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
)

// profiledProgram is a product whose tasks are shared, a chain and a write.
func profiledProgram(t *testing.T) graph.Executable {
	t.Helper()
	state := graph.NewState()
	w, err := state.Add("kernel", tensor.Zeros(64, 96), true)
	if err != nil {
		t.Fatal(err)
	}
	b := graph.New("small")
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(64))
	k := b.Read(w)
	y := graph.Relu(graph.MatMul(x, k))
	b.Output("sum", graph.Sum(graph.Mul(y, y)))
	b.Write(w, graph.Mul(k, b.Scalar(0.5)))
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func takeProfile(t *testing.T, runs int) *Profile {
	t.Helper()
	before := Threads()
	defer SetThreads(before)
	SetThreads(2)
	p, err := StartProfile()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if _, err := StartProfile(); err == nil {
		t.Error("two profiles at once")
	}
	e := profiledProgram(t)
	for range runs {
		if err := e.Run([]*tensor.Tensor{tensor.Zeros(400, 64)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func TestProfile(t *testing.T) {
	p := takeProfile(t, 30)
	speed := &traffic{threads: 2}
	for i := range speed.speeds {
		speed.speeds[i] = 1e9
	}
	r := p.report(Ceilings{PeakGFLOPS: 100}, speed, 2)
	if len(r.Programs) != 1 {
		t.Fatalf("found %+v", r.Programs)
	}
	q := r.Programs[0]
	if q.Program != "small" || q.Runs != 30 || q.Rows != 30*400 || !(q.Compile > 0) || !(q.Seconds > 0 && q.Seconds <= r.Seconds) {
		t.Errorf("found %+v", q)
	}
	ops := map[string]OpProfile{}
	sum := q.Rest
	for i, op := range q.Ops {
		ops[op.Op] = op
		sum += op.Seconds
		if i > 0 && op.Seconds > q.Ops[i-1].Seconds {
			t.Errorf("%s comes after what took less", op.Op)
		}
		if op.Calls != 30 || math.Abs(op.Share-op.Seconds/q.Seconds) > 1e-12 || !(op.Worker > 0) {
			t.Errorf("found %+v", op)
		}
	}
	if math.Abs(sum-q.Seconds) > 1e-9 {
		t.Errorf("ops and rest took %g s, the runs %g s", sum, q.Seconds)
	}
	for name, want := range map[string]struct{ flops, bytes float64 }{
		"matmul rows×64×96": {2 * 400 * 64 * 96, 4 * (400*64 + 64*96 + 400*96)},
		"relu·mul rows×96":  {2 * 400 * 96, 4 * 2 * 400 * 96},
		"sum rows×96":       {400 * 96, 4 * (400*96 + 1)},
		"mul 64×96":         {64 * 96, 4 * (2*64*96 + 1)},
	} {
		op, ok := ops[name]
		if !ok {
			t.Fatalf("no %q in %+v", name, q.Ops)
		}
		flops, bytes := op.GFLOPS*1e9*op.Seconds/30, op.GBPerS*1e9*op.Seconds/30
		if math.Abs(flops-want.flops) > 1e-6*want.flops || math.Abs(bytes-want.bytes) > 1e-6*want.bytes {
			t.Errorf("%s: found %g operations and %g bytes a call, expected %+v", name, flops, bytes, want)
		}
		floor := 30 * max(want.flops/200e9, want.bytes/1e9)
		if math.Abs(op.Roofline*op.Seconds-floor) > 1e-9*floor {
			t.Errorf("%s: found a floor of %g s, expected %g", name, op.Roofline*op.Seconds, floor)
		}
	}
	if m := ops["mul 64×96"]; len(m.Variables) != 1 || m.Variables[0] != "kernel" {
		t.Errorf("found the variables %q", m.Variables)
	}
}

// TestEveryStepHasALabel: whatever an op is, a profile names it and tells finite
// costs.
func TestEveryStepHasALabel(t *testing.T) {
	e, packs := profiledProgram(t).(*executable), 0
	for i, s := range e.steps {
		what, _ := e.plan.label(s, e.units[i])
		if what == "pack 64×96" {
			packs++
		}
		if what == "" || flopsOf(s, e.units[i], 3) < 0 || e.plan.bytesOf(s, e.units[i], 3) <= 0 {
			t.Errorf("step %d (%T): %q, %g operations, %g bytes", i, s, what, flopsOf(s, e.units[i], 3), e.plan.bytesOf(s, e.units[i], 3))
		}
	}
	if packs != 1 {
		t.Errorf("found %d steps that pack", packs)
	}
}

// TestCostsOfImages: the arithmetic of a step of a convolution has that of what
// follows it, and the gradient of maxima that a convolution spreads for itself is
// read as what it is made of.
func TestCostsOfImages(t *testing.T) {
	const pixels, out = 8 * 8, 4
	b := graph.New("images")
	x := b.Input("x", tensor.Float32, graph.Rows, graph.N(8), graph.N(8), graph.N(3))
	k := b.Constant(tensor.Zeros(1, 1, 3, out))
	y := graph.Gelu(graph.Conv2D(x, k, graph.Window{}))
	pooled := graph.MaxPool(graph.Conv2D(y, b.Constant(tensor.Zeros(1, 1, out, out)), graph.Window{}), 2, 2, graph.Window{StrideH: 2, StrideW: 2})
	b.Output("", graph.Gradients(graph.Sum(graph.Square(pooled)), []*graph.Node{k})[0].Dense)
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	e, first, backward := compiled.(*executable), 0, 0
	for i, s := range e.steps {
		u := e.units[i]
		switch s := s.(type) {
		case *forwardStep:
			if s.x != x {
				continue
			}
			first++
			if got, want := flopsOf(s, u, 5), float64(5*pixels*out*(2*3+erfFlops+4)); got != want {
				t.Errorf("a convolution and GELU: %g operations, expected %g", got, want)
			}
		case *backwardStep:
			backward++
			// Maxima and their places are a quarter of the image each; the GELU's input
			// and result are images.
			if got, want := e.plan.bytesOf(s, u, 5), float64(4*(5*pixels*out*5/2+out*out)); got != want {
				t.Errorf("the gradient of images: %g bytes, expected %g", got, want)
			}
		}
	}
	if first != 1 || backward != 1 {
		t.Errorf("%d and %d steps", first, backward)
	}
	for kind := range derivativeKernels {
		if unary, d := elementFlops(graph.Unary{Kind: kind}), elementFlops(graph.Derivative{Of: kind}); unary < expFlops || d <= unary {
			t.Errorf("%s: %g and %g operations", graph.Unary{Kind: kind}.Name(), unary, d)
		}
	}
}

// TestTrace holds a trace against the trace event format: every event has its
// fields, and on a track slices lie in one another or apart.
func TestTrace(t *testing.T) {
	p := takeProfile(t, 2*tracedRuns)
	var out bytes.Buffer
	if err := p.WriteTrace(&out); err != nil {
		t.Fatal(err)
	}
	var trace struct {
		Unit   string                       `json:"displayTimeUnit"`
		Events []map[string]json.RawMessage `json:"traceEvents"`
	}
	if err := json.Unmarshal(out.Bytes(), &trace); err != nil {
		t.Fatal(err)
	}
	type slice struct {
		name, cat string
		from, to  float64
	}
	text := func(e map[string]json.RawMessage, field string) (s string) {
		if err := json.Unmarshal(e[field], &s); err != nil {
			t.Fatalf("%s of %s: %v", field, e, err)
		}
		return s
	}
	number := func(e map[string]json.RawMessage, field string) (x float64) {
		if err := json.Unmarshal(e[field], &x); err != nil {
			t.Fatalf("%s of %s: %v", field, e, err)
		}
		return x
	}
	tracks, named, runs := map[string][]slice{}, map[string]bool{}, 0
	for _, e := range trace.Events {
		if number(e, "pid") != 1 {
			t.Errorf("found the process %s", e["pid"])
		}
		id := fmt.Sprint(number(e, "tid"))
		switch text(e, "ph") {
		case "M":
			named[id] = named[id] || text(e, "name") == "thread_name"
		case "X":
			s := slice{text(e, "name"), text(e, "cat"), number(e, "ts"), 0}
			s.to = s.from + number(e, "dur")
			if s.name == "" || s.from < 0 || s.to < s.from {
				t.Errorf("found %+v", s)
			}
			if s.cat == "run" {
				runs++
			}
			tracks[id] = append(tracks[id], s)
		default:
			t.Errorf("found the phase %s", e["ph"])
		}
	}
	if !strings.Contains(out.String(), `"cat":"task"`) {
		t.Error("no step was shared")
	}
	if runs != tracedRuns {
		t.Errorf("found %d runs, expected %d", runs, tracedRuns)
	}
	const slack = 1e-6 // of the decimals
	for id, slices := range tracks {
		if !named[id] {
			t.Errorf("track %s has no name", id)
		}
		var open []slice
		for i, s := range slices {
			if i > 0 && s.from < slices[i-1].from {
				t.Fatalf("%+v comes after %+v", s, slices[i-1])
			}
			for len(open) > 0 && open[len(open)-1].to <= s.from+slack {
				open = open[:len(open)-1]
			}
			if len(open) > 0 && s.to > open[len(open)-1].to+slack {
				t.Fatalf("%+v reaches out of %+v", s, open[len(open)-1])
			}
			if s.cat == "step" && (len(open) != 1 || open[0].cat != "run") {
				t.Errorf("the step %+v lies in %+v", s, open)
			}
			open = append(open, s)
		}
	}
	if !strings.Contains(out.String(), `"name":"matmul rows×64×96"`) || !strings.Contains(out.String(), `"variables":"kernel"`) {
		t.Errorf("no product in %.2000s", out.String())
	}
}

// TestTraceIsBounded: a run with very many tasks is left out.
func TestTraceIsBounded(t *testing.T) {
	p := &Profile{}
	in := &instance{exe: &executable{}, count: []int{tracedEvents/2 + 1}}
	for range 3 {
		p.begin(in, 0)
	}
	if o := p.programs[0]; len(o.traced) != 1 || o.events > tracedEvents {
		t.Errorf("found %d runs with %d events", len(o.traced), o.events)
	}
}
