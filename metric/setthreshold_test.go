package metric

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSetThreshold: no threshold is better, by F1 on the same rows.
func TestSetThreshold(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	const n, k = 60, 3
	s := &Sample{Kind: Multilabel, Classes: []string{"a", "b", "c"}}
	for range n {
		s.Weight = append(s.Weight, 1+r.Float64())
		for j := range k {
			y := float64(r.IntN(4+j) / (3 + j)) // rarer and rarer
			s.Target, s.Prob = append(s.Target, y), append(s.Prob, math.Round(20*(0.2*y+0.7*r.Float64()))/20)
		}
	}
	at := func(t *testing.T, name string, decide func(p float64, label int) bool, s *Sample) float64 {
		t.Helper()
		s.Pred = make([]float64, len(s.Target))
		for i, p := range s.Prob {
			if decide(p, i%len(s.Classes)) {
				s.Pred[i] = 1
			}
		}
		m, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.Value(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	common, err := SetThreshold(s)
	if err != nil {
		t.Fatal(err)
	}
	best := at(t, "f1_micro", func(p float64, _ int) bool { return p >= common }, s)
	own := make([]float64, k)
	for j := range own {
		if own[j], err = LabelThreshold(s, j); err != nil {
			t.Fatal(err)
		}
	}
	macro := at(t, "f1_macro", func(p float64, j int) bool { return p >= own[j] }, s)
	for x := 0.0; x <= 1; x += 0.025 {
		if v := at(t, "f1_micro", func(p float64, _ int) bool { return p >= x }, s); v > best+1e-12 {
			t.Errorf("f1_micro is %v at %v, and %v at the threshold that was chosen, %v", v, x, best, common)
		}
		if v := at(t, "f1_macro", func(p float64, _ int) bool { return p >= x }, s); v > macro+1e-12 {
			t.Errorf("f1_macro is %v at %v, and %v with a threshold for each label", v, x, macro)
		}
	}
	none := &Sample{Kind: Multilabel, Classes: []string{"a"}, Target: []float64{0, 0}, Prob: []float64{0.1, 0.2}}
	if v, err := SetThreshold(none); v != 0.5 || err != nil {
		t.Errorf("where no label is present: %v, %v", v, err)
	}
}

// TestLogLossOfSets: the mean of what each label has as a binary target.
func TestLogLossOfSets(t *testing.T) {
	s := &Sample{Kind: Multilabel, Classes: []string{"a", "b"}, Target: []float64{1, 0, 0, 1, 1, 1}, Prob: []float64{0.9, 0.2, 0, 0.4, 0.3, 1}, Weight: []float64{1, 2, 0.5}}
	got, err := logLoss.Value(s)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for j := range 2 {
		one := &Sample{Kind: Binary, Weight: s.Weight}
		for i := range 3 {
			one.Target, one.Prob = append(one.Target, s.Target[2*i+j]), append(one.Prob, s.Prob[2*i+j])
		}
		v, err := logLoss.Value(one)
		if err != nil {
			t.Fatal(err)
		}
		want += v / 2
	}
	if math.Abs(got-want) > 1e-15 {
		t.Errorf("log loss %v, want %v", got, want)
	}
}
