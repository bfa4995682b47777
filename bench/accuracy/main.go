// Command accuracy measures what `hone init` and `hone run` reach on public
// tables, with nothing edited, beside what scikit-learn reaches on the same
// files:
//
//	go run ./bench/accuracy -data DIR [-set adult] [-seeds 3] [-json FILE]
//
// DIR has a folder for each table, with its train and test file (peers.go). The
// test files are read by nothing but the evaluation at the end of a run. A new
// table is one more entry of sets.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
	Version string   `json:"version"`
	Peers   string   `json:"scikit_learn"`
	Results []result `json:"results"`
}

func main() {
	folder := flag.String("data", os.Getenv("HONE_DATA"), "folder of the tables; default $HONE_DATA")
	only := flag.String("set", "", "one table; default all")
	seeds := flag.Int("seeds", 3, "how many seeds, from 0")
	file := flag.String("json", "", "also write the results to this file")
	flag.Parse()
	if err := run(*folder, *only, *seeds, *file, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

func run(folder, only string, seeds int, file string, stdout, stderr io.Writer) error {
	if folder == "" {
		return errors.New("give the folder of the tables with -data or HONE_DATA")
	}
	if seeds < 1 {
		return fmt.Errorf("-seeds is %d, expected 1 or more", seeds)
	}
	chosen, names := []set(nil), []string(nil)
	for _, s := range sets {
		names = append(names, s.name)
		if only == "" || only == s.name {
			chosen = append(chosen, s)
		}
	}
	if chosen == nil {
		return fmt.Errorf("there is no table %q, expected one of %s", only, strings.Join(names, ", "))
	}
	work, err := os.MkdirTemp("", "hone-accuracy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	hone := filepath.Join(work, "hone")
	if out, err := exec.Command("go", "build", "-o", hone, "github.com/hone-ml/hone/cmd/hone").CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build hone: %w\n%s", err, out)
	}
	version, err := exec.Command(hone, "--version").Output()
	if err != nil {
		return err
	}
	o := output{Version: strings.TrimSpace(string(version)), Peers: peersOrigin}
	for _, s := range chosen {
		rs, err := s.measure(hone, folder, work, seeds, stderr)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		o.Results = append(o.Results, rs...)
	}
	markdown(stdout, o, chosen, seeds)
	if file == "" {
		return nil
	}
	raw, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o644)
}

// scores are the parts of `hone run --json` that are looked at.
type scores struct {
	Test      map[string]struct{ Value float64 }
	Baselines map[string]map[string]struct{ Value float64 }
	Seconds   float64
}

// measure carries out init once, and run with every seed.
func (s *set) measure(hone, folder, work string, seeds int, stderr io.Writer) ([]result, error) {
	dir := filepath.Join(work, s.name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "hone.yaml")
	if _, err := call(hone, "init", filepath.Join(folder, s.name, s.train), "--test", filepath.Join(folder, s.name, s.test), "--target", s.target, "-o", config); err != nil {
		return nil, err
	}
	results := make([]result, len(s.metrics))
	for i, m := range s.metrics {
		results[i] = result{Set: s.name, Metric: m, Peer: s.peers[m]}
	}
	for seed := range seeds {
		args := []string{"run", config, "--json", "--log-format", "plain", "--set", fmt.Sprintf("seed=%d", seed)}
		for _, o := range s.overrides {
			args = append(args, "--set", o)
		}
		out, err := call(hone, args...)
		if err != nil {
			return nil, err
		}
		var got scores
		if err := json.Unmarshal(out, &got); err != nil {
			return nil, fmt.Errorf("hone run --json: %w", err)
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
		fmt.Fprintf(stderr, "%s, seed %d: %s (%.0f s)\n", s.name, seed, strings.Join(said, ", "), got.Seconds)
	}
	for i := range results {
		results[i].Mean, results[i].SD = moments(results[i].Values)
	}
	return results, nil
}

// call runs hone and returns its standard output.
func call(hone string, args ...string) ([]byte, error) {
	cmd := exec.Command(hone, args...)
	var text bytes.Buffer
	cmd.Stderr = &text
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("hone %s: %w\n%s", strings.Join(args, " "), err, text.String())
	}
	return out, nil
}

// moments returns the mean and the standard deviation of the sample, 0 of one
// value.
func moments(xs []float64) (mean, sd float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / math.Max(1, float64(len(xs)-1)))
}

func markdown(w io.Writer, o output, chosen []set, seeds int) {
	fmt.Fprintf(w, "%s: `hone init` and `hone run`, nothing edited; mean ± standard deviation over %d seeds, on the test file.\n\n", o.Version, seeds)
	fmt.Fprintln(w, "| set | metric | hone | its linear baseline | scikit-learn linear | scikit-learn MLP |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- |")
	for _, r := range o.Results {
		f := func(x float64) string {
			if math.Abs(x) >= 10 {
				return fmt.Sprintf("%.1f", x)
			}
			return fmt.Sprintf("%.4f", x)
		}
		fmt.Fprintf(w, "| %s | %s | %s ± %s | %s | %s | %s |\n", r.Set, r.Metric, f(r.Mean), f(r.SD), f(r.Linear), f(r.Peer.Linear), f(r.Peer.MLP))
	}
	fmt.Fprintln(w)
	for _, s := range chosen {
		if s.note != "" {
			fmt.Fprintf(w, "%s: %s (`--set %s`).\n", s.name, s.note, strings.Join(s.overrides, " --set "))
		}
	}
	fmt.Fprintf(w, "The figures of scikit-learn: %s.\n", o.Peers)
}
