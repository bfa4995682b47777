package lifecycle

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// mostStrays keeps a wrong column from being taken for classes.
const mostStrays = 200

// meet learns which classes or labels files of predictions have beyond those that
// bundles and rows have: such predictions are wrong wherever they stand.
func (k *truth) meet(all []*candidate, o CompareOptions) error {
	set, sets := k.output.(*feature.Set)
	if k.output.Classes() == nil {
		return nil
	}
	known := slices.Clone(k.output.Classes())
	if sets {
		if _, err := k.addLabels(&known, o.File, k.target, o.Data); err != nil {
			return err
		}
	}
	for _, c := range all {
		if c.model != nil {
			if m := c.model.Outputs()[c.output(k.target)]; sets {
				known = append(known, m.Feature.Classes()...)
			}
			continue
		}
		read := data.Options{}
		if k.inside {
			read = o.Data
		}
		have, err := data.Columns(c.path, read)
		if err != nil {
			return err
		}
		p, err := k.columns(c, have, have, o.Columns)
		if err != nil || p.decision == "" {
			continue // which is told, or enough
		}
		if sets {
			if _, err := k.addLabels(&known, c.path, p.decision, read); err != nil {
				return err
			}
			for _, name := range have {
				if l, ok := strings.CutPrefix(name, k.target+"_probability_"); ok {
					known = append(known, l)
				}
			}
			continue
		}
		col, err := k.decisions(c.path, p.decision, read)
		if err != nil {
			return err
		}
		var strays []string
		values := valuesIn(col)
		for v := range values {
			if !slices.Contains(known, v) {
				strays = append(strays, v)
			}
		}
		slices.Sort(strays)
		switch shown := strays[:min(5, len(strays))]; {
		case len(strays) > 0 && len(strays) == len(values):
			return mistake("%s: none of its predictions (%s: %q) is of a class that there is, %q: is it the right column, and are the classes written alike?", c.path, p.decision, shown, known)
		case len(strays) > mostStrays:
			return mistake("%s: %s has %d classes (%q, …) beyond those that there are (%q): is it the right column?", c.path, p.decision, len(strays), shown, known)
		}
		k.strays = append(k.strays, strays...)
	}
	slices.Sort(k.strays)
	k.strays = slices.Compact(k.strays)
	if sets {
		slices.Sort(known)
		all := *set
		all.Labels = slices.Compact(known)
		all.Shares, all.Thresholds = make([]float64, len(all.Labels)), slices.Repeat([]float64{0.5}, len(all.Labels))
		k.output = &all
	}
	return nil
}

// decisions reads the column of a file that has the predicted classes.
func (k *truth) decisions(path, name string, read data.Options) (*data.Column, error) {
	f := k.field
	f.Name = name
	if k.output.Kind() == metric.Multilabel {
		f = data.Field{Name: name, Type: data.Set, EmptySet: name != k.target}
	}
	read.Schema = data.Schema{f}
	t, _, err := data.Read(path, read)
	var e *data.Error
	if errors.As(err, &e) && e.Column == name && (f.Type == data.Boolean || f.Type == data.Number) {
		k.loose, read.Schema[0] = true, data.Field{Name: name, Type: data.Category}
		t, _, err = data.Read(path, read)
	}
	if err != nil {
		return nil, err
	}
	return t.Columns[0], nil
}

// addLabels adds the labels of a column of sets.
func (k *truth) addLabels(known *[]string, path, name string, read data.Options) (*data.Column, error) {
	col, err := k.decisions(path, name, read)
	if err != nil {
		return nil, err
	}
	for v := range valuesIn(col) {
		labels, err := data.SplitSet(v, k.output.(*feature.Set).Delimiter)
		if err != nil {
			return nil, mistake("%s: %s: %v", path, name, err)
		}
		*known = append(*known, labels...)
	}
	return col, nil
}

// valuesIn are the values of a column.
func valuesIn(c *data.Column) map[string]bool {
	all := map[string]bool{}
	for i := range c.Len() {
		if !c.Missing(i) {
			all[c.Text(i)] = true
		}
	}
	return all
}

// classes are those that decisions may be of.
func (k *truth) classes() []string { return slices.Concat(k.output.Classes(), k.strays) }

// widened returns a sample by all classes that are predicted: those that no row has
// get no probability.
func (k *truth) widened(s *metric.Sample) *metric.Sample {
	if k.strays == nil {
		return s
	}
	from, to := len(s.Classes), len(k.classes())
	n := &metric.Sample{Kind: metric.Multiclass, Classes: k.classes(), Target: s.Target, Pred: s.Pred, Weight: s.Weight}
	if s.Prob != nil {
		n.Prob = make([]float64, s.Rows()*to)
		for i := range s.Rows() {
			if s.Kind == metric.Binary {
				n.Prob[i*to], n.Prob[i*to+1] = 1-s.Prob[i], s.Prob[i]
			} else {
				copy(n.Prob[i*to:], s.Prob[i*from:(i+1)*from])
			}
		}
	}
	return n
}

// tellStrays says how often classes are predicted that no row has.
func (k *truth) tellStrays(s *metric.Sample, file string) string {
	rows, known := 0, float64(len(k.output.Classes()))
	for _, v := range s.Pred {
		if v >= known {
			rows++
		}
	}
	if rows == 0 {
		return ""
	}
	shown := k.strays[:min(5, len(k.strays))]
	return fmt.Sprintf("%s of a class that no row of %s has (%q): wrong, and such a class counts as one more in averages over classes", predictions(rows), file, shown)
}

// sets makes the sample of a file that predicts sets of labels: a label whose
// column of probabilities is not there has none; without a column of decisions those
// from ½ on are present.
func (k *truth) sets(t *data.Table, p predicted, scene *scene, path string, from []int) (*metric.Sample, error) {
	labels := k.output.Classes()
	by := &model.Predictions{Kind: metric.Multilabel, Classes: labels}
	if p.prob != nil {
		by.Prob = make([]float64, t.Rows*len(labels))
		for j, name := range p.prob {
			if name == "" {
				continue
			}
			for i, v := range t.Column(name).Numbers {
				if !(v >= 0 && v <= 1) {
					return nil, mistake("%s, row %d: %s is %v, expected a probability from 0 to 1", path, from[i]+1, name, v)
				}
				by.Prob[i*len(labels)+j] = v
			}
		}
		by.Decide([]float64{0.5})
	}
	if p.decision != "" {
		present, err := k.values(t.Column(p.decision))
		if err != nil {
			return nil, mistake("%s: %v", path, err)
		}
		by.Class = make([]int, t.Rows*len(labels))
		for i := range by.Class {
			by.Class[i] = int(present[i/len(labels)*(len(labels)+1)+i%len(labels)])
		}
	}
	s := (heldOut{by, scene.targets, scene.weights}).sample()
	return s, nil
}

func predictions(n int) string {
	if n == 1 {
		return "1 prediction is"
	}
	return fmt.Sprintf("%d predictions are", n)
}
