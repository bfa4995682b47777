// Command media measures what `hone init` and `hone run` reach on public sets of
// texts and images, beside what others reach on the same files:
//
//	go run ./bench/media -data DIR [-set banking77,sst2] [-seeds 3] [-json FILE]
//
// DIR has a folder for each set. Test files are read by nothing but the evaluation
// at the end of a run, which takes up to 15 minutes for images.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hone-ml/hone/bench/internal/public"
	"github.com/hone-ml/hone/internal/atomicfile"
)

// A set is a folder of files, and the configurations that are tried on it.
type set struct {
	name        string
	train, test string // in the folder; "" and "": the folder says what is what
	target      string
	metrics     []string
	unseen      bool // leave out the test rows that are copies of training rows
	configs     []configuration
	peer        string // of the first metric
}

// A configuration is what `hone init` writes, and changes of it.
type configuration struct {
	name string
	sets []string
}

var byDefault = configuration{name: "default"}

// sets are in the order of the documentation. The peers' figures were obtained once,
// from scikit-learn 1.2.1 (TF-IDF of words and characters or pixels, the best of
// linear models, SVM and PCA) on the same files, or published.
var sets = []set{
	{name: "banking77", train: "train.csv", test: "test.csv", target: "category", metrics: []string{"accuracy", "f1_macro"}, configs: []configuration{byDefault}, peer: "0.9140, TF-IDF and LinearSVC"},
	{name: "sst2", train: "train.tsv", test: "test.tsv", target: "label", metrics: []string{"accuracy"}, configs: []configuration{byDefault}, peer: "0.8138, TF-IDF and logistic regression"},
	{name: "thucnews-titles", train: "train-45k.tsv", test: "test.tsv", target: "label", metrics: []string{"accuracy"}, configs: []configuration{byDefault}, peer: "0.9070, TF-IDF of characters and LinearSVC"},
	{name: "chnsenticorp", train: "train.tsv", test: "test.tsv", target: "label", metrics: []string{"accuracy"}, unseen: true, configs: []configuration{byDefault}, peer: "0.9091, TF-IDF of characters and LinearSVC"},
	{name: "fashion-mnist", target: "label", metrics: []string{"accuracy"}, configs: []configuration{byDefault}, peer: "0.916 to 0.934, published networks of two convolutions"},
	{name: "cifar10-subset", target: "label", metrics: []string{"accuracy"}, configs: []configuration{byDefault}, peer: "0.476, PCA and SVM"},
	{name: "pneumoniamnist", train: "pneumoniamnist.npz", target: "label", metrics: []string{"roc_auc"}, configs: []configuration{byDefault}, peer: "0.952, SVM; 0.944, published ResNet-18"},
}

// A result is a metric of a configuration on a set.
type result struct {
	Set     string    `json:"set"`
	Config  string    `json:"config"`
	Sets    []string  `json:"overrides"`
	Metric  string    `json:"metric"`
	Values  []float64 `json:"values"` // of seeds 0, 1, …
	Mean    float64   `json:"mean"`
	SD      float64   `json:"sd"`
	Linear  float64   `json:"linear"`  // hone's linear baseline, mean
	Seconds []float64 `json:"seconds"` // of the runs
	PeakMB  float64   `json:"peak_mb"`
	Peer    string    `json:"peer"`
}

func main() {
	folder := flag.String("data", os.Getenv("HONE_DATA"), "folder of the sets; default $HONE_DATA")
	only := flag.String("set", "", "sets, with commas; default all")
	seeds := flag.Int("seeds", 3, "how many seeds, from 0")
	file := flag.String("json", "", "also write the results to this file")
	flag.Parse()
	if err := run(*folder, *only, *seeds, *file, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "media:", err)
		os.Exit(1)
	}
}

func run(folder, only string, seeds int, file string, stdout, stderr io.Writer) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	b, err := public.Begin(folder, "", seeds)
	if err != nil {
		return err
	}
	defer b.Close()
	var all []result
	for _, s := range chosen {
		for i, c := range s.configs {
			rs, err := measure(b, &s, c, filepath.Join(b.Work, fmt.Sprintf("%s-%d", s.name, i)), seeds, stderr)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", s.name, c.name, err)
			}
			all = append(all, rs...)
		}
	}
	markdown(stdout, b.Hone.Version, all, seeds)
	return public.WriteJSON(file, all)
}

func choose(list string) ([]set, error) {
	if list == "" {
		return sets, nil
	}
	var chosen []set
	for name := range strings.SplitSeq(list, ",") {
		found := false
		for _, s := range sets {
			if s.name == strings.TrimSpace(name) {
				chosen, found = append(chosen, s), true
			}
		}
		if !found {
			var names []string
			for _, s := range sets {
				names = append(names, s.name)
			}
			return nil, fmt.Errorf("there is no set %q, expected some of %s", name, strings.Join(names, ", "))
		}
	}
	return chosen, nil
}

func measure(b *public.Session, s *set, c configuration, dir string, seeds int, stderr io.Writer) ([]result, error) {
	folder := filepath.Join(b.Data, s.name)
	train, test := filepath.Join(folder, s.train), ""
	if s.test != "" {
		test = filepath.Join(folder, s.test)
	}
	if s.unseen {
		var err error
		if test, err = unseen(train, test, filepath.Join(b.Work, s.name+"-"+s.test)); err != nil {
			return nil, err
		}
	}
	config, err := b.Hone.Init(dir, train, test, s.target)
	if err != nil {
		return nil, err
	}
	results := make([]result, len(s.metrics))
	for i, m := range s.metrics {
		results[i] = result{Set: s.name, Config: c.name, Sets: c.sets, Metric: m, Peer: s.peer}
		if i > 0 {
			results[i].Peer = ""
		}
	}
	for seed := range seeds {
		var got public.Summary
		peak, err := b.Hone.Run(config, seed, c.sets, &got)
		if err != nil {
			return nil, err
		}
		for i := range results {
			r := &results[i]
			v, ok := got.Test[r.Metric]
			if !ok {
				return nil, fmt.Errorf("hone run --json has no %s", r.Metric)
			}
			r.Values, r.Seconds, r.PeakMB = append(r.Values, v.Value), append(r.Seconds, got.Seconds), max(r.PeakMB, peak)
			r.Linear += got.Baselines["linear"][r.Metric].Value / float64(seeds)
			fmt.Fprintf(stderr, "%s, %s, seed %d: %s %.4f (%.0f s)\n", s.name, c.name, seed, r.Metric, v.Value, got.Seconds)
		}
	}
	for i := range results {
		results[i].Mean, results[i].SD = public.Moments(results[i].Values)
	}
	return results, nil
}

// unseen writes the lines of a test file that are not lines of the training file.
func unseen(train, test, to string) (string, error) {
	seen := map[string]bool{}
	raw, err := os.ReadFile(train)
	if err != nil {
		return "", err
	}
	lines := bytes.SplitAfter(raw, []byte("\n"))
	for _, l := range lines[1:] {
		seen[text(l)] = true
	}
	if raw, err = os.ReadFile(test); err != nil {
		return "", err
	}
	var out []byte
	for i, l := range bytes.SplitAfter(raw, []byte("\n")) {
		if i == 0 || !seen[text(l)] {
			out = append(out, l...)
		}
	}
	return to, atomicfile.WriteBytes(to, out)
}

// text is what follows the label, without the end of the line.
func text(line []byte) string {
	_, t, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte("\t"))
	return string(t)
}

func markdown(w io.Writer, version string, all []result, seeds int) {
	fmt.Fprintf(w, "%s: `hone init` and `hone run`; mean ± standard deviation over %d seeds, on the set's own test file.\n\n", version, seeds)
	fmt.Fprintln(w, "| set | configuration | metric | hone | each seed | its linear baseline | seconds | peak MB | peers |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, r := range all {
		var each, seconds []string
		for i, v := range r.Values {
			each, seconds = append(each, fmt.Sprintf("%.4f", v)), append(seconds, fmt.Sprintf("%.0f", r.Seconds[i]))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %.4f ± %.4f | %s | %.4f | %s | %.0f | %s |\n", r.Set, r.Config, r.Metric, r.Mean, r.SD,
			strings.Join(each, ", "), r.Linear, strings.Join(seconds, ", "), r.PeakMB, r.Peer)
	}
	for _, r := range all {
		if len(r.Sets) > 0 {
			fmt.Fprintf(w, "\n%s, %s: `--set %s`.\n", r.Set, r.Config, strings.Join(r.Sets, " --set "))
		}
	}
}
