package lifecycle

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
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
	Test   string // a file of test rows; "": a part of File, or what File divides itself into
	Output string // where the configuration will be, to which paths are relative
	Data   data.Options

	validation string // the part of File that is for it
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
	whole := o.File
	parts, err := data.Divided(o.File)
	if err != nil {
		return nil, err
	}
	if o.File = parts.Source; o.Test == "" {
		o.Test, o.validation = parts.Test, parts.Validation
	}
	table, schema, note, err := o.read()
	if err != nil {
		return nil, err
	}
	names := table.Names()
	f := &Found{Target: o.Target, Rows: table.Rows, LeftOut: []data.Finding{}, Notes: []string{}}
	if note != "" {
		f.Notes = append(f.Notes, note)
	}
	if f.Target == "" {
		return nil, mistake("%s: which column is to be predicted? Give --target; the columns are %s", o.File, strings.Join(names, ", "))
	}
	target := table.Column(f.Target)
	if target == nil {
		return nil, mistake("%s has no column %q to predict, it has %s%s", o.File, f.Target, strings.Join(names, ", "), didYouMean(f.Target, names))
	}
	var p prepared
	if table, err = p.dropUnlabelled(table, []string{f.Target}, o.File); err != nil {
		return nil, err
	}
	f.Notes = append(f.Notes, p.warnings...)
	target = table.Column(f.Target)
	var why string
	if f.Task, why, err = data.TargetKind(target); err != nil {
		return nil, inFile(err, o.File)
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
	inputs := f.inputs(table, schema, summaries, findings)
	if len(f.Inputs) == 0 {
		return nil, mistake("%s: no column is left to learn from: all are identifiers, constants, text or give %s away", o.File, f.Target)
	}
	output, err := f.output(target, why)
	if err != nil {
		return nil, err
	}
	file := filepath.Base(o.Output)
	text, err := config.Write(config.Map{
		{Key: "name", Value: modelName(whole, f.Target), Line: "of the model and its bundle",
			Head: fmt.Sprintf("What hone makes of %s. It runs as it is: hone run %s\nEvery key that is not here has a default: hone config show %s", filepath.Base(whole), file, file)},
		{Key: "data", Value: sources(o, f.Task), Head: "The rows, and which are for what."},
		{Key: "inputs", Value: inputs, Head: f.inputsHead(table)},
		{Key: "outputs", Value: output, Head: "The column to predict."},
		{Key: "network", Value: f.network(table), Head: "What joins the inputs."},
		{Key: "train", Value: f.train(table), Head: "How it is trained."},
	})
	f.YAML = string(text)
	return f, err
}

// read reads the file. Where a quote stands within a field, as in many
// files of tweets and reviews, and the rows are whole if they are taken for text,
// they are text: options and note say so.
func (o *InitOptions) read() (t *data.Table, schema data.Schema, note string, err error) {
	t, schema, err = data.Read(o.File, o.Data)
	if e, ok := errors.AsType[*data.Error](err); ok && e.Quotes && o.Data.Quote == "" {
		plain := o.Data
		plain.Quote = "none"
		if t, schema, again := data.Read(o.File, plain); again == nil {
			o.Data = plain
			return t, schema, fmt.Sprintf("quotes are text here (data.quote: none): in line %d, %s", e.Line, e.Problem), nil
		}
	}
	return t, schema, "", err
}

// inputsHead is what stands above the inputs: with texts, how an encoder that others
// have trained reads them too, which is not there to be had without asking.
func (f *Found) inputsHead(t *data.Table) string {
	const head = "The columns to learn from."
	if !slices.ContainsFunc(f.Inputs, func(name string) bool { return t.Column(name).Type == data.Text }) {
		return head
	}
	return head + " A text may stand here twice, the second time with encoder: {type: pretrained, from: FOLDER}, such as all-MiniLM-L6-v2's."
}

// onlyTexts reports whether all inputs are texts.
func (f *Found) onlyTexts(t *data.Table) bool {
	return !slices.ContainsFunc(f.Inputs, func(name string) bool { return t.Column(name).Type != data.Text })
}

// network is the section on the network. Texts alone need none: what an encoder
// makes of them is one layer from the answer.
func (f *Found) network(t *data.Table) config.Map {
	if f.onlyTexts(t) {
		return config.Map{{Key: "type", Value: "mlp"}, {Key: "widths", Value: []int{}, Line: "no layer between a text's vector and the prediction"}}
	}
	if _, only := f.images(t); only {
		return config.Map{{Key: "type", Value: "mlp"}, {Key: "widths", Value: []int{}, Line: "no layer between what the encoder makes of an image and the prediction"}}
	}
	return config.Map{{Key: "type", Value: "tabm"}, {Key: "members", Value: 8}, {Key: "widths", Value: []int{128, 128}}, {Key: "dropout", Value: 0.1}}
}

// train is the section on training. The many vectors of words are learnt by heart
// within few epochs.
func (f *Found) train(t *data.Table) config.Map {
	epochs, batch, patience := 40, 256, 12
	if f.onlyTexts(t) {
		epochs, batch, patience = 10, 64, 3
	}
	if some, _ := f.images(t); some {
		epochs, batch = imageEpochs(t.Rows), 128
		patience = epochs // the last, at the lowest learning rates, are the best as a rule
	}
	return config.Map{
		{Key: "epochs", Value: epochs, Line: "at most"},
		{Key: "batch_size", Value: batch},
		{Key: "optimizer", Value: config.Map{{Key: "type", Value: "adamw"}, {Key: "learning_rate", Value: 0.003}}},
		{Key: "early_stopping", Value: config.Map{{Key: "patience", Value: patience}}, Line: "epochs without improvement"},
	}
}

// modelName is the file's name, or where that says nothing the target's.
func modelName(file, target string) string {
	name := filepath.Base(file)
	for _, ext := range []string{".gz", ".zst", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".npz"} {
		name = strings.TrimSuffix(name, ext)
	}
	if slices.Contains([]string{"train", "data", "training"}, strings.ToLower(name)) {
		name = target
	}
	return fileName(name)
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

// sources is the section on data.
func sources(o InitOptions, task string) config.Map {
	m := config.Map{{Key: "source", Value: relative(o.File, o.Output)}}
	method := "stratified"
	if task == data.TargetSet { // whose combinations are too many to be strata
		method = "random"
	}
	switch {
	case o.validation != "" && o.Test != "":
		m = append(m, config.Entry{Key: "validation", Value: relative(o.validation, o.Output), Line: "choices are made on these rows"},
			config.Entry{Key: "test", Value: relative(o.Test, o.Output), Line: "read once, at the end"})
	case o.validation != "":
		m = append(m, config.Entry{Key: "validation", Value: relative(o.validation, o.Output), Line: "choices are made on these rows; a tenth of source is for the test"})
	case o.Test != "":
		m = append(m, config.Entry{Key: "validation", Value: config.Map{{Key: "fraction", Value: 0.1}}, Line: "of source: choices are made on these rows"},
			config.Entry{Key: "test", Value: relative(o.Test, o.Output), Line: "read once, at the end"})
	default:
		m = append(m, config.Entry{Key: "split", Line: "to train, validate and test on",
			Value: config.Map{{Key: "method", Value: method}, {Key: "fractions", Value: []float64{0.8, 0.1, 0.1}}}})
	}
	for _, e := range []config.Entry{ // how to read the files, as Init was told to
		{Key: "delimiter", Value: o.Data.Delimiter}, {Key: "quote", Value: o.Data.Quote}, {Key: "encoding", Value: o.Data.Encoding},
		{Key: "header", Value: o.Data.Header}, {Key: "names", Value: o.Data.Names}, {Key: "skip_lines", Value: o.Data.SkipLines},
		{Key: "missing_values", Value: o.Data.MissingValues}, {Key: "missing", Value: o.Data.Missing}, {Key: "types", Value: o.Data.Types}, {Key: "layouts", Value: o.Data.Layouts},
		{Key: "empty_sets", Value: o.Data.EmptySets}, {Key: "max_expansion", Value: o.Data.MaxExpansion},
	} {
		if !reflect.ValueOf(e.Value).IsZero() {
			m = append(m, e)
		}
	}
	return m
}

// inputs is the section on inputs: those that the data check has nothing
// against, and after them the others, each with what it has and as a comment
// to be taken back.
func (f *Found) inputs(t *data.Table, schema data.Schema, summaries []data.Summary, findings []data.Finding) config.List {
	against := map[string]data.Finding{}
	for _, x := range findings {
		if _, first := against[x.Column]; !first && x.Column != f.Target {
			against[x.Column] = x
		}
	}
	entry := func(name, kind string) config.Map {
		return config.Map{{Key: "name", Value: name}, {Key: "type", Value: kind}}
	}
	var in, out config.List
	for i, c := range t.Columns {
		if c.Name == f.Target {
			continue
		}
		kind := feature.InputFor(c.Type)
		x, bad := against[c.Name]
		switch {
		case bad:
		case kind == "":
			x, bad = data.Finding{Column: c.Name, Kind: string(c.Type), Message: fmt.Sprintf("holds %s values, which no input type reads yet", c.Type)}, true
		default:
			f.Inputs = append(f.Inputs, c.Name)
			comment := describeColumn(summaries[i])
			if n := summaries[i].Distinct; kind == "number" && n > 2 && n <= fewNumbers && whole(c) {
				comment += fmt.Sprintf("; %d whole numbers: type: category, if they are codes", n)
			}
			if note := schema[i].Note; note != "" {
				comment += "; " + note
			}
			e := config.Entry{Value: entry(c.Name, kind), Line: comment}
			if c.Type == data.Image {
				e = imageEntry(c)
			}
			in = append(in, e)
			continue
		}
		f.LeftOut = append(f.LeftOut, x)
		back := "To use it all the same, uncomment:"
		if kind == "" {
			kind = "category"
			if c.Type != data.Identifier {
				back = "To take its values for labels all the same, give it the type category in data.types and uncomment:"
			}
		}
		e := config.Entry{Value: entry(c.Name, kind), Off: true, Head: fmt.Sprintf("%s is left out: it %s. %s", c.Name, x.Message, back)}
		out = append(out, e)
	}
	return append(in, out...)
}

// fewNumbers is up to how many whole numbers may be codes.
const fewNumbers = 32

func whole(c *data.Column) bool {
	return !slices.ContainsFunc(c.Numbers, func(v float64) bool { return !math.IsNaN(v) && v != math.Trunc(v) })
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

// output is the section on outputs.
func (f *Found) output(target *data.Column, why string) (config.List, error) {
	m, comment := config.Map{{Key: "name", Value: f.Target}, {Key: "type", Value: f.Task}}, why
	switch f.Task {
	case data.TargetBinary:
		o := &feature.BinaryOptions{}
		if err := config.Defaults(o); err != nil {
			return nil, err
		}
		out, err := o.Fit(target)
		if err != nil {
			return nil, &UserError{err.Error()}
		}
		b := out.(*feature.Binary)
		m = append(m, config.Entry{Key: "positive", Value: b.Positive})
		comment = fmt.Sprintf("%.3g %% of the rows are %s", 100*b.Share, oneLine(b.Positive))
	case data.TargetSet:
		if d := data.SetDelimiter(target); d != "" {
			m = append(m, config.Entry{Key: "delimiter", Value: d})
		}
	case data.TargetNumber:
		comment = "a number; for classes: type: category"
	}
	return config.List{{Value: m, Line: comment}}, nil
}
