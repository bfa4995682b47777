// Command networks compares candidates for hone's default network and number
// inputs, by validation folds of the training files alone:
//
//	go run ./bench/networks -data DIR [-set adult] [-seeds 2] [-json FILE]
//
// A training file is divided by every seed into rows to train on, to stop by and to
// measure on; a small one is cross-validated. No test file is opened. The outcome is in docs/decisions/0011-default-network.md.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hone-ml/hone/bench/internal/public"
)

// A candidate is a configuration to be compared. A new one is one more entry.
type candidate struct {
	name   string
	number string   // options of every number input
	sets   []string // overrides
}

var candidates = []candidate{
	{"MLP 256-128", "embedding: none", []string{"network={type: mlp, widths: [256, 128], dropout: 0.1}", "train.optimizer.learning_rate=0.001"}},
	{"ResNet", "embedding: none", []string{"network={type: resnet}", "train.optimizer.learning_rate=0.001"}},
	{"TabM", "embedding: none", nil},
	{"MLP, piecewise-linear", "", []string{"network={type: mlp, widths: [256, 128], dropout: 0.1}", "train.optimizer.learning_rate=0.001"}},
	{"ResNet, piecewise-linear", "", []string{"network={type: resnet}", "train.optimizer.learning_rate=0.001"}},
	{"MLP in the manner of RealMLP", "embedding: pbld, scaling: robust, clip: 3", []string{
		"network={type: mlp, widths: [256, 256, 256], activation: silu, dropout: 0.15}",
		"train.optimizer={type: adamw, learning_rate: 0.002, beta2: 0.95, weight_decay: 0.02}"}},
	{"TabM, piecewise-linear (default)", "", nil},
	{"TabM, periodic", "embedding: periodic", nil},
}

// A result is the scores of a candidate on one table.
type result struct {
	Set       string    `json:"set"`
	Candidate string    `json:"candidate"`
	Metric    string    `json:"metric"`
	Values    []float64 `json:"values"` // of the seeds, or of the folds' means
	Seconds   float64   `json:"seconds"`
}

func main() {
	folder := flag.String("data", os.Getenv("HONE_DATA"), "folder of the tables; default $HONE_DATA")
	only := flag.String("set", "", "tables, with commas; default all")
	seeds := flag.Int("seeds", 2, "how many seeds, from 0")
	file := flag.String("json", "", "also write the results to this file")
	flag.Parse()
	if err := run(*folder, *only, *seeds, *file, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "networks:", err)
		os.Exit(1)
	}
}

func run(folder, only string, seeds int, file string, stdout, stderr io.Writer) error {
	b, err := public.Begin(folder, only, seeds)
	if err != nil {
		return err
	}
	defer b.Close()
	var all []result
	for _, s := range b.Sets {
		for i, c := range candidates {
			rs, err := measure(b.Hone, &s, &c, b.Data, filepath.Join(b.Work, fmt.Sprintf("%s-%d", s.Name, i)), seeds)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", s.Name, c.name, err)
			}
			for _, r := range rs {
				mean, _ := public.Moments(r.Values)
				fmt.Fprintf(stderr, "%s, %s: %s %.5g (%.0f s)\n", r.Set, r.Candidate, r.Metric, mean, r.Seconds)
			}
			all = append(all, rs...)
		}
	}
	markdown(stdout, all)
	return public.WriteJSON(file, all)
}

// summary is what is read of `hone run --json`.
type summary struct {
	public.Summary
	CrossValidation *struct {
		Scores map[string]struct{ Mean float64 } `json:"scores"`
	} `json:"cross_validation"`
}

// measure runs a candidate with every seed.
func measure(hone *public.Hone, s *public.Set, c *candidate, folder, dir string, seeds int) ([]result, error) {
	config, err := hone.Init(dir, filepath.Join(folder, s.Name, s.Train), "", s.Target)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	if c.number != "" {
		inputs, rest, _ := strings.Cut(string(raw), "\noutputs:")
		inputs = strings.ReplaceAll(inputs, "type: number}", "type: number, "+c.number+"}")
		raw = []byte(inputs + "\noutputs:" + rest)
		if err := os.WriteFile(config, raw, 0o644); err != nil {
			return nil, err
		}
	}
	metrics := []string{"log_loss", "roc_auc"}
	if s.Positive == "" {
		metrics = []string{"rmse"}
	}
	results := make([]result, len(metrics))
	for i, m := range metrics {
		results[i] = result{Set: s.Name, Candidate: c.name, Metric: m}
	}
	sets := append(append([]string{"evaluate.bootstrap=0"}, s.Overrides...), c.sets...)
	if s.Small {
		sets = append(sets, "data.split.fractions=null", "evaluate.cross_validation=5")
	}
	for seed := range seeds {
		var got summary
		if _, err := hone.Run(config, seed, sets, &got); err != nil {
			return nil, err
		}
		for i, m := range metrics {
			v := got.Test[m].Value
			if cv := got.CrossValidation; cv != nil {
				v = cv.Scores[m].Mean
			}
			results[i].Values = append(results[i].Values, v)
			results[i].Seconds += got.Seconds / float64(seeds)
		}
	}
	return results, nil
}

// markdown writes a table with a row for each candidate and a column for each
// table and metric.
func markdown(w io.Writer, all []result) {
	var columns []string
	cells := map[string]map[string]string{}
	for _, r := range all {
		column := r.Set + " " + r.Metric
		if cells[column] == nil {
			cells[column] = map[string]string{}
			columns = append(columns, column)
		}
		mean, sd := public.Moments(r.Values)
		format := "%.4f ± %.4f"
		if mean > 10 {
			format = "%.1f ± %.1f"
		}
		cells[column][r.Candidate] = fmt.Sprintf(format, mean, sd)
	}
	fmt.Fprintf(w, "| candidate | %s |\n| --- |%s\n", strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
	for _, c := range candidates {
		fmt.Fprintf(w, "| %s |", c.name)
		for _, column := range columns {
			fmt.Fprintf(w, " %s |", cells[column][c.name])
		}
		fmt.Fprintln(w)
	}
}
