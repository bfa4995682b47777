// Command coverage counts, by simulation, how often hone's 95 % intervals hold a
// known truth, and how often a leaderboard of equal predictors has a winner:
//
//	go run ./bench/coverage [-simulations 2000] [-rows 500] [-resamples 1000] [-json FILE]
//
// The truths are the accuracy of a coin, the ROC AUC of two normal laws a
// deviation apart, and the RMSE of normal and of log-normal errors. The
// predictors of a leaderboard see each row through noise of their own, from one
// law.
package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"

	"github.com/hone-ml/hone/bench/internal/public"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

const level = 0.95

// A rate is a share of simulations with its Monte Carlo error.
type rate struct {
	What   string  `json:"what"`
	Share  float64 `json:"share"`
	Error  float64 `json:"standard_error"`
	Wanted string  `json:"wanted"`
}

func main() {
	simulations := flag.Int("simulations", 2000, "of each kind")
	rows := flag.Int("rows", 500, "of a simulation")
	resamples := flag.Int("resamples", 1000, "of an interval")
	file := flag.String("json", "", "also write the results to this file")
	flag.Parse()
	if err := run(*simulations, *rows, *resamples, *file, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

func run(simulations, rows, resamples int, file string, w io.Writer) error {
	if simulations < 1 || rows < 10 || resamples < 1 {
		return fmt.Errorf("found %d simulations of %d rows with %d resamples, expected at least 1, 10 and 1", simulations, rows, resamples)
	}
	var out []rate
	add := func(what string, count int, wanted string) {
		p := float64(count) / float64(simulations)
		out = append(out, rate{what, p, math.Sqrt(p * (1 - p) / float64(simulations)), wanted})
	}
	for _, t := range truths {
		held, percentile, delong := 0, 0, 0
		m, err := metric.Lookup(t.metric)
		if err != nil {
			return err
		}
		for i := range simulations {
			s := t.draw(rand.New(rand.NewPCG(uint64(i), 1)), rows)
			ms := []*metric.Metric{m}
			values, resampled, err := metric.Resample(s, ms, resamples, uint64(i))
			if err != nil {
				return err
			}
			intervals, err := metric.BCa(s, ms, values, resampled, level)
			if err != nil {
				return err
			}
			count(&held, intervals[0], t.value)
			count(&percentile, metric.PercentileInterval(values[0], resampled[0], level), t.value)
			if t.metric == "roc_auc" {
				v, err := metric.DeLongInterval(s, level)
				if err != nil {
					return err
				}
				count(&delong, v, t.value)
			}
		}
		add(t.name+", BCa", held, "0.935 to 0.965")
		add(t.name+", percentile", percentile, "")
		if t.metric == "roc_auc" {
			add(t.name+", DeLong", delong, "")
		}
	}
	for _, name := range []string{"accuracy", "roc_auc", "log_loss", "rmse", "mae", "f1"} {
		for _, k := range []int{2, 3, 5} {
			won := 0
			for i := range simulations {
				o := evaluate.DefaultRankOptions()
				o.Metric, o.Resamples, o.Seed = name, 399, uint64(i)
				board, err := evaluate.Rank(equals(rand.New(rand.NewPCG(uint64(i), 2)), k, rows, name == "rmse" || name == "mae"), o)
				if err != nil {
					return err
				}
				if board.Winner != "" {
					won++
				}
			}
			add(fmt.Sprintf("%d equal predictors by %s have a winner", k, name), won, "at most 0.05")
		}
	}
	fmt.Fprintf(w, "%d simulations of %d rows, %d resamples.\n\n| what | share | standard error | wanted |\n| --- | --- | --- | --- |\n", simulations, rows, resamples)
	for _, r := range out {
		fmt.Fprintf(w, "| %s | %.4f | %.4f | %s |\n", r.What, r.Share, r.Error, r.Wanted)
	}
	return public.WriteJSON(file, out)
}

func count(held *int, v metric.Interval, truth float64) {
	if v.Low <= truth && truth <= v.High {
		*held++
	}
}

// truths are laws whose metric is known.
var truths = []struct {
	name, metric string
	value        float64
	draw         func(r *rand.Rand, rows int) *metric.Sample
}{
	{"accuracy 0.85", "accuracy", 0.85, func(r *rand.Rand, rows int) *metric.Sample {
		s := &metric.Sample{Kind: metric.Binary}
		for range rows {
			y := float64(r.IntN(2))
			p := y
			if r.Float64() < 0.15 {
				p = 1 - y
			}
			s.Target, s.Pred = append(s.Target, y), append(s.Pred, p)
		}
		return s
	}},
	{"ROC AUC 0.760", "roc_auc", math.Erfc(-1./2) / 2, func(r *rand.Rand, rows int) *metric.Sample {
		s := &metric.Sample{Kind: metric.Binary}
		for range rows {
			y := 0.0
			if r.Float64() < 0.3 {
				y = 1
			}
			s.Target, s.Score = append(s.Target, y), append(s.Score, y+r.NormFloat64())
		}
		return s
	}},
	{"RMSE of normal errors", "rmse", 2, errorsOf(func(r *rand.Rand) float64 { return 2 * r.NormFloat64() })},
	{"RMSE of skewed errors", "rmse", math.Exp(0.25), errorsOf(func(r *rand.Rand) float64 { return math.Exp(0.5 * r.NormFloat64()) })},
}

// errorsOf has predictions of 0 for targets of a law.
func errorsOf(draw func(r *rand.Rand) float64) func(r *rand.Rand, rows int) *metric.Sample {
	return func(r *rand.Rand, rows int) *metric.Sample {
		s := &metric.Sample{Kind: metric.Regression, Pred: make([]float64, rows)}
		for range rows {
			s.Target = append(s.Target, draw(r))
		}
		return s
	}
}

// equals are predictors of the same rows that could change names.
func equals(r *rand.Rand, k, rows int, numbers bool) []evaluate.Entry {
	truth, hard := make([]float64, rows), make([]float64, rows)
	for i := range truth {
		hard[i] = r.NormFloat64()
		if numbers {
			truth[i] = hard[i] + r.NormFloat64()
		} else if r.Float64() < 1/(1+math.Exp(-2*hard[i])) {
			truth[i] = 1
		}
	}
	var all []evaluate.Entry
	for j := range k {
		s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}, Target: truth}
		if numbers {
			s = &metric.Sample{Kind: metric.Regression, Target: truth}
		}
		for i := range truth {
			v := hard[i] + 0.5*r.NormFloat64()
			if numbers {
				s.Pred = append(s.Pred, v)
				continue
			}
			p := 1 / (1 + math.Exp(-2*v))
			s.Prob, s.Pred = append(s.Prob, p), append(s.Pred, math.Round(p))
		}
		all = append(all, evaluate.Entry{Name: fmt.Sprintf("model %d", j+1), Sample: s})
	}
	return all
}
