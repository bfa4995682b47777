package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hone-ml/hone/metric"
)

// runsOf are predictions of the same rows by runs whose accuracies are scattered by
// their seeds.
func runsOf(r *rand.Rand, hard []float64, runs int, accuracy, spread float64) []*metric.Sample {
	var out []*metric.Sample
	for range runs {
		p := accuracy + spread*r.NormFloat64()
		s := &metric.Sample{Kind: metric.Multiclass, Classes: []string{"a", "b"}, Target: make([]float64, len(hard)), Pred: make([]float64, len(hard))}
		for i, h := range hard {
			s.Target[i] = float64(i % 2)
			if s.Pred[i] = s.Target[i]; r.Float64() > p+h {
				s.Pred[i] = 1 - s.Target[i]
			}
		}
		out = append(out, s)
	}
	return out
}

func rowsOf(r *rand.Rand, n int) []float64 {
	hard := make([]float64, n)
	for i := range hard {
		hard[i] = 0.2*r.Float64() - 0.1
	}
	return hard
}

// TestSeedsFalseWinners: of two procedures that are the same one is named the winner
// as seldom as is asked for, where each of three runs against three would often be;
// and a score's interval holds what the mean over all seeds and rows is.
func TestSeedsFalseWinners(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	const trials, n, accuracy, spread = 400, 200, 0.8, 0.04
	o := RankOptions{Metric: "accuracy", Alpha: 0.05, Resamples: 100}
	won, single, held := 0, 0, 0
	for range trials {
		hard := rowsOf(r, n)
		a, b := runsOf(r, hard, 3, accuracy, spread), runsOf(r, hard, 3, accuracy, spread)
		l, err := RankProcedures([]Procedure{{"a", a}, {"b", b}}, o)
		if err != nil {
			t.Fatal(err)
		}
		if l.Winner != "" {
			won++
		}
		for _, s := range l.Standings {
			if s.Score.Low <= accuracy && accuracy <= s.Score.High {
				held++
			}
		}
		if l, err = Rank([]Entry{{"a", a[0]}, {"b", b[0]}}, o); err != nil {
			t.Fatal(err)
		}
		if l.Winner != "" {
			single++
		}
	}
	if limit := 0.05*trials + 3*math.Sqrt(0.05*0.95*trials); float64(won) > limit {
		t.Errorf("a winner is named in %d of %d comparisons of equals, at most %.0f are expected", won, trials, limit)
	}
	if single < 3*won {
		t.Errorf("single runs name a winner in %d comparisons and means over seeds in %d: the seeds make no difference", single, won)
	}
	if share := float64(held) / (2 * trials); share < 0.92 {
		t.Errorf("intervals at 95 %% hold the truth in %.1f %%", 100*share)
	}
	t.Logf("false winners: %d of %d, of single runs %d; coverage %.3f", won, trials, single, float64(held)/(2*trials))
}

func TestRankProcedures(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	hard := rowsOf(r, 2000)
	good, bad := runsOf(r, hard, 4, 0.85, 0.01), runsOf(r, hard, 4, 0.7, 0.01)
	o := RankOptions{Metric: "accuracy", Alpha: 0.05, Resamples: 200}
	l, err := RankProcedures([]Procedure{{"bad", bad}, {"good", good}}, o)
	if err != nil {
		t.Fatal(err)
	}
	first := l.Standings[0]
	mean, squares := 0.0, 0.0
	for _, s := range good {
		v, err := metric.Values(s, []*metric.Metric{mustLookup(t, "accuracy")})
		if err != nil {
			t.Fatal(err)
		}
		mean += v[0] / 4
		squares += v[0] * v[0] / 4
	}
	if deviation := math.Sqrt((squares - mean*mean) * 4 / 3); l.Winner != "good" || math.Abs(first.Score.Value-mean) > 1e-12 || math.Abs(float64(first.Seeds.Deviation)-deviation) > 1e-9 || first.Seeds.Runs != 4 {
		t.Errorf("%+v, expected a mean of %v and a deviation of %v", first, mean, deviation)
	}
	if a := l.Standings[1].Against; a == nil || !a.Apart || math.Abs(a.Difference.Value-(mean-l.Standings[1].Score.Value)) > 1e-12 {
		t.Errorf("against: %+v", a)
	}
	// One run each is a comparison of rows alone, and says so.
	one, err := RankProcedures([]Procedure{{"bad", bad[:1]}, {"good", good[:1]}}, o)
	if err != nil || one.Standings[0].Seeds.Runs != 1 || one.Standings[0].Seeds.RowShare != 1 {
		t.Errorf("%+v, %v", one, err)
	}
	// Means that the seeds keep apart no longer: the verdict says where the variance is.
	wild := runsOf(r, hard, 2, 0.84, 0.08)
	l, err = RankProcedures([]Procedure{{"wild", wild}, {"good", good}}, o)
	if err != nil || l.Winner != "" || !strings.Contains(l.Verdict, "more runs lower the one") {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := RankProcedures([]Procedure{{"none", nil}}, o); err == nil || !strings.Contains(err.Error(), "none has no run") {
		t.Errorf("a group without runs: %v", fmt.Sprint(err))
	}
}

func mustLookup(t *testing.T, name string) *metric.Metric {
	t.Helper()
	m, err := metric.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
