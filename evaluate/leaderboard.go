package evaluate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hone-ml/hone/metric"
)

// Power is the chance of seeing a difference for which [Standing.MoreRows] is
// reckoned.
const Power = 0.8

// An Entry is one candidate of a [Leaderboard].
type Entry struct {
	Name   string
	Sample *metric.Sample // predictions of the same rows for all entries
}

// RankOptions says by what to rank, and how surely.
type RankOptions struct {
	// Metric that ranks; "": the task's headline, or accuracy where an entry
	// has no probabilities.
	Metric string
	// Alpha is the chance that is allowed of claiming a difference that is not
	// there.
	Alpha     float64
	Resamples int // of intervals and permutations
	Seed      uint64
}

// DefaultRankOptions are what `hone compare` does without flags.
func DefaultRankOptions() RankOptions { return RankOptions{Alpha: 0.05, Resamples: 10_000} }

// Leaderboard ranks predictions of the same rows, each tested against the best.
type Leaderboard struct {
	Task      string     `json:"task"`
	Metric    Metric     `json:"metric"` // that ranks
	Rows      int        `json:"rows"`
	Alpha     float64    `json:"alpha"`
	Resamples int        `json:"resamples"`
	Seed      uint64     `json:"seed"`
	Standings []Standing `json:"standings"` // the best first
	// Winner is the name of the first where the tests tell it from all others,
	// else "".
	Winner string `json:"winner"`
	// Verdict says so in a sentence, or what it would take.
	Verdict string `json:"verdict"`
}

// Standing is the place of one entry.
type Standing struct {
	Name  string          `json:"name"`
	Score metric.Interval `json:"score"` // by the leaderboard's metric, the interval at 1 − alpha
	// Metrics are all that the predictions allow; one that is undefined on
	// the rows is left out.
	Metrics map[string]float64 `json:"metrics"`
	// Seeds are the runs that the score is the mean of; nil where there are none but
	// one of each.
	Seeds *Seeds `json:"seeds,omitempty"`
	// Against is the comparison with the leader; nil for the leader itself.
	Against *Against `json:"against,omitempty"`
}

// Against is a paired test of the leader and another entry.
type Against struct {
	// Difference is the leader's score minus this entry's.
	Difference metric.Interval `json:"difference"`
	Test       string          `json:"test"`
	P          Number          `json:"p"`
	// Adjusted is P for the number of comparisons, by metric.Holm and
	// metric.AgainstBest.
	Adjusted Number `json:"p_adjusted"`
	// Apart is whether Adjusted is at most alpha.
	Apart bool `json:"apart"`
	// MoreRows estimates how many more rows like these would tell the two
	// apart, if the difference is as large as measured; null where they are
	// told apart, or where there is no difference to be seen.
	MoreRows *int `json:"more_rows,omitempty"`
}

// Rank measures the entries and tests each against the best.
func Rank(entries []Entry, o RankOptions) (*Leaderboard, error) {
	m, err := o.check(entries)
	if err != nil {
		return nil, err
	}
	samples := make([]*metric.Sample, len(entries))
	for i, e := range entries {
		samples[i] = e.Sample
	}
	values, resampled, err := metric.ResampleAll(samples, []*metric.Metric{m}, o.Resamples, o.Seed)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
		if math.IsNaN(values[i][0]) {
			return nil, fmt.Errorf("%s is undefined on these rows for %s: rank by another metric, or give rows that hold every class", m.Name, entries[i].Name)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch d := values[a][0] - values[b][0]; {
		case d == 0:
			return 0
		case d > 0 == m.HigherIsBetter:
			return -1
		}
		return 1
	})
	first := samples[0]
	l := &Leaderboard{
		Task: first.Kind.String(), Metric: Metric{m.Name, m.Label, m.Formula, m.HigherIsBetter},
		Rows: first.Rows(), Alpha: o.Alpha, Resamples: o.Resamples, Seed: o.Seed,
	}
	lead := order[0]
	var ps, ts []float64
	for _, i := range order {
		score, err := metric.BCa(samples[i], []*metric.Metric{m}, values[i], resampled[i], 1-o.Alpha)
		if err != nil {
			return nil, err
		}
		s := Standing{Name: entries[i].Name, Score: score[0]}
		if s.Metrics, err = measureAll(samples[i]); err != nil {
			return nil, err
		}
		if i != lead {
			differences := make([]float64, o.Resamples)
			for r := range differences {
				differences[r] = resampled[lead][0][r] - resampled[i][0][r]
			}
			test, err := metric.Paired(samples[lead], samples[i], m, differences, o.Resamples, o.Seed)
			if err != nil {
				return nil, fmt.Errorf("%s and %s: %w", entries[lead].Name, entries[i].Name, err)
			}
			s.Against = &Against{Test: test.Test, P: Number(test.P),
				Difference: metric.PercentileInterval(values[lead][0]-values[i][0], differences, 1-o.Alpha)}
			ps, ts = append(ps, test.P), append(ts, test.T)
		}
		l.Standings = append(l.Standings, s)
	}
	l.decide(ps, ts)
	return l, nil
}

// check finds the metric, and what keeps the entries from being ranked by it.
func (o *RankOptions) check(entries []Entry) (*metric.Metric, error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("there is nothing to rank")
	}
	if !(o.Alpha > 0 && o.Alpha < 1) {
		return nil, fmt.Errorf("alpha is %v; expected a number between 0 and 1, such as 0.05", o.Alpha)
	}
	first := entries[0]
	name, unlikely := o.Metric, ""
	for _, e := range entries {
		s := e.Sample
		switch {
		case s.Kind != first.Sample.Kind:
			return nil, fmt.Errorf("%s predicts a %s target, %s a %s one: they cannot be compared", first.Name, first.Sample.Kind, e.Name, s.Kind)
		case !slices.Equal(s.Classes, first.Sample.Classes):
			return nil, fmt.Errorf("%s has the classes %q, %s has %q: they cannot be compared", first.Name, first.Sample.Classes, e.Name, s.Classes)
		case !sameRows(s, first.Sample):
			return nil, fmt.Errorf("%s and %s predict other rows: give both the same rows in the same order", first.Name, e.Name)
		case s.Prob == nil && s.Score == nil && (s.Kind == metric.Binary || s.Kind == metric.Multiclass):
			unlikely = e.Name
		}
		if _, err := metric.Values(s, nil); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	kind := first.Sample.Kind
	if name == "" {
		name = Headline(kind)
		if kind == metric.Language && first.Sample.Bytes == nil {
			name = "perplexity"
		}
		if unlikely != "" {
			name = "accuracy"
		}
	}
	m, err := metric.Lookup(name)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(m.Kinds, kind) {
		var fit []string
		for _, m := range metric.For(kind) {
			fit = append(fit, m.Name)
		}
		return nil, fmt.Errorf("%s does not measure a %s task, expected one of %s", m.Name, kind, strings.Join(fit, ", "))
	}
	for _, e := range entries {
		switch {
		case m.MeasuresWith(e.Sample):
		case m.Needs&metric.Score != 0:
			return nil, fmt.Errorf("%s needs probabilities or scores, and %s has none: rank by a metric of decisions, such as accuracy", m.Name, e.Name)
		case m.Needs&metric.Prob != 0:
			return nil, fmt.Errorf("%s needs probabilities, and %s has none: rank by a metric of decisions, such as accuracy", m.Name, e.Name)
		default:
			return nil, fmt.Errorf("%s needs decisions, and %s has scores alone: rank by roc_auc, or give a column prediction", m.Name, e.Name)
		}
	}
	return m, nil
}

// sameRows reports whether two samples have the same truth. Of language models it is
// the length of the texts in bytes, or where that is unknown in tokens, which differ
// between tokenizers.
func sameRows(a, b *metric.Sample) bool {
	if a.Kind == metric.Language && a.Bytes != nil && b.Bytes != nil {
		return slices.Equal(a.Bytes, b.Bytes)
	}
	return slices.Equal(a.Target, b.Target) && slices.Equal(a.Query, b.Query) &&
		slices.EqualFunc(a.References, b.References, func(a, b []string) bool { return slices.Equal(a, b) })
}

// measureAll gives every metric that the predictions allow.
func measureAll(s *metric.Sample) (map[string]float64, error) {
	ms := slices.DeleteFunc(metric.Default(s.Kind), func(m *metric.Metric) bool { return !m.MeasuresWith(s) })
	values, err := metric.Values(s, ms)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for i, m := range ms {
		if !math.IsNaN(values[i]) && !math.IsInf(values[i], 0) {
			out[m.Name] = values[i]
		}
	}
	return out, nil
}

// decide corrects the p-values of the standings after the first, and says who
// has won.
func (l *Leaderboard) decide(ps, ts []float64) {
	k := len(l.Standings)
	open := metric.AgainstBest(k)
	adjusted := metric.Holm(ps, open)
	rank := 0
	for _, p := range adjusted {
		if p <= l.Alpha {
			rank++
		}
	}
	lead, together := l.Standings[0].Name, []int{}
	for i := range adjusted {
		a := l.Standings[i+1].Against
		a.Adjusted, a.Apart = Number(adjusted[i]), adjusted[i] <= l.Alpha
		if a.Apart {
			continue
		}
		together = append(together, i+1)
		// The level that the next step of the correction asks for.
		need := metric.RowsNeeded(l.Rows, ts[i], l.Alpha/float64(open(rank)), Power)
		if more := math.Ceil(need) - float64(l.Rows); more < 1e12 {
			n := int(max(1, more))
			a.MoreRows = &n
		}
	}
	switch {
	case k == 1:
		l.Verdict = "there is nothing to compare it with"
		return
	case len(together) == 0:
		l.Winner = lead
		l.Verdict = fmt.Sprintf("%s is better by %s than %s", lead, l.Metric.Name, map[bool]string{true: l.Standings[1].Name, false: "each of the others"}[k == 2])
		return
	}
	var names, rows []string
	level := true
	for _, i := range together {
		s := l.Standings[i]
		names = append(names, s.Name)
		level = level && s.Against.Difference.Value == 0
		if s.Against.MoreRows != nil {
			rows = append(rows, fmt.Sprintf("about %s more to tell it from %s", inRound(*s.Against.MoreRows), s.Name))
		}
	}
	if level {
		l.Verdict = fmt.Sprintf("no winner: %s have the same %s on these rows", sequence(append([]string{lead}, names...)), l.Metric.Name)
		return
	}
	l.Verdict = fmt.Sprintf("no winner: %s leads by %s, but these %s rows do not tell it from %s", lead, l.Metric.Name, thousands(l.Rows), sequence(names))
	if len(rows) > 0 {
		l.Verdict += fmt.Sprintf("; were the difference as measured, it would take %s (power %g %%)", sequence(rows), 100*Power)
	}
}

// inRound writes an estimate in two digits: 41,000.
func inRound(n int) string {
	unit := 1
	for n/unit >= 100 {
		unit *= 10
	}
	return thousands((n + unit/2) / unit * unit)
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// sequence writes a list: a, b and c.
func sequence(s []string) string {
	if len(s) == 1 {
		return s[0]
	}
	return strings.Join(s[:len(s)-1], ", ") + " and " + s[len(s)-1]
}
