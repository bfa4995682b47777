package feature

import (
	"math"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/tensor"
)

// TestConstantLoss holds it against the loss itself, of constant predictions
// that a search by hand finds.
func TestConstantLoss(t *testing.T) {
	two := categories("a", "b", "b", "b", "b", "b", "b", "b")
	weights := []float32{3, 0.5, 1, 1, 1, 1, 1, 0.25}
	for name, change := range map[string]func(*BinaryOptions){
		"cross-entropy":   nil,
		"label smoothing": func(o *BinaryOptions) { o.Smoothing = 0.2 },
		"focal":           func(o *BinaryOptions) { o.Loss = focal },
		"alpha":           func(o *BinaryOptions) { o.Loss, o.Alpha, o.Gamma = focal, 0.8, 1 },
		"a low gamma":     func(o *BinaryOptions) { o.Loss, o.Gamma = focal, 0.3 },
		"a high gamma":    func(o *BinaryOptions) { o.Loss, o.Gamma = focal, 8 },
		"no gamma":        func(o *BinaryOptions) { o.Loss, o.Gamma = focal, 0 },
	} {
		f := fitOutput(t, withDefaults(t, change), two)
		target := f.Spec().New(8)
		if _, err := f.Targets(two, target); err != nil {
			t.Fatal(err)
		}
		row := func(p float32, y float32) float64 {
			x, err := tensor.FromFloats([]float32{y}, 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			return rowLoss(t, f, []float32{p}, x)
		}
		for _, w := range [][]float32{nil, weights} {
			least := math.Inf(1)
			for p := float32(0.01); p < 1; p += 0.01 {
				no, yes := row(p, 0), row(p, 1)
				sum, total := 0.0, 0.0
				for i, y := range target.Floats() {
					sum += weightOf(w, i) * map[bool]float64{true: yes, false: no}[y == 1]
					total += weightOf(w, i)
				}
				least = min(least, sum/total)
			}
			if got := f.ConstantLoss(target, w); got > least+1e-5 || got < least-0.002 {
				t.Errorf("%s, weights %v: %.6f, the least of constants is %.6f", name, w, got, least)
			}
		}
	}
	three := categories("a", "b", "b", "c", "c", "c", "c", "c")
	for name, change := range map[string]func(*CategoryOutputOptions){
		"cross-entropy":   nil,
		"label smoothing": func(o *CategoryOutputOptions) { o.Smoothing = 0.2 },
		"focal":           func(o *CategoryOutputOptions) { o.Loss = focal },
	} {
		f := fitOutput(t, withDefaults(t, change), three)
		target := f.Spec().New(8)
		if _, err := f.Targets(three, target); err != nil {
			t.Fatal(err)
		}
		least := math.Inf(1)
		for a := float32(0.05); a < 1; a += 0.05 {
			for b := float32(0.05); a+b < 0.99; b += 0.05 {
				sum := 0.0
				for class, n := range []float64{1, 2, 5} {
					x, err := tensor.FromInts([]int32{int32(class)})
					if err != nil {
						t.Fatal(err)
					}
					sum += n / 8 * rowLoss(t, f, []float32{a, b, 1 - a - b}, x)
				}
				least = min(least, sum)
			}
		}
		if got := f.ConstantLoss(target, nil); got > least+1e-5 || got < least-0.01 {
			t.Errorf("%s: %.6f, the least of constants is %.6f", name, got, least)
		}
	}
	// Of one class alone, knowing nothing is knowing all.
	f := fitOutput(t, withDefaults(t, func(o *BinaryOptions) { o.Loss = focal }), two)
	target := f.Spec().New(2)
	if got := f.ConstantLoss(target, nil); got < 0 || got > 1e-9 {
		t.Errorf("the loss of one class is %g", got)
	}
	if got := f.ConstantLoss(target, []float32{0, 0}); got != 0 {
		t.Errorf("without weight the loss is %g", got)
	}
	number := fitOutput(t, withDefaults[NumberOutputOptions](t, nil), numbers(0, 2))
	scaled, err := tensor.FromFloats([]float32{1, -3}, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := number.ConstantLoss(scaled, nil), number.ConstantLoss(scaled, []float32{3, 1}); a != 5 || b != 3 {
		t.Errorf("of a number %g and %g, expected 5 and 3", a, b)
	}
}

func TestLossOptions(t *testing.T) {
	for _, c := range []struct {
		o    interface{ Validate() error }
		want string // empty: no error
	}{
		{withDefaults[BinaryOptions](t, nil), ""},
		{withDefaults(t, func(o *BinaryOptions) { o.Loss, o.Alpha = focal, 0.25 }), ""},
		{withDefaults(t, func(o *BinaryOptions) { o.Alpha = 0.25 }), "alpha is of loss: focal"},
		{withDefaults(t, func(o *BinaryOptions) { o.Loss, o.Smoothing = focal, 0.1 }), "label_smoothing is of loss: cross_entropy"},
		{withDefaults(t, func(o *CategoryOutputOptions) { o.Loss = focal }), ""},
		{withDefaults(t, func(o *CategoryOutputOptions) { o.Loss, o.Smoothing = focal, 0.1 }), "label_smoothing is of loss: cross_entropy"},
	} {
		if err := c.o.Validate(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, expected %q", c.o, err, c.want)
		}
	}
	for _, broken := range []string{
		`{"type":"binary","fitted":{"negative":"a","positive":"b","threshold":0.5,"share":0.5,"loss":"hinge"}}`,
		`{"type":"binary","fitted":{"negative":"a","positive":"b","threshold":0.5,"share":0.5,"loss":"focal","gamma":-1}}`,
		`{"type":"binary","fitted":{"negative":"a","positive":"b","threshold":0.5,"share":0.5,"loss":"focal","alpha":1}}`,
		`{"type":"category","fitted":{"classes":["a","b"],"shares":[0.5,0.5],"label_smoothing":1}}`,
	} {
		if _, err := UnmarshalOutput([]byte(broken)); err == nil {
			t.Errorf("%s was read", broken)
		}
	}
}

func TestThreshold(t *testing.T) {
	for text, want := range map[string]Threshold{"auto": AutoThreshold, "0": 0, "0.25": 0.25, "1": 1} {
		var got Threshold
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s is read as %g, %v", text, got, err)
		}
		if back, err := got.MarshalText(); err != nil || string(back) != text {
			t.Errorf("%s is written as %s, %v", text, back, err)
		}
	}
	for _, text := range []string{"", "automatic", "-1", "1.5", "nan"} {
		var got Threshold
		if err := got.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "0 to 1, or auto") {
			t.Errorf("%q is read as %g, %v", text, got, err)
		}
	}
	f := fitOutput(t, withDefaults(t, func(o *BinaryOptions) { o.Threshold = AutoThreshold }), &data.Column{Name: "c", Type: data.Number, Numbers: []float64{0, 1}})
	if got := f.(*Binary).Threshold; got != 0.5 {
		t.Errorf("before it is chosen the threshold is %g", got)
	}
}
