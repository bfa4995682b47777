package lifecycle

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/explain"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/internal/nearest"
	"github.com/hone-ml/hone/model"
)

// ExplainOptions say what to explain of a model, and how.
type ExplainOptions struct {
	Data data.Options
	File string // labelled rows, for the model as a whole

	Row        []string // rows as NAME=VALUE with commas, or JSON objects
	Rows       string   // a file of rows
	Background string   // a file of rows to compare with; "": a typical row
	Method     string   // as explain.LocalOptions has it
	Class      string   // "": the positive one, or the one that a row is predicted to be

	Target  string   // which of several outputs; "": the first
	Metric  string   // "": the headline of the task
	Columns []string // whose dependence is told; nil: of the Top most important
	Top     int
	Repeats int
	Limit   int // rows at most; 0: for the model as a whole wholeRows, of single rows singleRows
	Seed    uint64
}

// What is looked at where nobody says how much.
const (
	wholeRows      = 5000
	singleRows     = 10
	backgroundRows = 100
	curveRows      = 300
	curveValues    = 20
	importanceRuns = 200 // resamples behind an interval
)

// DefaultExplainOptions are those that hone explain starts from.
func DefaultExplainOptions() ExplainOptions {
	return ExplainOptions{Method: explain.Auto, Top: 3, Repeats: 5}
}

// Explained is what `hone explain --json` prints.
type Explained struct {
	Model    string   `json:"model"`
	Target   string   `json:"target"`
	Task     string   `json:"task"`
	Classes  []string `json:"classes,omitempty"`
	Endpoint string   `json:"endpoint,omitempty"`
	File     string   `json:"file,omitempty"`
	// Importance and Dependence are of the model as a whole.
	Importance *evaluate.Importance `json:"importance,omitempty"`
	Dependence []explain.Dependence `json:"dependence,omitempty"`
	// Rows are single rows, compared with ComparedRows of the file ComparedWith, or
	// with a typical row, "".
	Rows         []*explain.Explanation `json:"rows,omitempty"`
	ComparedWith string                 `json:"compared_with,omitempty"`
	ComparedRows int                    `json:"compared_rows,omitempty"`
	// Notes are what to know of these numbers.
	Notes []string `json:"notes,omitempty"`
}

// Explain explains a model, or how it predicts single rows, by its predictions as p
// gives them: the model itself or an endpoint that serves it.
func Explain(ctx context.Context, m *model.Model, p model.Predictor, o ExplainOptions) (*Explained, error) {
	outputs := m.Outputs()
	at := slices.IndexFunc(outputs, func(out model.Output) bool { return out.Column == o.Target })
	switch {
	case o.Target == "":
		at = 0
	case at < 0:
		return nil, mistake("%s does not predict %q: it predicts %s", m.Name, o.Target, strings.Join(targetsOf(m), ", "))
	}
	out := outputs[at].Feature
	s := &explain.Subject{By: p, Output: at}
	for _, in := range m.Inputs {
		s.Columns = append(s.Columns, in.Column)
	}
	e := &Explained{Model: m.Name, Target: outputs[at].Column, Task: out.Kind().String(), Classes: out.Classes()}
	var err error
	if o.File != "" {
		e.File = o.File
		err = e.whole(ctx, m, s, out, o)
	} else {
		e.File = o.Rows
		err = e.single(ctx, m, s, out, o)
	}
	return e, err
}

// draw returns rows of a table, at most so many, drawn by the seed, in their order.
func draw(rows, most int, seed uint64) []int {
	all := rand.New(rand.NewPCG(seed, 0x6578706c)).Perm(rows)[:min(rows, most)]
	slices.Sort(all)
	return all
}

// withTargets returns the rows that have a target, and how many numbers a target is: of
// sets of labels one for each label and one more.
func withTargets(targets []float64, rows int) (known []int, width int) {
	width = len(targets) / max(1, rows)
	for i := range rows {
		if v := targets[i*width]; v == v {
			known = append(known, i)
		}
	}
	return known, width
}

// whole explains the model on a file's labelled rows.
func (e *Explained) whole(ctx context.Context, m *model.Model, s *explain.Subject, out feature.Output, o ExplainOptions) error {
	for _, name := range o.Columns {
		if !slices.Contains(s.Columns, name) {
			return noColumn(m, name, s.Columns)
		}
	}
	name := o.Metric
	if name == "" {
		name = evaluate.Headline(out.Kind())
	}
	by, err := metricFor(name, out.Kind())
	if err != nil {
		return mistake("--metric: %v", err)
	}
	k, err := readLabelled(m, o.File, o.Data, false)
	if err != nil {
		return err
	}
	rows, width := withTargets(k.targets[s.Output], k.rows.Rows)
	if len(rows) == 0 {
		return mistake("%s: no row has the target %q", o.File, e.Target)
	}
	most := o.Limit
	if most == 0 {
		most = wholeRows
	}
	if n := len(rows); n > most {
		chosen := draw(n, most, o.Seed)
		for i, r := range chosen {
			chosen[i] = rows[r]
		}
		rows = chosen
		e.Notes = append(e.Notes, fmt.Sprintf("%d of %d rows, drawn by the seed %d: --limit takes more", len(rows), n, o.Seed))
	}
	t, truth, weights := k.rows.Select(rows), pick(k.targets[s.Output], rows, width), pick(k.weights, rows, 1)
	e.Importance, err = explain.Importance(ctx, s, t, truth, weights, explain.ImportanceOptions{
		Metric: by, Repeats: o.Repeats, Resamples: importanceRuns, Level: evaluate.DefaultOptions().Level, Seed: o.Seed,
		Groups: explain.Groups(t, s.Columns),
	})
	if err != nil {
		return err
	}
	if score := float64(e.Importance.Score); score != score {
		return mistake("%s: %s is undefined on these rows: see whether they hold one class alone, or name another --metric", o.File, name)
	}
	columns := o.Columns
	if columns == nil {
		for _, c := range e.Importance.Columns {
			if len(columns) < o.Top && explain.Drawable(t.Column(c.Columns[0])) {
				columns = append(columns, c.Columns[0])
			}
		}
	}
	some := t
	if t.Rows > curveRows {
		some = t.Select(draw(t.Rows, curveRows, o.Seed))
	}
	for _, name := range columns {
		if c := t.Column(name); !explain.Drawable(c) {
			return mistake("--columns: %q is of type %s, whose values have no order and are no few kinds: name columns of numbers, dates, categories or booleans", name, c.Type)
		}
	}
	e.Dependence, err = explain.Dependences(ctx, s, some, columns, curveValues)
	return err
}

// single explains single rows.
func (e *Explained) single(ctx context.Context, m *model.Model, s *explain.Subject, out feature.Output, o ExplainOptions) error {
	l := explain.DefaultLocal()
	l.Method, l.Seed = o.Method, o.Seed
	if o.Class != "" {
		if l.Class = slices.Index(out.Classes(), o.Class); l.Class < 0 {
			if out.Classes() == nil {
				return mistake("--class %s: %q is a number and has no classes", o.Class, e.Target)
			}
			return mistake("--class %s: the classes of %q are %s", o.Class, e.Target, strings.Join(out.Classes(), ", "))
		}
	}
	if _, ok := s.By.(model.Gradienter); !ok && l.Method == explain.Gradients {
		return mistake("--method %s needs the derivatives of a model that is here, and an endpoint tells predictions alone: leave out --endpoint, or take --method %s", explain.Gradients, explain.SHAP)
	}
	rows, err := readRows(m, o)
	if err != nil {
		return err
	}
	most := o.Limit
	if most == 0 {
		most = singleRows
	}
	if rows.Rows > most {
		e.Notes = append(e.Notes, fmt.Sprintf("the first %d of %d rows: --limit takes more", most, rows.Rows))
		rows = rows.Slice(0, most)
	}
	_, here := s.By.(*model.Model)
	base, err := e.background(m, o, here)
	if err != nil {
		return err
	}
	if here { // else whoever serves cleans them
		if rows, err = cleanly(m, rows); err != nil {
			return err
		}
	}
	for i := range rows.Rows {
		one, err := explain.Local(ctx, s, rows, i, base, l)
		if err != nil {
			return err
		}
		e.Rows = append(e.Rows, one)
	}
	return nil
}

// cleanly applies a model's cleaning of values, and marks the table as clean.
func cleanly(m *model.Model, t *data.Table) (*data.Table, error) {
	c, err := data.CleanValues(m.Clean, t)
	if err != nil {
		return nil, &UserError{err.Error()}
	}
	marked := *c
	marked.Cleaned = true
	return &marked, nil
}

// background returns the rows to compare with.
func (e *Explained) background(m *model.Model, o ExplainOptions, here bool) (*data.Table, error) {
	schema := m.InputSchema()
	if o.Background != "" {
		o.Data.Schema = schema
		t, _, err := data.Read(o.Background, o.Data)
		if err != nil {
			return nil, forModel(err, m)
		}
		if t, _, _ = withoutBad(t, m); t.Rows == 0 {
			return nil, mistake("--background %s has no rows to compare with", o.Background)
		}
		if n := t.Rows; n > backgroundRows {
			t = t.Select(draw(n, backgroundRows, o.Seed))
			e.Notes = append(e.Notes, fmt.Sprintf("compared with %d of the %d rows of %s, drawn by the seed %d", backgroundRows, n, o.Background, o.Seed))
		}
		e.ComparedWith, e.ComparedRows = o.Background, t.Rows
		if here {
			return cleanly(m, t)
		}
		return t, nil
	}
	for _, s := range m.Clean {
		if _, changes := s.(data.ValueStep); changes && !here {
			return nil, mistake("%s cleans values (data.clean, %s), so that the typical row that it knows is not as rows are sent: give rows to compare with by --background", m.Name, s.Type())
		}
	}
	row := map[string]any{}
	for _, in := range m.Inputs {
		row[in.Column] = feature.Typical(in.Feature)
	}
	t, err := data.FromRecords(schema, []map[string]any{row})
	if err != nil {
		return nil, err
	}
	t.Cleaned = here
	return t, nil
}

// readRows returns the rows to explain, as they are given.
func readRows(m *model.Model, o ExplainOptions) (*data.Table, error) {
	schema := m.InputSchema()
	if o.Rows != "" {
		o.Data.Schema = schema
		t, _, err := data.Read(o.Rows, o.Data)
		if err != nil {
			return nil, forModel(err, m)
		}
		if t.Rows == 0 {
			return nil, mistake("%s has no rows", o.Rows)
		}
		return t, nil
	}
	var records []map[string]any
	for _, text := range o.Row {
		r, err := readRow(m, schema, text)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	t, err := data.FromRecords(schema, records)
	var e *data.Error
	if errors.As(err, &e) {
		e.Remedy = "correct it, or leave it empty if it is not known"
	}
	return t, err
}

// readRow reads a row as it is typed: NAME=VALUE with commas, or a JSON object.
func readRow(m *model.Model, schema data.Schema, text string) (map[string]any, error) {
	row := map[string]any{}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			return nil, mistake("--row: not a JSON object: %v", err)
		}
	} else {
		r := csv.NewReader(strings.NewReader(text))
		r.LazyQuotes = true
		fields, err := r.Read()
		if err != nil {
			return nil, mistake("--row %q: expected NAME=VALUE with commas: %v", text, err)
		}
		last := ""
		for _, f := range fields {
			if c := schema.Field(last); c != nil && c.Type == data.Text && !strings.Contains(f, "=") {
				row[last] = fmt.Sprintf("%s,%s", row[last], f) // a comma of a text
				continue
			}
			name, v, ok := strings.Cut(f, "=")
			if name = strings.TrimSpace(name); !ok {
				return nil, mistake("--row: %q is no NAME=VALUE: put quotes around a value that has a comma, as in '\"review=good, but slow\"', or give the row as a JSON object", f)
			}
			if _, twice := row[name]; twice {
				return nil, mistake("--row: %q stands there twice", name)
			}
			row[name], last = v, name
		}
	}
	var lacks []string
	for _, f := range schema {
		v, ok := row[f.Name]
		if !ok {
			lacks = append(lacks, f.Name)
		}
		if s, ok := v.(string); ok && s != "" && f.Type == data.Image {
			content, err := os.ReadFile(s)
			if err != nil {
				return nil, mistake("--row: column %q is an image, expected the path of its file: %v", f.Name, err)
			}
			row[f.Name] = content
		}
	}
	for name := range row {
		if schema.Field(name) == nil && m.Schema.Field(name) == nil {
			return nil, noColumn(m, name, schema.Names())
		}
	}
	if len(lacks) > 0 {
		return nil, mistake("--row lacks %s, which %s reads: add %[3]s, or %[3]s= where it is not known", quoted(lacks), m.Name, lacks[0])
	}
	return row, nil
}

func quoted(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, strconv.Quote(n))
	}
	return strings.Join(out, ", ")
}

func noColumn(m *model.Model, name string, have []string) error {
	if near := nearest.Name(name, have); near != "" {
		return mistake("%s reads no column %q; did you mean %q?", m.Name, name, near)
	}
	return mistake("%s reads no column %q: it reads %s", m.Name, name, quoted(have))
}

// WriteEffects writes what was found as CSV: of the model as a whole a line for each
// column and group, of single rows a line for each row with a column for each effect.
func (e *Explained) WriteEffects(w io.Writer) error {
	out := csv.NewWriter(w)
	float := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	if e.Importance != nil {
		records := [][]string{{"columns", "metric", "loss", "low", "high"}}
		for _, c := range append(slices.Clone(e.Importance.Columns), e.Importance.Groups...) {
			records = append(records, []string{strings.Join(c.Columns, "+"), e.Importance.Metric, float(c.Loss.Value), float(c.Loss.Low), float(c.Loss.High)})
		}
		return out.WriteAll(records)
	}
	var names []string
	for _, c := range e.Rows[0].Columns {
		names = append(names, c.Column)
	}
	slices.Sort(names)
	if err := out.Write(append([]string{"row", "class", "prediction", "base"}, names...)); err != nil {
		return err
	}
	for _, r := range e.Rows {
		record := []string{strconv.Itoa(r.Row), r.Class, float(r.Prediction), float(r.Base)}
		for _, n := range names {
			i := slices.IndexFunc(r.Columns, func(c explain.Effect) bool { return c.Column == n })
			record = append(record, float(r.Columns[i].Effect))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
