// Command tables measures hone beside the defaults of the peers that a data
// scientist would reach for, on the same public tables, on one machine, in one
// run:
//
//	go run ./bench/tables setup [-venv DIR] [-python python3]
//	go run ./bench/tables -data DIR [-set adult] [-models hone,lightgbm] [-seeds 1] [-peers FILE] [-json FILE]
//
// The first makes a virtual environment with the peers (requirements.txt). The
// second trains each model on the train file and scores it once on the test
// file: hone by `hone init` and `hone run` with nothing edited, the peers by
// peers.py, each fit in a process of its own. DIR has a folder for each table
// (bench/internal/public). A peer that is missing is named, and the rest runs.
//
// -peers keeps the peers' results in a file: what it has is not run again, so
// that hone alone can be measured again, and what it lacks is run and added.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/bench/internal/public"
	"github.com/hone-ml/hone/bench/internal/venv"
)

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tables:", err)
		os.Exit(1)
	}
}

func start(args []string) error {
	if len(args) > 0 && args[0] == "setup" {
		return venv.Command("tables", defaultVenv, requirements, args[1:])
	}
	var o options
	flags := flag.NewFlagSet("tables", flag.ExitOnError)
	flags.StringVar(&o.data, "data", os.Getenv("HONE_DATA"), "folder of the tables; default $HONE_DATA")
	flags.StringVar(&o.sets, "set", "", "tables, with commas; default all")
	flags.StringVar(&o.models, "models", "", "models, with commas; default all: "+strings.Join(modelNames(), ","))
	flags.IntVar(&o.seeds, "seeds", 1, "how many seeds, from 0")
	flags.IntVar(&o.threads, "threads", 2, "threads of every model")
	flags.StringVar(&o.venv, "venv", defaultVenv, "folder of the virtual environment of the peers")
	flags.StringVar(&o.peers, "peers", "", "file that keeps the peers' results")
	flags.StringVar(&o.json, "json", "", "also write the results to this file")
	flags.Parse(args)
	if flags.NArg() > 0 {
		return fmt.Errorf("found %q, expected flags or setup", flags.Arg(0))
	}
	return run(o, os.Stdout, os.Stderr)
}

type options struct {
	data, sets, models string
	seeds, threads     int
	venv, peers, json  string
}

func run(o options, stdout, stderr io.Writer) error {
	if o.threads < 1 {
		return fmt.Errorf("-threads is %d, expected 1 or more", o.threads)
	}
	chosen, err := chooseModels(o.models)
	if err != nil {
		return err
	}
	kept, err := load(o.peers)
	if err != nil {
		return err
	}
	b, err := public.Begin(o.data, o.sets, o.seeds)
	if err != nil {
		return err
	}
	defer b.Close()
	b.Hone.Threads = o.threads
	p, err := newPeers(o.venv, b.Work, o.peers)
	if err != nil {
		return err
	}

	out := results{Hone: b.Hone.Version}
	for _, s := range b.Sets {
		config := ""
		var compared []string // hone's bundle and files of predictions
		for _, m := range chosen {
			for seed := range o.seeds {
				key := key{Set: s.Name, Model: m.name, Seed: seed}
				if old, ok := kept.find(key); ok && m.name != honeName {
					out.Reused++
					out.add(old)
					compared = p.compared(compared, s, m, seed)
					continue
				}
				var r record
				if m.name == honeName {
					if config == "" {
						config, err = b.Hone.Init(filepath.Join(b.Work, s.Name), filepath.Join(b.Data, s.Name, s.Train), filepath.Join(b.Data, s.Name, s.Test), s.Target)
						if err != nil {
							return fmt.Errorf("%s: %w", s.Name, err)
						}
					}
					r, err = runHone(b.Hone, config, s, seed)
					if bundle := filepath.Join(filepath.Dir(config), honeName+".hone"); err == nil && seed == 0 {
						compared, err = append(compared, bundle), os.Rename(r.bundle, bundle)
					}
				} else {
					r, err = p.run(s, m, b.Data, seed, o.threads)
				}
				if err != nil {
					fmt.Fprintf(stderr, "%s, %s: %v\n", s.Name, m.label, err)
					out.fail(s.Name, m, err)
					break // the other seeds would fail alike
				}
				r.key, r.Threads = key, o.threads
				fmt.Fprintf(stderr, "%s, %s, seed %d: %s (%.1f s)\n", s.Name, m.label, seed, figures(s, r), r.FitSeconds)
				out.add(r)
				compared = p.compared(compared, s, m, seed)
				if o.peers != "" && m.name != honeName {
					kept.add(r)
					if err := kept.save(o.peers); err != nil {
						return err
					}
				}
			}
		}
		if len(compared) < 2 || out.of(s.Name, honeName) == nil {
			continue
		}
		t := tested{Set: s.Name}
		if err := b.Hone.Compare(filepath.Join(b.Data, s.Name, s.Test), s.Target, compared, &t); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		out.Tests = append(out.Tests, t)
	}
	markdown(stdout, out, b.Sets)
	return out.save(o.json)
}

// figures are a record's metrics in words.
func figures(s public.Set, r record) string {
	var words []string
	for _, m := range s.Metrics() {
		words = append(words, fmt.Sprintf("%s %.4g", m, r.Metrics[m]))
	}
	return strings.Join(words, ", ")
}

// runHone carries out one run; what it says of itself is the record.
func runHone(h *public.Hone, config string, s public.Set, seed int) (record, error) {
	var got public.Summary
	peak, err := h.Run(config, seed, s.Overrides, &got)
	if err != nil {
		return record{}, err
	}
	r := record{Package: h.Version, Metrics: map[string]float64{}, FitSeconds: got.Seconds, LatencyMS: got.LatencyMS, PeakMB: peak, bundle: got.Bundle}
	for _, m := range s.Metrics() {
		v, ok := got.Test[m]
		if !ok {
			return record{}, fmt.Errorf("hone run --json has no %s", m)
		}
		r.Metrics[m] = v.Value
	}
	return r, nil
}

// A model is one competitor.
type model struct {
	name, label string
	packaged    string // what it comes with, of PyPI
}

const honeName = "hone"

// models are the competitors, in the order of the tables; peers.py knows the
// peers by the same names.
var models = []model{
	{honeName, "hone", ""},
	{"linear", "scikit-learn linear", "scikit-learn"},
	{"mlp", "scikit-learn MLP", "scikit-learn"},
	{"hgb", "scikit-learn HGB", "scikit-learn"},
	{"lightgbm", "LightGBM", "lightgbm"},
	{"catboost", "CatBoost", "catboost"},
	{"realmlp", "RealMLP-TD", "pytabkit"},
}

func modelNames() (names []string) {
	for _, m := range models {
		names = append(names, m.name)
	}
	return names
}

func chooseModels(list string) (chosen []model, err error) {
	if list == "" {
		return models, nil
	}
	wanted := strings.Split(list, ",")
	for _, name := range wanted {
		if !slices.Contains(modelNames(), name) {
			return nil, fmt.Errorf("there is no model %q, expected some of %s", name, strings.Join(modelNames(), ", "))
		}
	}
	for _, m := range models {
		if slices.Contains(wanted, m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}
