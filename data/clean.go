package data

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hone-ml/hone/internal/nearest"
)

// StepOptions are the options of a declared cleaning step.
type StepOptions interface {
	// Fit makes the step for tables like t, which holds training rows. The target
	// is the column to predict.
	Fit(t *Table, target string) (Step, error)
}

// A Learner is the options of a step that may learn from the rows that it is
// fitted on, which must then be training rows alone.
type Learner interface{ Learns() bool }

// A Step is a fitted cleaning step: a [ValueStep] or a [RowStep]. It is safe for
// concurrent use.
type Step interface {
	// Type is the type's name in the configuration.
	Type() string
}

// A ValueStep changes values, each by itself: what it makes of one does not depend
// on other rows or columns, so that a model does the same to a row to predict.
type ValueStep interface {
	Step
	// Apply returns a table with changed values, sharing the columns that stay as
	// they are, and says what it changed. Columns that the table lacks are passed
	// over: a model need not read all of them.
	Apply(t *Table) (*Table, []Changed, error)
}

// A RowStep chooses rows.
type RowStep interface {
	Step
	// Keep returns the numbers of the rows that stay, ascending.
	Keep(t *Table) ([]int, []Changed, error)
	// Reads returns the columns that it needs; nil: it may need any.
	Reads() []string
}

// Changed is what a step changed in one column, or among the rows.
type Changed struct {
	Column  string // "" for rows
	Count   int    // of values or rows
	Message string // such as "12 values above 263 capped"
}

func (c Changed) String() string {
	if c.Column == "" {
		return c.Message
	}
	return c.Column + ": " + c.Message
}

// stepType is a type of step: options with zero values, whose defaults come from
// their tags, and a fitted step to unmarshal into.
type stepType struct {
	options func() StepOptions
	fitted  func() Step
}

// stepTypes are all types of steps. To add one, write its file and a line here.
var stepTypes = map[string]stepType{
	"cap":             {func() StepOptions { return &CapOptions{} }, func() Step { return &Cap{} }},
	"convert":         {func() StepOptions { return &ConvertOptions{} }, func() Step { return &Convert{} }},
	"drop_duplicates": {func() StepOptions { return &DropDuplicatesOptions{} }, func() Step { return &DropDuplicates{} }},
	"filter":          {func() StepOptions { return &FilterOptions{} }, func() Step { return &Filter{} }},
	"map":             {func() StepOptions { return &MapOptions{} }, func() Step { return &Replace{} }},
	"missing":         {func() StepOptions { return &MissingOptions{} }, func() Step { return &Replace{} }},
	"text":            {func() StepOptions { return &TextOptions{} }, func() Step { return &TextStep{} }},
}

// StepTypes returns the names of the types of steps with fresh options.
func StepTypes() map[string]StepOptions {
	m := map[string]StepOptions{}
	for name, t := range stepTypes {
		m[name] = t.options()
	}
	return m
}

// ApplyStep applies a step to a table. kept are the rows that stay, nil when the
// step does not choose rows.
func ApplyStep(s Step, t *Table) (out *Table, kept []int, changed []Changed, err error) {
	switch s := s.(type) {
	case ValueStep:
		out, changed, err = s.Apply(t)
		return out, nil, changed, err
	case RowStep:
		if kept, changed, err = s.Keep(t); err != nil {
			return nil, nil, nil, err
		}
		if len(kept) == t.Rows {
			return t, kept, changed, nil
		}
		return t.Select(kept), kept, changed, nil
	}
	return nil, nil, nil, fmt.Errorf("a step of type %s neither changes values nor chooses rows", s.Type())
}

// CleanValues applies the steps that change values, in their order, unless the
// table says that it is clean already.
func CleanValues(steps []Step, t *Table) (*Table, error) {
	if t.Cleaned {
		return t, nil
	}
	for _, s := range steps {
		if v, ok := s.(ValueStep); ok {
			var err error
			if t, _, err = v.Apply(t); err != nil {
				return nil, fmt.Errorf("data.clean, %s: %w", s.Type(), err)
			}
		}
	}
	return t, nil
}

// CleanRows applies all steps in their order, and returns what is left of the table
// and the numbers of its rows in t.
func CleanRows(steps []Step, t *Table) (*Table, []int, error) {
	rows := make([]int, t.Rows)
	for i := range rows {
		rows[i] = i
	}
	for _, s := range steps {
		next, kept, _, err := ApplyStep(s, t)
		if err != nil {
			return nil, nil, fmt.Errorf("data.clean, %s: %w", s.Type(), err)
		}
		if t = next; kept != nil {
			for k, i := range kept {
				kept[k] = rows[i]
			}
			rows = kept
		}
	}
	return t, rows, nil
}

// stepsVersion is the version of how steps are written; a later one is refused.
const stepsVersion = 1

// savedSteps is how steps stand in a bundle.
type savedSteps struct {
	Version int         `json:"version"`
	Steps   []savedStep `json:"steps"`
}

type savedStep struct {
	Type   string          `json:"type"`
	Fitted json.RawMessage `json:"fitted"`
}

// MarshalSteps returns fitted steps as JSON; nil when there are none.
func MarshalSteps(steps []Step) (json.RawMessage, error) {
	if len(steps) == 0 {
		return nil, nil
	}
	out := savedSteps{Version: stepsVersion}
	for _, s := range steps {
		raw, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		out.Steps = append(out.Steps, savedStep{s.Type(), raw})
	}
	return json.Marshal(out)
}

// UnmarshalSteps reads what MarshalSteps wrote for tables of that schema.
func UnmarshalSteps(raw json.RawMessage, schema Schema) ([]Step, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var saved savedSteps
	if err := json.Unmarshal(raw, &saved); err != nil {
		return nil, err
	}
	if saved.Version != stepsVersion {
		return nil, fmt.Errorf("the cleaning steps have version %d, this program reads %d", saved.Version, stepsVersion)
	}
	empty := schema.empty()
	var steps []Step
	for i, s := range saved.Steps {
		t, ok := stepTypes[s.Type]
		if !ok {
			return nil, fmt.Errorf("step %d has the unknown type %q, this version knows %s", i+1, s.Type, strings.Join(stepNames(), ", "))
		}
		step := t.fitted()
		err := json.Unmarshal(s.Fitted, step)
		if v, ok := step.(interface{ ready(t *Table) error }); err == nil && ok {
			err = v.ready(empty)
		}
		if err != nil {
			return nil, fmt.Errorf("step %d (%s): %w", i+1, s.Type, err)
		}
		steps = append(steps, step)
	}
	return steps, nil
}

func stepNames() []string {
	var names []string
	for name := range stepTypes {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// empty returns a table of the schema without rows.
func (s Schema) empty() *Table {
	t := &Table{}
	for _, f := range s {
		t.Columns = append(t.Columns, newBuilder(f, defaultMissing).take(nil))
	}
	return t
}

// named finds mistakes in the columns that a step names, and returns those columns.
// Without want, every type will do.
func named(t *Table, names []string, want ...Type) ([]*Column, error) {
	var out []*Column
	for k, name := range names {
		c := t.Column(name)
		switch {
		case c == nil:
			hint := has(t.Names())
			if n := nearest.Name(name, t.Names()); n != "" {
				hint = fmt.Sprintf("; did you mean %q?", n)
			}
			return nil, fmt.Errorf("the data has no column %q%s", name, hint)
		case slices.Contains(names[:k], name):
			return nil, fmt.Errorf("column %q is named twice: remove one", name)
		case len(want) > 0 && !slices.Contains(want, c.Type):
			var kinds []string
			for _, w := range want {
				kinds = append(kinds, string(w))
			}
			return nil, fmt.Errorf("column %q is of type %s, expected one of type %s: take it out, or set its type in data.types", name, c.Type, strings.Join(kinds, ", "))
		}
		out = append(out, c)
	}
	return out, nil
}

// replaceColumns returns the table with what f makes of the named columns that it
// has; f returns its argument where nothing changes.
func (t *Table) replaceColumns(names []string, f func(*Column) (*Column, Changed, error)) (*Table, []Changed, error) {
	out := *t
	out.Columns = slices.Clone(t.Columns)
	var changed []Changed
	for j, c := range out.Columns {
		if !slices.Contains(names, c.Name) {
			continue
		}
		d, ch, err := f(c)
		if err != nil {
			return nil, nil, err
		}
		if out.Columns[j] = d; ch.Count > 0 {
			ch.Column = c.Name
			changed = append(changed, ch)
		}
	}
	return &out, changed, nil
}

// recode returns a column of codes whose dictionary is rewritten: f returns what a
// value becomes, and false where it becomes missing. The dictionary of a category
// holds every value once again. n counts the changed values.
func (c *Column) recode(f func(string) (string, bool)) (d *Column, n int) {
	to := make([]int32, len(c.Dict))
	changed := make([]bool, len(c.Dict))
	var dict []string
	index := map[string]int32{}
	for k, v := range c.Dict {
		w, ok := f(v)
		if changed[k] = !ok || w != v; !ok {
			to[k] = -1
			continue
		}
		if c.Type == Category {
			if g, have := index[w]; have {
				to[k] = g
				continue
			}
			index[w] = int32(len(dict))
		}
		to[k] = int32(len(dict))
		dict = append(dict, w)
	}
	for _, k := range c.Codes {
		if k >= 0 && changed[k] {
			n++
		}
	}
	if n == 0 {
		return c, 0
	}
	e := *c
	e.Dict, e.Codes = dict, make([]int32, len(c.Codes))
	for i, k := range c.Codes {
		if e.Codes[i] = -1; k >= 0 {
			e.Codes[i] = to[k]
		}
	}
	return &e, n
}
