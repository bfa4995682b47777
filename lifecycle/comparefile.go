package lifecycle

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
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
	negative bool     // the one probability is of the negative class
	shared   []string // columns of the rows that stand here too
}

func (k *truth) columns(c *candidate, have, rows []string) (p predicted, err error) {
	first := func(names ...string) string {
		for _, n := range names {
			if slices.Contains(have, n) {
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
		if name == "" {
			name = first("score", "probability", k.target+"_probability")
		}
		if name == "" {
			name = probability(classes[0])
			p.negative = name != ""
		}
		if name != "" {
			p.prob = []string{name}
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
		return p, mistake("%s has no predictions: expected a column %s, or prediction, and for classes the probabilities as %s_probability_CLASS or p_CLASS; found %q", c.path, k.target, k.target, have)
	}
	for _, n := range have {
		if n != p.decision && n != k.target && n != k.weight && !slices.Contains(k.others, n) && !slices.Contains(p.prob, n) && slices.Contains(rows, n) {
			p.shared = append(p.shared, n)
		}
	}
	return p, nil
}

// predictions reads a file of predictions and sets them beside the targets of
// the rows that have one.
func (k *truth) predictions(c *candidate, scene *scene, o CompareOptions) (*metric.Sample, []string, error) {
	have, err := data.Columns(c.path, data.Options{})
	if err != nil {
		return nil, nil, err
	}
	names, err := data.Columns(o.File, o.Data)
	if err != nil {
		return nil, nil, err
	}
	p, err := k.columns(c, have, names)
	if err != nil {
		return nil, nil, err
	}
	var fields data.Schema
	if p.decision != "" {
		f := k.field
		f.Name = p.decision
		fields = append(fields, f)
	}
	for _, n := range p.prob {
		fields = append(fields, data.Field{Name: n, Type: data.Number})
	}
	rowFields := data.Schema{k.field}
	for _, n := range p.shared {
		fields = append(fields, data.Field{Name: n, Type: data.Identifier})
		rowFields = append(rowFields, data.Field{Name: n, Type: data.Identifier})
	}
	t, _, err := data.Read(c.path, data.Options{Schema: fields})
	if err != nil {
		return nil, nil, err
	}
	read := o.Data
	read.Schema = rowFields
	rows, _, err := data.Read(o.File, read)
	if err != nil {
		return nil, nil, err
	}
	at, notes, err := match(rows, t, p.shared, o.File, c.path)
	if err != nil {
		return nil, nil, err
	}
	from := scene.at(at)
	t = t.Select(from)
	for _, col := range t.Columns[:len(t.Columns)-len(p.shared)] {
		for i := range t.Rows {
			if col.Missing(i) {
				return nil, nil, mistake("%s, row %d: %s is missing: every row needs a prediction", c.path, from[i]+1, col.Name)
			}
		}
	}
	s := &metric.Sample{Kind: k.output.Kind(), Classes: k.output.Classes(), Target: scene.targets, Weight: scene.weights}
	if p.decision != "" {
		if s.Pred, err = k.values(t.Column(p.decision)); err != nil {
			return nil, nil, mistake("%s: %v", c.path, err)
		}
	}
	k.probabilities(s, t, p)
	return s, notes, nil
}

// values are targets as metrics take them.
func (k *truth) values(c *data.Column) ([]float64, error) {
	named := *c
	named.Name = k.target
	return k.output.Targets(&named, k.output.Spec().New(c.Len()))
}

// probabilities fills in those that there are, and where no class is stated,
// the likeliest.
func (k *truth) probabilities(s *metric.Sample, t *data.Table, p predicted) {
	if p.prob == nil {
		return
	}
	n, width := t.Rows, len(p.prob)
	s.Prob = make([]float64, n*width)
	for j, name := range p.prob {
		for i, v := range t.Column(name).Numbers {
			if p.negative {
				v = 1 - v
			}
			s.Prob[i*width+j] = v
		}
	}
	if s.Pred != nil {
		return
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
}

// match finds the prediction of each row: by the first shared column that is
// different in every row, otherwise by order, in which shared columns must
// agree.
func match(rows, t *data.Table, shared []string, file, path string) (at []int, notes []string, err error) {
	at = make([]int, rows.Rows)
	for _, name := range shared {
		if !unique(rows.Column(name)) {
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
				return nil, nil, mistake("%s, row %d: %s is %q, in %s it is %q: the predictions are in another order, or of other rows; take the column out if it is predicted as well", path, i+1, name, y, file, x)
			}
		}
	}
	for i := range at {
		at[i] = i
	}
	return at, []string{"matched with the rows by order"}, nil
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
