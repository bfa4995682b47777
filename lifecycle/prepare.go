package lifecycle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/internal/nearest"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/report"
	"github.com/hone-ml/hone/serve"
)

// prepared is what the first stage makes of configuration and data.
type prepared struct {
	train, valid, test *data.Table   // test is nil where the folds' is the test, valid where
	bag                []data.Fold   // a network for each of these folds of train is trained
	source             *data.Table   // the rows that folds are made of, and
	folds              [][]data.Fold // how they divide them, by repeat
	numbers            []int         // of the rows of source among those read, from 1
	schema             data.Schema
	model              *model.Model // fitted, untrained
	outputs            []feature.OutputOptions
	weight             string // the column of the weights of rows; "": none
	clean              *cleaning
	logToo             bool           // a second candidate learns the target's logarithm
	findings           []data.Finding // of the training rows
	fingerprint        string         // of the files' content
	answers            *serve.Answers // nil: questions are not answered
	facts              report.Data
	notes              []string // of interest to who runs it
	warnings           []string
	rejected           []rejected      // rows that were set aside
	tested             []int           // numbers of the test rows in their file, from 0; nil: not known
	learnt, chosen     []int           // likewise those of the rows to train on and to validate on, as they were divided
	shared             []evaluate.Hint // rows that stand in training rows and in others
}

// prepare reads the data, divides it, decides on columns and fits features.
func (c *Config) prepare() (*prepared, error) {
	p := &prepared{clean: &cleaning{c: c}, weight: c.Data.Weight}
	files, source := c.files(c.Data.Source)
	table, schema, err := c.read(files, nil)
	if err != nil {
		return nil, err
	}
	p.schema = schema
	target, targets := c.Outputs[0].Name, c.targets()
	for _, name := range targets {
		if table.Column(name) == nil {
			return nil, mistake("%s has no column %q to predict (outputs), it has %s%s", source, name, strings.Join(table.Names(), ", "), didYouMean(name, table.Names()))
		}
	}
	var numbers, kept []int
	if table, kept, err = p.setAside(c, table, source); err != nil {
		return nil, err
	}
	if table, numbers, err = p.clean.source(table); err != nil {
		return nil, err
	}
	if kept != nil { // their numbers among all that were read
		for i, n := range numbers {
			numbers[i] = kept[n-1] + 1
		}
	}
	if err := checkWeights(table, c.Data.Weight, source, numbers); err != nil {
		return nil, err
	}
	for i, n := range numbers {
		if hasTarget(table, targets, i) {
			p.numbers = append(p.numbers, n)
		}
	}
	if table, err = p.dropUnlabelled(table, targets, source); err != nil {
		return nil, err
	}
	if c.Outputs[0].Type == "" { // before a split by it fails less clearly
		if _, _, err := data.TargetKind(table.Column(target)); err != nil {
			return nil, err
		}
	}
	if err := p.fold(c, table); err != nil {
		return nil, err
	}
	if err := p.divide(c, table, source); err != nil {
		return nil, err
	}
	if err := p.clean.divided(p); err != nil {
		return nil, err
	}
	if err := p.pool(c); err != nil {
		return nil, err
	}
	var prints []string
	for _, f := range []config.Strings{c.Data.Source, c.Data.Validation.File, c.Data.Test} {
		if len(f) == 0 {
			continue
		}
		files, _ := c.files(f)
		print, err := data.Fingerprint(files...)
		if err != nil {
			return nil, err
		}
		prints = append(prints, print)
	}
	p.fingerprint = strings.Join(append(slices.Clone(prints), p.imagePrints()...), " ")
	if err := p.fit(c); err != nil {
		return nil, err
	}
	for _, in := range p.model.Inputs {
		if w, ok := in.Feature.(feature.Weighted); ok && w.Digest() != "" {
			p.fingerprint += " " + w.Digest()
		}
	}
	if err := errors.Join(p.checkAbstain(c), p.readAnswers(c)); err != nil {
		return nil, err
	}
	if err := p.check(c); err != nil {
		return nil, err
	}
	if err := p.checkTargets(); err != nil {
		return nil, err
	}
	if err := p.checkFolds(c); err != nil {
		return nil, err
	}
	p.warnSmall()
	p.tellWeights()
	p.checkRows(targets)
	p.describe(c, prints)
	return p, nil
}

// on prepares other rows of the same schema, or the same rows for a variant of
// the configuration: columns are chosen and features fitted anew, by these
// training rows alone. Test rows may be nil. What p had to say of the data is not
// said again.
func (p *prepared) on(c *Config, train, valid, test *data.Table) (*prepared, error) {
	q := &prepared{train: train, valid: valid, test: test, schema: p.schema, fingerprint: p.fingerprint, answers: p.answers, clean: p.clean, weight: p.weight, tested: p.tested, learnt: p.learnt, chosen: p.chosen, shared: p.shared}
	if !train.Cleaned {
		q.clean = p.clean.again()
		if err := q.clean.divided(q); err != nil {
			return nil, err
		}
	}
	if err := q.pool(c); err != nil {
		return nil, err
	}
	if err := q.fit(p.pinned(c)); err != nil {
		return nil, err
	}
	if err := q.check(c); err != nil {
		return nil, err
	}
	return q, q.checkTargets()
}

// pinned returns a configuration whose outputs mean what they mean to p,
// whichever rows they are fitted on: the type of task, and the positive class.
func (p *prepared) pinned(c *Config) *Config {
	pinned := *c
	pinned.Outputs = nil
	for i, o := range p.model.Outputs() {
		out := c.Outputs[i]
		if out.Type == "" {
			out.Type, out.Options = o.Feature.Type(), p.outputs[i]
		}
		if b, ok := o.Feature.(*feature.Binary); ok {
			if o, ok := out.Options.(*feature.BinaryOptions); ok {
				o := *o
				o.Positive = b.Positive
				out.Options = &o
			}
		}
		pinned.Outputs = append(pinned.Outputs, out)
	}
	return &pinned
}

// checkTargets finds a class that training rows lack, which cannot be measured:
// better told now than after the training. Nothing is chosen by these rows here.
func (p *prepared) checkTargets() error {
	for _, part := range []struct {
		what string
		rows *data.Table
	}{{"validation", p.valid}, {"test", p.test}} {
		if part.rows == nil {
			continue
		}
		_, targets, err := p.model.AllTargets(part.rows)
		if err != nil {
			return mistake("%s rows: %v", part.what, err)
		}
		if err := checkMeasured(p.model, targets, part.what); err != nil {
			return err
		}
	}
	return nil
}

func didYouMean(name string, known []string) string {
	if n := nearest.Name(name, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// labelled returns the rows that have a target: others teach nothing and cannot be
// measured.
func labelled(t *data.Table, targets []string, file string) ([]int, error) {
	for _, name := range targets {
		c := t.Column(name)
		if c == nil {
			return nil, mistake("%s has no column %q, which is to be predicted", file, name)
		}
		if known(t, name) == 0 {
			return nil, mistake("%s: the column %q to predict is missing in every one of %d rows: choose another column, or look at data.missing_values", file, name, t.Rows)
		}
	}
	var keep []int
	for i := range t.Rows {
		if hasTarget(t, targets, i) {
			keep = append(keep, i)
		}
	}
	return keep, nil
}

// hasTarget reports whether a row has one of the targets.
func hasTarget(t *data.Table, targets []string, row int) bool {
	return slices.ContainsFunc(targets, func(name string) bool { return !t.Column(name).Missing(row) })
}

// dropUnlabelled removes rows whose target, or with several every one, is missing.
func (p *prepared) dropUnlabelled(t *data.Table, targets []string, file string) (*data.Table, error) {
	keep, err := labelled(t, targets, file)
	if err != nil {
		return nil, err
	}
	if n := t.Rows - len(keep); n > 0 {
		p.warnings = append(p.warnings, fmt.Sprintf("%s: %d of %d rows lack the target %s and are left out", filepath.Base(file), n, t.Rows, strings.Join(targets, ", ")))
		return t.Select(keep), nil
	}
	return t, nil
}

// divide fills train, valid and test.
func (p *prepared) divide(c *Config, table *data.Table, source string) error {
	d := &c.Data
	target := c.Outputs[0].Name
	read := func(paths config.Strings, part string) (*data.Table, error) {
		files, name := c.files(paths)
		t, _, err := c.read(files, p.schema)
		if err != nil {
			return nil, err
		}
		if t, _, err = p.setAside(c, t, name); err != nil {
			return nil, err
		}
		if t, err = p.clean.file(t, part); err != nil {
			return nil, err
		}
		if err := checkWeights(t, p.weight, name, nil); err != nil {
			return nil, err
		}
		return p.dropUnlabelled(t, c.targets(), name)
	}
	var err error
	if len(d.Test) > 0 {
		if p.test, err = read(d.Test, partTest); err != nil {
			return err
		}
	}
	if len(d.Validation.File) > 0 {
		if p.valid, err = read(d.Validation.File, partValidation); err != nil {
			return err
		}
	}
	split := c.splitSpec()
	f := d.Split.Fractions
	switch {
	case c.allTested() && p.valid != nil:
		p.train = table
		return nil
	case c.allTested():
		split.Fractions = c.withoutTest()
		if f != nil {
			p.notes = append(p.notes, fmt.Sprintf("all rows take part in the folds: the share of %g that data.split.fractions has for the test goes to training and validation", f[2]))
		}
	case p.test != nil && p.valid != nil:
		p.train = table
		return nil
	case p.test != nil:
		split.Fractions = []float64{1 - d.Validation.Fraction, d.Validation.Fraction}
	case p.valid != nil:
		share := 0.1
		if f != nil {
			share = f[2]
		}
		split.Fractions = []float64{1 - share, share}
	case f != nil:
		split.Fractions = f
	default:
		split.Fractions = []float64{0.9 - d.Validation.Fraction, d.Validation.Fraction, 0.1}
	}
	if split.Fractions[0] < 0.05 {
		return mistake("%s: data.validation.fraction of %g leaves hardly any row to learn from: lower it", c.doc.Name(), d.Validation.Fraction)
	}
	parts, err := data.Split(table, split, target, c.Seed)
	if err != nil {
		return inFile(err, source)
	}
	p.train = table.Select(parts[0])
	p.learnt = p.places(parts[0])
	rest := parts[1:]
	if p.valid == nil {
		p.chosen = p.places(rest[0])
		p.valid, rest = table.Select(rest[0]), rest[1:]
	}
	if p.test == nil && !c.allTested() {
		p.test = table.Select(rest[0])
		p.tested = p.places(rest[0])
	}
	return nil
}

// places are the numbers in their file, from 0, of rows of the source.
func (p *prepared) places(rows []int) []int {
	out := make([]int, len(rows))
	for k, i := range rows {
		out[k] = p.numbers[i] - 1
	}
	return out
}

// inFile names the file in an error about rows that came from it.
func inFile(err error, path string) error {
	var e *data.Error
	if errors.As(err, &e) && e.Path == "" {
		e.Path = path
	}
	return err
}

// column is one input that was decided on.
type column struct {
	name    string
	options feature.InputOptions
}

// fit decides on inputs, output and network and fits them on the training rows.
func (p *prepared) fit(c *Config) error {
	out, err := p.resolve(c, c.Outputs[0])
	if err != nil {
		return err
	}
	target := p.train.Column(out.Name)
	p.outputs = append(p.outputs, out.Options)
	fitted, err := out.Options.Fit(target)
	if err != nil {
		return mistake("%s: outputs: %v", c.doc.Name(), err)
	}
	if o, ok := out.Options.(*feature.NumberOutputOptions); ok && o.Transform == "auto" {
		p.logToo = feature.LongTail(target)
	}
	columns, err := p.choose(c)
	if err != nil {
		return err
	}
	p.model = &model.Model{
		Name: c.Name, Target: out.Name, Output: fitted,
		Network: c.Network.Options, State: graph.NewState(), Schema: p.schema, Clean: p.clean.carried(), Weight: p.weight,
	}
	if err := p.fitOthers(c); err != nil {
		return err
	}
	for _, col := range columns {
		in, err := col.options.Fit(p.train.Column(col.name))
		if err != nil {
			return mistake("%s: inputs: %v", c.doc.Name(), err)
		}
		p.model.Inputs = append(p.model.Inputs, model.Input{Column: col.name, Feature: in})
		if t, ok := in.(*feature.Text); ok {
			p.warnings = append(p.warnings, t.Warnings()...)
		}
	}
	return checkMixed(c, p.model.Inputs)
}

// checkMixed finds inputs whose rows cannot be mixed as it is asked for.
func checkMixed(c *Config, inputs []model.Input) error {
	for _, in := range inputs {
		for _, s := range in.Feature.Specs() {
			switch {
			case c.Train.CutMix > 0 && len(s.Row) != 3:
				return mistake("%s: train.cutmix puts parts of an image into another, and column %q is a %s: set it to 0, or leave the column out of inputs", c.doc.Name(), in.Column, in.Feature.Type())
			case c.Train.Mixup > 0 && s.DType != tensor.Float32:
				return mistake("%s: train.mixup adds shares of two rows, and there is no half of a %s, as column %q is: set it to 0, or leave the column out of inputs", c.doc.Name(), in.Feature.Type(), in.Column)
			}
		}
	}
	return nil
}

// varies tells a target that has one value from one to learn.
func varies(c *data.Column, file string) error {
	first, some := "", false
	for i := range c.Len() {
		switch {
		case c.Missing(i): // which only a target beside others may be
		case !some:
			first, some = c.Text(i), true
		case c.Text(i) != first:
			return nil
		}
	}
	return mistake("%s: the column %q to predict has only the value %q in the training rows: there is nothing to learn; check the file, or choose another column", file, c.Name, first)
}

// choose returns the inputs: those of the configuration, or all columns that
// the data check has nothing against.
func (p *prepared) choose(c *Config) ([]column, error) {
	findings, err := profile(p.unweighted(p.train), c.targets())
	if err != nil {
		return nil, err
	}
	p.findings = findings
	against := map[string]data.Finding{}
	for _, f := range findings {
		if _, first := against[f.Column]; !first {
			against[f.Column] = f
		}
	}
	var out []column
	if len(c.Inputs) > 0 {
		used := map[string]bool{p.weight: true}
		for _, name := range c.targets() {
			used[name] = true
		}
		for _, in := range c.Inputs {
			col := p.train.Column(in.Name)
			if col == nil {
				return nil, mistake("%s: inputs: the data has no column %q, it has %s%s", c.doc.Name(), in.Name, strings.Join(p.schema.Names(), ", "), didYouMean(in.Name, p.schema.Names()))
			}
			used[in.Name] = true
			options := in.Options
			if options == nil {
				if options, err = optionsFor(col); err != nil {
					return nil, mistake("%s: inputs: %v", c.doc.Name(), err)
				}
			}
			if f, bad := against[in.Name]; bad {
				remedy := "take it out of inputs if that is not meant"
				if f.Kind == data.FindingLeak {
					remedy = "take it out of inputs unless it is known when predicting"
				}
				p.warnings = append(p.warnings, fmt.Sprintf("%s %s; %s", in.Name, f.Message, remedy))
			}
			out = append(out, column{in.Name, options})
		}
		for _, f := range p.schema {
			if !used[f.Name] {
				p.facts.LeftOut = append(p.facts.LeftOut, report.LeftOut{Name: f.Name, Reason: "not among inputs in the configuration" + because(against, f.Name)})
			}
		}
		return out, nil
	}
	for _, col := range p.train.Columns {
		if slices.Contains(c.targets(), col.Name) || col.Name == p.weight {
			continue
		}
		if f, bad := against[col.Name]; bad {
			p.facts.LeftOut = append(p.facts.LeftOut, report.LeftOut{Name: col.Name, Reason: f.Message})
			p.warnings = append(p.warnings, fmt.Sprintf("%s is left out: it %s", col.Name, f.Message))
			continue
		}
		options, err := optionsFor(col)
		if err != nil {
			p.facts.LeftOut = append(p.facts.LeftOut, report.LeftOut{Name: col.Name, Reason: err.Error()})
			continue
		}
		out = append(out, column{col.Name, options})
	}
	if len(out) == 0 {
		return nil, mistake("%s: no column is left to learn from: name some under inputs", c.doc.Name())
	}
	return out, nil
}

// checkRows warns of rows that would make what is measured better than it is.
func (p *prepared) checkRows(targets []string) {
	target, train := targets[0], p.unweighted(dropColumns(p.train, targets[1:]))
	type part struct {
		name string
		rows *data.Table
	}
	parts := []part{{"validation", p.valid}, {"test", p.test}}
	parts = slices.DeleteFunc(parts, func(p part) bool { return p.rows == nil })
	for i, part := range parts {
		for _, f := range data.CheckRows(train, data.CheckOptions{Target: target, Against: p.unweighted(dropColumns(part.rows, targets[1:]))}, p.findings) {
			e := f.Evidence
			switch {
			case f.Kind == data.FindingSharedRows:
				p.warnings = append(p.warnings, fmt.Sprintf("%.0f of %.0f %s rows have the inputs of a training row, %.0f of them its %s as well: what is learnt by heart is measured there as learnt; hone check --against tells more", e["rows"], e["of"], part.name, e["with_target"], target))
				if f.Severity == data.SeverityError {
					p.shared = append(p.shared, evaluate.Hint{
						Sentence: fmt.Sprintf("%.0f of %.0f %s rows have the inputs of a training row", e["rows"], e["of"], part.name), Evidence: e,
						Remedy: "remove the repetitions (data.clean: {type: drop_duplicates}), or keep what belongs together on one side (data.split: {method: group})",
					})
				}
			case i == len(parts)-1: // those of the training rows, once
				p.warnings = append(p.warnings, fmt.Sprintf("%.0f of %.0f training rows are equal to another but for %s, so that at least %.0f are predicted wrong; hone check tells more", e["rows"], e["of"], target, e["wrong"]))
			}
		}
	}
}

func because(against map[string]data.Finding, name string) string {
	if f, ok := against[name]; ok {
		return "; " + f.Message
	}
	return ""
}

// optionsFor returns the default options of the input type that reads a
// column.
func optionsFor(c *data.Column) (feature.InputOptions, error) {
	name := feature.InputFor(c.Type)
	if name == "" {
		remedy := "leave it out"
		for _, other := range sortedKeys(feature.InputTypes()) {
			if slices.Contains(feature.ColumnTypes(false, other), c.Type) {
				remedy += fmt.Sprintf(", or read it as another type all the same: {name: %s, type: %s}", config.Quote(c.Name), other)
				break
			}
		}
		return nil, fmt.Errorf("column %q holds %s values, which no input type reads by itself: %s", c.Name, c.Type, remedy)
	}
	o := feature.InputTypes()[name]
	return o, config.Defaults(o)
}

// fewRows is below what an interval can say much about.
const fewRows = 30

// warnSmall says where the rows to measure on are too few to tell much.
func (p *prepared) warnSmall() {
	if p.test != nil && p.test.Rows < fewRows {
		p.warnings = append(p.warnings, fmt.Sprintf("only %d test rows: the figures on them say little; cross-check with more rows", p.test.Rows))
	}
	if p.valid != nil && p.valid.Rows < fewRows {
		p.warnings = append(p.warnings, fmt.Sprintf("only %d validation rows: when to stop is chosen by few", p.valid.Rows))
	}
}

// rows counts those that have a target, by what they are for.
func (p *prepared) rows(target string) evaluate.Rows {
	n := evaluate.Rows{Train: known(p.train, target)}
	if p.valid != nil {
		n.Validation = known(p.valid, target)
	}
	if p.test != nil {
		n.Test = known(p.test, target)
	}
	return n
}

// divided says in words which rows are for what.
func (p *prepared) divided() string {
	s := fmt.Sprintf("%d rows to learn from, %d to validate on", p.train.Rows, rowsOf(p.valid))
	if p.bag != nil {
		s = fmt.Sprintf("%d rows to learn from by %d networks, each of which is validated on a part of its own", p.train.Rows, len(p.bag))
	}
	if p.test != nil {
		s += fmt.Sprintf(", %d to test on", p.test.Rows)
	}
	return s
}

// describe collects what reports say of the data.
func (p *prepared) describe(c *Config, prints []string) {
	p.facts.Rows = p.train.Rows + rowsOf(p.valid) + rowsOf(p.test)
	for _, part := range []struct {
		role  string
		paths config.Strings
	}{{"train", c.Data.Source}, {"validation", c.Data.Validation.File}, {"test", c.Data.Test}} {
		if n := len(p.facts.Sources); len(part.paths) > 0 {
			p.facts.Sources = append(p.facts.Sources, report.Source{Role: part.role, Path: strings.Join(part.paths, ", "), Fingerprint: prints[n]})
		}
	}
	for _, in := range p.model.Inputs {
		p.facts.Used = append(p.facts.Used, report.Column{Name: in.Column, Type: in.Feature.Type(), Note: in.Feature.Describe()})
	}
	for _, w := range p.warnings {
		p.facts.Findings = append(p.facts.Findings, report.Finding{Message: w})
	}
}

// trivial returns what the best constant prediction of an output is for n rows,
// as the predictions of a model would be.
func trivial(output feature.Output, options feature.OutputOptions, n int) (*model.Predictions, error) {
	out := &model.Predictions{Kind: output.Kind(), Classes: output.Classes()}
	switch o := output.(type) {
	case *feature.Binary:
		class, threshold := 0, o.Threshold
		if b, ok := options.(*feature.BinaryOptions); ok && b.Threshold == feature.AutoThreshold {
			threshold = 0.5 // the one chosen is the network's
		}
		if o.Share >= threshold {
			class = 1
		}
		for range n {
			out.Prob, out.Class = append(out.Prob, o.Share), append(out.Class, class)
		}
	case *feature.CategoryOutput:
		best := 0
		for i, s := range o.Shares {
			if s > o.Shares[best] {
				best = i
			}
		}
		for range n {
			out.Prob, out.Class = append(out.Prob, o.Shares...), append(out.Class, best)
		}
	case *feature.Set:
		s, ok := options.(*feature.SetOptions)
		present := o.Constant(ok && s.Threshold < 0)
		out.Delimiter = o.Delimiter
		for range n {
			out.Prob, out.Class = append(out.Prob, o.Shares...), append(out.Class, present...)
		}
	case *feature.NumberOutput:
		for range n {
			out.Value = append(out.Value, o.Average)
		}
	default:
		return nil, errors.New("no trivial prediction for output type " + o.Type())
	}
	return out, nil
}

func sortedKeys[T any](m map[string]T) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// imagePrints are of the images' content, which need not lie in the files that the
// rows were read from.
func (p *prepared) imagePrints() []string {
	var prints []string
	for _, t := range []*data.Table{p.train, p.valid, p.test} {
		if t == nil {
			continue
		}
		for _, col := range t.Columns {
			if col.Type != data.Image {
				continue
			}
			h := sha256.New()
			for i := range t.Rows {
				fmt.Fprintln(h, col.Picture(i).Digest())
			}
			prints = append(prints, hex.EncodeToString(h.Sum(nil)[:8]))
		}
	}
	return prints
}
