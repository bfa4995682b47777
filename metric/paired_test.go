package metric

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
)

// TestPairedReference compares with testdata/paired.json, which numpy and
// scipy wrote.
func TestPairedReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/paired.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		McNemar []struct {
			B, C int
			P    float64
		}
		DeLong []struct {
			Target, A, B  []float64
			Difference, P float64
			StandardError float64 `json:"standard_error"`
		}
		SignFlip []struct {
			D []float64
			P float64
		} `json:"sign_flip"`
		RowsNeeded []struct {
			Rows                    int
			T, Alpha, Power, Needed float64
		} `json:"rows_needed"`
		BCa []struct {
			Value, Level, Low, High float64
			Resampled, Jackknife    []float64
		}
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance*math.Max(math.Abs(want), 1e-12)) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	if len(want.McNemar) == 0 || len(want.DeLong) == 0 || len(want.SignFlip) == 0 || len(want.RowsNeeded) == 0 {
		t.Fatal("testdata/paired.json lacks a part")
	}
	if len(want.BCa) == 0 {
		t.Fatal("testdata/paired.json lacks intervals")
	}
	for _, c := range want.BCa {
		v := bcaInterval(c.Value, c.Resampled, c.Jackknife, c.Level)
		near("BCa's lower end", v.Low, c.Low, 1e-8)
		near("BCa's upper end", v.High, c.High, 1e-8)
	}
	for _, c := range want.McNemar {
		near("McNemar", McNemar(c.B, c.C), c.P, 1e-8)
	}
	for _, c := range want.DeLong {
		a := &Sample{Kind: Binary, Target: c.Target, Prob: c.A}
		b := &Sample{Kind: Binary, Target: c.Target, Prob: c.B}
		d, se, err := DeLong(a, b)
		if err != nil {
			t.Fatal(err)
		}
		near("DeLong's difference", d, c.Difference, 1e-12)
		near("DeLong's standard error", se, c.StandardError, 1e-12)
		p, err := Paired(a, b, &rocAUC, nil, 0, 0)
		if err != nil || p.Test != TestDeLong {
			t.Fatal(p, err)
		}
		near("DeLong's p", p.P, c.P, 1e-10)
		aucs, err := Values(a, []*Metric{&rocAUC})
		if err != nil {
			t.Fatal(err)
		}
		other, err := rocAUC.Value(b)
		if err != nil {
			t.Fatal(err)
		}
		near("the areas' difference", aucs[0]-other, d, 1e-12)
	}
	for _, c := range want.SignFlip {
		near("SignFlip", SignFlip(c.D, 1<<len(c.D), 1), c.P, 1e-12)
		// Random patterns come near the exact share.
		if got := SignFlip(c.D, 1<<len(c.D)-1, 1); math.Abs(got-c.P) > 4*math.Sqrt(c.P*(1-c.P)/float64(int(1)<<len(c.D)))+1e-2 {
			t.Errorf("SignFlip by random patterns is %v, all of them give %v", got, c.P)
		}
	}
	for _, c := range want.RowsNeeded {
		near("RowsNeeded", RowsNeeded(c.Rows, c.T, c.Alpha, c.Power), c.Needed, 1e-9)
	}
	if got := RowsNeeded(100, 0, 0.05, 0.8); !math.IsInf(got, 1) {
		t.Errorf("no difference needs %v rows, want +Inf", got)
	}
}

// TestHolm compares with the closed test that Holm's method is a short cut of:
// a hypothesis is rejected when every set that holds it is, by Bonferroni.
func TestHolm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		p := make([]float64, 1+r.IntN(6))
		for i := range p {
			p[i] = math.Pow(r.Float64(), 3)
		}
		want := make([]float64, len(p))
		for set := 1; set < 1<<len(p); set++ {
			least, size := math.Inf(1), 0.0
			for i := range p {
				if set>>i&1 == 1 {
					least, size = min(least, p[i]), size+1
				}
			}
			for i := range p {
				if set>>i&1 == 1 {
					want[i] = max(want[i], min(1, size*least))
				}
			}
		}
		for i, got := range Holm(p, nil) {
			if math.Abs(got-want[i]) > 1e-12 {
				t.Fatalf("%v are adjusted to %v, want %v", p, Holm(p, nil), want)
			}
		}
	}
	got := Holm([]float64{0.08, math.NaN(), 0.01}, nil) // two count, not three
	if got[0] != 0.08 || !math.IsNaN(got[1]) || got[2] != 0.02 {
		t.Errorf("with an undefined p-value: %v", got)
	}
}

// TestAgainstBest counts pairs of equal predictors by going through all ways
// to part k into groups, with the best in a group of at least two that avoids
// i others.
func TestAgainstBest(t *testing.T) {
	var most func(left, largest int) int // pairs within groups of left predictors
	most = func(left, largest int) int {
		best := 0
		for g := 1; g <= min(left, largest); g++ {
			best = max(best, g*(g-1)/2+most(left-g, g))
		}
		return best
	}
	for k := 2; k <= 8; k++ {
		for i := range k - 1 {
			want := 0
			for own := 2; own <= k-i; own++ {
				want = max(want, own*(own-1)/2+most(k-own, k-own))
			}
			if got := AgainstBest(k)(i); got != want {
				t.Errorf("%d predictors, %d told apart: %d open pairs, want %d", k, i, got, want)
			}
		}
	}
}

// TestAgainstBestKeepsItsWord lets equal predictors meet, of which the best is
// compared with the others: a difference is claimed in at most 5 % of the
// meetings, where Holm's own count of the comparisons claims too many.
func TestAgainstBestKeepsItsWord(t *testing.T) {
	const meetings, k, alpha = 4000, 5, 0.05
	r := rand.New(rand.NewPCG(7, 7))
	claims, naive := 0, 0
	for range meetings {
		scores := make([]float64, k)
		for i := range scores {
			scores[i] = r.NormFloat64()
		}
		best := slices.Max(scores)
		var p []float64
		for _, s := range scores {
			if s != best {
				p = append(p, twoSided((best-s)/math.Sqrt2))
			}
		}
		if slices.Min(Holm(p, AgainstBest(k))) <= alpha {
			claims++
		}
		if slices.Min(Holm(p, nil)) <= alpha {
			naive++
		}
	}
	limit := alpha + 3*math.Sqrt(alpha*(1-alpha)/meetings)
	if rate := float64(claims) / meetings; rate > limit {
		t.Errorf("%.3f of the meetings of equal predictors end with a claim, at most %.3f may", rate, limit)
	}
	t.Logf("claims: %.3f; counting the comparisons alone: %.3f", float64(claims)/meetings, float64(naive)/meetings)
	if rate := float64(naive) / meetings; rate < limit {
		t.Errorf("without counting all pairs only %.3f do: AgainstBest is not needed", rate)
	}
}

// exchangeable are two predictors of which neither is better.
func exchangeable(r *rand.Rand, kind Kind, n int) (a, b *Sample) {
	s := [2]*Sample{{Kind: kind}, {Kind: kind}}
	for range n {
		base := r.NormFloat64()
		target := base
		if kind == Binary {
			target = float64(r.IntN(2))
			base = 1.2 * (target - 0.5)
		}
		for _, s := range s {
			v := base + r.NormFloat64()
			s.Target = append(s.Target, target)
			if kind == Binary {
				p := math.Round(100/(1+math.Exp(-v))) / 100
				s.Prob, s.Pred = append(s.Prob, p), append(s.Pred, math.Round(p))
			} else {
				s.Pred = append(s.Pred, v)
			}
		}
	}
	return s[0], s[1]
}

// TestPairedFalsePositives is each kind of test on predictors that are equal:
// at most 5 % of the p-values are up to 0.05.
func TestPairedFalsePositives(t *testing.T) {
	const trials, rows, alpha = 1000, 150, 0.05
	for _, c := range []struct {
		m    *Metric
		kind Kind
		test string
		// beyond is what the test is known to be off by: normal laws and
		// percentile intervals hold in the limit.
		beyond float64
	}{
		{&accuracy, Binary, TestMcNemar, 0}, {&rocAUC, Binary, TestDeLong, 0.01}, {&logLoss, Binary, TestSignFlip, 0},
		{&rmse, Regression, TestSignFlip, 0}, {&mae, Regression, TestSignFlip, 0}, {&mcc, Binary, TestBootstrap, 0.02},
	} {
		r := rand.New(rand.NewPCG(5, 5))
		wrong := 0
		for i := range trials {
			a, b := exchangeable(r, c.kind, rows)
			p, err := Paired(a, b, c.m, nil, 199, uint64(i))
			if err != nil {
				t.Fatal(err)
			}
			if p.Test != c.test {
				t.Fatalf("%s is tested by %s, want %s", c.m.Name, p.Test, c.test)
			}
			if p.P <= alpha {
				wrong++
			}
		}
		rate := float64(wrong) / trials
		if limit := alpha + c.beyond + 3*math.Sqrt(alpha*(1-alpha)/trials); rate > limit {
			t.Errorf("%s (%s): %.3f of equal predictors are told apart, at most %.3f may", c.m.Name, c.test, rate, limit)
		}
		if rate < 0.01 {
			t.Errorf("%s (%s): only %.3f of equal predictors are told apart, which is no test at the level 0.05", c.m.Name, c.test, rate)
		}
	}
}

// TestPairedDirection gives every metric a better and a worse predictor.
func TestPairedDirection(t *testing.T) {
	for _, kind := range []Kind{Binary, Regression} {
		r := rand.New(rand.NewPCG(3, 3))
		a, b := exchangeable(r, kind, 400)
		for i, v := range a.Target { // a is drawn to the truth
			if kind == Binary {
				a.Prob[i] = (a.Prob[i] + 2*v) / 3
				a.Pred[i] = math.Round(a.Prob[i])
			} else {
				a.Pred[i] = (a.Pred[i] + 3*v) / 4
			}
		}
		for _, m := range For(kind) {
			if m.Name == "ece" || m.Name == "adaptive_ece" {
				continue // nearer to the truth is not better calibrated
			}
			if v, _ := m.Value(a); math.IsNaN(v) {
				if p, err := Paired(a, b, m, nil, 500, 1); err != nil || !math.IsNaN(p.P) {
					t.Errorf("%s, which is undefined, has %+v, %v", m.Name, p, err)
				}
				continue
			}
			ab, err := Paired(a, b, m, nil, 500, 1)
			if err != nil {
				t.Fatal(err)
			}
			ba, err := Paired(b, a, m, nil, 500, 1)
			if err != nil {
				t.Fatal(err)
			}
			if ab.T > 0 != m.HigherIsBetter || ab.T == 0 {
				t.Errorf("%s: the better predictor has T %v", m.Name, ab.T)
			}
			if ab.P > 0.01 || ab.P != ba.P || ab.T != -ba.T {
				t.Errorf("%s: %+v one way, %+v the other", m.Name, ab, ba)
			}
			same, err := Paired(a, a, m, nil, 500, 1)
			if err != nil || same.P != 1 || same.T != 0 {
				t.Errorf("%s of a predictor and itself: %+v, %v", m.Name, same, err)
			}
		}
	}
}

// TestPairedExtremes are rankings without spread, weights, and rows that are
// not the same.
func TestPairedExtremes(t *testing.T) {
	n := 200
	perfect := &Sample{Kind: Binary}
	constant := &Sample{Kind: Binary}
	for i := range n {
		v := float64(i % 2)
		perfect.Target, perfect.Prob = append(perfect.Target, v), append(perfect.Prob, v)
		constant.Target, constant.Prob = append(constant.Target, v), append(constant.Prob, 0.5)
	}
	p, err := Paired(perfect, constant, &rocAUC, nil, 999, 1)
	if err != nil || p.Test != TestBootstrap || p.P > 0.01 {
		t.Errorf("a perfect ranking and a constant one: %+v, %v", p, err)
	}
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = float64(1 + i%3)
	}
	a, b := *perfect, *constant
	a.Weight, b.Weight = weights, weights
	if p, err = Paired(&a, &b, &logLoss, nil, 999, 1); err != nil || p.Test != TestSignFlip || p.P > 0.01 {
		t.Errorf("weighted: %+v, %v", p, err)
	}
	if p, err = Paired(&a, &b, &rocAUC, nil, 99, 1); err != nil || p.Test != TestBootstrap {
		t.Errorf("weighted: %+v, %v", p, err)
	}
	other := *constant
	other.Target = slices.Clone(other.Target)
	slices.Reverse(other.Target)
	if _, err := Paired(perfect, &other, &rocAUC, nil, 99, 1); err == nil {
		t.Error("predictions of other rows are compared")
	}
	if _, _, err := DeLong(&a, &b); err == nil {
		t.Error("DeLong's test takes weights")
	}
	one := &Sample{Kind: Binary, Target: []float64{0, 0, 1}, Prob: []float64{0.1, 0.2, 0.9}}
	if _, _, err := DeLong(one, one); err == nil {
		t.Error("DeLong's test takes one positive row")
	}
	if got := SignFlip(nil, 100, 1); got != 1 {
		t.Errorf("no differences: p is %v, want 1", got)
	}
}

// TestPairedThreads is the same on any number of threads.
func TestPairedThreads(t *testing.T) {
	a, b := exchangeable(rand.New(rand.NewPCG(9, 9)), Binary, 500)
	d := minus(logLoss.PerRow(mustPrepare(t, a)), logLoss.PerRow(mustPrepare(t, b)))
	type result struct {
		flip float64
		boot PairedTest
	}
	var first result
	for _, threads := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(threads)
		boot, err := Paired(a, b, &mcc, nil, 300, 4)
		got := result{SignFlip(d, 300, 4), boot}
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if threads == 1 {
			first = got
		}
		if got != first {
			t.Errorf("%d threads: %+v, one gives %+v", threads, got, first)
		}
	}
}

func mustPrepare(t *testing.T, s *Sample) *Sample {
	t.Helper()
	p, err := s.prepared()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// BenchmarkPaired is 10,000 resamples of 100,000 rows.
func BenchmarkPaired(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	x, y := exchangeable(r, Binary, 100_000)
	u, v := exchangeable(r, Regression, 100_000)
	for _, c := range []struct {
		a, b *Sample
		m    *Metric
	}{{x, y, &accuracy}, {x, y, &rocAUC}, {x, y, &logLoss}, {u, v, &rmse}, {x, y, &mcc}, {x, y, &averagePrecision}} {
		b.Run(c.m.Name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Paired(c.a, c.b, c.m, nil, 10_000, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.m.Name+"/intervals", func(b *testing.B) {
			for b.Loop() {
				if _, _, err := ResampleAll([]*Sample{c.a, c.b}, []*Metric{c.m}, 10_000, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Rows that are told to weigh 1 are tested as those whose weight is not told.
func TestPairedWeightsOfOne(t *testing.T) {
	a := churnLike(200, 1)
	b := *a
	b.Prob = churnLike(200, 2).Prob
	want, err := Paired(a, &b, &rocAUC, nil, 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	wa, wb := *a, b
	for range a.Target {
		wa.Weight = append(wa.Weight, 1)
	}
	wb.Weight = wa.Weight
	if got, err := Paired(&wa, &wb, &rocAUC, nil, 100, 1); err != nil || got != want || got.Test != TestDeLong {
		t.Errorf("%+v, %v; expected %+v", got, err, want)
	}
}
