package lifecycle

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// outOfFold is the file of the out-of-fold predictions in the run's folder.
const outOfFold = "out_of_fold.csv"

// foldSpec is how the configuration divides source into folds: as it divides it
// otherwise, unless it says how.
func (c *Config) foldSpec() data.FoldSpec {
	s, d := c.Evaluate.CrossValidation, c.Data.Split
	if s.Method == "" {
		if s.Method = d.Method; s.Method == "" {
			s.Method = "stratified"
		} else if s.Method == "time" {
			s.Method = "expanding"
		}
	}
	if s.Column == "" && (s.Method == "group" || s.Method == "expanding") {
		s.Column = d.Column
	}
	return s
}

// splitSpec is how validation rows are taken from rows to learn from: as
// data.split says, else as folds are divided, so that validation rows are to
// training rows what test rows are.
func (c *Config) splitSpec() data.SplitSpec {
	s := c.Data.Split
	if s.Method == "" {
		s.Method = "stratified"
		if c.Evaluate.CrossValidation.Folds > 0 {
			f := c.foldSpec()
			s.Method, s.Column = f.Method, f.Column
			if s.Method == "expanding" {
				s.Method = "time"
			}
		}
	}
	return s
}

// allTested reports whether all rows take part in folds and none is set aside.
func (c *Config) allTested() bool {
	return c.Evaluate.CrossValidation.Folds > 0 && len(c.Data.Test) == 0
}

// withoutTest are the shares for training and validation where no rows are set
// aside for the test.
func (c *Config) withoutTest() []float64 {
	share := c.Data.Validation.Fraction
	if f := c.Data.Split.Fractions; f != nil {
		share = f[1] / (f[0] + f[1])
	}
	return []float64{1 - share, share}
}

// divideFold returns a fold's rows of a table. The validation rows are taken from
// its training rows, unless they are a file.
func (p *prepared) divideFold(c *Config, t *data.Table, f data.Fold) (train, valid, test *data.Table, err error) {
	train, test = t.Select(f.Train), t.Select(f.Test)
	if len(c.Data.Validation.File) > 0 {
		return train, p.valid, test, nil
	}
	split := c.splitSpec()
	split.Fractions = c.withoutTest()
	parts, err := data.Split(train, split, c.Outputs[0].Name, c.Seed)
	if err != nil {
		return nil, nil, nil, err
	}
	return train.Select(parts[0]), train.Select(parts[1]), test, nil
}

// fold divides the rows of source for cross-validation.
func (p *prepared) fold(c *Config, source *data.Table) (err error) {
	if spec := c.foldSpec(); spec.Folds > 0 {
		p.source = source
		p.folds, err = data.Folds(source, spec, c.Outputs[0].Name, c.Seed)
	}
	_, name := c.files(c.Data.Source)
	return inFile(err, name)
}

// checkFolds finds out before anything is trained whether every fold can be learnt
// from and measured.
func (p *prepared) checkFolds(c *Config) error {
	if p.folds == nil {
		return nil
	}
	targets, source := c.targets(), p.source
	of := func(names ...string) *data.Table {
		t := &data.Table{Rows: source.Rows}
		for _, col := range source.Columns {
			if slices.Contains(names, col.Name) {
				t.Columns = append(t.Columns, col)
			}
		}
		return t
	}
	for i := p.clean.early(); i < len(p.clean.steps); i++ {
		chooses := true
		if step, ok := p.clean.steps[i].(data.ValueStep); ok {
			_, changed, err := step.Apply(of(append([]string{p.weight}, targets...)...))
			if err != nil {
				return p.clean.mistake(i, err)
			}
			chooses = len(changed) > 0
		}
		if chooses {
			return mistake("%s: data.clean[%d] (%s) chooses rows or changes %s after a step that learns from the training rows, which differ from fold to fold: move it before that step, or set evaluate.cross_validation to 0", c.doc.Name(), i, p.clean.steps[i].Type(), strings.Join(slices.DeleteFunc(append(targets, p.weight), func(n string) bool { return n == "" }), ", "))
		}
	}
	thin := of(append(targets, c.splitSpec().Column, p.weight)...)
	outputs := p.pinned(c).Outputs
	for _, folds := range p.folds {
		for k, f := range folds {
			if err := p.checkFold(c, thin, f, outputs); err != nil {
				return mistake("%s: evaluate.cross_validation: fold %d of %d: %v: take fewer folds, or leave out what is too rare to be in all of them", c.doc.Name(), k+1, len(folds), err)
			}
		}
	}
	return nil
}

// checkFold finds out whether a fold of the rows of thin, which holds what it is
// divided by, can be learnt from and measured.
func (p *prepared) checkFold(c *Config, thin *data.Table, f data.Fold, outputs []Output) error {
	train, valid, test, err := p.divideFold(c, thin, f)
	if err != nil {
		return err
	}
	if err := (&prepared{train: train, valid: valid, test: test, weight: p.weight}).checkSums(); err != nil {
		return err
	}
	var m model.Model
	for i, o := range outputs {
		fitted, err := o.Options.Fit(train.Column(o.Name))
		if err != nil {
			return err
		}
		if i == 0 {
			m.Target, m.Output = o.Name, fitted
		} else {
			m.Others = append(m.Others, model.Output{Column: o.Name, Feature: fitted})
		}
	}
	for _, part := range []struct {
		what string
		rows *data.Table
	}{{"validation", valid}, {"test", test}} {
		_, targets, err := m.AllTargets(part.rows)
		if err != nil {
			return err
		}
		if err := checkMeasured(&m, targets, part.what); err != nil {
			return err
		}
	}
	return nil
}

// foldOutcome is what a finished fold leaves: for each output, the predictions of
// its test rows by models that never saw them.
type foldOutcome struct {
	Rows []evaluate.Rows        `json:"rows"` // that have its target
	Test [][]*model.Predictions `json:"test"` // in the order of predictors
}

// crossed are the out-of-fold predictions of all repeats.
type crossed struct {
	result  []*evaluate.CrossValidation // by output
	repeats [][]outOfFolds              // of each, by output
}

// outOfFolds are the predictions of an output in one repeat, each row's by the
// models of the fold that it is a test row of.
type outOfFolds struct {
	rows  []int                // of source, ascending: those that were tested
	fold  []int                // from 1, by row
	by    []*model.Predictions // in the order of predictors, by row
	truth []float64            // NaN where there is none
}

// crossValidate carries out the procedure on every fold.
func (r *run) crossValidate(ctx context.Context) (*crossed, error) {
	spec := r.c.foldSpec()
	outputs := r.p.model.Outputs()
	var all crossed
	measured := make([][]evaluate.FoldInput, len(outputs))
	for rep, folds := range r.p.folds {
		out := make([]outOfFolds, len(outputs))
		for k, f := range folds {
			name := fmt.Sprintf("fold %d of %d", k+1, len(folds))
			if len(r.p.folds) > 1 {
				name = fmt.Sprintf("repeat %d %s", rep+1, name)
			}
			o, err := r.foldOutcome(ctx, f, name)
			if err != nil {
				return nil, err
			}
			tested := r.p.source.Select(f.Test)
			tested.Cleaned = true // in all that concerns the targets (checkFolds)
			_, targets, err := r.p.model.AllTargets(tested)
			if err != nil {
				return nil, &UserError{err.Error()}
			}
			for i := range out {
				out[i].add(f, k+1, o.Test[i], targets[i])
				in := evaluate.FoldInput{Repeat: rep + 1, Fold: k + 1, Rows: o.Rows[i], Baselines: map[string]*metric.Sample{}}
				for j, p := range o.Test[i] {
					if s := (heldOut{p, targets[i], r.p.weights(tested)}).sample(); j == 0 {
						in.Test = s
					} else {
						in.Baselines[predictors[j]] = s
					}
				}
				measured[i] = append(measured[i], in)
			}
		}
		for i := range out {
			out[i].sort()
		}
		all.repeats = append(all.repeats, out)
	}
	for i, o := range outputs {
		options := r.c.Evaluate
		if i > 0 {
			options.Metrics = nil // they are of the first
		}
		found, err := evaluate.Folds(measured[i], options)
		if err != nil {
			return nil, mistake("output %q: %v", o.Column, err)
		}
		found.Method, found.Column, found.IsTest = spec.Method, spec.Column, r.c.allTested()
		all.result = append(all.result, found)
	}
	return &all, r.writeOutOfFold(&all)
}

// add adds the test rows of a fold.
func (o *outOfFolds) add(f data.Fold, number int, by []*model.Predictions, truth []float64) {
	for range f.Test {
		o.fold = append(o.fold, number)
	}
	o.rows, o.truth = append(o.rows, f.Test...), append(o.truth, truth...)
	for i, p := range by {
		if len(o.by) == i {
			o.by = append(o.by, &model.Predictions{Kind: p.Kind, Classes: p.Classes})
		}
		o.by[i].Append(p)
	}
}

// sort brings the rows into the order of the source.
func (o *outOfFolds) sort() {
	order := make([]int, len(o.rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return o.rows[a] - o.rows[b] })
	width := len(o.truth) / len(o.rows)
	o.rows, o.fold, o.truth = pick(o.rows, order, 1), pick(o.fold, order, 1), pick(o.truth, order, width)
	for _, p := range o.by {
		*p = *p.Select(order)
	}
}

// pick returns rows of values that stand so many to a row.
func pick[T any](values []T, rows []int, width int) []T {
	if values == nil {
		return nil
	}
	var out []T
	for _, i := range rows {
		out = append(out, values[i*width:(i+1)*width]...)
	}
	return out
}

// foldOutcome carries out the procedure on a fold, or takes what an interrupted
// run left of it.
func (r *run) foldOutcome(ctx context.Context, f data.Fold, name string) (*foldOutcome, error) {
	path := r.checkpoint(name)
	done, err := readFold(path, r.fingerprint(r.c), len(r.p.outputs))
	if done != nil || err != nil {
		if err == nil {
			return done, nil
		}
		r.watch(Event{Stage: r.stage, Warning: fmt.Sprintf("what was kept of %s %v: it is carried out anew", name, err)})
	}
	train, valid, test, err := r.p.divideFold(r.c, r.p.source, f)
	if err != nil {
		return nil, err
	}
	var p *prepared
	if err := Await(ctx, func() (err error) { p, err = r.p.on(r.c, train, valid, test); return err }); err != nil {
		if e := new(UserError); errors.As(err, &e) {
			return nil, mistake("%s: %v", name, err)
		}
		return nil, err
	}
	network, err := r.fitNetwork(ctx, r.c, p, name+", network")
	if err != nil {
		return nil, err
	}
	if r.c.Optimize.Trials > 0 {
		best, _, err := r.improve(ctx, contender{r.c, p, network}, name+", ")
		if err != nil {
			return nil, err
		}
		p, network = best.p, best.fit
	}
	if err := r.calibrate(r.c, p, network, name); err != nil {
		return nil, err
	}
	linear, err := r.fitLinear(ctx, r.c, p, network, name+", "+linearBaseline)
	if err != nil {
		return nil, err
	}
	var o foldOutcome
	if o.Test, err = p.predict(ctx, network, linear, p.test); err != nil {
		return nil, err
	}
	for i, output := range r.p.model.Outputs() {
		o.Rows = append(o.Rows, p.rows(output.Column))
		for k, q := range o.Test[i] {
			o.Test[i][k] = inClasses(q, output.Feature.Classes())
		}
	}
	if err := writeOutcome(path, r.fingerprint(r.c), &o); err != nil {
		return nil, err
	}
	trainings, err := filepath.Glob(strings.TrimSuffix(path, ".checkpoint") + "-*.checkpoint")
	if err != nil {
		return nil, err
	}
	for _, t := range trainings {
		if err := os.Remove(t); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return &o, nil
}

// inClasses returns predictions by the classes of all rows, of which the training
// rows of an expanding window may lack some: their probability is 0.
func inClasses(p *model.Predictions, classes []string) *model.Predictions {
	if p.Classes == nil || slices.Equal(p.Classes, classes) {
		return p
	}
	if p.Kind == metric.Multilabel {
		n := p.Rows() * len(classes)
		q := &model.Predictions{Kind: p.Kind, Classes: classes, Delimiter: p.Delimiter, Prob: make([]float64, n), Class: make([]int, n)}
		for k, name := range p.Classes {
			to := slices.Index(classes, name)
			for i := range p.Rows() {
				q.Prob[i*len(classes)+to] = p.Prob[i*len(p.Classes)+k]
				q.Class[i*len(classes)+to] = p.Class[i*len(p.Classes)+k]
			}
		}
		return q
	}
	if p.Kind != metric.Multiclass {
		return p
	}
	q := &model.Predictions{Kind: p.Kind, Classes: classes, Prob: make([]float64, p.Rows()*len(classes)), Class: make([]int, p.Rows())}
	for k, name := range p.Classes {
		to := slices.Index(classes, name)
		for i := range q.Class {
			q.Prob[i*len(classes)+to] = p.Prob[i*len(p.Classes)+k]
			if p.Class[i] == k {
				q.Class[i] = to
			}
		}
	}
	return q
}

// readFold returns nothing where there is no such file.
func readFold(path, fingerprint string, outputs int) (*foldOutcome, error) {
	var o foldOutcome
	if done, err := readOutcome(path, fingerprint, &o); !done || err != nil {
		return nil, err
	}
	if len(o.Test) != outputs || len(o.Rows) != outputs {
		return nil, fmt.Errorf("is damaged: %d outputs, expected %d", len(o.Test), outputs)
	}
	for _, by := range o.Test {
		if len(by) != len(predictors) {
			return nil, fmt.Errorf("is damaged: %d predictions, expected %d", len(by), len(predictors))
		}
	}
	return &o, nil
}

// writeOutOfFold writes the model's out-of-fold predictions, a line for each row
// and repeat. Of several outputs, what is true of each stands before what is
// predicted, as NAME_actual.
func (r *run) writeOutOfFold(all *crossed) error {
	outputs := r.p.model.Outputs()
	return atomicfile.Write(filepath.Join(r.entry.Dir, outOfFold), func(w io.Writer) error {
		names := []string{"row", "repeat", "fold"}
		for i, o := range outputs {
			actual := "actual"
			if len(outputs) > 1 {
				actual = o.Column + "_actual"
			}
			predicted, _ := predictionColumns(o.Column, all.repeats[0][i].by[0])
			names = append(append(names, actual), predicted...)
		}
		rows, err := newRowWriter(bufio.NewWriter(w), names, false)
		if err != nil {
			return err
		}
		for rep, of := range all.repeats {
			for at, row := range of[0].rows {
				line := []any{float64(r.p.numbers[row]), float64(rep + 1), float64(of[0].fold[at])}
				for i, o := range outputs {
					var actual any
					if target := r.p.source.Column(o.Column); !target.Missing(row) {
						actual = target.Text(row)
					}
					line = append(line, actual)
					_, columns := predictionColumns(o.Column, of[i].by[0])
					for _, column := range columns {
						line = append(line, column(at))
					}
				}
				if err := rows.row(line); err != nil {
					return err
				}
			}
		}
		return rows.flush()
	})
}
