package lifecycle

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// readTarget reads the target of rows, its type found by looking.
func readTarget(o CompareOptions) (*data.Column, data.Field, error) {
	r, err := data.Open(o.File, o.Data)
	if err != nil {
		return nil, data.Field{}, err
	}
	f := r.Schema().Field(o.Target)
	if err := r.Close(); err != nil {
		return nil, data.Field{}, err
	}
	if f == nil {
		return nil, data.Field{}, mistake("%s has no column %q, which --target names", o.File, o.Target)
	}
	read := o.Data
	read.Schema = data.Schema{*f}
	t, _, err := data.Read(o.File, read)
	if err != nil {
		return nil, *f, err
	}
	return t.Columns[0], *f, nil
}

// predicted names the columns of a file of predictions: as `hone predict`
// writes them, or as they are commonly called.
type predicted struct {
	decision string   // the class or the number; "" if there is none
	prob     []string // of each class; of two classes, that of the positive one
	score    bool     // prob may be any number that orders the rows
	other    string   // the probability of the negative class, where both are there
	negative bool     // the one probability is of the negative class
	shared   []string // columns of the rows that stand here too
}

func (k *truth) columns(c *candidate, have, rows []string, given map[string]string) (p predicted, err error) {
	for _, role := range slices.Sorted(maps.Keys(given)) {
		column := given[role]
		if role != "prediction" && role != "score" && !strings.HasPrefix(role, "p_") {
			return p, mistake("--columns %s=%s: unknown name, expected prediction, score or p_CLASS", role, column)
		}
		if !slices.Contains(have, column) {
			return p, mistake("--columns %s=%s: %s has no column %q%s", role, column, c.path, column, didYouMean(column, have))
		}
	}
	first := func(names ...string) string {
		for _, n := range names {
			if column, ok := given[n]; ok {
				return column
			}
			if slices.Contains(have, n) && !(k.inside && n == k.target) {
				return n
			}
		}
		return ""
	}
	p.decision = first("prediction", "predicted", k.target)
	probability := func(class string) string { return first(k.target+"_probability_"+class, "p_"+class) }
	classes := k.output.Classes()
	switch k.output.Kind() {
	case metric.Binary:
		name := probability(classes[1])
		if name != "" {
			p.other = probability(classes[0])
		}
		if name == "" {
			name = first("score", "probability", k.target+"_probability")
			p.score = name != "" && name == first("score")
		}
		if name == "" {
			name = probability(classes[0])
			p.negative = name != ""
		}
		if name != "" {
			p.prob = []string{name}
		}
	case metric.Multilabel:
		found := false
		for _, label := range classes {
			name := probability(label)
			p.prob, found = append(p.prob, name), found || name != ""
		}
		if !found {
			p.prob = nil
		}
	case metric.Multiclass:
		var lacks []string
		for _, class := range classes {
			if name := probability(class); name != "" {
				p.prob = append(p.prob, name)
			} else {
				lacks = append(lacks, class)
			}
		}
		if len(p.prob) > 0 && len(lacks) > 0 {
			return p, mistake("%s has probabilities of %d classes and none of %q: expected a column for each of %q", c.path, len(p.prob), lacks, classes)
		}
	}
	if p.decision == "" && p.prob == nil {
		if k.inside {
			return p, mistake("%s has no predictions beside the truth, %s: expected a column prediction, or for classes score or p_CLASS, or names with --columns; found %q", c.path, k.target, have)
		}
		return p, mistake("%s has no predictions: expected a column %s, or prediction, and for classes the probabilities as %s_probability_CLASS or p_CLASS; found %q", c.path, k.target, k.target, have)
	}
	for _, n := range have {
		if n != p.decision && n != k.target && n != k.weight && !slices.Contains(k.others, n) && !slices.Contains(p.prob, n) && n != p.other && slices.Contains(rows, n) {
			p.shared = append(p.shared, n)
		}
	}
	return p, nil
}

// predictions reads a file of predictions and sets them beside the targets of
// the rows that have one.
func (k *truth) predictions(c *candidate, scene *scene, o CompareOptions) (*metric.Sample, []string, error) {
	read := data.Options{}
	if k.inside {
		read = o.Data
	}
	have, err := data.Columns(c.path, read)
	if err != nil {
		return nil, nil, err
	}
	names, err := data.Columns(o.File, o.Data)
	if err != nil {
		return nil, nil, err
	}
	p, err := k.columns(c, have, names, o.Columns)
	if err != nil {
		return nil, nil, err
	}
	var fields data.Schema
	if p.decision != "" {
		f := k.field
		f.Name = p.decision
		if k.output.Kind() == metric.Multilabel { // where an empty cell has no label
			f = data.Field{Name: p.decision, Type: data.Set, EmptySet: true}
		} else if k.loose {
			f = data.Field{Name: p.decision, Type: data.Category}
		}
		fields = append(fields, f)
	}
	for _, n := range p.prob {
		if n == "" {
			continue
		}
		fields = append(fields, data.Field{Name: n, Type: data.Number})
	}
	if p.other != "" {
		fields = append(fields, data.Field{Name: p.other, Type: data.Number})
	}
	rowFields := data.Schema{k.field}
	for _, n := range p.shared {
		fields = append(fields, data.Field{Name: n, Type: data.Identifier})
		rowFields = append(rowFields, data.Field{Name: n, Type: data.Identifier})
	}
	truth := k.inside && c.path != o.File && slices.Contains(have, k.target)
	if truth {
		fields = append(fields, k.field)
	}
	read.Schema = fields
	t, _, err := data.Read(c.path, read)
	if err != nil {
		return nil, nil, err
	}
	read = o.Data
	read.Schema = rowFields
	rows, _, err := data.Read(o.File, read)
	if err != nil {
		return nil, nil, err
	}
	var at []int
	var notes []string
	if c.path == o.File { // each row has its prediction
		at = make([]int, t.Rows)
		for i := range at {
			at[i] = i
		}
	} else if at, notes, err = match(rows, t, p.shared, o.File, c.path, truth); err != nil {
		return nil, nil, err
	}
	from := scene.at(at)
	t = t.Select(from)
	for _, col := range t.Columns {
		if col.Name != p.decision && !slices.Contains(p.prob, col.Name) {
			continue
		}
		for i := range t.Rows {
			if col.Missing(i) {
				return nil, nil, mistake("%s, row %d: %s is missing: every row needs a prediction", c.path, from[i]+1, col.Name)
			}
		}
	}
	s := &metric.Sample{Kind: k.output.Kind(), Classes: k.output.Classes(), Target: scene.targets, Weight: scene.weights}
	switch {
	case s.Kind == metric.Multilabel:
		if s, err = k.sets(t, p, scene, c.path, from); err != nil {
			return nil, nil, err
		}
	case p.decision == "":
	case k.strays != nil:
		col := t.Column(p.decision)
		for i := range t.Rows {
			s.Pred = append(s.Pred, float64(slices.Index(k.classes(), col.Text(i))))
		}
	default:
		if s.Pred, err = k.values(t.Column(p.decision)); err != nil {
			return nil, nil, mistake("%s: %v", c.path, err)
		}
	}
	if truth {
		values, err := k.values(t.Column(k.target))
		if err != nil {
			return nil, nil, mistake("%s: %v", c.path, err)
		}
		width := model.TargetWidth(k.output)
		for at, v := range values {
			if i := at / width; v != scene.targets[at] {
				return nil, nil, mistake("%s, row %d: %s is %q, in %s it is %q: both files must have the same rows; give their rows one order, or a column that identifies them", c.path, from[i]+1, k.target, t.Column(k.target).Text(i), o.File, rows.Column(k.target).Text(scene.keep[i]))
			}
		}
	}
	if s.Kind != metric.Multilabel {
		if err := k.probabilities(s, t, p, c.path, from); err != nil {
			return nil, nil, err
		}
		if note := k.tellStrays(s, o.File); note != "" {
			notes = append(notes, note)
		}
		s = k.widened(s)
	}
	if p.decision == k.target && s.Prob != nil && slices.Equal(s.Pred, s.Target) {
		notes = append(notes, fmt.Sprintf("%s is right in every row and taken for the prediction, though there are probabilities: is it the truth? Then take it out, or give --columns", k.target))
	}
	return s, notes, nil
}

// values are targets as metrics take them.
func (k *truth) values(c *data.Column) ([]float64, error) {
	named := *c
	named.Name = k.target
	return k.output.Targets(&named, k.output.Spec().New(c.Len()))
}

// probabilities fills in those that there are, and where no class is stated,
// the likeliest. Scores of two classes beyond 0 to 1 only order the rows.
func (k *truth) probabilities(s *metric.Sample, t *data.Table, p predicted, path string, from []int) error {
	if p.prob == nil {
		return nil
	}
	n, width := t.Rows, len(p.prob)
	s.Prob = make([]float64, n*width)
	beyond := false
	for j, name := range p.prob {
		for i, v := range t.Column(name).Numbers {
			switch {
			case math.IsInf(v, 0):
				return mistake("%s, row %d: %s is %v, expected a finite number", path, from[i]+1, name, v)
			case v >= 0 && v <= 1:
			case p.score:
				beyond = true
			default:
				return mistake("%s, row %d: %s is %v, expected a probability from 0 to 1%s", path, from[i]+1, name, v,
					map[bool]string{true: "; a column of other scores is to be named score (or --columns score=" + name + ")"}[s.Kind == metric.Binary])
			}
			if p.negative {
				v = 1 - v
			}
			s.Prob[i*width+j] = v
		}
	}
	if p.other != "" {
		for i, v := range t.Column(p.other).Numbers { // NaN where it is missing, which is no mistake
			if sum := v + s.Prob[i]; math.Abs(sum-1) > metric.SumTolerance {
				return mistake("%s, row %d: %s and %s add up to %.6g, expected 1: correct them, or leave out one", path, from[i]+1, p.other, p.prob[0], sum)
			}
		}
	}
	if beyond {
		s.Score, s.Prob = s.Prob, nil
		return nil
	}
	if s.Kind == metric.Multiclass {
		for i := range n {
			sum := 0.0
			for _, v := range s.Prob[i*width : (i+1)*width] {
				sum += v
			}
			if math.Abs(sum-1) > metric.SumTolerance {
				return mistake("%s, row %d: the probabilities add up to %.6g, expected 1: give those of all classes, after the softmax", path, from[i]+1, sum)
			}
		}
	}
	if s.Pred != nil {
		return nil
	}
	s.Pred = make([]float64, n)
	for i := range s.Pred {
		row := s.Prob[i*width : (i+1)*width]
		best := 0
		for j, v := range row {
			if v > row[best] {
				best = j
			}
		}
		if s.Kind == metric.Binary && row[0] >= 0.5 {
			best = 1
		}
		s.Pred[i] = float64(best)
	}
	return nil
}

// match finds the prediction of each row: by the first shared column that is
// different in every row, otherwise by order, in which shared columns must
// agree. Where both have the truth to tell them by, a column that does not agree
// is something else of the same name.
func match(rows, t *data.Table, shared []string, file, path string, truth bool) (at []int, notes []string, err error) {
	at = make([]int, rows.Rows)
	for _, name := range shared {
		if !unique(rows.Column(name)) || truth && !holds(t.Column(name), rows.Column(name)) {
			continue
		}
		key, found := t.Column(name), map[string]int{}
		for i := range t.Rows {
			id := key.Text(i)
			if earlier, twice := found[id]; twice {
				return nil, nil, mistake("%s: rows %d and %d both have %s %q, by which predictions are matched with %s", path, earlier+1, i+1, name, id, file)
			}
			found[id] = i
		}
		c := rows.Column(name)
		for i := range at {
			j, ok := found[c.Text(i)]
			if !ok {
				return nil, nil, mistake("%s has no prediction for row %d of %s, whose %s is %q; to match by order instead, take the column %s out", path, i+1, file, name, c.Text(i), name)
			}
			at[i] = j
		}
		if extra := t.Rows - rows.Rows; extra > 0 {
			notes = append(notes, fmt.Sprintf("%d predictions are of no row of the file and are left out", extra))
		}
		return at, append(notes, "matched with the rows by "+name), nil
	}
	if t.Rows != rows.Rows {
		return nil, nil, mistake("%s has %d rows, %s has %d, and no column that both have tells which is which: give predictions of all rows in their order, or a column that identifies them", path, t.Rows, file, rows.Rows)
	}
	for _, name := range shared {
		a, b := rows.Column(name), t.Column(name)
		for i := range at {
			if x, y := a.Text(i), b.Text(i); !alike(x, y) {
				if truth {
					notes = append(notes, fmt.Sprintf("%s is other than in %s, and not looked at", name, file))
					break
				}
				return nil, nil, mistake("%s, row %d: %s is %q, in %s it is %q: the predictions are in another order, or of other rows; take the column out if it is predicted as well", path, i+1, name, y, file, x)
			}
		}
	}
	for i := range at {
		at[i] = i
	}
	return at, append(notes, "matched with the rows by order"), nil
}

// holds reports whether a column has every value of another, each once.
func holds(c, values *data.Column) bool {
	have := map[string]bool{}
	for i := range c.Len() {
		have[c.Text(i)] = true
	}
	if len(have) != c.Len() {
		return false
	}
	for i := range values.Len() {
		if !have[values.Text(i)] {
			return false
		}
	}
	return true
}

// unique reports whether a column tells all rows apart.
func unique(c *data.Column) bool {
	seen := make(map[string]bool, c.Len())
	for i := range c.Len() {
		if v := c.Text(i); c.Missing(i) || seen[v] {
			return false
		} else {
			seen[v] = true
		}
	}
	return true
}

// alike compares values as text or, written otherwise, as numbers.
func alike(a, b string) bool {
	if a == b {
		return true
	}
	x, err := strconv.ParseFloat(a, 64)
	if err != nil {
		return false
	}
	y, err := strconv.ParseFloat(b, 64)
	return err == nil && math.Abs(x-y) <= 1e-9*math.Max(math.Abs(x), math.Abs(y))
}
