package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
)

// truthNames are how the column of the truth is called where nobody says.
var truthNames = []string{"target", "label", "y", "y_true", "truth", "actual"}

// findTruth makes the first file of predictions that has the target the file of
// rows.
func (o *CompareOptions) findTruth(all []*candidate) error {
	wanted := truthNames
	if o.Target != "" {
		wanted = []string{o.Target}
	}
	var have []string
	for _, c := range all {
		if c.model != nil {
			return mistake("%s is a bundle, which needs rows to predict: name their file with --data", c.name)
		}
		columns, err := data.Columns(c.path, o.Data)
		if err != nil {
			return err
		}
		have = append(have, columns...)
		for _, name := range wanted {
			if slices.Contains(columns, name) {
				o.File, o.Target, o.inside = c.path, name, true
				return nil
			}
		}
	}
	if o.Target != "" {
		return mistake("%s has no column %q, which --target names: the file of predictions has the truth too, or --data names a file that does%s", all[0].path, o.Target, didYouMean(o.Target, have))
	}
	return mistake("nothing says which column of %s is the truth: name it with --target (without it one of %s is taken), or a file that has it with --data", all[0].path, strings.Join(truthNames, ", "))
}

// outputOf says how the target is predicted, where no bundle does: by its
// values, and classes that only predictions have a probability of.
func outputOf(column *data.Column, all []*candidate, o CompareOptions) (feature.Output, error) {
	set := o.Task == TaskSet
	if o.Task == "" {
		kind, _, err := data.TargetKind(column)
		set = err == nil && kind == data.TargetSet
	}
	if set {
		output, err := (&feature.SetOptions{MinRows: 1}).Fit(column)
		if err != nil {
			return nil, mistake("%s: %v", o.File, err)
		}
		return output, nil
	}
	classes := map[string]bool{}
	for i := range column.Len() {
		if !column.Missing(i) && len(classes) <= 50 {
			classes[column.Text(i)] = true
		}
	}
	// Names of probabilities that are of no class of the rows.
	var more []string
	if len(classes) <= 50 {
		for _, c := range all {
			have, err := data.Columns(c.path, o.Data)
			if err != nil {
				return nil, err
			}
			for role := range o.Columns {
				have = append(have, role)
			}
			known := 0
			var others []string
			for _, name := range have {
				class, ok := strings.CutPrefix(name, "p_")
				if !ok {
					class, ok = strings.CutPrefix(name, o.Target+"_probability_")
				}
				switch {
				case !ok:
				case classes[class]:
					known++
				case !slices.Contains(more, class):
					others = append(others, class)
				}
			}
			if known > 0 { // else the columns are something else
				more = append(more, others...)
			}
		}
	}
	if len(more) == 0 {
		kind, _, err := data.TargetKind(column)
		if err != nil {
			return nil, err
		}
		options := feature.OutputTypes()[kind]
		if b, ok := options.(*feature.BinaryOptions); ok {
			if b.Positive = o.Positive; o.Positive != "" && !classes[o.Positive] {
				return nil, mistake("--positive: %q is none of the classes of %s, %q", o.Positive, o.Target, sortedKeys(classes))
			}
		}
		output, err := options.Fit(column)
		if err != nil {
			return nil, mistake("%s: %v", o.File, err)
		}
		return output, nil
	}
	names := more
	for class := range classes {
		names = append(names, class)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(a, b) })
	if len(names) == 2 { // one of which no row has
		binary := &feature.Binary{Negative: names[0], Positive: names[1], Threshold: 0.5}
		switch o.Positive {
		case "", names[1]:
		case names[0]:
			binary.Negative, binary.Positive = names[1], names[0]
		default:
			return nil, mistake("--positive: %q is none of the classes %q", o.Positive, names)
		}
		return binary, nil
	}
	return &feature.CategoryOutput{Names: names, Shares: make([]float64, len(names))}, nil
}

// weighBy makes rows count by a column that the user names.
func (k *truth) weighBy(column string, o CompareOptions) error {
	if column == "" {
		return nil
	}
	have, err := data.Columns(o.File, o.Data)
	if err != nil {
		return err
	}
	if !slices.Contains(have, column) {
		return mistake("--weight: %s has no column %q%s", o.File, column, didYouMean(column, have))
	}
	k.weight, k.weights = column, &data.Field{Name: column, Type: data.Number}
	return nil
}

// PredictionOptions say what to measure of a file of predictions.
type PredictionOptions struct {
	Predictions string
	File        string // of rows that have the target; "": the file of predictions has it
	Data        data.Options
	Target      string            // "": one of the usual names
	Columns     map[string]string // as in [CompareOptions]
	Weight      string            // the column by which rows count; "": all the same
	Task        string            // what the file holds, one of [Tasks]; "": found by looking
	Query       string            // the column whose rows are ranked together; "": no ranking
	Positive    string            // of two classes; "": by the rule of `hone init`
	Metrics     []string          // as for [EvaluateFile]
	Gates       []metric.Requirement
	Resamples   int
	Level       float64
	Seed        uint64
	Groups      []string // columns whose groups are compared
}

// PredictionsEvaluation is what `hone evaluate --predictions --json` prints.
type PredictionsEvaluation struct {
	File      string                     `json:"predictions"`
	Rows      int                        `json:"rows"`
	Unlabeled int                        `json:"rows_without_target"` // left out
	Weight    string                     `json:"weight,omitempty"`    // the column by which rows count; "": all the same
	Target    string                     `json:"target"`
	Task      string                     `json:"task"`
	Classes   []string                   `json:"classes,omitempty"` // of two, the second is the positive one
	Metrics   map[string]metric.Interval `json:"metrics"`
	PerLabel  []evaluate.ClassScore      `json:"per_label,omitempty"` // of sets, each label by itself
	// SlicedBy is the metric of the slices.
	SlicedBy  string              `json:"sliced_by"`
	Slices    []evaluate.Slice    `json:"slices"` // by columns that are neither truth nor prediction, the worst first
	Failures  *evaluate.Failures  `json:"failures,omitempty"`
	Diagnosis *evaluate.Diagnosis `json:"diagnosis,omitempty"`
	// Threshold is filled in by ChooseThreshold, Curves by DrawCurves.
	Threshold *evaluate.ThresholdChoice `json:"threshold,omitempty"`
	Curves    *evaluate.Curves          `json:"curves,omitempty"`
	Notes     []string                  `json:"notes"`
	Order     []string                  `json:"-"`
	Level     float64                   `json:"-"`

	sample    *metric.Sample
	bootstrap evaluate.Bootstrap
}

// EvaluatePredictions measures a file of predictions, whoever made them.
func EvaluatePredictions(o PredictionOptions) (*PredictionsEvaluation, error) {
	c := CompareOptions{Models: []string{o.Predictions}, File: o.File, Data: o.Data, Target: o.Target, Columns: o.Columns,
		Weight: o.Weight, Task: o.Task, Query: o.Query, Positive: o.Positive}
	switch kind, err := c.written(o.Predictions); {
	case err != nil:
		return nil, err
	case kind != "":
		s, notes, err := c.readWritten(o.Predictions, kind)
		if err != nil {
			return nil, err
		}
		return o.measure(s, 0, c.Target, notes)
	}
	all := []*candidate{{name: o.Predictions, path: o.Predictions}}
	if c.File == "" {
		if err := c.findTruth(all); err != nil {
			return nil, err
		}
	}
	know, err := agreed(all, c)
	if err != nil {
		return nil, err
	}
	if err := know.weighBy(o.Weight, c); err != nil {
		return nil, err
	}
	var counted Comparison
	rows, err := know.rows(all, c, &counted)
	if err != nil {
		return nil, err
	}
	s, notes, err := know.predictions(all[0], rows, c)
	if err != nil {
		return nil, err
	}
	e, err := o.measure(s, counted.Unlabeled, know.target, notes)
	if err != nil {
		return nil, err
	}
	return e, e.slice(s, know, rows, c, o)
}

// measure computes what is asked for.
func (o PredictionOptions) measure(s *metric.Sample, unlabeled int, target string, notes []string) (*PredictionsEvaluation, error) {
	for _, name := range o.Metrics {
		if name == DefaultMetrics || name == AllMetrics {
			continue
		}
		m, err := metricFor(name, s.Kind)
		if err != nil {
			return nil, mistake("--metrics: %v", err)
		}
		if !m.MeasuresWith(s) {
			return nil, mistake("--metrics: %s cannot be computed: %s lacks %s", m.Name, o.Predictions, lacking(m, s))
		}
	}
	named := slices.Clone(o.Metrics)
	if len(named) == 0 {
		named = []string{DefaultMetrics}
	}
	for _, g := range o.Gates {
		m, err := metricFor(g.Metric, s.Kind)
		switch {
		case g.Output != "":
			return nil, mistake("--require %v: a file of predictions has one output: write %s", g, strings.TrimPrefix(g.String(), g.Output+"."))
		case err != nil:
			return nil, mistake("--require %v: %v", g, err)
		case !m.MeasuresWith(s):
			return nil, mistake("--require %v: %s cannot be computed: %s lacks %s", g, m.Name, o.Predictions, lacking(m, s))
		}
		named = append(named, m.Name)
	}
	one, err := measureAll(s, named, o.Resamples, o.Level, o.Seed)
	if err != nil {
		return nil, mistake("%s: %v", o.Predictions, err)
	}
	e := &PredictionsEvaluation{
		File: o.Predictions, Rows: one.Rows, Unlabeled: unlabeled, Weight: o.Weight, Target: target, Task: s.Kind.String(), Classes: s.Classes,
		Metrics: one.Metrics, PerLabel: one.PerLabel, Slices: []evaluate.Slice{}, Notes: append([]string{}, notes...), Order: one.Order, Level: o.Level,
		sample: s, bootstrap: evaluate.Bootstrap{Resamples: o.Resamples, Level: o.Level, Seed: o.Seed},
	}
	if s.Prob == nil && s.Score != nil {
		e.Notes = append(e.Notes, "score goes beyond 0 to 1: it orders the rows, and metrics of probabilities are left out")
	}
	return e, nil
}

// lacking says what a metric reads that a sample has not.
func lacking(m *metric.Metric, s *metric.Sample) string {
	switch {
	case m.Needs&metric.Pred != 0 && s.Pred == nil:
		return "a column prediction"
	case s.Kind == metric.Binary:
		return "probabilities (score or p_CLASS)"
	}
	return "probabilities of all classes (p_CLASS)"
}

// slice measures the rows of each value of the other columns, and looks for where
// the predictions fail.
func (e *PredictionsEvaluation) slice(s *metric.Sample, know *truth, rows *scene, c CompareOptions, o PredictionOptions) error {
	have, err := data.Columns(o.Predictions, o.Data)
	if err != nil {
		return err
	}
	p, err := know.columns(&candidate{path: o.Predictions}, have, have, o.Columns)
	if err != nil {
		return err
	}
	said := append([]string{p.decision, "prediction", "predicted", "score", "probability", know.target + "_probability"}, p.prob...)
	for _, class := range s.Classes {
		said = append(said, "p_"+class, know.target+"_probability_"+class)
	}
	t, _, err := data.Read(c.File, o.Data)
	if err != nil {
		return err
	}
	t = rows.of(t)
	var others, columns []*data.Column
	for _, col := range t.Columns {
		own := c.File == o.Predictions && slices.Contains(said, col.Name)
		if own || col.Name == know.target || col.Name == know.weight {
			continue
		}
		others = append(others, col)
		if col.Type != data.Identifier && col.Type != data.Text && col.Type != data.Datetime && col.Type != data.Image {
			columns = append(columns, col)
		}
	}
	// What a file of predictions has beside them may not have been read by the
	// model: the columns that give the truth away are told, and who knows decides.
	var findings []data.Finding
	if s.Kind <= metric.Regression {
		looked := &data.Table{Rows: t.Rows, Columns: append(slices.Clone(others), t.Column(know.target))}
		if _, findings, err = data.Profile(looked, know.target); err != nil {
			return err
		}
	}
	options := evaluate.FailureOptions{Level: o.Level, Resamples: o.Resamples, Seed: o.Seed, Groups: o.Groups, Rows: rows.keep, Leaks: unreadLeaks(findings, nil)}
	if e.Failures, err = evaluate.FindFailures(s, others, options); err != nil {
		return mistake("%s: %v", c.File, err)
	}
	columns = slices.DeleteFunc(columns, func(c *data.Column) bool { return slices.Contains(options.Leaks, c.Name) })
	if e.Failures != nil {
		it := unknown(s, e.Failures, e.Metrics)
		it.Leaks = leaks(findings, func(f data.Finding) string {
			return fmt.Sprintf("%s %s: if the model read it, what is measured is worth nothing", f.Column, f.Message)
		})
		e.Diagnosis = evaluate.DiagnoseCase(it)
	}
	by := evaluate.Headline(s.Kind)
	if m, err := metric.Lookup(by); err != nil || !m.MeasuresWith(s) {
		by = "accuracy"
	}
	m, err := metric.Lookup(by)
	if err != nil || !m.MeasuresWith(s) {
		return err
	}
	e.SlicedBy = by
	found, err := evaluate.Slices(s, m, columns, o.Level, o.Seed)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Predictions, err)
	}
	e.Slices = append(e.Slices, found...)
	return nil
}
