package feature

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/tensor"
)

func TestSet(t *testing.T) {
	c := categories("b;a", "b", "[]", "c|d; b", `["a","e;f"]`)
	f := fitOutput(t, withDefaults[SetOptions](t, nil), c).(*Set)
	if !slices.Equal(f.Labels, []string{"a", "b", "c|d", "e;f"}) || f.Delimiter != ";" || f.Shares[1] != 0.6 || f.Mean != 1.4 {
		t.Fatalf("fitted %+v", f)
	}
	target := f.Spec().New(2)
	values, err := f.Targets(categories("b;x;y", ";"), target)
	if err != nil || !slices.Equal(target.Floats(), []float32{0, 1, 0, 0, 0, 0, 0, 0}) || !slices.Equal(values, []float64{0, 1, 0, 0, 2, 0, 0, 0, 0, 0}) {
		t.Errorf("targets %v, %v, %v", target.Floats(), values, err)
	}
	if labels, rows := f.Unseen(categories("x;a", "y;x", "b")); !slices.Equal(labels, []string{"x", "y"}) || rows != 2 {
		t.Errorf("unseen are %q in %d rows", labels, rows)
	}
	if _, err := f.Targets(categories("a", ""), target); err == nil || !strings.Contains(err.Error(), "missing in row 2") || !strings.Contains(err.Error(), data.EmptySet) {
		t.Errorf("a missing set: %v", err)
	}
	if got := f.Constant(false); !slices.Equal(got, []int{0, 1, 0, 0}) {
		t.Errorf("the labels of most rows are %v", got)
	}
	// F1 of b alone is 2·0.6/(1 + 1.4) = 0.5, of a and b 2·1.0/(2 + 1.4) = 0.59.
	if got := f.Constant(true); !slices.Equal(got, []int{1, 1, 0, 0}) {
		t.Errorf("the labels of the best F1 are %v", got)
	}
	rare := fitOutput(t, withDefaults(t, func(o *SetOptions) { o.MinRows = 2 }), c).(*Set)
	if !slices.Equal(rare.Labels, []string{"a", "b"}) {
		t.Errorf("labels of two rows and more are %q", rare.Labels)
	}
	for text, c := range map[string]*data.Column{"none in 1 of them": categories("[]", ";"), "row 2": categories("a;b", `[["a"]]`)} {
		if _, err := withDefaults[SetOptions](t, nil).Fit(c); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, expected %q", err, text)
		}
	}
	for text, want := range map[string]SetThreshold{"auto": SetAuto, "per_label": SetPerLabel, "0.25": 0.25} {
		var got SetThreshold
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s is read as %g, %v", text, got, err)
		}
		if back, err := got.MarshalText(); err != nil || string(back) != text {
			t.Errorf("%s is written as %s, %v", text, back, err)
		}
	}
	for _, broken := range []string{
		`{"type":"set","fitted":{"labels":["b","a"],"shares":[1,0.5],"thresholds":[0.5,0.5]}}`,
		`{"type":"set","fitted":{"labels":["a"],"shares":[1],"thresholds":[]}}`,
		`{"type":"set","fitted":{"labels":[],"shares":[],"thresholds":[]}}`,
		`{"type":"set","fitted":{"labels":["a"],"shares":[1],"thresholds":[2]}}`,
	} {
		if _, err := UnmarshalOutput([]byte(broken)); err == nil {
			t.Errorf("%s was read", broken)
		}
	}
}

// TestSetConstantLoss: no probabilities that are the same for every row cost less.
func TestSetConstantLoss(t *testing.T) {
	c := categories("a;b", "b", "b", "a;b", "b", "[]", "b", "b")
	weights := []float32{3, 0.5, 1, 1, 1, 1, 1, 0.25}
	for name, change := range map[string]func(*SetOptions){
		"plain": nil, "smoothed": func(o *SetOptions) { o.Smoothing = 0.2 }, "balanced": func(o *SetOptions) { o.Weight = "balanced" },
		"both": func(o *SetOptions) { o.Weight, o.Smoothing = "balanced", 0.1 },
	} {
		f := fitOutput(t, withDefaults(t, change), c)
		target := f.Spec().New(8)
		if _, err := f.Targets(c, target); err != nil {
			t.Fatal(err)
		}
		for _, w := range [][]float32{nil, weights} {
			least := []float64{math.Inf(1), math.Inf(1)} // of each label, the other's at a half
			half := 0.0
			loss := func(a, b float32) float64 {
				sum, total := 0.0, 0.0
				for i := range 8 {
					y, err := tensor.FromFloats(target.Floats()[2*i:2*i+2], 1, 2)
					if err != nil {
						t.Fatal(err)
					}
					sum += weightOf(w, i) * rowLoss(t, f, []float32{a, b}, y)
					total += weightOf(w, i)
				}
				return sum / total
			}
			half = loss(0.5, 0.5)
			for p := float32(0.02); p < 1; p += 0.02 {
				least[0], least[1] = min(least[0], loss(p, 0.5)), min(least[1], loss(0.5, p))
			}
			want := least[0] + least[1] - half // the loss is a sum over the labels
			if got := f.ConstantLoss(target, w); got > want+1e-5 || got < want-0.005 {
				t.Errorf("%s, weights %v: %.6f, the least of constants is %.6f", name, w, got, want)
			}
		}
	}
}
