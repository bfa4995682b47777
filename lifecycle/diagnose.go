package lifecycle

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/optimize"
)

// driftRows bounds the rows of a split that are compared with another's.
const driftRows = 50_000

// unknown is a case of which only predictions are known.
func unknown(s *metric.Sample, f *evaluate.Failures, scores map[string]metric.Interval) *evaluate.Case {
	nan := math.NaN()
	c := &evaluate.Case{Test: s, Failures: f, Headline: evaluate.Headline(s.Kind), Train: nan, Valid: nan, Trivial: nan}
	v, ok := scores[c.Headline]
	if !ok {
		v = metric.Interval{Value: nan, Low: nan, High: nan}
	}
	c.Score = v
	return c
}

// leaks are the columns that give the target away.
func leaks(findings []data.Finding, what func(data.Finding) string) []evaluate.Hint {
	var list []evaluate.Hint
	for _, f := range findings {
		if f.Kind == data.FindingLeak {
			list = append(list, evaluate.Hint{Sentence: what(f), Evidence: f.Evidence, Remedy: "take the column out of the inputs, unless it is known when predicting"})
		}
	}
	return list
}

// diagnose names what the model suffers from. The test rows have been measured;
// they are looked at once more, and nothing is chosen by them.
func (r *run) diagnose(ctx context.Context, result *evaluate.Result, test *metric.Sample) error {
	if test.Kind > metric.Regression {
		return nil
	}
	c := unknown(test, result.Failures, result.Test)
	e, err := r.evidence(ctx, contender{r.used, r.p, r.fit})
	if err != nil {
		return err
	}
	c.Training, c.Fit, c.Train, c.Valid, c.Trivial = result.Training, &result.Fit, e.Train, e.Valid, e.Trivial
	c.Linear, c.Improvement, c.Conflicts, c.Rows = result.Compare("linear", c.Headline), r.improved, e.Conflicts, e.Rows
	if r.p.bag == nil {
		c.Validation = r.fit.valid()
	}
	c.LookedLeaks = true
	read := readBy(r.fit.model)
	c.Leaks = leaks(slices.DeleteFunc(slices.Clone(r.p.findings), func(f data.Finding) bool { return !read[f.Column] }), func(f data.Finding) string {
		return fmt.Sprintf("the model reads %s, which %s", f.Column, f.Message)
	})
	for i := range c.Leaks {
		c.Leaks[i].Changes = notLeaking(r.fit.model.Inputs, r.p.findings)
	}
	c.Leaks = append(c.Leaks, r.p.shared...)
	parts := []struct {
		name string
		rows *data.Table
	}{{"training", r.p.train}, {"validation", r.p.valid}, {"test", r.p.test}}
	targets := r.c.targets()
	for i, a := range parts {
		for _, b := range parts[i+1:] {
			if a.rows == nil || b.rows == nil || a.rows.Rows == 0 || b.rows.Rows == 0 {
				continue
			}
			c.LookedDrifts = true
			one, other := r.p.unweighted(dropColumns(evenly(a.rows, driftRows), targets[1:])), r.p.unweighted(dropColumns(evenly(b.rows, driftRows), targets[1:]))
			for _, f := range data.Drift(one, data.CheckOptions{Target: targets[0], Against: other}, r.p.findings) {
				if f.Severity == data.SeverityNote && f.Kind != data.FindingDrift || f.Kind == data.FindingUnseen && f.Severity != data.SeverityError {
					continue
				}
				c.Drifts = append(c.Drifts, driftHint(f, a.name, b.name))
			}
		}
	}
	result.Diagnosis = evaluate.DiagnoseCase(c)
	return r.prescribe(result.Diagnosis, e)
}

// readBy are the columns that a model reads.
func readBy(m *model.Model) map[string]bool {
	read := map[string]bool{}
	for _, in := range m.Inputs {
		read[in.Column] = true
	}
	return read
}

// unreadLeaks are the columns that give the target away and that a model does not
// read; without a model, all.
func unreadLeaks(findings []data.Finding, m *model.Model) (names []string) {
	read := map[string]bool{}
	if m != nil {
		read = readBy(m)
	}
	for _, f := range findings {
		if f.Kind == data.FindingLeak && !read[f.Column] {
			names = append(names, f.Column)
		}
	}
	return names
}

// notLeaking are the inputs that give nothing away, as --set takes them.
func notLeaking(inputs []model.Input, findings []data.Finding) []string {
	var names []string
	for _, in := range inputs {
		if !slices.ContainsFunc(findings, func(f data.Finding) bool { return f.Kind == data.FindingLeak && f.Column == in.Column }) {
			names = append(names, config.Quote(in.Column))
		}
	}
	if names == nil {
		return nil
	}
	return []string{"inputs=[" + strings.Join(names, ", ") + "]"}
}

// fail looks for where the model fails on the test rows, or on those that the
// folds tested.
func (r *run) fail(result *evaluate.Result, h heldOut, s *metric.Sample) (err error) {
	t, numbers, of := r.p.test, r.p.tested, ""
	if t == nil {
		rows := r.crossed.repeats[0][0].rows
		t, numbers = r.p.source.Select(rows), make([]int, len(rows))
		for i, row := range rows {
			numbers[i] = r.p.numbers[row] - 1
		}
	} else if len(numbers) != t.Rows {
		numbers, of = nil, "the test rows that were measured"
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
	o := evaluate.FailureOptions{Level: r.c.Evaluate.Level, Resamples: r.c.Evaluate.Bootstrap, Seed: r.c.Seed, Groups: r.c.Evaluate.Groups, Rows: numbers, Leaks: unreadLeaks(r.p.findings, r.fit.model)}
	for _, name := range o.Groups {
		if t.Column(name) == nil {
			return mistake("%s: evaluate.groups: the data has no column %q, it has %s%s", r.c.doc.Name(), name, strings.Join(t.Names(), ", "), didYouMean(name, t.Names()))
		}
	}
	if result.Failures, err = evaluate.FindFailures(s, besides(t, append(r.c.targets(), r.p.weight)), o); err != nil {
		return mistake("%s: evaluate: %v", r.c.doc.Name(), err)
	}
	if result.Failures == nil {
		return nil
	}
	result.Failures.RowsOf = of
	if r.p.test != nil { // else all rows were measured
		held := r.fit.held[0]
		result.Failures.ValidationLabelErrors = evaluate.FindLabelErrors(held.sample(), r.p.heldNumbers(held))
	}
	r.pictures, err = thumbnails(t, numbers, result.Failures)
	return err
}

// heldNumbers are the numbers in their file, from 0, of the rows that a fit is
// validated on and that have the target; nil where they are not known.
func (p *prepared) heldNumbers(h heldOut) []int {
	numbers := p.chosen
	if p.bag != nil {
		numbers = append(slices.Clone(p.learnt), p.chosen...)
	}
	if len(numbers) != len(h.truth) {
		return nil
	}
	var known []int
	for i, y := range h.truth {
		if !math.IsNaN(y) {
			known = append(known, numbers[i])
		}
	}
	return known
}

// driftHint says what differs between two splits.
func driftHint(f data.Finding, a, b string) evaluate.Hint {
	said := strings.NewReplacer("in the other file", "in the "+b+" rows than in the "+a+" rows", "of the rows here", "of the "+a+" rows", "the two files", "the "+a+" and the "+b+" rows", " here", " among the "+a+" rows", " there", " among the "+b+" rows").Replace(f.Message)
	if f.Column != "" {
		said = f.Column + ": " + said
	}
	return evaluate.Hint{Sentence: said, Evidence: f.Evidence, Remedy: "find out how the " + b + " rows came about; divide the rows as those to predict will come (data.split: {method: time} or {method: group}), or take rows of both kinds to learn from"}
}

// evenly picks rows evenly, at most so many.
func evenly(t *data.Table, most int) *data.Table {
	if t.Rows <= most {
		return t
	}
	rows := make([]int, most)
	for i := range rows {
		rows[i] = i * t.Rows / most
	}
	return t.Select(rows)
}

// prescribe adds the first remedy that the trials of optimize would try, in the
// form in which they would.
func (r *run) prescribe(d *evaluate.Diagnosis, e optimize.Evidence) error {
	s, err := r.used.settings()
	if err != nil {
		return err
	}
	for i := range d.Found {
		f := &d.Found[i]
		kind := f.Kind
		if kind == evaluate.ProblemCalibration && f.Evidence["confidence"] > f.Evidence["accuracy"] {
			kind = optimize.Overconfident
		}
		if f.Changes != nil {
			continue
		}
		if p := optimize.Prescribe([]evaluate.Finding{{Kind: kind}}, s, e); len(p) > 0 {
			f.Changes = p[0].Changes
		}
	}
	return nil
}
