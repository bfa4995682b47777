package lifecycle

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
)

// InitOptions says what Init looks at.
type InitOptions struct {
	File   string
	Target string // "": the last column
	Test   string // a file of test rows; "": a part of File
	Output string // where the configuration will be, to which paths are relative
	Data   data.Options
}

// Found is what Init found, and the configuration it wrote.
type Found struct {
	YAML    string         `json:"-"`
	Target  string         `json:"target"`
	Task    string         `json:"task"`
	Rows    int            `json:"rows"`
	Inputs  []string       `json:"inputs"`
	LeftOut []data.Finding `json:"left_out"`
	Columns []data.Summary `json:"columns"`
	Notes   []string       `json:"notes"`
}

// Init looks at the data and returns a commented configuration that runs as
// it is.
func Init(o InitOptions) (*Found, error) {
	table, schema, err := data.Read(o.File, o.Data)
	if err != nil {
		return nil, err
	}
	names := table.Names()
	f := &Found{Target: o.Target, Rows: table.Rows}
	if f.Target == "" {
		return nil, mistake("%s: which column is to be predicted? Give --target; the columns are %s", o.File, strings.Join(names, ", "))
	}
	target := table.Column(f.Target)
	if target == nil {
		return nil, mistake("%s has no column %q to predict, it has %s%s", o.File, f.Target, strings.Join(names, ", "), nearest(f.Target, names))
	}
	var p prepared
	if table, err = p.dropUnlabelled(table, f.Target, o.File); err != nil {
		return nil, err
	}
	f.Notes = append(f.Notes, p.warnings...)
	target = table.Column(f.Target)
	var why string
	if f.Task, why, err = data.TargetKind(target); err != nil {
		return nil, err
	}
	summaries, findings, err := data.Profile(table, f.Target)
	if err != nil {
		return nil, err
	}
	f.Columns = summaries
	if o.Test != "" {
		// The test file must have the columns; its rows are not looked at.
		t := o.Data
		t.Schema = schema
		r, err := data.Open(o.Test, t)
		if err != nil {
			return nil, err
		}
		r.Close()
	}
	w := &yamlWriter{}
	w.head(o, f)
	w.data(o)
	w.inputs(f, table, schema, summaries, findings)
	if len(f.Inputs) == 0 {
		return nil, mistake("%s: no column is left to learn from: all are identifiers, constants, text or give %s away", o.File, f.Target)
	}
	if err := w.output(f, target, why); err != nil {
		return nil, err
	}
	w.rest(o.Output)
	f.YAML = w.b.String()
	return f, nil
}

// yamlWriter writes the configuration, with comments set apart.
type yamlWriter struct{ b strings.Builder }

const commentColumn = 52

func (w *yamlWriter) line(text, comment string) {
	w.b.WriteString(text)
	if comment != "" {
		w.b.WriteString(strings.Repeat(" ", max(2, commentColumn-len([]rune(text)))) + "# " + comment)
	}
	w.b.WriteByte('\n')
}

func (w *yamlWriter) head(o InitOptions, f *Found) {
	w.line("# What hone makes of "+filepath.Base(o.File)+". It runs as it is:", "")
	w.line("#   hone run "+filepath.ToSlash(filepath.Base(o.Output)), "")
	w.line("# Every key that is not here has a default: hone config show "+filepath.Base(o.Output), "")
	w.line("", "")
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(o.File), ".gz"), ".csv")
	if slices.Contains([]string{"train", "data", "training"}, strings.ToLower(strings.TrimSuffix(name, filepath.Ext(name)))) || strings.HasSuffix(name, ".tsv") {
		name = f.Target
	}
	w.line("name: "+config.Quote(fileName(name)), "of the model and its bundle")
	w.line("", "")
}

// fileName makes a name that every system takes for a file.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) || r < ' ' {
			return '-'
		}
		return r
	}, s)
	if s = strings.Trim(s, ".-"); s == "" {
		return "model"
	}
	return s
}

// relative returns a path as the configuration at output names it.
func relative(path, output string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	dir, err := filepath.Abs(filepath.Dir(output))
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(dir, abs); err == nil && strings.Count(rel, "..") <= 3 {
		return filepath.ToSlash(rel)
	}
	return abs
}

func (w *yamlWriter) data(o InitOptions) {
	w.line("data:", "")
	w.line("  source: "+config.Quote(relative(o.File, o.Output)), "")
	if o.Test != "" {
		w.line("  validation: {fraction: 0.1}", "of source: choices are made on these rows")
		w.line("  test: "+config.Quote(relative(o.Test, o.Output)), "read once, at the end")
	} else {
		w.line("  split: {method: stratified, fractions: [0.8, 0.1, 0.1]}", "to train, validate and test on")
	}
	for _, opt := range []struct{ key, value string }{{"delimiter", o.Data.Delimiter}, {"encoding", o.Data.Encoding}, {"quote", o.Data.Quote}} {
		if opt.value != "" {
			w.line("  "+opt.key+": "+config.Quote(opt.value), "")
		}
	}
	if o.Data.Header != nil {
		w.line(fmt.Sprintf("  header: %t", *o.Data.Header), "")
	}
	for i, name := range sortedKeys(o.Data.Types) {
		if i == 0 {
			w.line("  types:", "")
		}
		w.line(fmt.Sprintf("    %s: %s", config.Quote(name), o.Data.Types[name]), "")
	}
	w.line("", "")
}

func (w *yamlWriter) inputs(f *Found, t *data.Table, schema data.Schema, summaries []data.Summary, findings []data.Finding) {
	against := map[string]data.Finding{}
	for _, x := range findings {
		if _, first := against[x.Column]; !first && x.Column != f.Target {
			against[x.Column] = x
		}
	}
	w.line("inputs:", "")
	for i, c := range t.Columns {
		if c.Name == f.Target || against[c.Name].Kind != "" {
			continue
		}
		kind := feature.InputFor(c.Type)
		if kind == "" {
			against[c.Name] = data.Finding{Column: c.Name, Kind: string(c.Type), Message: fmt.Sprintf("holds %s values, which no input type reads yet", c.Type)}
			continue
		}
		f.Inputs = append(f.Inputs, c.Name)
		comment := describeColumn(summaries[i])
		if note := schema[i].Note; note != "" {
			comment += "; " + note
		}
		w.line(fmt.Sprintf("  - {name: %s, type: %s}", flowQuote(c.Name), kind), comment)
	}
	for _, c := range t.Columns {
		x, bad := against[c.Name]
		if !bad {
			continue
		}
		f.LeftOut = append(f.LeftOut, x)
		w.line(fmt.Sprintf("  # %s is left out: it %s.", c.Name, x.Message), "")
		if feature.InputFor(c.Type) != "" || c.Type == data.Identifier {
			kind := feature.InputFor(c.Type)
			if kind == "" {
				kind = "category"
			}
			w.line(fmt.Sprintf("  # To use it all the same, take the # off the next line:"), "")
			w.line(fmt.Sprintf("  # - {name: %s, type: %s}", flowQuote(c.Name), kind), "")
		}
	}
	w.line("", "")
}

// flowQuote quotes a name for a flow mapping, where commas and brackets count.
func flowQuote(s string) string {
	if q := config.Quote(s); q != s || !strings.ContainsAny(s, ",[]{}") {
		return q
	}
	return fmt.Sprintf("%q", s)
}

func describeColumn(s data.Summary) string {
	var parts []string
	switch {
	case s.Numbers != nil:
		parts = append(parts, fmt.Sprintf("%.4g to %.4g, mean %.4g", s.Numbers.Min, s.Numbers.Max, s.Numbers.Mean))
	case s.First != "":
		parts = append(parts, s.First+" to "+s.Last)
	case len(s.Top) > 0:
		parts = append(parts, fmt.Sprintf("%d values, most often %s", s.Distinct, oneLine(s.Top[0].Value)))
	}
	if s.Missing > 0 {
		parts = append(parts, fmt.Sprintf("%.3g %% missing", 100*s.Missing))
	}
	return strings.Join(parts, ", ")
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 30 {
		s = string(r[:30]) + "…"
	}
	return s
}

func (w *yamlWriter) output(f *Found, target *data.Column, why string) error {
	extra, comment := "", why
	switch f.Task {
	case data.TargetBinary:
		o := &feature.BinaryOptions{}
		if err := config.Defaults(o); err != nil {
			return err
		}
		out, err := o.Fit(target)
		if err != nil {
			return &UserError{err.Error()}
		}
		b := out.(*feature.Binary)
		extra = ", positive: " + flowQuote(b.Positive)
		comment = fmt.Sprintf("%.3g %% of the rows are %s", 100*b.Share, b.Positive)
	case data.TargetNumber:
		comment = "a number; for classes: type: category"
	}
	w.line("outputs:", "")
	w.line(fmt.Sprintf("  - {name: %s, type: %s%s}", flowQuote(f.Target), f.Task, extra), comment)
	w.line("", "")
	return nil
}

func (w *yamlWriter) rest(output string) {
	w.line("network: {type: mlp, widths: [256, 128], dropout: 0.1}", "")
	w.line("", "")
	w.line("train:", "")
	w.line("  epochs: 60", "at most; early stopping ends sooner")
	w.line("  batch_size: 256", "")
	w.line("  optimizer: {type: adamw, learning_rate: 1e-3}", "")
	w.line("  early_stopping: {patience: 8}", "epochs without improvement")
}
