package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"time"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/store"
)

// Trained is the outcome of TrainNetwork, and what `hone train --json` prints.
type Trained struct {
	Run        string             `json:"run"`
	Name       string             `json:"name"`
	Target     string             `json:"target"`
	Bundle     string             `json:"bundle"` // in the run's folder, not evaluated
	Headline   string             `json:"headline"`
	Validation map[string]float64 `json:"validation"` // the headline metric on the validation rows
	Members    int                `json:"members"`
	Parameters int                `json:"parameters"`
	Epochs     int                `json:"epochs"`
	BestEpoch  int                `json:"best_epoch"`
	Resumed    bool               `json:"resumed"`
	Seconds    float64            `json:"seconds"` // of this session, wall clock
	Profile    *Profile           `json:"profile,omitempty"`
}

// TrainNetwork does the first part of a run: it prepares the data and trains the network.
// The run stays unfinished, and Run goes on from there to the same bits.
func TrainNetwork(ctx context.Context, c *Config, watch Watcher) (trained *Trained, err error) {
	if watch == nil {
		watch = func(Event) {}
	}
	r := &run{c: c, used: c, watch: watch, began: time.Now()}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, r.close(err))
	}()
	if err := r.enter(); err != nil {
		return nil, err
	}
	if err := r.train(ctx); err != nil {
		return nil, err
	}
	m := r.fit.model
	bundle, err := r.saveUnevaluated(m)
	if err != nil {
		return nil, err
	}
	headline := evaluate.Headline(m.Output.Kind())
	scores, err := measure(r.fit.valid(), headline)
	if err != nil {
		return nil, err
	}
	r.entry.Status = store.Stopped
	return &Trained{
		Run: r.entry.ID, Name: r.c.Name, Target: m.Target, Bundle: bundle, Headline: headline, Validation: scores,
		Members: m.Members, Parameters: m.Parameters(), Epochs: len(r.fit.result.History), BestEpoch: r.fit.result.BestEpoch,
		Resumed: r.resumed, Seconds: time.Since(r.began).Seconds(), Profile: r.profile,
	}, nil
}

// A Profile is what the steps of the network's training took.
type Profile struct {
	File   string      `json:"file"`  // the report as JSON
	Trace  string      `json:"trace"` // of the first steps, for ui.perfetto.dev
	Report *cpu.Report `json:"-"`
}

// Names of a profile's files in the run's folder.
const (
	profileFile = "profile.json"
	traceFile   = "trace.json"
)

// startProfile starts the profile that was asked for and returns the function that
// ends it and writes its files, unless training failed.
func (r *run) startProfile() (finish func(error) error, err error) {
	if !r.c.Profile {
		return func(error) error { return nil }, nil
	}
	p, err := cpu.StartProfile()
	if err != nil {
		return nil, err
	}
	return func(failed error) error {
		p.Stop()
		if failed != nil {
			return nil
		}
		r.profile = &Profile{File: filepath.Join(r.entry.Dir, profileFile), Trace: filepath.Join(r.entry.Dir, traceFile), Report: p.Report()}
		err := atomicfile.Write(r.profile.File, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(r.profile.Report)
		})
		return errors.Join(err, atomicfile.Write(r.profile.Trace, p.WriteTrace))
	}, nil
}
