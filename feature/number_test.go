package feature

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"pgregory.net/rapid"
)

// TestScalingAgreesWithScikitLearn holds scaled values against those recorded
// from scikit-learn 1.9.1, scaler.fit(x).transform(at): StandardScaler(),
// RobustScaler(), MinMaxScaler() and
// QuantileTransformer(output_distribution="normal", n_quantiles=min(1000, n)).
func TestScalingAgreesWithScikitLearn(t *testing.T) {
	few := []float64{3.5, -1.25, 100, 3.5, 0, 7.75, 3.5, 3.5, -40, 12, 12, 0.5} // with ties
	var many []float64                                                          // 0 to 499, each three times, and 250 500 times more
	for i := range 1500 {
		many = append(many, float64(i*7919%1500/3))
	}
	many = append(many, slices.Repeat([]float64{250}, 500)...)
	at := []float64{-1000, -40, -20, -1.25, 0, 0.25, 3.5, 5, 11.9, 12, 13, 100, 1e6}
	for _, c := range []struct {
		scaling     string
		x, at, want []float64
	}{
		{"standard", few, at, []float64{-33.19722949734084, -1.6043270760796688, -0.9461416089700612, -0.32909273355480384, -0.2879561418604534, -0.2797288235215833, -0.17277368511627203, -0.12340977508305145, 0.10366421106976323, 0.10695513840531126, 0.13986441176079165, 3.002971193687585, 32908.985399338526}},
		{"robust", few, at, []float64{-118.93333333333334, -5.155555555555556, -2.785185185185185, -0.562962962962963, -0.4148148148148148, -0.3851851851851852, 0.0, 0.17777777777777778, 0.9955555555555556, 1.0074074074074073, 1.125925925925926, 11.437037037037037, 118518.1037037037}},
		{"min_max", few, at, []float64{-6.857142857142857, 0.0, 0.14285714285714285, 0.27678571428571425, 0.2857142857142857, 0.2875, 0.3107142857142857, 0.3214285714285714, 0.3707142857142857, 0.37142857142857144, 0.37857142857142856, 1.0, 7143.142857142857}},
		{"quantile", few, at, []float64{-5.199337582605575, -5.199337582605575, -1.6754720921780164, -1.335177736118937, -0.9084578685373851, -0.7478585947633022, 0.0, 0.43563495643366423, 0.9003868084055456, 1.0968035620935135, 1.3415188119958514, 5.19933758270342, 5.19933758270342}},
		{"quantile", many, []float64{-1, 0, 0.5, 1, 3, 100, 249, 249.5, 250, 250.5, 251, 400.25, 498, 499, 600}, []float64{-5.199337582605575, -5.199337582605575, -2.96753305716791, -2.8778461189271787, -2.575483324008602, -1.0357896218544878, -0.32028967585708196, -0.31896935678053573, 0.0012545690351250104, 0.3223978607465358, 0.3255765657843933, 1.0413551403071417, 2.877846118927186, 5.19933758270342, 5.19933758270342}},
	} {
		f := fitInput(t, withDefaults(t, func(o *NumberOptions) { o.Scaling, o.Clip = c.scaling, 0 }), numbers(c.x...)).(*Number)
		for i, x := range c.at {
			if got := f.scaled(x); math.Abs(got-c.want[i]) > 1e-9*max(1, math.Abs(c.want[i])) {
				t.Errorf("%s: %v is scaled to %v, expected %v", c.scaling, x, got, c.want[i])
			}
		}
	}
}

// TestScalingOfOneValue: a column of one value, or nearly so, is scaled to
// finite numbers by every scaling.
func TestScalingOfOneValue(t *testing.T) {
	for _, scaling := range []string{"standard", "robust", "min_max", "quantile", "none"} {
		for _, x := range [][]float64{{5}, {5, 5, 5}, {5, 5, 5, 5, 9}, {0, 0, 0, 0, 1e30}} {
			for _, embedding := range []string{"none", "piecewise_linear", "periodic", "pbld"} {
				f := fitInput(t, withDefaults(t, func(o *NumberOptions) { o.Scaling, o.Embedding = scaling, embedding }), numbers(x...))
				y, _ := encode(t, f, numbers(append(x, -1, 7, 1e30, nan)...), false)
				for _, v := range y.Floats() {
					if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
						t.Errorf("%s, %s of %v: %v", scaling, embedding, x, y.Floats())
						break
					}
				}
			}
		}
	}
}

// TestEmbeddings: an embedding of the length asked for stands for the value,
// with the indicator beside it; a linear model gets the value itself.
func TestEmbeddings(t *testing.T) {
	x := numbers(1, 2, nan, 3, 4, 5, 6)
	for embedding, variables := range map[string][]string{
		"none":             nil,
		"piecewise_linear": {"slope", "kernel", "bias"},
		"periodic":         {"frequency", "kernel", "bias"},
		"pbld":             {"frequency", "phase", "kernel", "bias"},
	} {
		f := fitInput(t, withDefaults(t, func(o *NumberOptions) {
			o.Embedding, o.Dimension, o.Bins, o.Frequencies, o.Sigma = embedding, 5, 3, 4, 0.5
		}), x).(*Number)
		plain, state := encode(t, f, x, true)
		if !slices.Equal(plain.Floats(), transform(t, f, x)[0].Floats()) || len(state.Variables()) != 0 {
			t.Errorf("%s: a linear model gets %v", embedding, plain.Floats())
		}
		y, state := encode(t, f, x, false)
		width := 6
		if embedding == "none" {
			width = 2
		}
		if !tensor.SameShape(y.Shape(), []int{7, width}) {
			t.Fatalf("%s: encoded as %v", embedding, y)
		}
		for i := range 7 {
			if got := y.Floats()[i*width+width-1]; got != indicator(i == 2) {
				t.Errorf("%s: the indicator of row %d is %v", embedding, i, got)
			}
		}
		var got []string
		for _, v := range state.Variables() {
			got = append(got, v.Name[strings.LastIndex(v.Name, "/")+1:])
		}
		if !slices.Equal(got, variables) {
			t.Errorf("%s: variables %v, expected %v", embedding, got, variables)
		}
		// What is missing stands where its fill stands.
		fill, _ := encode(t, f, numbers(f.Fill), false)
		if !slices.Equal(y.Rows(2, 3).Floats()[:width-1], fill.Floats()[:width-1]) {
			t.Errorf("%s: a missing value is %v, its fill %v", embedding, y.Rows(2, 3).Floats(), fill.Floats())
		}
		if p := f.Periodic; embedding == "periodic" && (p.Frequencies != 4 || p.Sigma != 0.5 || f.Edges != nil) {
			t.Errorf("fitted %+v", f)
		}
		if embedding == "piecewise_linear" && (len(f.Edges) != 4 || f.Periodic != nil) {
			t.Errorf("fitted %+v", f)
		}
		if !strings.Contains(f.Describe(), map[string]string{"piecewise_linear": "linear in 3 pieces", "periodic": "in 4 waves", "pbld": "in 4 waves"}[embedding]) {
			t.Errorf("%s is described as %q", embedding, f.Describe())
		}
	}
}

// TestEmbeddingsTakeTurns: on few rows every second member of a bag has periodic
// numbers; on many none has.
func TestEmbeddingsTakeTurns(t *testing.T) {
	for rows, want := range map[int][]string{fewRows - 1: {"slope", "frequency", "slope"}, fewRows: {"slope", "slope", "slope"}} {
		x := make([]float64, rows)
		for i := range x {
			x[i] = float64(i % 17)
		}
		f := fitInput(t, withDefaults(t, func(*NumberOptions) {}), numbers(x...))
		for member, variable := range want {
			state := graph.NewState()
			b := graph.New("encode")
			c := &nn.Context{B: b, State: state, Member: member}
			y := f.Encode(c, []*graph.Node{b.Input("x", tensor.Float32, graph.Rows, graph.N(1))}, false)
			if b.Err() != nil || y == nil {
				t.Fatal(b.Err())
			}
			if name := state.Variables()[0].Name; !strings.HasSuffix(name, "/"+variable) {
				t.Errorf("%d rows, member %d: its first variable is %s, expected …/%s", rows, member, name, variable)
			}
		}
	}
}

func TestEdges(t *testing.T) {
	for _, c := range []struct {
		x      []float64
		pieces int
		want   []float64
	}{
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8}, 4, []float64{1, 2, 4, 6, 8}},
		{[]float64{1, 2, 3}, 48, []float64{1, 2, 3}},
		{[]float64{4, 4, 4}, 48, nil},
		{[]float64{4}, 48, nil},
		// Half of the values are 0: it is an edge, and the rest is shared.
		{[]float64{0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6}, 4, []float64{0, 2, 4, 6}},
		{[]float64{-3, -2, 0, 0, 0, 0, 0, 0, 1, 2}, 4, []float64{-3, 0, 1, 2}},
		// Closer than float32 can tell apart.
		{[]float64{1000, 1000.0001, 1001}, 3, []float64{1000, 1001}},
	} {
		if got := edges(c.x, c.pieces); !slices.Equal(got, c.want) {
			t.Errorf("%v in %d pieces: edges %v, expected %v", c.x, c.pieces, got, c.want)
		}
	}
}

// TestEdgesProperties: edges ascend from the smallest value to the largest,
// there are as many pieces as asked for at most, every value that fills a piece
// is an edge, and no piece holds more than its share between its edges.
func TestEdgesProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.IntRange(-rapid.SampledFrom([]int{2, 20, 2000}).Draw(t, "range"), 20)
		var x []float64
		for _, v := range rapid.SliceOfN(whole, 1, 300).Draw(t, "values") {
			x = append(x, float64(v)/4)
		}
		slices.Sort(x)
		pieces := rapid.IntRange(2, 60).Draw(t, "pieces")
		got := edges(x, pieces)
		if got == nil {
			if x[0] != x[len(x)-1] {
				t.Fatalf("no edges")
			}
			return
		}
		if got[0] != x[0] || got[len(got)-1] != x[len(x)-1] || len(got) < 2 || len(got) > pieces+1 {
			t.Fatalf("edges %v", got)
		}
		for i := 1; i < len(got); i++ {
			if !(got[i] > got[i-1]) {
				t.Fatalf("edges %v do not ascend", got)
			}
		}
		share := (len(x) + pieces - 1) / pieces
		count, between := map[float64]int{}, make([]int, len(got))
		for _, v := range x {
			count[v]++
			if i, edge := slices.BinarySearch(got, v); !edge {
				between[i]++
			}
		}
		for v, n := range count {
			if n >= share && !slices.Contains(got, v) {
				t.Fatalf("%v, %d of %d values, is no edge of %v", v, n, len(x), got)
			}
		}
		for i, n := range between {
			if n >= share {
				t.Fatalf("%d of %d values lie between edges %d and %d of %v", n, len(x), i-1, i, got)
			}
		}
	})
}

// TestNumberOfBefore: what was saved before scaling could be chosen is read as
// it was meant, and damage is not taken for it.
func TestNumberOfBefore(t *testing.T) {
	f, err := UnmarshalInput(json.RawMessage(`{"type":"number","fitted":{"mean":2,"deviation":4,"fill":3,"clip":10,"missing_indicator":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := (&Number{Mean: 2, Deviation: 4, Center: 2, Scale: 4, Fill: 3, Clip: 10, Indicator: true}); !reflect.DeepEqual(f, want) {
		t.Errorf("read as %+v, expected %+v", f, want)
	}
	near(t, "transformed", transform(t, f, numbers(6, nan, 1e9))[0].Floats(), []float64{1, 0, 0.25, 1, 10, 0}, 0)
}
