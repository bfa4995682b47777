// Command accuracy measures what `hone init` and `hone run` reach on public
// tables, with nothing edited, beside what scikit-learn reaches on the same
// files:
//
//	go run ./bench/accuracy -data DIR [-set adult] [-seeds 5] [-json FILE]
//	go run ./bench/accuracy -data DIR -cv [-set heart-disease] [-json FILE]
//
// DIR has a folder for each table, with its train and test file (public.Sets).
// The test files are read by nothing but the evaluation at the end of a run.
//
// With -cv, the tables whose test files are too small to tell models apart are
// measured by repeated cross-validation on all of their rows.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/bench/internal/public"
)

// A result is one metric of one table.
type result struct {
	Set    string    `json:"set"`
	Metric string    `json:"metric"`
	Values []float64 `json:"values"` // of seeds 0, 1, …
	Mean   float64   `json:"mean"`
	SD     float64   `json:"sd"`     // of the sample
	Linear float64   `json:"linear"` // hone's linear baseline, mean
	Peer   peer      `json:"scikit_learn"`
}

// output is what -json writes.
type output struct {
	Version string       `json:"version"`
	Peers   string       `json:"scikit_learn"`
	Results []result     `json:"results,omitempty"`
	Folds   []foldResult `json:"folds,omitempty"` // with -cv
}

func main() {
	folder := flag.String("data", os.Getenv("HONE_DATA"), "folder of the tables; default $HONE_DATA")
	only := flag.String("set", "", "tables, with commas; default all")
	seeds := flag.Int("seeds", 5, "how many seeds, from 0")
	cv := flag.Bool("cv", false, "repeated cross-validation, on the small tables")
	file := flag.String("json", "", "also write the results to this file")
	flag.Parse()
	if err := run(*folder, *only, *seeds, *cv, *file, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

func run(folder, only string, seeds int, cv bool, file string, stdout, stderr io.Writer) error {
	b, err := public.Begin(folder, only, seeds)
	if err != nil {
		return err
	}
	defer b.Close()
	o := output{Version: b.Hone.Version, Peers: peersOrigin}
	if cv {
		o.Peers = foldsOrigin
	}
	for _, s := range b.Sets {
		if cv {
			if !s.Small {
				continue // large enough for its test file
			}
			rs, err := measureFolds(b.Hone, s, b.Data, b.Work, stderr)
			if err != nil {
				return fmt.Errorf("%s: %w", s.Name, err)
			}
			o.Folds = append(o.Folds, rs...)
			continue
		}
		rs, err := measure(b.Hone, s, b.Data, b.Work, seeds, stderr)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		o.Results = append(o.Results, rs...)
	}
	if o.Results == nil && o.Folds == nil {
		return fmt.Errorf("-cv is for small tables, found %s, expected some of %s", only, strings.Join(slices.Sorted(maps.Keys(foldPeers)), ", "))
	}
	if cv {
		foldsMarkdown(stdout, o)
	} else {
		markdown(stdout, o, b.Sets, seeds)
	}
	return public.WriteJSON(file, o)
}

// measure carries out init once, and run with every seed.
func measure(hone *public.Hone, s public.Set, folder, work string, seeds int, stderr io.Writer) ([]result, error) {
	config, err := hone.Init(filepath.Join(work, s.Name), filepath.Join(folder, s.Name, s.Train), filepath.Join(folder, s.Name, s.Test), s.Target)
	if err != nil {
		return nil, err
	}
	results := make([]result, len(s.Metrics()))
	for i, m := range s.Metrics() {
		results[i] = result{Set: s.Name, Metric: m, Peer: peers[s.Name][m]}
	}
	for seed := range seeds {
		var got public.Summary
		if _, err := hone.Run(config, seed, s.Overrides, &got); err != nil {
			return nil, err
		}
		var said []string
		for i := range results {
			r := &results[i]
			v, ok := got.Test[r.Metric]
			if !ok {
				return nil, fmt.Errorf("hone run --json has no %s", r.Metric)
			}
			r.Values = append(r.Values, v.Value)
			r.Linear += got.Baselines["linear"][r.Metric].Value / float64(seeds)
			said = append(said, fmt.Sprintf("%s %.4g", r.Metric, v.Value))
		}
		fmt.Fprintf(stderr, "%s, seed %d: %s (%.0f s)\n", s.Name, seed, strings.Join(said, ", "), got.Seconds)
	}
	for i := range results {
		results[i].Mean, results[i].SD = public.Moments(results[i].Values)
	}
	return results, nil
}

func markdown(w io.Writer, o output, chosen []public.Set, seeds int) {
	fmt.Fprintf(w, "%s: `hone init` and `hone run`, nothing edited; mean ± standard deviation over %d seeds, on the test file.\n\n", o.Version, seeds)
	fmt.Fprintln(w, "| set | metric | hone | its linear baseline | scikit-learn linear | scikit-learn MLP | scikit-learn HGB |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- |")
	for _, r := range o.Results {
		f := func(x float64) string {
			if math.Abs(x) >= 10 {
				return fmt.Sprintf("%.1f", x)
			}
			return fmt.Sprintf("%.4f", x)
		}
		fmt.Fprintf(w, "| %s | %s | %s ± %s | %s | %s | %s | %s |\n", r.Set, r.Metric, f(r.Mean), f(r.SD), f(r.Linear), f(r.Peer.Linear), f(r.Peer.MLP), f(r.Peer.HGB))
	}
	fmt.Fprintln(w)
	for _, s := range chosen {
		if s.Note != "" {
			fmt.Fprintf(w, "%s: %s (`--set %s`).\n", s.Name, s.Note, strings.Join(s.Overrides, " --set "))
		}
	}
	fmt.Fprintf(w, "The figures of scikit-learn: %s.\n", o.Peers)
}
