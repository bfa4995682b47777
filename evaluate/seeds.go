package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/metric"
)

// A Procedure is a way of training, of which several runs that differ in their seed predict
// the same rows.
type Procedure struct {
	Name    string
	Samples []*metric.Sample
}

// Seeds is what several runs of one procedure say.
type Seeds struct {
	Runs int `json:"runs"`
	// Scores are those of each run, by the leaderboard's metric.
	Scores []float64 `json:"scores"`
	// Deviation is the standard deviation between the runs on these rows; null of one.
	Deviation Number `json:"deviation"`
	// RowShare is the share of the score's variance that comes from which rows there
	// are; the rest is from the seeds.
	RowShare float64 `json:"row_share"`
}

// RankProcedures ranks procedures by the mean over their runs, and tests each against
// the best. Rows and seeds are both taken to be drawn, independently of each other:
// the variance of a mean is that over resamples of the rows, the same for all runs,
// plus that between its runs divided by their number (crossed random effects; Owen
// 2007, The pigeonhole bootstrap, of which this is the sum of the main terms, each
// with the interaction in it: rather too wide than too narrow; why seeds count:
// Bouthillier et al. 2021, Accounting for variance in machine learning benchmarks).
// So few seeds leave the variance uncertain: intervals and tests are Student's, by
// Welch's and Satterthwaite's degrees of freedom (Satterthwaite 1946, An approximate
// distribution of estimates of variance components). Of a single run the seeds'
// variance is unknown and left out.
func RankProcedures(groups []Procedure, o RankOptions) (*Leaderboard, error) {
	var entries []Entry
	for _, g := range groups {
		if len(g.Samples) == 0 {
			return nil, fmt.Errorf("%s has no run", g.Name)
		}
		for i, s := range g.Samples {
			name := g.Name
			if len(g.Samples) > 1 {
				name = fmt.Sprintf("%s, run %d", g.Name, i+1)
			}
			entries = append(entries, Entry{name, s})
		}
	}
	m, err := o.check(entries)
	if err != nil {
		return nil, err
	}
	var samples []*metric.Sample
	for _, e := range entries {
		samples = append(samples, e.Sample)
	}
	values, resampled, err := metric.ResampleAll(samples, []*metric.Metric{m}, o.Resamples, o.Seed)
	if err != nil {
		return nil, err
	}
	first := samples[0]
	l := &Leaderboard{
		Task: first.Kind.String(), Metric: Metric{m.Name, m.Label, m.Formula, m.HigherIsBetter},
		Rows: first.Rows(), Alpha: o.Alpha, Resamples: o.Resamples, Seed: o.Seed,
	}
	all := make([]runsOfOne, len(groups))
	at := 0
	for i, g := range groups {
		n := len(g.Samples)
		if all[i], err = newRunsOfOne(g, values[at:at+n], resampled[at:at+n]); err != nil {
			return nil, fmt.Errorf("%s is undefined on these rows for %s: rank by another metric, or give rows that hold every class", m.Name, g.Name)
		}
		at += n
	}
	slices.SortStableFunc(all, func(a, b runsOfOne) int {
		if m.HigherIsBetter {
			return cmp.Compare(b.mean, a.mean)
		}
		return cmp.Compare(a.mean, b.mean)
	})
	lead := all[0]
	var ps, ts []float64
	for i, g := range all {
		score, _ := interval(g.mean, variance(g.rows), []component{g.seeds}, o.Alpha)
		s := Standing{Name: g.Name, Score: score, Seeds: g.told()}
		if s.Metrics, err = meanMetrics(g.Samples); err != nil {
			return nil, err
		}
		if i > 0 {
			differences := make([]float64, len(g.rows))
			for r := range differences {
				differences[r] = lead.rows[r] - g.rows[r]
			}
			d, p := interval(lead.mean-g.mean, variance(differences), []component{lead.seeds, g.seeds}, o.Alpha)
			s.Against = &Against{Difference: d, Test: "t test over rows and seeds", P: Number(p)}
			ps, ts = append(ps, p), append(ts, math.NaN()) // more rows alone need not tell
		}
		l.Standings = append(l.Standings, s)
	}
	l.decide(ps, ts)
	if l.Winner == "" && len(all) > 1 {
		l.Verdict += fmt.Sprintf("; of the variance of %s's mean %.0f %% is of its seeds, the rest of the rows: more runs lower the one, more rows the other", lead.Name, 100*(1-lead.rowShare()))
	}
	return l, nil
}

// runsOfOne is a group with what its runs say.
type runsOfOne struct {
	Procedure
	mean   float64
	scores []float64
	rows   []float64 // the mean over the runs on each resample of the rows
	seeds  component
}

// A component is a variance and its degrees of freedom.
type component struct{ variance, df float64 }

func newRunsOfOne(g Procedure, values [][]float64, resampled [][][]float64) (runsOfOne, error) {
	n := float64(len(g.Samples))
	out := runsOfOne{Procedure: g, rows: make([]float64, len(resampled[0][0]))}
	for i, v := range values {
		if math.IsNaN(v[0]) {
			return out, fmt.Errorf("undefined")
		}
		out.scores = append(out.scores, v[0])
		out.mean += v[0] / n
		for r, x := range resampled[i][0] {
			out.rows[r] += x / n
		}
	}
	if n > 1 {
		out.seeds = component{variance(out.scores) / n, n - 1}
	}
	return out, nil
}

func (g *runsOfOne) told() *Seeds {
	return &Seeds{Runs: len(g.scores), Scores: g.scores, Deviation: Number(math.Sqrt(variance(g.scores))), RowShare: g.rowShare()}
}

func (g *runsOfOne) rowShare() float64 {
	rows := variance(g.rows)
	return ratio(rows, rows+g.seeds.variance)
}

// variance is that of the population that values were drawn from; those that are NaN
// are left out.
func variance(values []float64) float64 {
	n, mean, squares := 0.0, 0.0, 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			n++
			d := v - mean
			mean += d / n
			squares += d * (v - mean)
		}
	}
	return squares / (n - 1) // NaN of one
}

// interval is a value with its interval at 1 − alpha, and the p-value of 0, by the
// variance from the rows and those of the seeds.
func interval(value, rows float64, seeds []component, alpha float64) (metric.Interval, float64) {
	total, below := rows, 0.0
	for _, c := range seeds {
		if c.df > 0 {
			total += c.variance
			below += c.variance * c.variance / c.df
		}
	}
	df := math.Inf(1)
	if below > 0 {
		df = total * total / below
	}
	half := metric.StudentQuantile(alpha, df) * math.Sqrt(total)
	p := 1.0
	if value != 0 {
		p = metric.StudentP(value/math.Sqrt(total), df)
	}
	return metric.Interval{Value: value, Low: value - half, High: value + half}, p
}

// meanMetrics are all metrics that the predictions allow, means over the runs.
func meanMetrics(samples []*metric.Sample) (map[string]float64, error) {
	sum := map[string]float64{}
	for i, s := range samples {
		one, err := measureAll(s)
		if err != nil {
			return nil, err
		}
		for name, v := range one {
			if _, ok := sum[name]; ok || i == 0 {
				sum[name] += v / float64(len(samples))
			}
		}
		for name := range sum {
			if _, ok := one[name]; !ok { // undefined of one
				delete(sum, name)
			}
		}
	}
	return sum, nil
}
