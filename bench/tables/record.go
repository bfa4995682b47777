package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/hone-ml/hone/bench/internal/public"
	"github.com/hone-ml/hone/bench/internal/venv"
)

// A key tells what a record measures.
type key struct {
	Set   string `json:"set"`
	Model string `json:"model"`
	Seed  int    `json:"seed"`
}

// A record is one fit, scored once on the test file.
type record struct {
	key
	Threads    int                `json:"threads"`
	Package    string             `json:"package"` // with its version
	Metrics    map[string]float64 `json:"metrics"`
	FitSeconds float64            `json:"fit_seconds"`
	LatencyMS  float64            `json:"latency_ms"` // one row, median
	PeakMB     float64            `json:"peak_mb"`    // resident memory of the process, 0: unknown

	bundle string // of hone
}

// A failure is a model that gave no record, and why.
type failure struct {
	Set     string `json:"set"`
	Model   string `json:"model"`
	Problem string `json:"problem"`
	missing bool   // not installed
}

// results are what one call has measured or read, as -json and -peers write it.
type results struct {
	Hone     string    `json:"hone,omitempty"`
	Reused   int       `json:"reused,omitempty"` // records that come from the -peers file
	Records  []record  `json:"records"`
	Failures []failure `json:"failures,omitempty"`
	// Tests are hone's paired comparisons with the peers, of seed 0.
	Tests []tested `json:"tests,omitempty"`
}

// tested is what is read of `hone compare --json` on the test file of a set.
type tested struct {
	Set       string                `json:"set"`
	Metric    struct{ Name string } `json:"metric"`
	Verdict   string                `json:"verdict"`
	Standings []struct {
		Name    string `json:"name"`
		Against *struct {
			Test  string  `json:"test"`
			P     float64 `json:"p"`
			PAll  float64 `json:"p_adjusted"`
			Apart bool    `json:"apart"`
		} `json:"against,omitempty"`
	} `json:"standings"`
}

// load reads a file of results; one that is not there, or not named, has none.
func load(path string) (*results, error) {
	r := &results{}
	if path == "" {
		return r, nil
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("%s: expected results that bench/tables wrote: %w", path, err)
	}
	return r, nil
}

func (r *results) save(path string) error { return public.WriteJSON(path, r) }

func (r *results) find(k key) (record, bool) {
	if i := r.index(k); i >= 0 {
		return r.Records[i], true
	}
	return record{}, false
}

// add puts a record in, in the place of an older one of the same key.
func (r *results) add(n record) {
	if i := r.index(n.key); i >= 0 {
		r.Records[i] = n
		return
	}
	r.Records = append(r.Records, n)
}

func (r *results) index(k key) int {
	return slices.IndexFunc(r.Records, func(o record) bool { return o.key == k })
}

func (r *results) fail(set string, m model, err error) {
	var gone *venv.Missing
	r.Failures = append(r.Failures, failure{set, m.label, err.Error(), errors.As(err, &gone)})
}

// of returns the records of one model on one set.
func (r *results) of(set, model string) (found []record) {
	for _, o := range r.Records {
		if o.Set == set && o.Model == model {
			found = append(found, o)
		}
	}
	return found
}
