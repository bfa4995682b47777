package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/report"
)

// Parts of the data, as reports name them.
const (
	partSource     = "source"
	partTraining   = "training"
	partValidation = "validation"
	partTest       = "test"
)

var parts = []string{partSource, partTraining, partValidation, partTest}

// cleaning carries out data.clean. The steps up to the first that learns from the
// rows are applied to each file as it is read, so that the split sees their work;
// that one and those after it, to the parts that the rows were divided into, fitted
// on the training rows.
type cleaning struct {
	c       *Config
	steps   []data.Step // fitted so far
	changed []report.Cleaned
}

// early is the number of steps before the first that learns.
func (k *cleaning) early() int {
	n := slices.IndexFunc(k.c.Data.Clean, func(s Clean) bool {
		l, ok := s.Options.(data.Learner)
		return ok && l.Learns()
	})
	if n < 0 {
		return len(k.c.Data.Clean)
	}
	return n
}

func (k *cleaning) mistake(i int, err error) error {
	return mistake("%s: data.clean[%d] (%s): %v", k.c.doc.Name(), i, k.c.Data.Clean[i].Type, err)
}

// fit fits step i, and apply applies it.
func (k *cleaning) fit(i int, t *data.Table) error {
	s, err := k.c.Data.Clean[i].Options.Fit(t, k.c.Outputs[0].Name)
	for _, o := range k.c.Outputs[1:] { // what must not be done to one
		if err == nil {
			_, err = k.c.Data.Clean[i].Options.Fit(t, o.Name)
		}
	}
	if err != nil {
		return k.mistake(i, err)
	}
	k.steps = append(k.steps, s)
	return nil
}

func (k *cleaning) apply(i int, t *data.Table, part string) (*data.Table, error) {
	t, _, err := k.applyStep(i, t, part)
	return t, err
}

// applyStep also returns the rows that stay, nil where the step does not choose.
func (k *cleaning) applyStep(i int, t *data.Table, part string) (*data.Table, []int, error) {
	s := k.steps[i]
	// Test rows are counted as they come: whoever meets the same case twice
	// predicts it twice.
	if _, repeated := s.(*data.DropDuplicates); repeated && part == partTest {
		return t, nil, nil
	}
	out, kept, changed, err := data.ApplyStep(s, t)
	if err != nil {
		return nil, nil, k.mistake(i, err)
	}
	for _, c := range changed {
		k.changed = append(k.changed, report.Cleaned{Step: i, Type: s.Type(), Rows: part, Column: c.Column, Count: c.Count, Message: c.Message})
	}
	if out.Rows == 0 && t.Rows > 0 {
		return nil, nil, k.mistake(i, fmt.Errorf("it leaves none of the %d %s rows: %s; correct the step, or the data that it is for", t.Rows, part, changed[0].Message))
	}
	return out, kept, nil
}

// source fits and applies the early steps to the rows to learn from, and returns
// the numbers of those that stay, from 1.
func (k *cleaning) source(t *data.Table) (*data.Table, []int, error) {
	part := partSource
	if len(k.c.Data.Test) > 0 && len(k.c.Data.Validation.File) > 0 {
		part = partTraining // all of them
	}
	numbers := make([]int, t.Rows)
	for i := range numbers {
		numbers[i] = i + 1
	}
	for i := range k.early() {
		if err := k.fit(i, t); err != nil {
			return nil, nil, err
		}
		out, kept, err := k.applyStep(i, t, part)
		if err != nil {
			return nil, nil, err
		}
		if t = out; kept != nil {
			numbers = pick(numbers, kept, 1)
		}
	}
	return t, numbers, nil
}

// again returns a cleaning that has come as far as the early steps, to be carried
// on with other rows.
func (k *cleaning) again() *cleaning {
	return &cleaning{c: k.c, steps: slices.Clone(k.steps[:k.early()])}
}

// file applies the early steps to another file.
func (k *cleaning) file(t *data.Table, part string) (*data.Table, error) {
	var err error
	for i := range k.early() {
		if t, err = k.apply(i, t, part); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// divided fits the other steps and applies them to what the rows were divided into.
func (k *cleaning) divided(p *prepared) error {
	each := []struct {
		part string
		rows **data.Table
	}{{partTraining, &p.train}, {partValidation, &p.valid}, {partTest, &p.test}}
	late := k.c.Data.Clean[k.early():]
	for i := k.early(); i < len(k.c.Data.Clean); i++ {
		if err := k.fit(i, p.train); err != nil {
			return err
		}
		for _, e := range each {
			if *e.rows == nil {
				continue
			}
			var err error
			if *e.rows, err = k.apply(i, *e.rows, e.part); err != nil {
				return err
			}
		}
	}
	for _, e := range each {
		if *e.rows == nil {
			continue
		}
		if len(late) > 0 { // which may have taken the target of some rows as missing
			t, err := p.dropUnlabelled(*e.rows, k.c.targets(), e.part+" rows")
			if err != nil {
				return err
			}
			*e.rows = t
		}
		marked := **e.rows
		marked.Cleaned = true
		*e.rows = &marked
	}
	k.tell(p)
	return nil
}

// mostColumns is how many columns a note on a step names.
const mostColumns = 4

// tell notes what each step changed, and warns of those that changed nothing.
func (k *cleaning) tell(p *prepared) {
	slices.SortStableFunc(k.changed, func(a, b report.Cleaned) int {
		return cmp.Or(a.Step-b.Step, slices.Index(parts, a.Rows)-slices.Index(parts, b.Rows))
	})
	p.facts.Cleaned = append([]report.Cleaned{}, k.changed...) // an empty list in JSON
	for lo := 0; lo < len(k.changed); {
		hi := lo + 1
		for hi < len(k.changed) && k.changed[hi].Step == k.changed[lo].Step && k.changed[hi].Rows == k.changed[lo].Rows {
			hi++
		}
		named := hi - lo
		if named > mostColumns+1 { // one more is as short to name as to count
			named = mostColumns
		}
		for _, c := range k.changed[lo : lo+named] {
			p.notes = append(p.notes, c.String())
		}
		if more := hi - lo - named; more > 0 {
			p.notes = append(p.notes, fmt.Sprintf("%s: and values of %d more columns (%s rows); the report tells all", k.changed[lo].Type, more, k.changed[lo].Rows))
		}
		lo = hi
	}
	for i, s := range k.steps {
		if !slices.ContainsFunc(k.changed, func(c report.Cleaned) bool { return c.Step == i }) {
			p.warnings = append(p.warnings, fmt.Sprintf("data.clean[%d] (%s) changed nothing in any row of %s: correct it, or remove it", i, s.Type(), strings.Join(k.c.Data.Source, ", ")))
		}
	}
}

// carried are the steps that a model takes along: all but those that only say
// which rows to learn from.
func (k *cleaning) carried() []data.Step {
	return slices.DeleteFunc(slices.Clone(k.steps), func(s data.Step) bool {
		_, repeated := s.(*data.DropDuplicates)
		return repeated
	})
}
