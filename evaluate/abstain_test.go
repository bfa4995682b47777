package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestChooseConfidence(t *testing.T) {
	right := func(c float64) Decision { return Decision{Confidence: c, Right: true} }
	wrong := func(c float64) Decision { return Decision{Confidence: c} }
	var many []Decision // 40 right from 0.99 down, then a wrong one, then 60 right
	for i := range 40 {
		many = append(many, right(0.99-float64(i)/1000))
	}
	many = append(many, wrong(0.9))
	for i := range 60 {
		many = append(many, right(0.8-float64(i)/1000))
	}
	for name, c := range map[string]struct {
		rows []Decision
		rate float64
		want float64
		ok   bool
	}{
		"one wrong row is made up for by those below": {many, 0.02, 0.741, true},
		"at 2.5 % the first 40 would do, all do more": {many, 0.025, 0.741, true},
		"no rate that so few rows can show":           {many, 0.005, 0, false},
		"rows of one confidence stand together":       {[]Decision{right(0.9), right(0.8), wrong(0.8), right(0.7)}, 0.5, 0.7, true},
		"too few of them":                             {[]Decision{right(0.9), wrong(0.8), right(0.8)}, 0.4, 0, false},
		"told to be of no class: never sure":          {append([]Decision{{Confidence: 0.95, None: true}}, many...), 0.02, 0.741, true},
		"no class, told as one: wrong":                {[]Decision{{Confidence: 0.9, Right: true, OutOfScope: true}}, 0.5, 0, false},
		"nothing":                                     {nil, 0.5, 0, false},
	} {
		got, ok := ChooseConfidence(c.rows, c.rate)
		if ok != c.ok || math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: from %v on, %v; expected %v, %v", name, got, ok, c.want, c.ok)
		}
	}
}

// TestThresholdKeepsItsPromise: over many draws of validation and test rows of one
// kind, the share of wrong ones among those told as sure is the one asked for, or
// less.
func TestThresholdKeepsItsPromise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(n int) []Decision {
		rows := make([]Decision, n)
		for i := range rows {
			c := r.Float64()
			rows[i] = Decision{Confidence: c, Right: r.Float64() < c*(2-c)}
		}
		return rows
	}
	const rate = 0.1
	wrong, told := 0, 0
	for range 400 {
		threshold, ok := ChooseConfidence(draw(100), rate)
		if !ok {
			continue
		}
		for _, d := range draw(200) {
			if d.Confidence >= threshold {
				told++
				if !d.Right {
					wrong++
				}
			}
		}
	}
	if got := float64(wrong) / float64(told); got > rate+0.01 || got < rate/3 {
		t.Errorf("%.3f of %d rows told as sure are wrong, %v were asked for", got, told, rate)
	}
}

func TestAbstain(t *testing.T) {
	rows := []Decision{
		{Confidence: 0.9, Right: true}, {Confidence: 0.8, Right: true}, {Confidence: 0.7}, {Confidence: 0.3, Right: true},
		{Confidence: 0.75, OutOfScope: true}, {Confidence: 0.2, None: true, Right: true, OutOfScope: true}, {Confidence: 0.6, None: true},
	}
	a, err := Abstain(rows, Abstained{ErrorRate: 0.3, Threshold: 0.7, None: "other"}, Options{Bootstrap: 50, Level: 0.9})
	if err != nil {
		t.Fatal(err)
	}
	if a.Rows != 7 || a.Sure != 4 || a.Wrong.Value != 0.5 || a.Answered.Value != 0.4 || a.RecallAt95 != 0.4 {
		t.Errorf("of 7 rows, 4 sure, half of them wrong, 2 of 5 answered; found %+v", a)
	}
	if o := a.OutOfScope; o == nil || o.Rows != 2 || o.Sure != 1 || math.Abs(o.AUROC.Value-0.7) > 1e-12 {
		t.Errorf("2 rows are of no class, 1 of them sure, 7 of 10 pairs in order; found %+v", a.OutOfScope)
	}
	// Written out in Python, with statistics.NormalDist().inv_cdf(0.95) for z.
	if math.Abs(a.Wrong.Low-0.1824) > 1e-4 || math.Abs(a.Wrong.High-0.8176) > 1e-4 {
		t.Errorf("the interval of the wrong ones is %+v", a.Wrong)
	}
	if s := share(0, 74, Options{Bootstrap: 1, Level: 0.95}); s.Value != 0 || s.Low != 0 || math.Abs(s.High-0.04935) > 1e-5 {
		t.Errorf("the interval of none of 74 is %+v, expected 0 to z²/(n+z²)", s)
	}
	if a, err = Abstain(rows, Abstained{ErrorRate: 0.3, Threshold: 2}, Options{Level: 0.9}); err != nil || a.Sure != 0 || !math.IsNaN(a.Wrong.Value) || a.OutOfScope != nil {
		t.Errorf("no row is sure: %+v, %v", a, err)
	}
}
