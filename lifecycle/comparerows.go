package lifecycle

import (
	"math"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/model"
)

// A scene is the rows that all candidates are measured on: those that have the
// target and that no filter of a bundle leaves out.
type scene struct {
	all     int   // rows of the file
	keep    []int // those of them that count
	targets []float64
	weights []float64 // nil: all 1
}

// rows reads what says which rows count, and how much, as hone evaluate does:
// each bundle's data.clean is applied to the target, the weights and what its
// filters read, and a row that one of them leaves out is left out for all.
func (k *truth) rows(all []*candidate, o CompareOptions, c *Comparison) (*scene, error) {
	var models []*model.Model
	for _, one := range all {
		if one.model != nil {
			models = append(models, one.model)
		}
	}
	if len(models) == 0 {
		models = []*model.Model{{}} // nothing is cleaned
	}
	var s *scene
	var passed []bool // by row of the file
	var first *data.Table
	differ := false
	for _, m := range models {
		read := o.Data
		read.Schema = data.Schema{k.fieldOf(m)}
		if k.weight != "" {
			read.Schema = append(read.Schema, *k.weights)
		}
		for _, step := range m.Clean {
			if r, ok := step.(data.RowStep); ok {
				for _, name := range r.Reads() {
					if f := m.Schema.Field(name); f != nil && read.Schema.Field(name) == nil {
						read.Schema = append(read.Schema, *f)
					}
				}
			}
		}
		t, _, err := data.Read(o.File, read)
		if err != nil {
			if m.Schema == nil {
				return nil, err
			}
			return nil, forModel(err, m)
		}
		cleaned, rows, err := data.CleanRows(m.Clean, t)
		if err != nil {
			return nil, mistake("%s: %v", o.File, err)
		}
		if len(rows) == 0 {
			return nil, mistake("%s: the filters of data.clean, with which %s was trained, leave none of its %d rows: there is nothing to compare on", o.File, m.Name, t.Rows)
		}
		if err := checkWeights(cleaned, k.weight, o.File, nil); err != nil {
			return nil, err
		}
		// Back to where the rows stand in the file, so that bundles can be compared.
		place := make([]int, t.Rows)
		for i := range place {
			place[i] = -1
		}
		for at, row := range rows {
			place[row] = at
		}
		if s == nil {
			s = &scene{all: t.Rows}
			first, passed = cleaned, make([]bool, t.Rows)
			for i := range passed {
				passed[i] = true
			}
			s.keep = place
			for i := range passed {
				passed[i] = place[i] >= 0
			}
			continue
		}
		for i, at := range place {
			if at < 0 {
				passed[i] = false
			} else if was := s.keep[i]; was >= 0 && k.weight != "" && weightsOf(first, k.weight)[was] != weightsOf(cleaned, k.weight)[at] {
				differ = true
			}
		}
	}
	place := s.keep // of the first bundle's rows
	s.keep = nil
	target := first.Column(k.target)
	if target == nil {
		return nil, mistake("%s has no column %q, which is to be predicted", o.File, k.target)
	}
	var at []int
	for i, ok := range passed {
		switch {
		case !ok:
			c.Filtered++
		case target.Missing(place[i]):
			c.Unlabeled++
		default:
			s.keep, at = append(s.keep, i), append(at, place[i])
		}
	}
	if len(s.keep) == 0 && c.Filtered == 0 {
		return nil, mistake("%s: the column %q to predict is missing in every one of %d rows", o.File, k.target, s.all)
	}
	if len(s.keep) == 0 {
		return nil, mistake("%s: the filters of data.clean and missing values of %q leave none of its %d rows: there is nothing to compare on", o.File, k.target, s.all)
	}
	var err error
	if s.targets, err = k.values(first.Select(at).Column(k.target)); err != nil {
		return nil, mistake("%s: %v", o.File, err)
	}
	switch {
	case differ:
		c.Weight = ""
		c.Notes = append(c.Notes, "every row counts the same: data.clean of the bundles makes different weights")
	case k.weight != "":
		s.weights = pick(weightsOf(first, k.weight), at, 1)
		sum := 0.0
		for _, w := range s.weights {
			sum += w
		}
		if sum == 0 || math.IsInf(sum, 0) {
			return nil, mistake("%s: the weights (%s) of the %d rows to compare on add up to %v: nothing could be measured", o.File, k.weight, len(s.keep), sum)
		}
		c.Notes = append(c.Notes, "rows count by "+k.weight)
	}
	return s, nil
}

// fieldOf is the target as a bundle reads it, by the common name.
func (k *truth) fieldOf(m *model.Model) data.Field {
	if f := m.Schema.Field(k.target); f != nil {
		return *f
	}
	return k.field
}

// at picks values of the file's rows.
func (s *scene) at(rows []int) []int {
	out := make([]int, len(s.keep))
	for i, row := range s.keep {
		out[i] = rows[row]
	}
	return out
}

// whole reports whether every row counts.
func (s *scene) whole() bool { return len(s.keep) == s.all }

// of selects the rows that count of a table of the file's.
func (s *scene) of(t *data.Table) *data.Table {
	if s.whole() {
		return t
	}
	return t.Select(slices.Clone(s.keep))
}
