package metric

import (
	"encoding/json"
	"math"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// churnLike is a binary sample of n rows with noisy, partly tied scores.
func churnLike(n int, seed uint64) *Sample {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &Sample{Kind: Binary}
	for range n {
		target := 0.0
		if r.Float64() < 0.24 {
			target = 1
		}
		p := 1 / (1 + math.Exp(-(1.6*target - 1.4 + r.NormFloat64())))
		p = math.Round(p*5000) / 5000
		pred := 0.0
		if p >= 0.5 {
			pred = 1
		}
		s.Target, s.Prob, s.Pred = append(s.Target, target), append(s.Prob, p), append(s.Pred, pred)
	}
	return s
}

func priceLike(n int, seed uint64) *Sample {
	r := rand.New(rand.NewPCG(seed, 2))
	s := &Sample{Kind: Regression}
	for range n {
		y := 100 + 20*r.NormFloat64()
		s.Target, s.Pred = append(s.Target, y), append(s.Pred, y+5*r.NormFloat64())
	}
	return s
}

func topicLike(n, k int, seed uint64) *Sample {
	r := rand.New(rand.NewPCG(seed, 3))
	s := &Sample{Kind: Multiclass, Classes: make([]string, k)}
	for range n {
		target, best := r.IntN(k), 0
		row, sum := make([]float64, k), 0.0
		for c := range row {
			row[c] = r.ExpFloat64()
			if c == target {
				row[c] += 1
			}
			if row[c] > row[best] {
				best = c
			}
			sum += row[c]
		}
		for _, v := range row {
			s.Prob = append(s.Prob, v/sum)
		}
		s.Target, s.Pred = append(s.Target, float64(target)), append(s.Pred, float64(best))
	}
	return s
}

// The resamples are written out row by row here, and must give what the
// bootstrap reads off its weights.
func TestBootstrapIsResampling(t *testing.T) {
	const resamples, seed = 40, 7
	weighted := churnLike(120, 5)
	for i := range weighted.Target {
		weighted.Weight = append(weighted.Weight, float64(i%4)/3)
	}
	for name, s := range map[string]*Sample{
		"binary": churnLike(120, 1), "weighted": weighted,
		"multiclass": topicLike(60, 3, 1), "regression": priceLike(75, 1),
		"mostly undefined": {Kind: Binary, Target: []float64{0, 0, 1}, Pred: []float64{0, 1, 1}, Prob: []float64{.1, .7, .6}},
	} {
		t.Run(name, func(t *testing.T) {
			ms := For(s.Kind)
			have, resampled, err := Resample(s, ms, resamples, seed)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]Interval, len(ms))
			for i, v := range have {
				got[i] = PercentileInterval(v, resampled[i], 0.9)
			}
			values := make([][]float64, len(ms))
			for r := range resamples {
				random := rand.NewPCG(seed, uint64(r))
				at := make([]int, s.Rows())
				for i := range at {
					hi, _ := bits.Mul64(random.Uint64(), uint64(s.Rows()))
					at[i] = int(hi)
				}
				vs, err := Values(rows(s, at), ms)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range vs {
					if !math.IsNaN(v) {
						values[i] = append(values[i], v)
					}
				}
			}
			for i, m := range ms {
				slices.Sort(values[i])
				want := Interval{Skipped: resamples - len(values[i]), Low: quantile(values[i], 0.05), High: quantile(values[i], 0.95)}
				want.Value, _ = m.Value(s)
				if !near(got[i].Value, want.Value) || !near(got[i].Low, want.Low) || !near(got[i].High, want.High) || got[i].Skipped != want.Skipped {
					t.Errorf("%s: %+v, by resampling rows %+v", m.Name, got[i], want)
				}
			}
			if name == "mostly undefined" {
				if i := slices.IndexFunc(ms, func(m *Metric) bool { return m.Name == "roc_auc" }); got[i].Skipped == 0 {
					t.Error("no resample of one class was skipped")
				}
			}
		})
	}
}

func TestBootstrapIsTheSameOnAnyNumberOfThreads(t *testing.T) {
	for _, s := range []*Sample{churnLike(3000, 2), topicLike(500, 4, 2), priceLike(3000, 2)} {
		var first []Interval
		for _, threads := range []int{1, 2, 7} {
			old := runtime.GOMAXPROCS(threads)
			got, err := Bootstrap(s, For(s.Kind), 50, 0.95, 3)
			runtime.GOMAXPROCS(old)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = got
			}
			if !reflect.DeepEqual(got, first) {
				t.Errorf("%s on %d threads: %v, on one: %v", s.Kind, threads, got, first)
			}
		}
		other, err := Bootstrap(s, For(s.Kind), 50, 0.95, 4)
		if err != nil {
			t.Fatal(err)
		}
		if reflect.DeepEqual(other, first) {
			t.Errorf("%s: another seed gives the same intervals", s.Kind)
		}
	}
}

// For a share of correct rows the interval is known: the normal one.
func TestBootstrapWidth(t *testing.T) {
	s := churnLike(4000, 3)
	got, err := Bootstrap(s, []*Metric{&accuracy}, 2000, 0.95, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := got[0].Value
	half := 1.959964 * math.Sqrt(p*(1-p)/4000)
	if math.Abs(got[0].Low-(p-half)) > 0.1*half || math.Abs(got[0].High-(p+half)) > 0.1*half {
		t.Errorf("interval %+v, expected about %v ± %v", got[0], p, half)
	}
}

// Two samples of the same rows see the same resamples: what is the same in
// both cancels out of every difference.
func TestResamplesArePaired(t *testing.T) {
	a := priceLike(400, 3)
	b := *a
	b.Pred = slices.Clone(a.Pred)
	for i := range b.Pred {
		b.Pred[i] += math.Copysign(2, b.Pred[i]-b.Target[i]) // each row is off by 2 more
	}
	va, ra, err := Resample(a, []*Metric{&mae}, 100, 5)
	if err != nil {
		t.Fatal(err)
	}
	vb, rb, err := Resample(&b, []*Metric{&mae}, 100, 5)
	if err != nil {
		t.Fatal(err)
	}
	diffs := make([]float64, len(ra[0]))
	for r := range diffs {
		diffs[r] = rb[0][r] - ra[0][r]
	}
	d := PercentileInterval(vb[0]-va[0], diffs, 0.95)
	if !near(d.Value, 2) || !near(d.Low, 2) || !near(d.High, 2) {
		t.Errorf("the difference is %+v, expected 2 throughout", d)
	}
}

func TestBootstrapEdges(t *testing.T) {
	s := churnLike(50, 4)
	ms := []*Metric{&accuracy, &rocAUC}
	none, err := Bootstrap(s, ms, 0, 0.95, 1)
	if err != nil || !math.IsNaN(none[0].Low) || none[0].Value == 0 {
		t.Errorf("0 resamples give %v, %v", none, err)
	}
	data, err := json.Marshal(none[0])
	if err != nil || !strings.Contains(string(data), `"low":null`) {
		t.Errorf("an interval without bounds is written %s, %v", data, err)
	}
	var back Interval
	if err := json.Unmarshal(data, &back); err != nil || back.Value != none[0].Value || !math.IsNaN(back.High) {
		t.Errorf("%s is read as %+v, %v", data, back, err)
	}
	lonely := &Sample{Kind: Binary, Target: []float64{1, 0, 1}, Pred: []float64{1, 0, 0}, Prob: []float64{1, 0, 0}, Weight: []float64{0, 1, 0}}
	one, err := Bootstrap(lonely, ms, 20, 0.95, 1)
	if err != nil || one[0].Low != 1 || one[1].Skipped != 20 {
		t.Errorf("one row that counts gives %+v, %v", one, err)
	}
	for want, run := range map[string]func() ([]Interval, error){
		"-1 resamples": func() ([]Interval, error) { return Bootstrap(s, ms, -1, 0.95, 1) },
		"level is 95":  func() ([]Interval, error) { return Bootstrap(s, ms, 10, 95, 1) },
		"regression":   func() ([]Interval, error) { return Bootstrap(priceLike(3, 1), ms, 10, 0.95, 1) },
	} {
		if _, err := run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected one with %q", err, want)
		}
	}
}

func BenchmarkBootstrapBinary(b *testing.B) {
	s, ms := churnLike(16000, 1), For(Binary)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Bootstrap(s, ms, 1000, 0.95, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBootstrapRegression(b *testing.B) {
	s, ms := priceLike(16000, 1), For(Regression)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Bootstrap(s, ms, 1000, 0.95, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResample(b *testing.B) {
	for _, s := range []*Sample{churnLike(16000, 1), topicLike(16000, 10, 1), priceLike(16000, 1)} {
		ms := For(s.Kind)
		p, err := prepare(s, ms)
		if err != nil {
			b.Fatal(err)
		}
		weight, times := make([]float64, p.Rows()), make([]uint16, p.Rows())
		view := p.reweighted(weight)
		draw(weight, p.Weight, times, nil, 1, 1)
		b.Run(s.Kind.String()+"/draw", func(b *testing.B) {
			r := uint64(0)
			for b.Loop() {
				r++
				draw(weight, p.Weight, times, nil, 1, r)
			}
		})
		for _, m := range ms {
			m.measure(view) // what is derived once is not what is measured
			b.Run(s.Kind.String()+"/"+m.Name, func(b *testing.B) {
				for b.Loop() {
					if view.confusion != nil {
						view.confusion.counted = false
					}
					m.measure(view)
				}
			})
		}
	}
}
