package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hone-ml/hone/bench/internal/public"
)

// folds and repeats are those of the peers' figures.
const folds, repeats = 5, 4

// A spread is a metric over folds: mean, and standard deviation of the sample.
type spread struct {
	Mean float64 `json:"mean"`
	SD   float64 `json:"deviation"`
}

// A foldPeer is what scikit-learn reaches over folds of the same rows.
type foldPeer struct {
	Linear spread `json:"linear"`
	MLP    spread `json:"mlp"`
	HGB    spread `json:"hgb"`
}

// A foldResult is one metric of one table by cross-validation.
type foldResult struct {
	Set    string    `json:"set"`
	Metric string    `json:"metric"`
	Values []float64 `json:"values"` // of every fold, repeat by repeat
	spread
	Linear spread   `json:"linear"` // hone's linear baseline on the same folds
	Peer   foldPeer `json:"scikit_learn"`
}

// foldSummary is what is read of `hone run --json` here.
type foldSummary struct {
	Seconds float64 `json:"seconds"`
	Folds   *struct {
		Scores    map[string]spread            `json:"scores"`
		Baselines map[string]map[string]spread `json:"baselines"`
		Each      []struct {
			Scores map[string]float64 `json:"scores"`
		} `json:"each"`
	} `json:"cross_validation"`
}

// measureFolds lets hone cross-validate on all rows of a table, those of the
// train and the test file.
func measureFolds(hone *public.Hone, s public.Set, folder, work string, stderr io.Writer) ([]foldResult, error) {
	rows, err := joined(filepath.Join(folder, s.Name, s.Train), filepath.Join(folder, s.Name, s.Test))
	if err != nil {
		return nil, err
	}
	file := filepath.Join(work, s.Name+".csv")
	if err := os.WriteFile(file, rows, 0o644); err != nil {
		return nil, err
	}
	config, err := hone.Init(filepath.Join(work, s.Name), file, "", s.Target)
	if err != nil {
		return nil, err
	}
	// Init sets rows aside for a test, which the folds do without.
	overrides := append([]string{
		"data.split.fractions=null",
		fmt.Sprintf("evaluate.cross_validation={folds: %d, repeats: %d}", folds, repeats),
	}, s.Overrides...)
	var got foldSummary
	if _, err := hone.Run(config, 0, overrides, &got); err != nil {
		return nil, err
	}
	results, err := foldResults(s, got)
	if err != nil {
		return nil, err
	}
	var said []string
	for _, r := range results {
		said = append(said, fmt.Sprintf("%s %.4g", r.Metric, r.Mean))
	}
	fmt.Fprintf(stderr, "%s, %d folds: %s (%.0f s)\n", s.Name, folds*repeats, strings.Join(said, ", "), got.Seconds)
	return results, nil
}

// foldResults takes the metrics of a table out of what hone said.
func foldResults(s public.Set, got foldSummary) (results []foldResult, err error) {
	if got.Folds == nil || len(got.Folds.Each) != folds*repeats {
		return nil, fmt.Errorf("hone run --json does not have %d folds", folds*repeats)
	}
	for _, m := range s.Metrics() {
		r := foldResult{Set: s.Name, Metric: m, spread: got.Folds.Scores[m], Linear: got.Folds.Baselines["linear"][m], Peer: foldPeers[s.Name][m]}
		for i, f := range got.Folds.Each {
			v, ok := f.Scores[m]
			if !ok {
				return nil, fmt.Errorf("hone run --json has no %s of fold %d", m, i+1)
			}
			r.Values = append(r.Values, v)
		}
		results = append(results, r)
	}
	return results, nil
}

// joined returns the rows of CSV files with one header, which all must have.
func joined(paths ...string) ([]byte, error) {
	var all, header []byte
	for _, path := range paths {
		text, err := read(path)
		if err != nil {
			return nil, err
		}
		line, rows, _ := bytes.Cut(text, []byte("\n"))
		if header == nil {
			header = line
			all = append(bytes.Clone(line), '\n')
		} else if !bytes.Equal(header, line) {
			return nil, fmt.Errorf("%s: found the header %q, expected that of %s, %q", path, line, paths[0], header)
		}
		all = append(all, rows...)
		if len(rows) > 0 && rows[len(rows)-1] != '\n' {
			all = append(all, '\n')
		}
	}
	return all, nil
}

// read returns a file's content, unpacked if its name ends in .gz.
func read(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return raw, err
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}

func foldsMarkdown(w io.Writer, o output) {
	fmt.Fprintf(w, "%s: `hone init`, and `hone run` with `--set data.split.fractions=null --set 'evaluate.cross_validation={folds: %d, repeats: %d}'`, nothing else edited, on all rows (train and test file); mean ± standard deviation over %d folds.\n\n", o.Version, folds, repeats, folds*repeats)
	fmt.Fprintln(w, "| set | metric | hone | its linear baseline | scikit-learn linear | scikit-learn MLP | scikit-learn HGB |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- |")
	f := func(s spread) string { return fmt.Sprintf("%.4f ± %.4f", s.Mean, s.SD) }
	for _, r := range o.Folds {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Set, r.Metric, f(r.spread), f(r.Linear), f(r.Peer.Linear), f(r.Peer.MLP), f(r.Peer.HGB))
	}
	fmt.Fprintf(w, "\nThe figures of scikit-learn: %s.\n", o.Peers)
}
