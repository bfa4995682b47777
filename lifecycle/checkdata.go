package lifecycle

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
)

// CheckOptions says what Check looks at.
type CheckOptions struct {
	File    string
	Target  string // "": no column is to be predicted
	Weight  string // the column of the weights of rows, which is not looked at as data; "": none
	Against string // another file, such as the test rows; "": none
	Data    data.Options
}

// Checked is what Check found.
type Checked struct {
	File        string                `json:"file"`
	Rows        int                   `json:"rows"`
	Columns     int                   `json:"columns"`
	Target      string                `json:"target,omitempty"`
	Against     string                `json:"against,omitempty"`
	AgainstRows int                   `json:"against_rows,omitempty"`
	Counts      map[data.Severity]int `json:"counts"`
	Findings    []CheckFinding        `json:"findings"`
	// YAML is what the findings together would have a configuration say.
	YAML string `json:"yaml"`
}

// CheckFinding is a finding and what a configuration says to act on it.
type CheckFinding struct {
	data.Finding
	YAML string `json:"yaml,omitempty"`
}

// Worst returns the number of findings that are at least as grave as s.
func (c *Checked) Worst(s data.Severity) int {
	n := 0
	for _, f := range c.Findings {
		if f.Severity.AtLeast(s) {
			n++
		}
	}
	return n
}

// Check looks at a file of rows, and at another beside it, for what would make a
// model or its measure worse than it seems.
func Check(o CheckOptions) (*Checked, error) {
	var err error
	if o.Weight != "" && o.Weight == o.Target {
		return nil, mistake("--weight %s: it is the column to predict", o.Weight)
	}
	if o.Data.Types, err = weightType(o.Weight, o.Data.Types); err != nil {
		return nil, err
	}
	table, schema, err := data.Read(o.File, o.Data)
	if err != nil {
		return nil, err
	}
	weight, err := o.weights(table)
	if err != nil {
		return nil, err
	}
	if o.Weight != "" {
		table = dropColumns(table, []string{o.Weight})
		schema = slices.DeleteFunc(schema, func(f data.Field) bool { return f.Name == o.Weight })
	}
	names := table.Names()
	if o.Target != "" && table.Column(o.Target) == nil {
		return nil, mistake("%s has no column %q to predict, it has %s%s", o.File, o.Target, strings.Join(names, ", "), didYouMean(o.Target, names))
	}
	c := &Checked{File: o.File, Rows: table.Rows, Columns: len(names), Target: o.Target, Against: o.Against, Counts: map[data.Severity]int{}, Findings: []CheckFinding{}}
	for _, s := range data.Severities {
		c.Counts[s] = 0
	}
	options := data.CheckOptions{Target: o.Target, Schema: schema}
	if o.Against != "" {
		if options.Against, err = readAgainst(o, schema); err != nil {
			return nil, err
		}
		c.AgainstRows = options.Against.Rows
	}
	_, findings, err := data.Check(table, options)
	if err != nil {
		return nil, err
	}
	findings = append(findings, weight...)
	all := data.Change{Types: map[string]data.Type{}, Missing: map[string][]string{}}
	out := map[string]bool{}      // left out of the inputs for whatever reason
	unusable := map[string]bool{} // that is left out by itself
	for _, f := range findings {
		if l := f.Change.LeaveOut; l != "" {
			out[l] = true
			unusable[l] = unusable[l] || f.Kind != data.FindingAlike
		}
		for name, t := range f.Change.Types {
			all.Types[name] = t
		}
		all.Clean = append(all.Clean, f.Change.Clean...)
		for name, m := range f.Change.Missing {
			all.Missing[name] = append(all.Missing[name], m...)
		}
		if all.Split.Method == "" {
			all.Split = f.Change.Split
		}
		all.Balance = all.Balance || f.Change.Balance
	}
	for _, f := range findings {
		c.Counts[f.Severity]++
		x := CheckFinding{Finding: f}
		var without map[string]bool
		if l := f.Change.LeaveOut; l != "" {
			without = map[string]bool{l: true}
			for name := range unusable {
				without[name] = unusable[name] || without[name]
			}
		}
		if x.YAML, err = changeYAML(f.Change, without, names, o); err != nil {
			return nil, err
		}
		c.Findings = append(c.Findings, x)
	}
	if c.YAML, err = changeYAML(all, out, names, o); err != nil {
		return nil, err
	}
	return c, nil
}

// weights looks at the weights of rows.
func (o CheckOptions) weights(t *data.Table) ([]data.Finding, error) {
	if o.Weight == "" {
		return nil, nil
	}
	if err := checkWeights(t, o.Weight, o.File, nil); err != nil {
		return nil, err
	}
	w := weightsOf(t, o.Weight)
	f := data.Finding{
		Column: o.Weight, Kind: data.FindingWeights, Severity: data.SeverityNote,
		Message:  "weighs the rows: " + spread(w),
		Remedy:   "nothing to do: name it in data.weight",
		Evidence: map[string]float64{"low": slices.Min(w), "high": slices.Max(w), "rows": float64(len(w)), "effective_rows": effective(w)},
	}
	if effective(w) < float64(len(w))/10 {
		f.Severity, f.Remedy = data.SeverityWarning, "a few rows decide: cap the weights, by a step {type: cap, columns: ["+o.Weight+"], high: 0.99} of data.clean, or see whether they are what they should be"
	}
	return []data.Finding{f}, nil
}

// readAgainst reads the other file. It may lack the target, which cannot be looked
// at then.
func readAgainst(o CheckOptions, schema data.Schema) (*data.Table, error) {
	other := o.Data
	have, err := data.Columns(o.Against, o.Data)
	if err != nil {
		return nil, err
	}
	for _, f := range schema {
		known := false
		for _, n := range have {
			known = known || n == f.Name
		}
		if known || f.Name != o.Target {
			other.Schema = append(other.Schema, f)
		}
	}
	t, _, err := data.Read(o.Against, other)
	return t, err
}

// changeYAML writes the keys that carry out a change; without names the columns
// that are no inputs, nil where the inputs stay as they are.
func changeYAML(ch data.Change, without map[string]bool, names []string, o CheckOptions) (string, error) {
	var section, root config.Map
	if ch.Split.Method != "" {
		section = append(section, config.Entry{Key: "split", Value: config.Map{{Key: "method", Value: ch.Split.Method}, {Key: "column", Value: ch.Split.Column}}})
	}
	if len(ch.Missing) > 0 {
		section = append(section, config.Entry{Key: "missing", Value: ch.Missing})
	}
	if len(ch.Clean) > 0 {
		section = append(section, config.Entry{Key: "clean", Value: declared(ch.Clean)})
	}
	if len(ch.Types) > 0 {
		section = append(section, config.Entry{Key: "types", Value: ch.Types})
	}
	if section != nil {
		root = append(root, config.Entry{Key: "data", Value: section})
	}
	if len(without) > 0 && o.Target != "" {
		var inputs []string
		for _, n := range names {
			if !without[n] && n != o.Target {
				inputs = append(inputs, n)
			}
		}
		if inputs != nil {
			root = append(root, config.Entry{Key: "inputs", Value: inputs})
		}
	}
	if ch.Balance {
		root = append(root, config.Entry{Key: "train", Value: config.Map{{Key: "class_weights", Value: "balanced"}}})
	}
	if root == nil {
		return "", nil
	}
	text, err := config.Write(root)
	return string(text), err
}

// declared writes cleaning steps in an order in which each sees what it should: what
// is missing, then what is spelled or measured otherwise, then equal rows. Steps
// that take the same values as missing become one.
func declared(steps []data.DeclaredStep) config.List {
	order := map[any]int{"missing": 0, "map": 1, "convert": 2, "drop_duplicates": 3}
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, func(a, b data.DeclaredStep) int { return order[a["type"]] - order[b["type"]] })
	columns := map[string][]string{} // by values that are missing in them
	var list config.List
	for _, s := range steps {
		key := fmt.Sprint(s["values"])
		if s["type"] == "missing" {
			names, _ := s["columns"].([]string)
			if columns[key] = append(columns[key], names...); len(columns[key]) > len(names) {
				continue
			}
		}
		list = append(list, config.Entry{Value: s})
	}
	for i, e := range list {
		s := e.Value.(data.DeclaredStep)
		if s["type"] == "missing" {
			s = maps.Clone(s)
			s["columns"] = columns[fmt.Sprint(s["values"])]
		}
		m := config.Map{{Key: "type", Value: s["type"]}}
		for _, key := range slices.Sorted(maps.Keys(s)) {
			if key != "type" {
				m = append(m, config.Entry{Key: key, Value: s[key]})
			}
		}
		list[i].Value = m
	}
	return list
}

// Summary says in a line what was looked at and how much was found.
func (c *Checked) Summary() string {
	s := fmt.Sprintf("%s: %d rows of %d columns", filepath.Base(c.File), c.Rows, c.Columns)
	if c.Against != "" {
		s += fmt.Sprintf(", against %s: %d rows", filepath.Base(c.Against), c.AgainstRows)
	}
	if len(c.Findings) == 0 {
		return s + "; nothing found"
	}
	var parts []string
	for _, v := range data.Severities {
		if n := c.Counts[v]; n == 1 {
			parts = append(parts, "1 "+string(v))
		} else if n > 1 {
			parts = append(parts, fmt.Sprintf("%d %ss", n, v))
		}
	}
	return s + "; " + strings.Join(parts, ", ")
}
