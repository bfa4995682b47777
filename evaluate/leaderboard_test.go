package evaluate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/hone-ml/hone/metric"
)

// rivals are predictors of one binary target, each the noisier the higher its
// noise.
func rivals(seed uint64, rows int, noise ...float64) []Entry {
	r := rand.New(rand.NewPCG(seed, seed))
	var out []Entry
	for i := range noise {
		out = append(out, Entry{Name: string(rune('a' + i)), Sample: &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}}})
	}
	for range rows {
		t := float64(r.IntN(2))
		for i, e := range out {
			p := 1 / (1 + math.Exp(-(2*t-1)-noise[i]*r.NormFloat64()))
			e.Sample.Target = append(e.Sample.Target, t)
			e.Sample.Prob = append(e.Sample.Prob, p)
			e.Sample.Pred = append(e.Sample.Pred, math.Round(p))
		}
	}
	return out
}

func rank(t *testing.T, entries []Entry, change func(*RankOptions)) *Leaderboard {
	t.Helper()
	o := DefaultRankOptions()
	o.Resamples = 500
	if change != nil {
		change(&o)
	}
	l, err := Rank(entries, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestRank has a winner, a tie and a straggler.
func TestRank(t *testing.T) {
	l := rank(t, rivals(1, 2000, 3, 1, 8), nil)
	if l.Winner != "b" || l.Standings[0].Name != "b" || l.Standings[1].Name != "a" || l.Standings[2].Name != "c" {
		t.Errorf("the winner is %q, the order %+v", l.Winner, l.Standings)
	}
	if l.Metric.Name != "roc_auc" || l.Rows != 2000 || l.Task != "binary" {
		t.Errorf("ranked by %s on %d rows, a %s task", l.Metric.Name, l.Rows, l.Task)
	}
	if l.Standings[0].Against != nil {
		t.Error("the leader is compared with itself")
	}
	for _, s := range l.Standings[1:] {
		a := s.Against
		if a == nil || !a.Apart || a.MoreRows != nil || a.Test != metric.TestDeLong || !(a.Difference.Low > 0) || !(a.Difference.High > a.Difference.Value) || a.Adjusted < a.P {
			t.Errorf("%s: %+v", s.Name, a)
		}
	}

	l = rank(t, rivals(6, 300, 1, 1.05, 6), nil)
	if l.Winner != "" || !strings.HasPrefix(l.Verdict, "no winner: ") || strings.Contains(l.Verdict, "tell it from c") {
		t.Errorf("two equals have the winner %q: %s", l.Winner, l.Verdict)
	}
	second, third := l.Standings[1].Against, l.Standings[2].Against
	if second.Apart || second.MoreRows == nil || *second.MoreRows < 1 || !third.Apart {
		t.Errorf("second %+v, third %+v", second, third)
	}
	if raw, err := json.Marshal(l); err != nil || !strings.Contains(string(raw), `"more_rows":`) {
		t.Errorf("%s, %v", raw, err)
	}
}

// TestMoreRows takes the estimate at its word: with that many rows, about 80 %
// of the trials tell the two apart.
func TestMoreRows(t *testing.T) {
	var rows, told, trials int
	l := rank(t, rivals(4, 500, 2, 2.3), func(o *RankOptions) { o.Metric = "log_loss" })
	if l.Winner != "" {
		t.Fatalf("%s: choose another seed, nothing is left to be told apart", l.Verdict)
	}
	// What is measured on 500 rows is not the true difference; that of many is.
	m, err := metric.Lookup("log_loss")
	if err != nil {
		t.Fatal(err)
	}
	many := rivals(5, 100_000, 2, 2.3)
	p, err := metric.Paired(many[0].Sample, many[1].Sample, m, nil, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows = int(metric.RowsNeeded(100_000, p.T, 0.05, Power))
	for trials = range 200 {
		e := rivals(uint64(1000+trials), rows, 2, 2.3)
		p, err := metric.Paired(e[0].Sample, e[1].Sample, m, nil, 199, 1)
		if err != nil {
			t.Fatal(err)
		}
		if p.P <= 0.05 {
			told++
		}
	}
	if share := float64(told) / float64(trials+1); math.Abs(share-Power) > 0.1 {
		t.Errorf("%d rows tell the two apart in %.2f of the trials, want about %v", rows, share, Power)
	}
}

// TestRankFalseWinners lets equal predictors meet.
func TestRankFalseWinners(t *testing.T) {
	const trials = 400
	winners, claims := 0, 0
	for i := range trials {
		l := rank(t, rivals(uint64(i+1), 120, 2, 2, 2), func(o *RankOptions) { o.Resamples = 99; o.Metric = []string{"roc_auc", "accuracy"}[i%2] })
		if l.Winner != "" {
			winners++
		}
		for _, s := range l.Standings[1:] {
			if s.Against.Apart {
				claims++
				break
			}
		}
	}
	limit := 0.05 + 3*math.Sqrt(0.05*0.95/trials)
	if rate := float64(claims) / trials; rate > limit || winners > claims {
		t.Errorf("equal predictors: %d winners and %.3f of the rankings with a claim, at most %.3f may", winners, rate, limit)
	}
}

// TestRankOthers are a single entry, equals, and regression.
func TestRankOthers(t *testing.T) {
	e := rivals(3, 100, 1)
	if l := rank(t, e, nil); l.Winner != "" || len(l.Standings) != 1 || l.Standings[0].Against != nil {
		t.Errorf("one alone: %+v", l)
	}
	l := rank(t, []Entry{e[0], {"again", e[0].Sample}}, nil)
	if l.Verdict != "no winner: a and again have the same roc_auc on these rows" || l.Standings[1].Against.MoreRows != nil {
		t.Error(l.Verdict)
	}
	// Without probabilities decisions are ranked.
	bare := *e[0].Sample
	bare.Prob = nil
	l = rank(t, []Entry{e[0], {"bare", &bare}}, nil)
	if l.Metric.Name != "accuracy" || l.Standings[1].Metrics["roc_auc"] != 0 || l.Standings[0].Metrics["roc_auc"] == 0 {
		t.Errorf("ranked by %s, %v", l.Metric.Name, l.Standings)
	}
	r := rand.New(rand.NewPCG(1, 1))
	good, bad := &metric.Sample{Kind: metric.Regression}, &metric.Sample{Kind: metric.Regression}
	for range 300 {
		v := r.NormFloat64()
		good.Target, bad.Target = append(good.Target, v), append(bad.Target, v)
		good.Pred, bad.Pred = append(good.Pred, v+0.1*r.NormFloat64()), append(bad.Pred, v+r.NormFloat64())
	}
	l = rank(t, []Entry{{"bad", bad}, {"good", good}}, nil)
	if l.Winner != "good" || l.Metric.Name != "rmse" || l.Standings[1].Against.Difference.High >= 0 {
		t.Errorf("%+v", l)
	}
}

// TestRankMistakes are entries that do not fit together.
func TestRankMistakes(t *testing.T) {
	e := rivals(3, 50, 1, 2)
	other := func(change func(*metric.Sample)) []Entry {
		s := *e[1].Sample
		s.Target = append([]float64(nil), s.Target...)
		change(&s)
		return []Entry{e[0], {"b", &s}}
	}
	for _, c := range []struct {
		entries []Entry
		metric  string
		alpha   float64
		want    string
	}{
		{nil, "", 0.05, "nothing to rank"},
		{e, "", 1, "alpha is 1"},
		{e, "acuracy", 0.05, `did you mean accuracy`},
		{e, "rmse", 0.05, "does not measure a binary task"},
		{other(func(s *metric.Sample) { s.Kind = metric.Multiclass }), "", 0.05, "a predicts a binary target, b a multiclass one"},
		{other(func(s *metric.Sample) { s.Classes = []string{"no", "oh"} }), "", 0.05, `b has ["no" "oh"]`},
		{other(func(s *metric.Sample) { s.Target[0] = 1 - s.Target[0] }), "", 0.05, "a and b predict other rows"},
		{other(func(s *metric.Sample) { s.Prob = nil }), "log_loss", 0.05, "log_loss needs probabilities, and b has none"},
	} {
		_, err := Rank(c.entries, RankOptions{Metric: c.metric, Alpha: c.alpha, Resamples: 9})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("found %v, want %q", err, c.want)
		}
	}
}

// TestRankThreads is the same on any number of threads.
func TestRankThreads(t *testing.T) {
	e := rivals(8, 300, 1, 1.4, 2)
	for _, m := range []string{"roc_auc", "log_loss", "f1"} {
		var first *Leaderboard
		for _, n := range []int{1, 5} {
			before := runtime.GOMAXPROCS(n)
			l := rank(t, e, func(o *RankOptions) { o.Metric = m })
			runtime.GOMAXPROCS(before)
			if first == nil {
				first = l
			} else if !reflect.DeepEqual(first, l) {
				t.Errorf("%s: %d threads rank otherwise than one", m, n)
			}
		}
	}
}
