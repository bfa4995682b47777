package optimize

import (
	"fmt"
	"math"

	"github.com/hone-ml/hone/metric"
)

// Alpha is the chance that a run keeps anything that is no better, over all its
// trials.
const Alpha = 0.05

// Level returns the one-sided level of each of so many trials (Bonferroni).
// Holm's procedure, which gives away less, needs all p-values at once; the
// trials of a chain depend on what was kept before.
func Level(trials int) float64 { return Alpha / float64(max(1, trials)) }

// least is the part of the metric that a gain must reach: what is less is not
// worth a change of the configuration, however sure it is.
const least = 0.002

// intervalResamples are those of the interval of a gain.
const intervalResamples = 1000

// A Verdict is what a paired test says of a candidate.
type Verdict struct {
	Before, After float64         // the metric
	Gain          metric.Interval // by how much it got better, with an interval of 95 %
	Test          string
	P             float64 // one-sided: how often chance alone makes an equal candidate look so good
	Better        bool
	Small         bool // better, but by too little to be worth a change
}

// Judge tests whether the candidate is better than the incumbent by a metric,
// on the same rows that neither was trained on, at a one-sided level. The test
// is that of [metric.Paired]. The interval is of paired resamples, and not
// corrected for the number of trials: it says how large the gain is, the test
// whether there is one.
func Judge(incumbent, candidate *metric.Sample, m *metric.Metric, level float64, seed uint64) (Verdict, error) {
	values, resampled, err := metric.ResampleAll([]*metric.Sample{incumbent, candidate}, []*metric.Metric{m}, intervalResamples, seed)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Before: values[0][0], After: values[1][0]}
	if math.IsNaN(v.Before) || math.IsNaN(v.After) {
		return v, fmt.Errorf("%s is undefined on these %d rows", m.Name, incumbent.Rows())
	}
	sign := -1.0
	if m.HigherIsBetter {
		sign = 1
	}
	gains := make([]float64, intervalResamples)
	for i := range gains {
		gains[i] = sign * (resampled[1][0][i] - resampled[0][0][i])
	}
	v.Gain = metric.PercentileInterval(sign*(v.After-v.Before), gains, 0.95)
	// As many patterns as a p-value at the level needs to be told from it.
	patterns := max(9999, int(math.Ceil(40/level)))
	test, err := metric.Paired(candidate, incumbent, m, nil, patterns, seed)
	if err != nil {
		return v, err
	}
	// Half of a two-sided p-value, on the side where the candidate is.
	v.Test, v.P = test.Test, test.P/2
	if v.Gain.Value <= 0 {
		v.P = 1 - v.P
	}
	v.Better = v.Gain.Value > 0 && v.P <= level
	v.Small = v.Better && v.Gain.Value < least*math.Abs(v.Before)
	v.Better = v.Better && !v.Small
	return v, nil
}
