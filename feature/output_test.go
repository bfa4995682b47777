package feature

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/nn"
)

func TestPositiveClass(t *testing.T) {
	for _, c := range []struct {
		values   string // apart by spaces
		positive string // stated
		want     string
	}{
		{"no yes yes yes", "", "yes"},
		{"N y Y y N", "Y", ""}, // three classes
		{"False True True", "", "True"},
		{"1 0 1 1", "", "1"},
		{"1.0 0.0 1.0", "", "1.0"},
		{"churned stayed stayed", "", "churned"},
		{"YES No YES", "", "YES"},
		// Neither means yes: the rarer one.
		{"a b b", "", "a"},
		{"a a b", "", "b"},
		{"a b", "", "b"}, // as rare: the later one
		{"yes true true", "", "yes"},
		// Stated.
		{"no yes yes", "no", "no"},
		{"a b b", "b", "b"},
		{"a b b", "B", ""},
		{"a a a", "", ""},
	} {
		values := strings.Fields(c.values)
		f, err := withDefaults(t, func(o *BinaryOptions) { o.Positive = c.positive }).Fit(categories(values...))
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), `target "c"`) {
				t.Errorf("%s: %v, %v, expected an error", c.values, f, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.values, err)
			continue
		}
		b := f.(*Binary)
		if b.Positive != c.want || b.Negative == c.want || !slices.Contains(values, b.Negative) {
			t.Errorf("%s: positive %q, negative %q, expected %q", c.values, b.Positive, b.Negative, c.want)
		}
		share := 0.0
		for _, v := range values {
			if v == c.want {
				share += 1 / float64(len(values))
			}
		}
		if math.Abs(b.Share-share) > 1e-12 || b.Threshold != 0.5 {
			t.Errorf("%s: %+v, expected a share of %v and threshold ½", c.values, b, share)
		}
	}
}

func TestBinary(t *testing.T) {
	f := fitOutput(t, withDefaults[BinaryOptions](t, nil), booleans("nnyn?"))
	if f.Kind() != metric.Binary || !slices.Equal(f.Classes(), []string{"no", "yes"}) || f.Width() != 1 {
		t.Errorf("%v, %v, %d", f.Kind(), f.Classes(), f.Width())
	}
	out := f.Spec().New(3)
	targets, err := f.Targets(booleans("yny"), out)
	if err != nil || !slices.Equal(targets, []float64{1, 0, 1}) || !slices.Equal(out.Floats(), []float32{1, 0, 1}) {
		t.Errorf("targets %v and %v, %v", targets, out.Floats(), err)
	}
	prob, value := f.Decode([]float32{0.25, 1})
	if !slices.Equal(prob, []float64{0.25, 1}) || value != nil {
		t.Errorf("decoded %v, %v", prob, value)
	}
	numeric := fitOutput(t, withDefaults[BinaryOptions](t, nil), numbers(0, 1, 1))
	if !slices.Equal(numeric.Classes(), []string{"0", "1"}) {
		t.Errorf("classes %v", numeric.Classes())
	}
}

func TestTargetErrors(t *testing.T) {
	for _, c := range []struct {
		f    Output
		at   *data.Column
		want []string
	}{
		{fitOutput(t, withDefaults[BinaryOptions](t, nil), categories("a", "b")), categories("a", "b", "", "a"), []string{`"c" is missing in row 3`}},
		{fitOutput(t, withDefaults[BinaryOptions](t, nil), categories("a", "b")), categories("a", "x"), []string{`the class "x" in row 2`, `"a"`, `"b"`}},
		{fitOutput(t, withDefaults[CategoryOutputOptions](t, nil), categories("a", "b", "d", "e", "f")), categories("c"), []string{`the class "c" in row 1`, "5 values"}},
		{fitOutput(t, withDefaults[CategoryOutputOptions](t, nil), numbers(1, 2, 3)), numbers(1, 2.5), []string{`the class "2.5" in row 2`}},
		{fitOutput(t, withDefaults[NumberOutputOptions](t, nil), numbers(1, 2, 3)), numbers(1, nan), []string{"is missing in row 2"}},
		{fitOutput(t, withDefaults[NumberOutputOptions](t, nil), numbers(1, 2, 3)), categories("a"), []string{"holds category values"}},
	} {
		_, err := c.f.Targets(c.at, c.f.Spec().New(c.at.Len()))
		if err == nil {
			t.Errorf("%s: no error, expected %q", c.f.Describe(), c.want)
			continue
		}
		for _, w := range append(c.want, `target "c"`) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%v, expected %q", err, w)
			}
		}
	}
}

func TestOutputFitErrors(t *testing.T) {
	many := make([]string, 120)
	for i := range many {
		many[i] = strings.Repeat("x", i/2+1) + string(rune('a'+i%2))
	}
	for _, c := range []struct {
		o    OutputOptions
		at   *data.Column
		want string
	}{
		{withDefaults[BinaryOptions](t, nil), categories("", ""), "no value in the training rows"},
		{withDefaults[BinaryOptions](t, nil), categories("a", "b", "d"), "use an output of type category"},
		{withDefaults(t, func(o *BinaryOptions) { o.Positive = "x" }), categories("a", "b"), `no class "x" (outputs.positive), it has "a" and "b"`},
		{withDefaults[CategoryOutputOptions](t, nil), categories("a", "a"), `only the value "a"`},
		{withDefaults[CategoryOutputOptions](t, nil), categories(many...), "120 different values in 120 training rows"},
		{withDefaults[NumberOutputOptions](t, nil), categories("a"), "use an output of type category"},
		{withDefaults[NumberOutputOptions](t, nil), numbers(nan), "no number"},
		{withDefaults[NumberOutputOptions](t, nil), numbers(2, 2, nan), "is always 2"},
		{withDefaults(t, func(o *NumberOutputOptions) { o.Transform = "log" }), numbers(1, -0.5), "value -0.5"},
		{withDefaults[NumberOutputOptions](t, nil), numbers(math.MaxFloat64, -math.MaxFloat64), "too large"},
	} {
		if f, err := c.o.Fit(c.at); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `target "c"`) {
			t.Errorf("%v, %v, expected %q", f, err, c.want)
		}
	}
}

func TestCategoryOutput(t *testing.T) {
	f := fitOutput(t, withDefaults[CategoryOutputOptions](t, nil), categories("b", "a", "", "b", "x")).(*CategoryOutput)
	if f.Kind() != metric.Multiclass || !slices.Equal(f.Classes(), []string{"a", "b", "x"}) || !slices.Equal(f.Shares, []float64{0.25, 0.5, 0.25}) || f.Width() != 3 {
		t.Errorf("%+v", f)
	}
	out := f.Spec().New(3)
	targets, err := f.Targets(categories("x", "b", "a"), out)
	if err != nil || !slices.Equal(targets, []float64{2, 1, 0}) || !slices.Equal(out.Ints(), []int32{2, 1, 0}) {
		t.Errorf("targets %v and %v, %v", targets, out.Ints(), err)
	}
	// Classes that are numbers stand in their order, not that of their digits.
	f = fitOutput(t, withDefaults[CategoryOutputOptions](t, nil), numbers(10, 9, -1, 2.5)).(*CategoryOutput)
	if !slices.Equal(f.Names, []string{"-1", "2.5", "9", "10"}) {
		t.Errorf("classes %q", f.Names)
	}
}

// rowLoss returns the loss of one row.
func rowLoss(t *testing.T, f Output, pred []float32, target *tensor.Tensor) float64 {
	t.Helper()
	b := graph.New("loss")
	p := b.Input("pred", tensor.Float32, graph.Rows, graph.N(f.Width()))
	dtype, dims := f.Spec().Type()
	b.Output("loss", f.Loss(p, b.Input("target", dtype, dims...)))
	x, err := tensor.FromFloats(pred, 1, f.Width())
	if err != nil {
		t.Fatal(err)
	}
	return float64(run(t, b, []*tensor.Tensor{x, target}).Floats()[0])
}

func TestLosses(t *testing.T) {
	class := func(k int32) *tensor.Tensor {
		x, err := tensor.FromInts([]int32{k})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	number := func(v float32) *tensor.Tensor {
		x, err := tensor.FromFloats([]float32{v}, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	two, three := categories("a", "b"), categories("a", "b", "x")
	numeric := numbers(1, 2, 3)
	p := []float32{0.2, 0.7, 0.1}
	huber := func(delta float64) Output {
		return fitOutput(t, withDefaults(t, func(o *NumberOutputOptions) { o.Loss, o.Delta = "huber", delta }), numeric)
	}
	for _, c := range []struct {
		what   string
		f      Output
		pred   []float32
		target *tensor.Tensor
		want   float64
	}{
		{"binary", fitOutput(t, withDefaults[BinaryOptions](t, nil), two), []float32{0.2}, number(1), -math.Log(0.2)},
		{"category", fitOutput(t, withDefaults[CategoryOutputOptions](t, nil), three), p, class(1), -math.Log(0.7)},
		{"label smoothing", fitOutput(t, withDefaults(t, func(o *CategoryOutputOptions) { o.Smoothing = 0.3 }), three), p, class(1),
			-0.8*math.Log(0.7) - 0.1*math.Log(0.2) - 0.1*math.Log(0.1)},
		{"binary smoothing", fitOutput(t, withDefaults(t, func(o *BinaryOptions) { o.Smoothing = 0.2 }), two), []float32{0.2}, number(1), -0.9*math.Log(0.2) - 0.1*math.Log(0.8)},
		{"focal", fitOutput(t, withDefaults(t, func(o *BinaryOptions) { o.Loss = focal }), two), []float32{0.2}, number(1), -0.64 * math.Log(0.2)},
		{"focal, alpha", fitOutput(t, withDefaults(t, func(o *BinaryOptions) { o.Loss, o.Alpha, o.Gamma = focal, 0.25, 1 }), two), []float32{0.2}, number(0), -0.75 * 0.2 * math.Log(0.8)},
		{"focal, classes", fitOutput(t, withDefaults(t, func(o *CategoryOutputOptions) { o.Loss = focal }), three), p, class(1), -0.09 * math.Log(0.7)},
		{"squared", fitOutput(t, withDefaults[NumberOutputOptions](t, nil), numeric), []float32{3}, number(1), 4},
		{"absolute", fitOutput(t, withDefaults(t, func(o *NumberOutputOptions) { o.Loss = "absolute_error" }), numeric), []float32{3}, number(1), 2},
		{"huber beyond", huber(1), []float32{3}, number(1), 1.5},
		{"huber within", huber(4), []float32{3}, number(1), 2},
	} {
		if got := rowLoss(t, c.f, c.pred, c.target); math.Abs(got-c.want) > 1e-5 {
			t.Errorf("%s: %v, expected %v", c.what, got, c.want)
		}
	}
}

func TestHeads(t *testing.T) {
	for _, c := range []struct {
		f   Output
		sum bool // whether predictions are probabilities that add up to 1
	}{
		{fitOutput(t, withDefaults[BinaryOptions](t, nil), categories("a", "b")), false},
		{fitOutput(t, withDefaults[CategoryOutputOptions](t, nil), categories("a", "b", "x")), true},
		{fitOutput(t, withDefaults[NumberOutputOptions](t, nil), numbers(1, 2)), false},
	} {
		b := graph.New("head")
		h := b.Input("h", tensor.Float32, graph.Rows, graph.N(4))
		b.Output("pred", c.f.Head(&nn.Context{B: b, State: graph.NewState()}, h))
		x := tensor.Zeros(2, 4)
		for i := range x.Floats() {
			x.Floats()[i] = float32(i) - 3
		}
		got := run(t, b, []*tensor.Tensor{x})
		if !tensor.SameShape(got.Shape(), []int{2, c.f.Width()}) {
			t.Errorf("%s: predictions are %v", c.f.Type(), got)
		}
		if c.sum {
			p := got.Floats()
			if math.Abs(float64(p[0]+p[1]+p[2]-1)) > 1e-6 {
				t.Errorf("probabilities %v", p)
			}
		} else if _, ok := c.f.(*Binary); ok && !(got.Floats()[0] > 0 && got.Floats()[0] < 1) {
			t.Errorf("probabilities %v", got.Floats())
		}
	}
}

func TestNumberOutput(t *testing.T) {
	f := fitOutput(t, withDefaults[NumberOutputOptions](t, nil), numbers(2, nan, 4, 6)).(*NumberOutput)
	deviation := math.Sqrt(8.0 / 3)
	if f.Kind() != metric.Regression || f.Classes() != nil || f.Mean != 4 || math.Abs(f.Deviation-deviation) > 1e-12 || f.Low != 2 || f.High != 6 || f.Average != 4 {
		t.Errorf("%+v", f)
	}
	out := f.Spec().New(3)
	targets, err := f.Targets(numbers(4, 6, -100), out)
	if err != nil || !slices.Equal(targets, []float64{4, 6, -100}) {
		t.Errorf("targets %v, %v", targets, err)
	}
	near(t, "scaled", out.Floats(), []float64{0, 2 / deviation, -104 / deviation}, 1e-5)
	prob, value := f.Decode(out.Floats())
	if prob != nil || math.Abs(value[0]-4) > 1e-6 || math.Abs(value[1]-6) > 1e-6 || math.Abs(value[2]+100) > 1e-4 {
		t.Errorf("decoded %v", value)
	}
}

func TestLogTarget(t *testing.T) {
	prices := numbers(0, 10, 20, 40, 1000)
	f := fitOutput(t, withDefaults(t, func(o *NumberOutputOptions) { o.Transform = "log" }), prices).(*NumberOutput)
	if !f.Log || f.Average != 214 || f.Low != 0 || f.High != 1000 {
		t.Errorf("%+v", f)
	}
	out := f.Spec().New(5)
	if _, err := f.Targets(prices, out); err != nil {
		t.Fatal(err)
	}
	var sum, squares float64
	for _, v := range out.Floats() {
		sum, squares = sum+float64(v), squares+float64(v*v)
	}
	if math.Abs(sum) > 1e-5 || math.Abs(squares/5-1) > 1e-5 {
		t.Errorf("scaled targets %v, expected mean 0 and deviation 1", out.Floats())
	}
	_, value := f.Decode(out.Floats())
	for i, want := range prices.Numbers {
		if math.Abs(value[i]-want) > 1e-4*(1+want) {
			t.Errorf("%v comes back as %v", want, value[i])
		}
	}
	// Far out: neither infinite nor below 0.
	_, value = f.Decode([]float32{3e38, -3e38, 1e4})
	if !slices.Equal([]float64{math.Round(value[0]), value[1], math.Round(value[2])}, []float64{10000, 0, 10000}) {
		t.Errorf("far out it predicts %v, expected ten times the highest target at most, and 0", value)
	}
	// A target below 0 that only evaluation rows have.
	if _, err := f.Targets(numbers(-5), f.Spec().New(1)); err != nil {
		t.Error(err)
	}
	// The choice between both is made by who trains.
	if f := fitOutput(t, withDefaults[NumberOutputOptions](t, nil), prices).(*NumberOutput); f.Log {
		t.Error("transform auto took the logarithm by itself")
	}
	for _, c := range []struct {
		c    *data.Column
		want bool
	}{{prices, true}, {numbers(1, 2, 3), false}, {numbers(-1, 1, 2, 1000), false}, {numbers(nan), false}, {numbers(5, 5), false}, {numbers(-5, -4, -3), false}, {categories("a"), false}} {
		if got := LongTail(c.c); got != c.want {
			t.Errorf("%v has a long tail: %v", c.c.Numbers, got)
		}
	}
}
