package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/internal/nearest"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/store"
)

// comparedRows is how many single rows of each bundle a comparison times.
const comparedRows = 1000

// CompareOptions says what to compare, on what.
type CompareOptions struct {
	Models []string // bundles, runs and files of predictions
	File   string   // of rows that have the target; "": the files of predictions have it themselves
	// Columns name what is found in files of predictions by other names:
	// "prediction", "score" or "p_CLASS" to a column.
	Columns map[string]string
	Weight  string // the column by which rows count; "": as the bundles say
	Data    data.Options
	Target  string // "": the first output of the first bundle that all bundles have
	Dir     string // whose register knows the runs
	// Task says what files of predictions hold, one of [Tasks]; "": found by looking.
	Task     string
	Query    string // the column whose rows are ranked together; "": no ranking
	Positive string // of two classes, where no bundle says; "": by the rule of `hone init`
	// Gates are what is required of the best; whether they fit is found out before
	// anything is predicted, whether they are met is for the caller.
	Gates []metric.Requirement
	evaluate.RankOptions

	inside bool // a file of predictions has the truth
}

// Comparison is what `hone compare --json` prints.
type Comparison struct {
	File      string `json:"file"`
	Target    string `json:"target"`
	Weight    string `json:"weight,omitempty"`    // the column by which rows count; "": all the same
	Unlabeled int    `json:"rows_without_target"` // left out
	Filtered  int    `json:"rows_filtered"`       // left out by a filter of a bundle's data.clean
	evaluate.Leaderboard
	Standings []Compared `json:"standings"` // those of the leaderboard, with what else is known
	Notes     []string   `json:"notes"`
}

// Compared is one model of a comparison.
type Compared struct {
	evaluate.Standing
	Kind string `json:"kind"` // bundle or predictions
	Path string `json:"path"`
	// The others are of bundles; Run and RunSeconds where the register knows
	// the run that made the bundle.
	Run        string   `json:"run,omitempty"`
	RunSeconds float64  `json:"run_seconds,omitempty"` // wall clock, from data to bundle
	Latency    *Latency `json:"latency,omitempty"`
	Bytes      int64    `json:"bytes,omitempty"`
	Parameters int      `json:"parameters,omitempty"`
}

// A candidate is one model to compare, as it was found.
type candidate struct {
	name, path string
	model      *model.Model // nil for a file of predictions
	run        *store.Run   // nil if unknown
}

// output returns the place of an output of the candidate's, -1 where it has none
// of that name.
func (c *candidate) output(name string) int { return slices.Index(targetsOf(c.model), name) }

// A truth is the target as all candidates are to predict it.
type truth struct {
	from    string // which bundle or file says so
	target  string
	field   data.Field
	output  feature.Output
	others  []string    // what bundles predict besides
	weight  string      // the column that all bundles count rows by, where the file has it, and
	weights *data.Field // how it is written
	inside  bool        // files of predictions have the target, as the truth
	loose   bool        // such a class is not of the target's type
	strays  []string    // classes that files of predictions have, and neither bundles nor rows
}

// Compare measures models on the same rows and tests each against the best.
func Compare(ctx context.Context, o CompareOptions) (*Comparison, error) {
	all, groups, err := o.candidates()
	if err != nil {
		return nil, err
	}
	if found, err := o.compareWritten(all, groups); found != nil || err != nil {
		return found, err
	}
	if o.File == "" {
		if err := o.findTruth(all); err != nil {
			return nil, err
		}
	}
	know, err := agreed(all, o)
	if err != nil {
		return nil, err
	}
	for _, g := range o.Gates {
		if g.Output != "" && g.Output != know.target {
			return nil, mistake("--require %v: the models are compared by %s: write %s, or name the other with --target", g, know.target, strings.TrimPrefix(g.String(), g.Output+"."))
		}
		if _, err := metricFor(g.Metric, know.output.Kind()); err != nil {
			return nil, mistake("--require %v: %v", g, err)
		}
	}
	c := &Comparison{File: o.File, Target: know.target, Notes: []string{}}
	if others := shared(all, know.target); len(others) > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("compared by %s; the bundles also predict %s: --target NAME compares by another", know.target, strings.Join(others, ", ")))
	}
	if err := know.weigh(all, o, c); err != nil {
		return nil, err
	}
	rows, err := know.rows(all, o, c)
	if err != nil {
		return nil, err
	}
	facts := map[string]Compared{}
	var entries []evaluate.Entry
	for _, one := range all {
		fact := Compared{Kind: "predictions", Path: one.path}
		var s *metric.Sample
		if one.model == nil {
			var notes []string
			s, notes, err = know.predictions(one, rows, o)
			for _, n := range notes {
				c.Notes = append(c.Notes, one.name+": "+n)
			}
		} else {
			s, err = know.predict(ctx, one, rows, o, &fact)
		}
		if err != nil {
			return nil, err
		}
		entries, facts[one.name] = append(entries, evaluate.Entry{Name: one.name, Sample: s}), fact
	}
	board, err := rank(entries, groups, o.RankOptions)
	if err != nil {
		return nil, mistake("%s: %v", o.File, err)
	}
	if o.Metric == "" && board.Metric.Name != evaluate.Headline(entries[0].Sample.Kind) {
		c.Notes = append(c.Notes, fmt.Sprintf("ranked by %s, since not all have probabilities", board.Metric.Name))
	}
	c.Leaderboard = *board
	for _, s := range board.Standings {
		fact := facts[groups.first(s.Name)]
		fact.Standing = s
		c.Standings = append(c.Standings, fact)
	}
	return c, nil
}

// findCandidate finds what an argument names: a bundle, the folder of a run, a
// file of predictions, a run by its id or name.
func findCandidate(arg, dir string) (*candidate, error) {
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		return runFolder(arg)
	case err == nil && filepath.Ext(arg) == ".hone":
		return loadCandidate(arg, arg, nil)
	case err == nil:
		return &candidate{name: arg, path: arg}, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	lost := mistake("%s is no file, no folder of a run, and no id or name of a run that `hone runs` lists", arg)
	if filepath.Base(arg) != arg || filepath.Ext(arg) != "" {
		return nil, lost
	}
	register, err := OpenRuns(dir)
	if err != nil {
		return nil, mistake("%v; and it is no file", err)
	}
	defer register.Close()
	name := arg
	r, err := register.Find(arg)
	switch {
	case err == nil:
		name = r.ID
	case errors.Is(err, store.ErrNotFound):
		runs, err := register.List(0)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(runs, func(r store.Run) bool { return r.Name == arg && r.Status == store.Done })
		if at < 0 {
			var names []string
			for _, r := range runs {
				names = append(names, r.Name)
			}
			if near := nearest.Name(arg, names); near != "" {
				return nil, mistake("%v; did you mean %s?", lost, near)
			}
			return nil, lost
		}
		r = &runs[at]
	default:
		return nil, err
	}
	if r.Status != store.Done {
		return nil, mistake("run %s is %s and has no finished bundle: the same `hone run` goes on with it", r.ID, StatusOf(*r))
	}
	// The run's own bundle: that beside the configuration may be a later run's.
	return loadCandidate(name, filepath.Join(r.Dir, r.Name+".hone"), r)
}

// runFolder finds the bundle in the folder of a run.
func runFolder(dir string) (*candidate, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*.hone"))
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, mistake("%s is a folder with %d bundles: expected the folder of a finished run, which has one, or the bundle itself", dir, len(found))
	}
	return loadCandidate(dir, found[0], nil)
}

func loadCandidate(name, path string, r *store.Run) (*candidate, error) {
	m, _, err := model.Load(path)
	if err != nil {
		return nil, err
	}
	if r == nil {
		if r, err = runOf(path); err != nil {
			return nil, err
		}
	}
	return &candidate{name, path, m, r}, nil
}

// runOf finds the run that made a bundle in the register beside it; nil where
// there is none.
func runOf(path string) (*store.Run, error) {
	path = absolute(path)
	folder := filepath.Dir(path)
	for _, dir := range []string{folder, filepath.Join(folder, "..", "..", "..")} { // beside the configuration, or in .hone/runs/ID
		if _, err := os.Stat(filepath.Join(home(dir), "runs.db")); err != nil {
			continue
		}
		register, err := OpenRuns(dir)
		if err != nil {
			return nil, err
		}
		runs, err := register.List(0)
		if err := errors.Join(err, register.Close()); err != nil {
			return nil, err
		}
		for _, r := range runs {
			own := filepath.Join(r.Dir, r.Name+".hone")
			if r.Status != store.Done || own != path && r.Bundle != path {
				continue
			}
			if same, err := sameContent(own, path); err != nil || !same {
				continue // the run's folder is gone, or the bundle is another's
			}
			return &r, nil
		}
	}
	return nil, nil
}

func sameContent(a, b string) (bool, error) {
	pa, err := data.Fingerprint(a)
	if err != nil {
		return false, err
	}
	pb, err := data.Fingerprint(b)
	return pa == pb, err
}

// distinctCandidates refuses a model given twice, and shortens names to the
// last part of a path where that tells them apart.
func distinctCandidates(all []*candidate) error {
	for i, b := range all {
		for _, a := range all[:i] {
			same, err := sameContent(a.path, b.path)
			if err != nil {
				return err
			}
			switch {
			case !same || (a.model == nil) != (b.model == nil):
			case a.path == b.path:
				return mistake("%s is given twice", a.path)
			case a.model == nil:
				return mistake("%s and %s are the same file of predictions", a.path, b.path)
			default:
				return mistake("%s and %s are the same bundle", a.path, b.path)
			}
		}
	}
	seen := map[string]int{}
	for _, c := range all {
		seen[filepath.Base(c.name)]++
	}
	for _, c := range all {
		if base := filepath.Base(c.name); seen[base] == 1 {
			c.name = base
		}
	}
	return nil
}

// agreed finds the target that all bundles predict; without bundles it is read
// from the rows.
func agreed(all []*candidate, o CompareOptions) (*truth, error) {
	var know *truth
	target := o.Target
	if common := shared(all, ""); target == "" && len(common) > 0 {
		target = common[0]
	}
	for _, c := range all {
		if c.model == nil {
			continue
		}
		m := c.model
		if o.Target != "" && c.output(o.Target) < 0 {
			return nil, mistake("--target %s: %s predicts %s", o.Target, c.name, strings.Join(targetsOf(m), ", "))
		}
		if know == nil {
			if target == "" { // they have none in common, which the next one says
				target = m.Target
			}
			f := m.Schema.Field(target)
			if f == nil {
				return nil, mistake("%s does not say what its target %s looks like: train it again", c.path, target)
			}
			know = &truth{inside: o.inside, from: c.name, target: target, field: *f, output: m.Outputs()[c.output(target)].Feature}
			know.others = slices.DeleteFunc(targetsOf(m), func(n string) bool { return n == target })
			continue
		}
		if err := know.fits(c); err != nil {
			return nil, err
		}
		know.others = append(know.others, targetsOf(m)...)
	}
	if know != nil {
		return know, know.meet(all, o)
	}
	if o.Target == "" {
		return nil, mistake("no bundle says what is predicted: name the column of %s with --target", o.File)
	}
	column, field, err := readTarget(o)
	if err != nil {
		return nil, err
	}
	output, err := outputOf(column, all, o)
	if err != nil {
		return nil, err
	}
	know = &truth{inside: o.inside, from: o.File, target: o.Target, field: field, output: output}
	return know, know.meet(all, o)
}

// fits refuses a bundle that predicts something else.
func (k *truth) fits(c *candidate) error {
	at := c.output(k.target)
	if at < 0 {
		return mistake("%s predicts %s, %s predicts %s: they cannot be compared", k.from, k.target, c.name, strings.Join(targetsOf(c.model), ", "))
	}
	switch out := c.model.Outputs()[at].Feature; {
	case out.Kind() != k.output.Kind():
		return mistake("%s has a %s task, %s a %s one: they cannot be compared", k.from, k.output.Kind(), c.name, out.Kind())
	case out.Kind() != metric.Multilabel && !sameClasses(out.Classes(), k.output.Classes()):
		return mistake("%s has the classes %q, %s has %q: they cannot be compared", k.from, k.output.Classes(), c.name, out.Classes())
	}
	return nil
}

// weigh decides by which column rows count, and says so.
func (k *truth) weigh(all []*candidate, o CompareOptions, c *Comparison) error {
	var names []string
	var weights *data.Field
	for _, one := range all {
		if one.model != nil && !slices.Contains(names, one.model.Weight) {
			names, weights = append(names, one.model.Weight), weightField(one.model)
		}
	}
	switch {
	case o.Weight != "":
		c.Weight = o.Weight
		return k.weighBy(o.Weight, o)
	case len(names) > 1:
		c.Notes = append(c.Notes, "every row counts the same: the bundles were trained by different weights of rows")
		return nil
	case len(names) == 0 || names[0] == "":
		return nil
	}
	_, has, err := readWeight(o.File, weights, o.Data, nil)
	switch {
	case err != nil:
		return err
	case has:
		k.weight, k.weights, c.Weight = names[0], weights, names[0]
	default:
		c.Notes = append(c.Notes, fmt.Sprintf("every row counts the same: %s has no column %s, by which the bundles were trained", o.File, names[0]))
	}
	return nil
}

// shared returns the outputs that all bundles predict, in the order of the first,
// but one.
func shared(all []*candidate, but string) []string {
	var names []string
	first := true
	for _, c := range all {
		switch {
		case c.model == nil:
			continue
		case first:
			names = targetsOf(c.model)
		}
		first = false
		names = slices.DeleteFunc(names, func(n string) bool { return n == but || c.output(n) < 0 })
	}
	return names
}

// sameClasses compares classes in any order.
func sameClasses(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// predict measures a bundle, and fills in what else is known of it.
func (k *truth) predict(ctx context.Context, c *candidate, rows *scene, o CompareOptions, fact *Compared) (*metric.Sample, error) {
	m := c.model
	read := o.Data
	read.Schema = slices.Clone(m.InputSchema())
	if f := m.Schema.Field(k.target); f != nil {
		read.Schema = append(read.Schema, *f)
	}
	t, _, err := data.Read(o.File, read)
	if err != nil {
		return nil, forModel(err, m)
	}
	t = rows.of(t) // as they are in the file, since the bundle cleans them
	at := c.output(k.target)
	one := model.Model{Target: k.target, Output: m.Outputs()[at].Feature, Clean: m.Clean} // the file need not have the others
	_, targets, err := one.Targets(t)
	if err != nil {
		return nil, mistake("%s: %v", o.File, err)
	}
	p, err := m.PredictAll(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	latency, err := latencyOf(ctx, m, t, comparedRows)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(c.path)
	if err != nil {
		return nil, err
	}
	fact.Kind, fact.Latency, fact.Bytes, fact.Parameters = "bundle", &latency, info.Size(), m.Parameters()
	if c.run != nil {
		fact.Run = c.run.ID
		var s Summary
		// A run that was taken up again knows the time of its last session only.
		if json.Unmarshal(c.run.Result, &s) == nil && !s.Resumed {
			fact.RunSeconds = s.Seconds
		}
	}
	if k.output.Kind() == metric.Multilabel { // by the labels of all, each by itself
		return (heldOut{inClasses(p[at], k.output.Classes()), rows.targets, rows.weights}).sample(), nil
	}
	return k.widened(inOrder((heldOut{p[at], targets, rows.weights}).sample(), k.output.Classes())), nil
}

// inOrder puts the classes of a sample into the order of classes, which are
// the same.
func inOrder(s *metric.Sample, classes []string) *metric.Sample {
	if slices.Equal(s.Classes, classes) {
		return s
	}
	to := make([]int, len(classes))
	for i, c := range s.Classes {
		to[i] = slices.Index(classes, c)
	}
	moved := func(indices []float64) []float64 {
		out := make([]float64, len(indices))
		for i, v := range indices {
			out[i] = float64(to[int(v)])
		}
		return out
	}
	n := &metric.Sample{Kind: s.Kind, Classes: classes, Target: moved(s.Target), Pred: moved(s.Pred), Prob: slices.Clone(s.Prob), Weight: s.Weight}
	for i, p := range s.Prob {
		if s.Kind == metric.Binary {
			n.Prob[i] = 1 - p // two classes that are not in order are exchanged
		} else {
			n.Prob[i-i%len(to)+to[i%len(to)]] = p
		}
	}
	return n
}
