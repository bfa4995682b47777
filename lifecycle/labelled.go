package lifecycle

import (
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/model"
)

// labelledRows are the rows of a file whose answers are known.
type labelledRows struct {
	rows                *data.Table // as they are in the file, since whoever predicts cleans them
	targets             [][]float64 // of each output, NaN where a row lacks it
	weights             []float64   // nil: all 1
	bad                 []rejected  // set aside, whose image cannot be read
	numbers             []int       // of the rows in the file, from 0
	filtered, unlabeled int         // left out by a filter of data.clean, and for lack of any target
}

// readLabelled reads the rows of a file that a model is for and that have a target;
// with all, also the columns that it does not know.
func readLabelled(m *model.Model, path string, o data.Options, all bool) (*labelledRows, error) {
	plain := o
	o.Schema = slices.Clone(m.InputSchema())
	for _, name := range targetsOf(m) {
		if f := m.Schema.Field(name); f != nil {
			o.Schema = append(o.Schema, *f)
		}
	}
	var err error
	var weighted bool
	if o.Schema, weighted, err = readWeight(path, weightField(m), o, o.Schema); err != nil {
		return nil, err
	}
	for _, s := range m.Clean { // which rows the model is for
		if r, ok := s.(data.RowStep); ok {
			for _, name := range r.Reads() {
				if f := m.Schema.Field(name); f != nil && o.Schema.Field(name) == nil {
					o.Schema = append(o.Schema, *f)
				}
			}
		}
	}
	if all {
		if o.Schema, err = withOthers(path, plain, o.Schema); err != nil {
			return nil, err
		}
	}
	t, _, err := data.Read(path, o)
	if err != nil {
		return nil, forModel(err, m)
	}
	k := &labelledRows{}
	t, bad, stay := withoutBad(t, m)
	k.bad = bad
	if t.Rows == 0 {
		return nil, mistake("%s: none of the %d rows has images that can be read: %s", path, len(k.bad), some(k.bad))
	}
	cleaned, rows, err := data.CleanRows(m.Clean, t)
	if err != nil {
		return nil, mistake("%s: %v", path, err)
	}
	if len(rows) == 0 {
		return nil, mistake("%s: the filters of data.clean, with which %s was trained, leave none of its %d rows: there is nothing to measure", path, m.Name, t.Rows)
	}
	keep, err := labelled(cleaned, targetsOf(m), path)
	if err != nil {
		return nil, err
	}
	if weighted {
		if err := checkWeights(cleaned, m.Weight, path, nil); err != nil {
			return nil, err
		}
		k.weights = pick(weightsOf(cleaned, m.Weight), keep, 1)
	}
	k.filtered, k.unlabeled = t.Rows-len(rows), len(rows)-len(keep)
	for at, i := range keep {
		keep[at] = rows[i]
	}
	if k.filtered+k.unlabeled > 0 {
		t = t.Select(keep) // as they are in the file, since whoever predicts cleans them
	}
	for at, i := range keep {
		keep[at] = stay[i]
	}
	k.rows, k.numbers = t, keep
	if _, k.targets, err = m.AllTargets(t); err != nil {
		return nil, mistake("%s: %v", path, err)
	}
	return k, nil
}
