package optim_test

import (
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn/internal/nntest"
	"github.com/hone-ml/hone/nn/optim"
)

// stateOf returns a state with one trainable variable for each name, all
// elements of which are value.
func stateOf(t *testing.T, value float32, shapes map[string][]int) *graph.State {
	t.Helper()
	s := graph.NewState()
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		x := tensor.Zeros(shapes[name]...)
		for i := range x.Floats() {
			x.Floats()[i] = value
		}
		if _, err := s.Add(name, x, true); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// minimise compiles an update that makes Σ g·p small, for the parameters of a
// state and a gradient g that is fed: a scalar for all elements.
func minimise(t *testing.T, opt optim.Optimizer, s *graph.State, params []*graph.Variable, opts optim.Options) *nntest.Program {
	t.Helper()
	b := graph.New("minimise")
	g, loss := b.Input("g", tensor.Float32), b.Scalar(0)
	for _, v := range params {
		loss = graph.Add(loss, graph.Mul(g, graph.Sum(b.Read(v))))
	}
	optim.Apply(opt, s, loss, b.Input("lr", tensor.Float32), params, opts)
	return nntest.Compile(t, b)
}

func scalars(pairs ...any) map[string]*tensor.Tensor {
	m := map[string]*tensor.Tensor{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = tensor.Scalar(float32(pairs[i+1].(float64)))
	}
	return m
}

func near(t *testing.T, what string, got float32, want float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > 1e-6*max(1, math.Abs(want)) {
		t.Errorf("%s is %g, want %g", what, got, want)
	}
}

// TestAdamWithoutBiasCorrection follows the formulas of Kingma and Ba with the
// moments as they are.
func TestAdamWithoutBiasCorrection(t *testing.T) {
	s := stateOf(t, 1, map[string][]int{"w": {2, 2}})
	p := minimise(t, optim.Adam(0.1, optim.BiasCorrection(false)), s, s.Trainable(), optim.Options{})
	w, m, v := 1.0, 0.0, 0.0
	for i, g := range []float64{0.5, -2, 0.25} {
		p.Run(scalars("g", g, "lr", 0.1))
		m, v = 0.9*m+0.1*g, 0.999*v+0.001*g*g
		w -= 0.1 * m / (math.Sqrt(v) + 1e-8)
		near(t, fmt.Sprintf("w after step %d", i+1), s.Lookup("w").Value.Floats()[3], w)
	}
	if want := []string{"w", "optim/adam/m/w", "optim/adam/v/w"}; !slices.Equal(namesOf(s), want) {
		t.Errorf("variables are %v, want %v", namesOf(s), want)
	}
}

// TestMomentsSettle: where the gradient has become 0, means of it end at 0 and are
// never subnormal; infinities and what is no number stay.
func TestMomentsSettle(t *testing.T) {
	for name, opt := range map[string]optim.Optimizer{"adam": optim.Adam(0.1, optim.Betas(0.5, 0.8)), "sgd": optim.SGD(0.1, optim.Momentum(0.5))} {
		s := stateOf(t, 1, map[string][]int{"w": {2, 2}})
		p := minimise(t, opt, s, s.Trainable(), optim.Options{})
		p.Run(scalars("g", -0.5, "lr", 0.1))
		steps := 0
		for ; steps < 1000; steps++ {
			p.Run(scalars("g", 0., "lr", 0.1))
			left := false
			for _, v := range s.Variables() {
				if !strings.HasPrefix(v.Name, optim.Prefix) || strings.Contains(v.Name, "correction") {
					continue
				}
				for _, x := range v.Value.Floats() {
					if x != 0 && math.Abs(float64(x)) < 0x1p-126 {
						t.Fatalf("%s: %s is %g after %d steps without a gradient", name, v.Name, x, steps+1)
					}
					left = left || x != 0
				}
			}
			if !left {
				break
			}
		}
		if steps < 90 || steps == 1000 {
			t.Errorf("%s: the means are 0 after %d steps, expected more than 90 and an end", name, steps)
		}
		p.Run(scalars("g", math.Inf(1), "lr", 0.1))
		p.Run(scalars("g", math.NaN(), "lr", 0.1))
		if x := s.Lookup("w").Value.Floats()[0]; x == x {
			t.Errorf("%s: a gradient that is no number leaves the weight at %v", name, x)
		}
	}
}

func namesOf(s *graph.State) []string {
	var out []string
	for _, v := range s.Variables() {
		out = append(out, v.Name)
	}
	return out
}

// TestFirstAdamStepIsTheLearningRate: whatever the gradient's size.
func TestFirstAdamStepIsTheLearningRate(t *testing.T) {
	for _, g := range []float64{1e-3, 3, 1e6} {
		s := stateOf(t, 0, map[string][]int{"w": {1}})
		minimise(t, optim.Adam(1), s, s.Trainable(), optim.Options{}).Run(scalars("g", g, "lr", 0.25))
		if got := s.Lookup("w").Value.Floats()[0]; math.Abs(float64(got)+0.25) > 0.25*2e-5 {
			t.Errorf("the step for gradient %g is %g, want -0.25", g, got)
		}
	}
}

// TestResume: a second program over the same state goes on where the first
// stopped, to the same bits.
func TestResume(t *testing.T) {
	for _, opt := range []optim.Optimizer{optim.SGD(0.1, optim.Momentum(0.9)), optim.Adam(0.1), optim.AdamW(0.1, 0.1)} {
		whole, parts := stateOf(t, 1, map[string][]int{"w": {3, 2}}), stateOf(t, 1, map[string][]int{"w": {3, 2}})
		p := minimise(t, opt, whole, whole.Trainable(), optim.Options{})
		for i := range 6 {
			feeds := scalars("g", math.Sin(float64(i)), "lr", 0.1)
			p.Run(feeds)
			minimise(t, opt, parts, parts.Trainable(), optim.Options{}).Run(feeds)
		}
		for i, v := range whole.Variables() {
			if got := parts.Variables()[i]; got.Name != v.Name || !slices.Equal(got.Value.Floats(), v.Value.Floats()) {
				t.Errorf("%s: %s is %v, want %s %v", opt.Name(), got.Name, got.Value.Floats(), v.Name, v.Value.Floats())
			}
			if v.Trainable != (v.Name == "w") {
				t.Errorf("%s: %s: trainable is %v", opt.Name(), v.Name, v.Trainable)
			}
			if strings.HasPrefix(v.Name, optim.Prefix) != (v.Name != "w") {
				t.Errorf("%s: %s does not begin with %s", opt.Name(), v.Name, optim.Prefix)
			}
		}
	}
}

// TestTwoOptimizersShareAState as those of an adversarial network: neither may
// disturb the other's moments or bias corrections.
func TestTwoOptimizersShareAState(t *testing.T) {
	shapes := map[string][]int{"critic/w": {2}, "maker/w": {2}}
	shared, alone := stateOf(t, 1, shapes), stateOf(t, 1, shapes)
	program := func(s *graph.State, name string) *nntest.Program {
		return minimise(t, optim.Adam(0.1), s, []*graph.Variable{s.Lookup(name)}, optim.Options{})
	}
	critic, maker, only := program(shared, "critic/w"), program(shared, "maker/w"), program(alone, "maker/w")
	for i := range 5 {
		critic.Run(scalars("g", 1., "lr", 0.1))
		feeds := scalars("g", math.Cos(float64(i)), "lr", 0.1)
		maker.Run(feeds)
		only.Run(feeds)
	}
	if got, want := shared.Lookup("maker/w").Value.Floats(), alone.Lookup("maker/w").Value.Floats(); !slices.Equal(got, want) {
		t.Errorf("beside another optimiser the parameter becomes %v, alone %v", got, want)
	}
}

// table compiles an update of the rows of a table [4 2] that are fed, with a
// gradient of 1 for every occurrence.
func table(t *testing.T, opt optim.Optimizer, s *graph.State, opts optim.Options) *nntest.Program {
	t.Helper()
	b := graph.New("table")
	v := s.Lookup("table")
	loss := graph.Sum(graph.Gather(b.Read(v), b.Input("i", tensor.Int32, graph.Rows)))
	optim.Apply(opt, s, loss, b.Input("lr", tensor.Float32), s.Trainable(), opts)
	return nntest.Compile(t, b)
}

func indices(i ...int32) *tensor.Tensor {
	x, _ := tensor.FromInts(i)
	return x
}

// TestSparseIsLazy: rows that a batch does not touch, and their slots, stay as
// they are, and go on from there when touched again. −1 touches none.
func TestSparseIsLazy(t *testing.T) {
	s := stateOf(t, 1, map[string][]int{"table": {4, 2}})
	p := table(t, optim.SGD(0.1, optim.Momentum(0.5)), s, optim.Options{})
	var w, v [4]float64
	for i := range w {
		w[i] = 1
	}
	for step, rows := range [][]int32{{0, 2, 2}, {0, -1}, {2, 3}, {-1}, {0}} {
		feeds := scalars("lr", 0.1)
		feeds["i"] = indices(rows...)
		p.Run(feeds)
		count := map[int32]float64{}
		for _, r := range rows {
			count[r]++
		}
		for r := range int32(4) {
			if g := count[r]; g > 0 {
				v[r] = 0.5*v[r] + g
				w[r] -= 0.1 * v[r]
			}
			near(t, fmt.Sprintf("step %d: row %d", step, r), s.Lookup("table").Value.Floats()[2*r+1], w[r])
			near(t, fmt.Sprintf("step %d: velocity of row %d", step, r), s.Lookup("optim/sgd/velocity/table").Value.Floats()[2*r], v[r])
		}
	}
}

// TestAverages: dense parameters and touched rows have averages that follow them;
// rows never touched keep the value they began with.
func TestAverages(t *testing.T) {
	s := stateOf(t, 1, map[string][]int{"table": {4, 2}})
	p := table(t, optim.GradientDescent(0.1), s, optim.Options{Average: 0.2})
	w, a, touches := [4]float64{1, 1, 1, 1}, [4]float64{1, 1, 1, 1}, [4]float64{}
	for step, rows := range [][]int32{{0, 2, 2}, {0, -1}, {2, 0}, {0}, {2}} {
		feeds := scalars("lr", 0.1)
		feeds["i"] = indices(rows...)
		p.Run(feeds)
		count := map[int32]float64{}
		for _, r := range rows {
			count[r]++
		}
		for r := range int32(4) {
			if g := count[r]; g > 0 {
				share := min(0.2, touches[r]/(touches[r]+9))
				touches[r]++
				w[r] -= 0.1 * g
				a[r] = share*a[r] + (1-share)*w[r]
			}
			near(t, fmt.Sprintf("step %d: average of row %d", step, r), s.Lookup("optim/average/table").Value.Floats()[2*r+1], a[r])
		}
	}
	for range 2 {
		optim.SwapAverages(s)
		near(t, "swapped", s.Lookup("table").Value.Floats()[0], a[0])
		optim.SwapAverages(s)
		near(t, "and back", s.Lookup("table").Value.Floats()[0], w[0])
	}
}

// TestPenaltiesOfMatrices: biases have none, and of a table only the touched
// rows.
func TestPenaltiesOfMatrices(t *testing.T) {
	s := stateOf(t, -2, map[string][]int{"bias": {2}, "kernel": {2, 2}})
	minimise(t, optim.GradientDescent(1), s, s.Trainable(), optim.Options{L1: 0.5, L2: 0.25}).Run(scalars("g", 1., "lr", 1.))
	near(t, "bias", s.Lookup("bias").Value.Floats()[0], -2-1)
	near(t, "kernel", s.Lookup("kernel").Value.Floats()[0], -2-1+0.5+0.25*2)

	s = stateOf(t, -2, map[string][]int{"table": {4, 2}})
	feeds := scalars("lr", 1.)
	feeds["i"] = indices(1)
	table(t, optim.GradientDescent(1), s, optim.Options{L1: 0.5, L2: 0.25}).Run(feeds)
	near(t, "touched row", s.Lookup("table").Value.Floats()[2], -2-1+0.5+0.25*2)
	near(t, "untouched row", s.Lookup("table").Value.Floats()[0], -2)
}

// TestClipping counts sparse gradients by their sums over a row's occurrences.
func TestClipping(t *testing.T) {
	for name, c := range map[string]struct {
		opts optim.Options
		want float64 // the step; the gradient is 3 in both elements of a row
	}{
		"none":           {optim.Options{}, 3},
		"norm":           {optim.Options{ClipNorm: math.Sqrt2}, 1},
		"parameter":      {optim.Options{ClipParameter: math.Sqrt2}, 1},
		"value":          {optim.Options{ClipValue: 0.5}, 0.5},
		"value and norm": {optim.Options{ClipValue: 1, ClipNorm: 100}, 1},
	} {
		s := stateOf(t, 0, map[string][]int{"table": {4, 2}})
		feeds := scalars("lr", 1.)
		feeds["i"] = indices(1, 1, 1)
		table(t, optim.GradientDescent(1), s, c.opts).Run(feeds)
		near(t, name, s.Lookup("table").Value.Floats()[2], -c.want)
	}
	// No gradient has no direction: nothing may become NaN.
	s := stateOf(t, 1, map[string][]int{"w": {2}})
	minimise(t, optim.GradientDescent(1), s, s.Trainable(), optim.Options{ClipNorm: 1}).Run(scalars("g", 0., "lr", 1.))
	near(t, "a parameter without gradient", s.Lookup("w").Value.Floats()[0], 1)
}

// TestUnusedParameters: those that the loss does not depend on stay, and have
// no slots.
func TestUnusedParameters(t *testing.T) {
	s := stateOf(t, 1, map[string][]int{"unused": {2, 2}, "w": {2, 2}})
	b := graph.New("unused")
	optim.Apply(optim.AdamW(0.1, 0.5), s, graph.Sum(b.Read(s.Lookup("w"))), b.Input("lr", tensor.Float32), s.Trainable(), optim.Options{L2: 1})
	nntest.Compile(t, b).Run(scalars("lr", 0.1))
	near(t, "unused", s.Lookup("unused").Value.Floats()[0], 1)
	if got := s.Lookup("w").Value.Floats()[0]; got >= 1 {
		t.Errorf("w is %g, want less than 1", got)
	}
	for _, n := range namesOf(s) {
		if strings.HasPrefix(n, optim.Prefix) && strings.HasSuffix(n, "unused") {
			t.Errorf("there is a variable %s", n)
		}
	}
}

// TestAccumulatedWeight: batches weigh by their rows, and nothing accumulated
// means no step.
func TestAccumulatedWeight(t *testing.T) {
	s := stateOf(t, 0, map[string][]int{"w": {1}})
	b := graph.New("accumulate")
	optim.Accumulate(s, graph.Mul(b.Input("g", tensor.Float32), graph.Sum(b.Read(s.Lookup("w")))), b.Input("weight", tensor.Float32), s.Trainable())
	add := nntest.Compile(t, b)
	b = graph.New("apply")
	optim.ApplyAccumulated(optim.GradientDescent(1), s, b.Input("lr", tensor.Float32), s.Trainable(), optim.Options{})
	apply := nntest.Compile(t, b)
	want := 0.0
	for range 2 { // the second time from emptied accumulators
		add.Run(scalars("g", 1., "weight", 30.))
		add.Run(scalars("g", 5., "weight", 10.))
		apply.Run(scalars("lr", 1.))
		want -= 2
		near(t, "w", s.Lookup("w").Value.Floats()[0], want)
	}
	apply.Run(scalars("lr", 1.))
	near(t, "w without gradients", s.Lookup("w").Value.Floats()[0], want)
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		opt  optim.Optimizer
		opts optim.Options
		want []string
	}{
		{optim.Adam(-1), optim.Options{}, []string{"adam", "learning rate is -1"}},
		{optim.AdamW(1, -1), optim.Options{}, []string{"adamw", "weight decay -1"}},
		{optim.Adam(1, optim.Betas(0.9, 1)), optim.Options{}, []string{"adam", "0.9 and 1"}},
		{optim.Adam(math.NaN()), optim.Options{}, []string{"adam", "NaN"}},
		{optim.AdamOptions{}.Build(), optim.Options{}, []string{"adam", "epsilon 0"}},
		{optim.SGD(1, optim.Momentum(1)), optim.Options{}, []string{"sgd", "momentum 1"}},
		{optim.SGD(1, optim.Nesterov(0)), optim.Options{}, []string{"sgd", "Nesterov"}},
		{optim.Adam(1), optim.Options{ClipNorm: -1}, []string{"negative"}},
	} {
		s := stateOf(t, 1, map[string][]int{"w": {1}})
		b := graph.New("errors")
		optim.Apply(c.opt, s, graph.Sum(b.Read(s.Lookup("w"))), b.Input("lr", tensor.Float32), s.Trainable(), c.opts)
		err := b.Err()
		for _, w := range c.want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v lacks %q", err, w)
			}
		}
	}
	s := stateOf(t, 1, map[string][]int{"w": {1}})
	b := graph.New("nothing")
	optim.Apply(optim.Adam(1), s, b.Scalar(1), b.Input("lr", tensor.Float32), s.Trainable(), optim.Options{})
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "none of the parameters") {
		t.Errorf("error %v does not say that nothing is trained", err)
	}
	b = graph.New("early")
	optim.ApplyAccumulated(optim.Adam(1), s, b.Input("lr", tensor.Float32), s.Trainable(), optim.Options{})
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "Accumulate") {
		t.Errorf("error %v does not say what to build first", err)
	}
}

// fill sets the fields of a struct to the defaults in their tags.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		f, field := v.Type().Field(i), v.Field(i)
		if f.Anonymous {
			fill(t, field)
			continue
		}
		text, ok := f.Tag.Lookup("default")
		if !ok || f.Tag.Get("doc") == "" || f.Tag.Get("yaml") == "" || f.Tag.Get("yaml") != f.Tag.Get("json") {
			t.Errorf("%v.%s lacks a tag", v.Type(), f.Name)
		}
		var err error
		switch field.Kind() {
		case reflect.Float64:
			var x float64
			x, err = strconv.ParseFloat(text, 64)
			field.SetFloat(x)
		case reflect.Int:
			var x int
			x, err = strconv.Atoi(text)
			field.SetInt(int64(x))
		case reflect.Bool:
			var x bool
			x, err = strconv.ParseBool(text)
			field.SetBool(x)
		default:
			t.Errorf("%v.%s has a type that this test does not know", v.Type(), f.Name)
		}
		if err != nil {
			t.Errorf("%v.%s: %v", v.Type(), f.Name, err)
		}
	}
}

// TestDefaults: a configuration's defaults, of which the learning rate of Adam is
// that of the default network.
func TestDefaults(t *testing.T) {
	want := map[string]optim.Optimizer{"sgd": optim.SGD(0.01), "adam": optim.Adam(0.003), "adamw": optim.AdamW(0.003, 0.01)}
	for name, o := range optim.Optimizers() {
		fill(t, reflect.ValueOf(o).Elem())
		if got := o.Build(); !reflect.DeepEqual(got, want[name]) || got.Name() != name {
			t.Errorf("%s: the defaults build %+v, want %+v", name, got, want[name])
		}
	}
	if g := optim.GradientDescent(0.5); g.LearningRate() != 0.5 || !reflect.DeepEqual(g, optim.SGD(0.5)) {
		t.Errorf("gradient descent is %+v", g)
	}
}

// TestScheduleOptions: spans in epochs become updates.
func TestScheduleOptions(t *testing.T) {
	const perEpoch, epochs = 5, 20
	for name, o := range optim.Schedules() {
		fill(t, reflect.ValueOf(o).Elem())
		s := o.Build(perEpoch)
		if f := s.Factor(0, perEpoch*epochs); f != 1 {
			t.Errorf("%s: the first factor is %g without warm-up", name, f)
		}
	}
	warm := optim.WarmUpOptions{WarmUp: 2}
	at := func(s optim.Schedule, step int) float64 { return s.Factor(step, perEpoch*epochs) }
	for _, c := range []struct {
		name string
		s    optim.Schedule
		step int
		want float64
	}{
		{"constant", optim.ConstantOptions{WarmUpOptions: warm}.Build(perEpoch), 4, 0.5},
		{"constant", optim.ConstantOptions{WarmUpOptions: warm}.Build(perEpoch), 99, 1},
		{"cosine", optim.CosineOptions{WarmUpOptions: warm, Floor: 0.2}.Build(perEpoch), 10, 1},
		{"cosine", optim.CosineOptions{WarmUpOptions: warm, Floor: 0.2}.Build(perEpoch), 10 + 45, 0.6},
		{"cosine", optim.CosineOptions{Epochs: 4}.Build(perEpoch), 10, 0.5},
		{"cosine", optim.CosineOptions{Epochs: 4, Floor: 0.1}.Build(perEpoch), 60, 0.1},
		{"step", optim.StepOptions{Every: 2, Gamma: 0.1}.Build(perEpoch), 9, 1},
		{"step", optim.StepOptions{Every: 2, Gamma: 0.1}.Build(perEpoch), 20, 0.01},
		{"exponential", optim.ExponentialOptions{Gamma: 0.25}.Build(perEpoch), 10, 0.0625},
	} {
		if got := at(c.s, c.step); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: factor %d is %g, want %g", c.name, c.step, got, c.want)
		}
	}
}

// TestPlateauResumes marshals the memory of a schedule between epochs.
func TestPlateauResumes(t *testing.T) {
	fresh := func() optim.Observer {
		return optim.PlateauOptions{WarmUpOptions: optim.WarmUpOptions{WarmUp: 1}, Gamma: 0.5, Patience: 1}.Build(1).(optim.Observer)
	}
	whole, part := fresh(), fresh()
	var factors []float64
	for _, v := range []float64{math.NaN(), 3, 2, 2, math.Inf(1), 2, 2, 1, 1} {
		whole.Observe(v)
		part.Observe(v)
		memory, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		part = fresh()
		if err := json.Unmarshal(memory, part); err != nil {
			t.Fatal(err)
		}
		factors = append(factors, whole.Factor(5, 10))
		if got := part.Factor(5, 10); got != factors[len(factors)-1] {
			t.Errorf("after %s the factor is %g, want %g", memory, got, factors[len(factors)-1])
		}
	}
	if want := []float64{1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25}; !slices.Equal(factors, want) {
		t.Errorf("the factors are %v, want %v", factors, want)
	}
	var memory optim.ReduceOnPlateau
	if err := json.Unmarshal([]byte(`{"best": "low"}`), &memory); err == nil {
		t.Error("a damaged memory is no error")
	}
}

func ExampleWarmUp() {
	s := &optim.WarmUp{Steps: 4, Then: optim.Cosine{Floor: 0.1}}
	for step := range 10 {
		fmt.Printf("%.2f ", s.Factor(step, 10))
	}
	// Output: 0.25 0.50 0.75 1.00 1.00 0.94 0.78 0.55 0.33 0.16
}

// Gradient descent by hand, on (w−3)²: the learning rate is fed, so that it
// may change from step to step.
func ExampleApply() {
	state := graph.NewState()
	w, _ := state.Add("w", tensor.Scalar(0), true)
	b := graph.New("step")
	loss := graph.Square(graph.AddScalar(b.Read(w), -3))
	b.Output("loss", loss)
	optim.Apply(optim.GradientDescent(0.25), state, loss, b.Input("learning_rate", tensor.Float32), state.Trainable(), optim.Options{})

	program, err := b.Program()
	if err != nil {
		log.Fatal(err)
	}
	step, err := cpu.Compile(program)
	if err != nil {
		log.Fatal(err)
	}
	result := tensor.Zeros()
	for range 4 {
		if err := step.Run([]*tensor.Tensor{tensor.Scalar(0.25)}, []*tensor.Tensor{result}); err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Floats()[0], w.Value.Floats()[0])
	}
	// Output:
	// 9 1.5
	// 2.25 2.25
	// 0.5625 2.625
	// 0.140625 2.8125
}
