package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/hone-ml/hone/metric"
)

func aimed(t *testing.T, text string) *metric.Aim {
	t.Helper()
	a, err := metric.ParseAim(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// trueProbabilities are rows that come true as often as is stated.
func trueProbabilities(r *rand.Rand, n int) *metric.Sample {
	s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}}
	for range n {
		p, y := 1/(1+math.Exp(1-1.5*r.NormFloat64())), 0.0
		if r.Float64() < p {
			y = 1
		}
		s.Prob, s.Target = append(s.Prob, p), append(s.Target, y)
	}
	return s
}

func TestChooseThresholdByCosts(t *testing.T) {
	s := trueProbabilities(rand.New(rand.NewPCG(1, 2)), 6000)
	opts := Options{Bootstrap: 500, Level: 0.95, Seed: 3}
	got, err := ChooseThreshold(s, aimed(t, "fp=1,fn=5"), 0.3, opts)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.Threshold-1.0/6) > 0.06 || math.Abs(*got.Calibrated-1.0/6) > 1e-15 || len(got.Parts) != 5 {
		t.Errorf("threshold %v, in parts %v, expected about a sixth", got.Threshold, got.Parts)
	}
	var names []string
	for i, p := range got.Policies {
		names = append(names, p.Name)
		if !(p.Value.Low < p.Value.Value && p.Value.Value < p.Value.High) {
			t.Errorf("%s: %+v", p.Name, p.Value)
		}
		if i > 0 && p.Name != PolicyModel && got.Better(p) != Better {
			t.Errorf("the chosen threshold is %s than %s: %+v", got.Better(p), p.Name, p.Difference)
		}
	}
	if want := []string{PolicyChosen, PolicyModel, PolicyHalf, PolicyNone, PolicyAll}; !reflect.DeepEqual(names, want) {
		t.Errorf("policies %q, expected %q", names, want)
	}
	// By hand: nothing positive costs 5 for each positive row.
	positives := 0.0
	for _, y := range s.Target {
		positives += y
	}
	if none := got.Policies[3]; math.Abs(none.Value.Value-5*positives/6000) > 1e-12 || none.Recall.Value != 0 || none.Positive != 0 {
		t.Errorf("%+v", none)
	}
	again, err := ChooseThreshold(s, aimed(t, "fn=5, fp=1"), 0.3, opts)
	if a, b := fmt.Sprintf("%+v", got.Sentences()), fmt.Sprintf("%+v", again.Sentences()); err != nil || strings.ReplaceAll(b, "fn=5,fp=1", "fp=1,fn=5") != a {
		t.Errorf("the same again differs (%v): %s", err, b)
	}
	if said := strings.Join(got.Sentences(), "\n"); !strings.Contains(said, "from 0.1667 on") || !strings.Contains(said, "as the model decides") || !strings.Contains(said, "the chosen one is better") {
		t.Errorf("%s", said)
	}
}

// Where scores say nothing, choosing by them is not told to be of use.
func TestChooseThresholdIsHonest(t *testing.T) {
	better := 0
	const rounds = 60
	for round := range rounds {
		r := rand.New(rand.NewPCG(uint64(round), 9))
		s := trueProbabilities(r, 200)
		for i := range s.Prob {
			s.Prob[i] = r.Float64()
		}
		got, err := ChooseThreshold(s, aimed(t, "fp=1,fn=2"), math.NaN(), Options{Bootstrap: 200, Level: 0.95, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		none, all := got.Policies[2], got.Policies[3]
		if got.Better(none) == Better && got.Better(all) == Better {
			better++
		}
	}
	if better > 3 {
		t.Errorf("in %d of %d rounds noise was told to be worth acting by", better, rounds)
	}
}

func TestChooseThresholdByCondition(t *testing.T) {
	s := trueProbabilities(rand.New(rand.NewPCG(4, 2)), 4000)
	opts := Options{Bootstrap: 100, Level: 0.95, Seed: 3}
	got, err := ChooseThreshold(s, aimed(t, "recall>=0.9"), math.NaN(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if d := metric.Decide(s, got.Threshold); d.Recall() < 0.9 || d.Recall() > 0.91 {
		t.Errorf("recall %v at %v", d.Recall(), got.Threshold)
	}
	if c := got.Policies[0]; math.Abs(c.Recall.Value-0.9) > 0.02 || len(got.Policies) != 2 || got.Policies[1].Difference != nil {
		t.Errorf("on rows that did not choose: %+v", c)
	}
	for aim, want := range map[string]string{"precision>=0.9999": "no threshold meets", "recall>=1.2": "0.9"} {
		a, err := metric.ParseAim(aim)
		if err == nil {
			s.Target[0], s.Prob[0] = 0, 1 // the surest row is wrong
			_, err = ChooseThreshold(s, a, math.NaN(), opts)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", aim, err, want)
		}
	}
	few := s.Select([]int{1, 2, 3, 4, 5, 6})
	few.Target = []float64{1, 0, 0, 0, 0, 0}
	if _, err := ChooseThreshold(few, aimed(t, "f1"), math.NaN(), opts); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("one positive row: %v", err)
	}
}
