package lifecycle

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// withOthers adds the columns of a file that a model does not read, as they look:
// rows are told apart by them too.
func withOthers(path string, o data.Options, schema data.Schema) (data.Schema, error) {
	have, err := data.Columns(path, o)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(have, func(name string) bool { return schema.Field(name) == nil }) {
		return schema, nil
	}
	o.Schema = nil
	r, err := data.Open(path, o)
	if err != nil {
		return nil, err
	}
	for _, f := range r.Schema() {
		if schema.Field(f.Name) == nil {
			schema = append(schema, f)
		}
	}
	return schema, r.Close()
}

// fail looks for where the first output fails. The rows of the table are those
// with these numbers in the file, from 0; the sample is of those that have the
// target.
func (e *Evaluation) fail(ctx context.Context, m *model.Model, p model.Predictor, t *data.Table, h heldOut, s *metric.Sample, numbers []int, of EvaluationOptions) error {
	if s.Kind > metric.Regression {
		return nil // sets of labels: FindFailures knows nothing of them
	}
	if s.Rows() < t.Rows {
		var known []int
		for i, y := range h.truth {
			if !math.IsNaN(y) {
				known = append(known, i)
			}
		}
		t, numbers = t.Select(known), pick(numbers, known, 1)
	}
	var err error
	o := evaluate.FailureOptions{Level: of.Level, Resamples: of.Resamples, Seed: of.Seed, Groups: of.Groups, Rows: numbers}
	read, others := readBy(m), []*data.Column{}
	for _, c := range t.Columns {
		if c.Name == m.Target || !read[c.Name] && c.Name != m.Weight && !slices.Contains(targetsOf(m), c.Name) {
			others = append(others, c)
		}
	}
	if len(others) > 1 {
		_, findings, err := data.Profile(&data.Table{Rows: t.Rows, Columns: others}, m.Target)
		if err != nil {
			return err
		}
		o.Leaks = unreadLeaks(findings, m)
	}
	if e.Failures, err = evaluate.FindFailures(s, besides(t, append(targetsOf(m), m.Weight)), o); err != nil {
		return mistake("%s: %v", of.File, err)
	}
	if e.Failures == nil {
		return nil
	}
	if e.pictures, err = thumbnails(t, numbers, e.Failures); err != nil {
		return err
	}
	e.Diagnosis = evaluate.DiagnoseCase(unknown(s, e.Failures, e.Metrics))
	if !of.Robustness {
		return nil
	}
	var notes []string
	if e.Failures.Robustness, notes, err = robustness(ctx, m, p, t, s, of.Resamples, of.Level, of.Seed); err != nil {
		return err
	}
	e.Failures.Notes = append(e.Failures.Notes, notes...)
	return nil
}

// besides are the columns of a table without some.
func besides(t *data.Table, names []string) []*data.Column {
	return slices.DeleteFunc(slices.Clone(t.Columns), func(c *data.Column) bool { return slices.Contains(names, c.Name) })
}

// WriteLabelErrors writes likely label errors as CSV, the likeliest first.
func WriteLabelErrors(path string, e *evaluate.LabelErrors) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		if err := c.Write([]string{"row", "given", "suggested", "given_probability", "suggested_probability"}); err != nil {
			return err
		}
		number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
		for _, one := range e.All() {
			if err := c.Write([]string{fmt.Sprint(one.Row), one.Given, one.Suggested, number(one.GivenProbability), number(one.SuggestedProbability)}); err != nil {
				return err
			}
		}
		c.Flush()
		return c.Error()
	})
}

// Recall takes over what the run that made a bundle found out of what the file
// alone cannot tell: not of these rows, which the run did not see, but of the model.
func (e *Evaluation) Recall(b *bundle.Bundle) {
	var told struct {
		Diagnosis *evaluate.Diagnosis `json:"diagnosis"`
	}
	raw, err := b.Part("metrics.json")
	if err != nil || json.Unmarshal(raw, &told) != nil || told.Diagnosis == nil || e.Diagnosis == nil {
		return // made before there was a diagnosis, or never evaluated
	}
	d := e.Diagnosis
	d.Open = slices.DeleteFunc(d.Open, func(o evaluate.Open) bool {
		if o.Kind == evaluate.ProblemDrift {
			return false
		}
		if f := told.Diagnosis.Says(o.Kind); f != nil {
			known := *f
			known.Sentence = "as the run that made the model found: " + f.Sentence
			d.Found = append(d.Found, known)
			return true
		}
		if o.Kind != evaluate.ProblemLeak && slices.Contains(told.Diagnosis.Clear, o.Kind) {
			d.Clear = append(d.Clear, o.Kind)
			return true
		}
		return false
	})
}
