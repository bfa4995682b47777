package lifecycle

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// streamRows is how many rows are in memory at a time.
const streamRows = 8192

// PredictFile predicts a file row by row, in memory that does not grow with
// it, and writes identifiers, names of images and predictions as CSV or, with lines, as one
// JSON object a line. With a coverage, 0 for none, the sets of classes or the bounds of
// intervals follow that hold the truth as often. It returns the number of rows.
func PredictFile(ctx context.Context, m *model.Model, path string, o data.Options, w io.Writer, lines bool, coverage float64) (int, error) {
	if coverage != 0 {
		if err := m.CheckCoverage(coverage); err != nil {
			return 0, err
		}
	}
	have, err := data.Columns(path, o)
	if err != nil {
		return 0, err
	}
	schema := slices.Clone(m.InputSchema())
	inputs := len(schema)
	for _, name := range have { // identifiers go through, in the file's order
		if f := m.Schema.Field(name); f != nil && f.Type == data.Identifier && schema.Field(name) == nil {
			schema = append(schema, *f)
		}
	}
	o.Schema = schema
	r, err := data.Open(path, o)
	if err != nil {
		return 0, forModel(err, m)
	}
	defer r.Close()
	buffered := bufio.NewWriterSize(w, 1<<16)
	var names []string
	var through []int // columns of the file that go through
	for i, f := range schema {
		if i >= inputs || f.Type == data.Image {
			names, through = append(names, f.Name), append(through, i)
		}
	}
	for i, o := range m.Outputs() {
		p := &model.Predictions{Kind: o.Feature.Kind(), Classes: o.Feature.Classes()}
		if m.Abstain[o.Column] != nil {
			p.Sure = []bool{}
		}
		of, _ := predictionColumns(o.Column, p)
		names = append(names, of...)
		if coverage != 0 && m.HasSets(i) {
			of, _ = setColumns(o.Column, p, nil)
			names = append(names, of...)
		}
	}
	out, err := newRowWriter(buffered, names, lines)
	if err != nil {
		return 0, err
	}
	values := make([]any, 0, len(names))
	rows := 0
	for {
		t, err := r.Next(streamRows)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return rows, forModel(err, m)
		}
		all, err := m.PredictAll(ctx, t)
		if err != nil {
			var bad *feature.ImageError
			if errors.As(err, &bad) {
				bad.Row += rows
				return rows, mistake("%s, %v; replace the image, or take the row out", path, err)
			}
			return rows, err
		}
		var sets []*model.PredictionSets
		if coverage != 0 {
			if sets, err = m.Sets(all, coverage); err != nil {
				return rows, err
			}
		}
		var columns []func(int) any
		for i, o := range m.Outputs() {
			_, of := predictionColumns(o.Column, all[i])
			columns = append(columns, of...)
			if sets != nil && sets[i] != nil {
				_, of = setColumns(o.Column, all[i], sets[i])
				columns = append(columns, of...)
			}
		}
		for i := range t.Rows {
			values = values[:0]
			for _, k := range through {
				c := t.Columns[k]
				if c.Missing(i) {
					values = append(values, nil)
				} else {
					values = append(values, c.Text(i))
				}
			}
			for _, col := range columns {
				values = append(values, col(i))
			}
			if err := out.row(values); err != nil {
				return rows, err
			}
		}
		rows += t.Rows
	}
	if err := out.flush(); err != nil {
		return rows, err
	}
	return rows, buffered.Flush()
}

// predictionColumns returns the names of the columns of predictions and what
// they hold in a row: for classes the class, its probability, and the
// probability of every class.
func predictionColumns(target string, p *model.Predictions) ([]string, []func(int) any) {
	names := []string{target}
	if p.Kind == metric.Regression {
		return names, []func(int) any{func(i int) any { return p.Value[i] }}
	}
	columns := []func(int) any{func(i int) any { return p.Classes[p.Class[i]] }}
	if p.Kind == metric.Multilabel {
		columns[0] = func(i int) any { return setLabels{p.LabelsOf(i), p.Delimiter} }
	}
	if p.Sure != nil {
		names = append(names, target+"_sure")
		columns = append(columns, func(i int) any { return strconv.FormatBool(p.Sure[i]) })
	}
	if p.Kind == metric.Binary {
		names = append(names, target+"_probability_"+p.Classes[1])
		return names, append(columns, func(i int) any { return p.Prob[i] })
	}
	for k, class := range p.Classes {
		names = append(names, target+"_probability_"+class)
		columns = append(columns, func(i int) any { return p.Prob[i*len(p.Classes)+k] })
	}
	return names, columns
}

// setColumns are the columns of prediction sets: of classes one with those in the set,
// of numbers the two bounds.
func setColumns(target string, p *model.Predictions, s *model.PredictionSets) ([]string, []func(int) any) {
	if p.Kind == metric.Regression {
		return []string{target + "_low", target + "_high"}, []func(int) any{func(i int) any { return s.Low[i] }, func(i int) any { return s.High[i] }}
	}
	return []string{target + "_set"}, []func(int) any{func(i int) any {
		in := make([]string, 0, len(s.Classes[i]))
		for _, k := range s.Classes[i] {
			in = append(in, p.Classes[k])
		}
		return in
	}}
}

// A rowWriter writes rows of nil, text, numbers and lists of texts.
type rowWriter interface {
	row(values []any) error
	flush() error
}

func newRowWriter(w *bufio.Writer, names []string, lines bool) (rowWriter, error) {
	if !lines {
		c := csv.NewWriter(w)
		return &csvRows{w: c}, c.Write(names)
	}
	j := &jsonRows{w: w}
	for _, n := range names {
		key, err := json.Marshal(n)
		if err != nil {
			return nil, err
		}
		j.keys = append(j.keys, append(key, ':'))
	}
	return j, nil
}

type csvRows struct {
	w      *csv.Writer
	record []string
}

func (c *csvRows) row(values []any) error {
	c.record = c.record[:0]
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			c.record = append(c.record, "")
		case float64:
			c.record = append(c.record, strconv.FormatFloat(v, 'g', -1, 64))
		case string:
			c.record = append(c.record, v)
		case setLabels:
			c.record = append(c.record, v.cell())
		case []string:
			c.record = append(c.record, strings.Join(v, "|"))
		}
	}
	return c.w.Write(c.record)
}

func (c *csvRows) flush() error {
	c.w.Flush()
	return c.w.Error()
}

// jsonRows writes an object a line, with the keys in their order.
type jsonRows struct {
	w    *bufio.Writer
	keys [][]byte // each with its colon
}

func (j *jsonRows) row(values []any) error {
	line := []byte{'{'}
	for i, value := range values {
		if i > 0 {
			line = append(line, ',')
		}
		v, err := json.Marshal(value)
		if err != nil {
			return err
		}
		line = append(append(line, j.keys[i]...), v...)
	}
	_, err := j.w.Write(append(line, '}', '\n'))
	return err
}

func (j *jsonRows) flush() error { return nil }

// forModel says what to do about a file that a trained model cannot read: no
// configuration is left to be changed.
func forModel(err error, m *model.Model) error {
	var e *data.Error
	if !errors.As(err, &e) {
		return err
	}
	f := m.Schema.Field(e.Column)
	switch {
	case f == nil:
	case e.Line > 0:
		e.Remedy = fmt.Sprintf("correct it, or leave it empty if it is not known; %s was trained on a column of type %s", m.Name, f.Type)
	case slices.Contains(targetsOf(m), e.Column):
		e.Remedy = "add the column: predictions are measured against it"
	default:
		e.Remedy = fmt.Sprintf("%s reads it: rename the column that was meant, or add it, empty where it is not known", m.Name)
	}
	return err
}

// Evaluation is what `hone evaluate --json` prints.
type Evaluation struct {
	Model     string                     `json:"model"`
	File      string                     `json:"file"`
	Endpoint  string                     `json:"endpoint,omitempty"`
	Rows      int                        `json:"rows"`
	Unlabeled int                        `json:"rows_without_target"` // left out
	Filtered  int                        `json:"rows_filtered"`       // left out by a filter of data.clean
	SetAside  int                        `json:"rows_set_aside"`      // whose image cannot be read
	Why       string                     `json:"-"`                   // the first of them, with the reasons
	Weight    string                     `json:"weight,omitempty"`    // the column by which rows count; "": all the same
	Metrics   map[string]metric.Interval `json:"metrics"`
	// PerLabel are the labels of sets, each by itself.
	PerLabel []evaluate.ClassScore `json:"per_label,omitempty"`
	Notes    []string              `json:"notes,omitempty"`
	// Outputs are the measures of the outputs after the first, by name.
	Outputs map[string]OutputEvaluation `json:"outputs,omitempty"`
	// Failures and Diagnosis are of the first output.
	Failures  *evaluate.Failures  `json:"failures,omitempty"`
	Diagnosis *evaluate.Diagnosis `json:"diagnosis,omitempty"`
	// PredictionSets is filled in by MeasureSets.
	PredictionSets *evaluate.PredictionSets `json:"prediction_sets,omitempty"`
	// Threshold is filled in by ChooseThreshold.
	Threshold *evaluate.ThresholdChoice `json:"threshold,omitempty"`
	// Curves, of the first output, are filled in by DrawCurves.
	Curves *evaluate.Curves `json:"curves,omitempty"`
	Order  []string         `json:"-"`
	Level  float64          `json:"-"` // of the intervals

	held      []heldOut        // by output
	samples   []*metric.Sample // of each output
	bootstrap evaluate.Bootstrap
	pictures  map[int]string // of rows that failures tell of
}

// OutputEvaluation measures an output beside the first.
type OutputEvaluation struct {
	Rows      int                        `json:"rows"`
	Unlabeled int                        `json:"rows_without_target"`
	Metrics   map[string]metric.Interval `json:"metrics"`
	PerLabel  []evaluate.ClassScore      `json:"per_label,omitempty"`
	// PredictionSets is filled in by MeasureSets.
	PredictionSets *evaluate.PredictionSets `json:"prediction_sets,omitempty"`
	Order          []string                 `json:"-"`
}

// BootstrapOf returns how the run that made a bundle made its intervals, so
// that the same rows give the same ones.
func BootstrapOf(b *bundle.Bundle) evaluate.Bootstrap {
	var told struct {
		Bootstrap evaluate.Bootstrap `json:"bootstrap"`
	}
	raw, err := b.Part("metrics.json")
	if err == nil {
		err = json.Unmarshal(raw, &told)
	}
	if err != nil || told.Bootstrap.Level <= 0 || told.Bootstrap.Level >= 1 || told.Bootstrap.Resamples < 0 { // never evaluated
		o := evaluate.DefaultOptions()
		return evaluate.Bootstrap{Resamples: o.Bootstrap, Level: o.Level}
	}
	return told.Bootstrap
}

// EvaluationOptions say what to measure of a model's predictions of a file.
type EvaluationOptions struct {
	File      string
	Data      data.Options
	Metrics   []string // of an output those that fit it; none: the default ones
	Resamples int
	Level     float64
	Seed      uint64
	// Groups are columns of the file whose groups are compared.
	Groups []string
	// Robustness asks for predictions of changed rows.
	Robustness bool
}

// EvaluateFile is [Evaluate] without what must be asked for.
func EvaluateFile(ctx context.Context, m *model.Model, p model.Predictor, path string, o data.Options, resamples int, level float64, seed uint64, metrics ...string) (*Evaluation, error) {
	return Evaluate(ctx, m, p, EvaluationOptions{File: path, Data: o, Metrics: metrics, Resamples: resamples, Level: level, Seed: seed})
}

// Evaluate measures a predictor on a labelled file: the model itself, or an
// endpoint that serves it.
func Evaluate(ctx context.Context, m *model.Model, p model.Predictor, of EvaluationOptions) (*Evaluation, error) {
	path := of.File
	k, err := readLabelled(m, path, of.Data, true)
	if err != nil {
		return nil, err
	}
	t, targets, keep := k.rows, k.targets, k.numbers
	var all []*model.Predictions
	if several, ok := p.(model.MultiPredictor); ok {
		all, err = several.PredictAll(ctx, t)
	} else {
		all = make([]*model.Predictions, 1)
		all[0], err = p.Predict(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	if len(all) != len(targets) {
		return nil, mistake("the predictions are of %d columns, %s predicts %d: the server serves another model, start it with this one", len(all), m.Name, len(targets))
	}
	e := &Evaluation{Model: m.Name, File: path, Filtered: k.filtered, SetAside: len(k.bad), Level: of.Level, bootstrap: evaluate.Bootstrap{Resamples: of.Resamples, Level: of.Level, Seed: of.Seed}}
	if len(k.bad) > 0 {
		e.Why = some(k.bad)
	}
	if k.weights != nil {
		e.Weight = m.Weight
	}
	for i, o := range m.Outputs() {
		h := heldOut{all[i], targets[i], k.weights}
		if h.by.Kind != o.Feature.Kind() || !slices.Equal(h.by.Classes, o.Feature.Classes()) {
			return nil, mistake("the predictions are of a %s task with the classes %q, %s has a %s task with %q: the server serves another model, start it with this one", h.by.Kind, h.by.Classes, m.Name, o.Feature.Kind(), o.Feature.Classes())
		}
		s := h.sample()
		e.held, e.samples = append(e.held, h), append(e.samples, s)
		one, err := measureAll(s, of.Metrics, of.Resamples, of.Level, of.Seed)
		if err != nil {
			return nil, err
		}
		one.Unlabeled = k.unlabeled + t.Rows - one.Rows
		if note := unseenLabels(o, t); note != "" {
			e.Notes = append(e.Notes, note)
		}
		if i == 0 {
			e.Rows, e.Unlabeled, e.Metrics, e.Order, e.PerLabel = one.Rows, one.Unlabeled, one.Metrics, one.Order, one.PerLabel
			if err := e.fail(ctx, m, p, t, h, s, keep, of); err != nil {
				return nil, err
			}
			continue
		}
		if e.Outputs == nil {
			e.Outputs = map[string]OutputEvaluation{}
		}
		e.Outputs[o.Column] = one
	}
	return e, nil
}

// Names that stand for several metrics.
const (
	DefaultMetrics = "default" // those that are shown when none is named
	AllMetrics     = "all"     // every one that fits
)

// measureAll measures predictions by the metrics of these names that fit their
// task; without any by the default ones.
func measureAll(s *metric.Sample, named []string, resamples int, level float64, seed uint64) (OutputEvaluation, error) {
	var ms []*metric.Metric
	add := func(some ...*metric.Metric) {
		for _, m := range some {
			if m.MeasuresWith(s) && !slices.Contains(ms, m) {
				ms = append(ms, m)
			}
		}
	}
	if len(named) == 0 {
		named = []string{DefaultMetrics}
	}
	for _, name := range named {
		switch name {
		case DefaultMetrics:
			add(metric.Default(s.Kind)...)
		case AllMetrics:
			add(metric.For(s.Kind)...)
		default:
			m, err := metric.Lookup(name)
			if err != nil {
				return OutputEvaluation{}, err
			}
			add(m)
		}
	}
	e := OutputEvaluation{Rows: s.Rows(), Metrics: map[string]metric.Interval{}}
	if s.Kind == metric.Multilabel && s.Pred != nil {
		e.PerLabel = evaluate.PerLabel(s)
	}
	intervals, err := metric.Bootstrap(s, ms, resamples, level, seed)
	if err != nil {
		return e, err
	}
	for i, met := range ms {
		if math.IsNaN(intervals[i].Value) {
			continue // undefined on these rows
		}
		e.Metrics[met.Name] = intervals[i]
		e.Order = append(e.Order, met.Name)
	}
	return e, nil
}

// targetsOf are the columns that a model predicts.
func targetsOf(m *model.Model) []string {
	var names []string
	for _, o := range m.Outputs() {
		names = append(names, o.Column)
	}
	return names
}
