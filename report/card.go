package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// ModelCard writes the report as a Markdown model card with the sections of
// Mitchell et al. 2019, Model cards for model reporting, section 4, and the
// metadata block that model hubs read. What only the model's owner can know is
// taken from r.About; the card asks for what is missing.
func ModelCard(w io.Writer, r *Report) error {
	if r == nil || r.Result == nil {
		return errors.New("report: no result to write about")
	}
	var b strings.Builder
	c := card{&b}
	c.metadata(r)
	c.body(read(r, voice{}))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("report: write the model card: %w", err)
	}
	return nil
}

type card struct{ *strings.Builder }

func (c card) line(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

// pipeline is the task as model hubs call it.
func pipeline(r *Report) string {
	kind := "classification"
	if r.Result.Task == "regression" {
		kind = "regression"
	}
	inputs := "tabular-"
	for _, c := range r.Data.Used {
		if kind == "classification" && (c.Type == "text" || c.Type == "image") && len(r.Data.Used) == 1 {
			inputs = c.Type + "-"
		}
	}
	return inputs + kind
}

// metadata is YAML; strings are written as JSON, which is YAML too.
func (c card) metadata(r *Report) {
	c.line("---")
	c.line("library_name: hone")
	if r.About.License != "" {
		c.line("license: %s", quoted(r.About.License))
	}
	c.line("pipeline_tag: %s", pipeline(r))
	c.line("model-index:")
	c.line("  - name: %s", quoted(r.Name))
	c.line("    results:")
	c.line("      - task: {type: %s}", pipeline(r))
	c.line("        dataset: {type: private, name: %s}", quoted("held-out test rows of "+clean(r.Name)))
	c.line("        metrics:")
	for _, m := range r.Result.Metrics {
		if iv, ok := r.Result.Test[m.Name]; ok && !math.IsInf(iv.Value, 0) {
			c.line("          - {type: %s, name: %s, value: %s}", quoted(m.Name), quoted(m.Label), strconv.FormatFloat(iv.Value, 'g', 6, 64))
		}
	}
	c.line("---")
	c.line("")
}

// heading begins a section.
func (c card) heading(title string) {
	c.line("")
	c.line("## %s", title)
	c.line("")
}

// asked writes what the owner says of something, or asks for it.
func (c card) asked(text, key, what string) {
	if text != "" {
		c.line("%s", md(text))
		return
	}
	c.line("*Not stated: %s. Set `report.card.%s`.*", what, key)
}

func (c card) body(r reading) {
	about := r.of.About
	c.line("# %s", md(r.of.Name))
	c.line("")
	c.line("**%s** %s", md(verdict(r)), md(learned(r)))
	c.line("")
	c.line("%s", md(howGood(r)))
	c.line("")
	c.line("%s", md(stands(r)))

	c.heading("Model details")
	c.details(r.of)

	c.heading("Intended use")
	c.asked(about.IntendedUse, "intended_use", "what the model is for, and who is to use it")
	c.line("")
	c.line("It is meant for rows that come about in the same way as those it learned from, with the columns listed below. Nothing is known about it anywhere else.")
	c.line("")
	c.line("Out of scope:")
	c.line("")
	c.asked(about.OutOfScope, "out_of_scope", "what the model must not be used for")
	if r.of.Bundle != "" {
		c.line("")
		c.line("    hone predict %s rows.csv", shell(r.of.Bundle))
		c.line("    hone serve %s", shell(r.of.Bundle))
	}

	c.heading("Factors")
	c.asked(about.Factors, "factors", "the groups, instruments and conditions under which it may be better or worse")
	c.line("")
	c.line("Columns that stand for a person's sex, origin, age or health, or that follow from them, may carry past injustice into predictions.")

	c.heading("Metrics")
	c.metrics(r)

	c.heading("Evaluation data")
	c.line("%s %s", tested(r), heldOut(r))

	c.heading("Training data")
	c.data(r)

	c.heading("Quantitative analyses")
	c.line("### Unitary results")
	c.line("")
	c.scores(r)
	if len(r.PerClass) > 0 && len(r.PerClass) <= 50 {
		t := table{Head: []string{"class", "rows", "precision", "recall", "F1"}}
		for _, k := range r.PerClass {
			t.Rows = append(t.Rows, row(k.Class, count(k.Rows), number(k.Precision), number(k.Recall), number(k.F1)))
		}
		c.table(t)
	}
	for _, o := range othersOf(r) {
		c.line("")
		c.line("### Output %s", md(o.Target))
		c.line("")
		c.line("%s", md(o.Tested))
		c.line("")
		c.scores(o.reading)
	}
	c.folds("Cross-validation", r)
	for _, o := range othersOf(r) {
		c.folds("Cross-validation of "+md(o.Target), o.reading)
	}
	c.improvement(r)
	c.line("")
	c.line("### Results by group")
	c.groups(r)

	c.heading("Ethical considerations")
	c.asked(about.Ethics, "ethics", "the harm that a wrong or a right prediction may do, and what is done against it")

	c.heading("Caveats and recommendations")
	said := append(doubts(r), item{r.Fit.Sentence, r.Fit.Remedy})
	if r.Diagnosis != nil {
		for _, f := range r.Diagnosis.Found {
			if !trustKinds[f.Kind] { // those are among the doubts
				said = append(said, item{upperFirst(f.Kind) + ": " + f.Sentence, f.Remedy})
			}
		}
	}
	for _, d := range said {
		if text := strings.TrimSpace(md(d.Text) + " " + md(d.Remedy)); text != "" {
			c.line("- %s", text)
		}
	}
	for _, n := range r.Notes {
		c.line("- %s", md(n))
	}
	c.line("- The figures hold for rows like the test rows. Measure again, with `hone evaluate`, when the rows change.")
	c.line("")
	c.asked(about.Caveats, "caveats", "what else whoever uses it should know")
	c.configuration(r.of)
}

// groups are the parts of the rows that were looked at: those that were found weak,
// and the groups of columns that the user named.
func (c card) groups(r reading) {
	c.line("")
	f := r.Failures
	if f == nil {
		c.line("Groups were not looked at one by one: an average can hide a group for which the model is much worse. `hone evaluate` looks for them.")
		return
	}
	if s := weakSection(r); s != nil {
		c.line("%s", md(s.Intro))
		for _, b := range s.Blocks {
			if b.Table != nil {
				c.table(*b.Table)
			}
		}
	}
	if len(f.Fairness) == 0 {
		c.line("")
		c.line("No column was named whose groups are to be compared (`evaluate.groups`).")
	}
	for _, one := range f.Fairness {
		for _, b := range r.groups(one) {
			if b.Table != nil {
				c.line("")
				c.line("#### %s", md(b.Table.Name))
				c.table(*b.Table)
			}
		}
	}
}

// metrics says what was measured and how the intervals were made.
func (c card) metrics(r reading) {
	if m, _, ok := headline(r.Result); ok {
		c.line("The model is judged by %s.", md(lowerFirst(m.Label)))
	}
	if b := r.Bootstrap; b.Resamples > 0 {
		c.line("Intervals cover %s: %s bootstrap resamples (BCa), seed %d. A difference is called better or worse only where the interval of the paired difference excludes zero.", md(r.level()), count(float64(b.Resamples)), b.Seed)
	}
	for _, m := range r.Metrics {
		if m.Formula != "" {
			c.line("- %s: %s", md(m.Label), md(m.Formula))
		}
	}
}

func (c card) scores(r reading) {
	n := metricTable(r)
	head, rule := "| metric | this model | interval |", "| --- | ---: | ---: |"
	for _, b := range n.Baselines {
		head, rule = head+" "+md(b)+" |", rule+" ---: |"
	}
	if n.Diff != "" {
		head, rule = head+" difference to "+md(n.Diff)+" |", rule+" --- |"
	}
	c.line("%s", head)
	c.line("%s", rule)
	for _, row := range n.All() {
		line := fmt.Sprintf("| %s | %s | %s |", md(row.Label), row.Value, md(row.Interval))
		for _, b := range row.Baselines {
			line += " " + b.Value + " |"
		}
		switch {
		case n.Diff == "":
		case row.Outcome == "":
			line += " – |"
		default:
			line += fmt.Sprintf(" %s (%s), %s |", row.Diff, row.DiffInterval, row.Outcome)
		}
		c.line("%s", line)
	}
}

func (c card) data(r reading) {
	d := r.of.Data
	c.asked(r.of.About.Data, "data", "how the rows were collected, by whom, with whose consent")
	c.line("")
	c.line("%s", divided(r))
	c.list("Files:", len(d.Sources), func(i int) string {
		s := d.Sources[i]
		line := fmt.Sprintf("%s data: %s", md(s.Role), md(s.Path))
		if s.Fingerprint != "" {
			line += ", SHA-256 " + md(s.Fingerprint)
		}
		return line
	})
	if len(d.Used) > 0 {
		t := table{Head: []string{"column", "type", "fitted"}, Words: true}
		for _, u := range d.Used {
			t.Rows = append(t.Rows, row(u.Name, u.Type, u.Note))
		}
		c.table(t)
	}
	c.list("Left out:", len(d.LeftOut), func(i int) string {
		return md(d.LeftOut[i].Name) + ": " + md(d.LeftOut[i].Reason)
	})
	c.list("Cleaned, in this order; what changes values is done to rows to predict as well:", len(d.Cleaned), func(i int) string {
		return md(d.Cleaned[i].String())
	})
	c.list("What the data check noticed:", len(d.Findings), func(i int) string {
		return strings.TrimSpace(md(d.Findings[i].Message) + " " + md(d.Findings[i].Remedy))
	})
}

func (c card) list(title string, n int, item func(int) string) {
	if n == 0 {
		return
	}
	c.line("")
	c.line("%s", title)
	c.line("")
	for i := range n {
		c.line("- %s", item(i))
	}
}

// details are what the model is, and who answers for it.
func (c card) details(r *Report) {
	c.asked(r.About.Owner, "owner", "who answers for the model, and how they are reached")
	c.line("")
	for _, p := range [][2]string{
		{"license", r.About.License}, {"network", r.Network}, {"parameters", positive(r.Parameters)}, {"run", r.RunID}, {"seed", strconv.FormatUint(r.Seed, 10)},
		{"date", r.Date}, {"hone", r.Version}, {"machine", r.Machine},
		{"one prediction", latency(r.LatencyMS)},
	} {
		if p[1] != "" {
			c.line("- %s: %s", p[0], md(p[1]))
		}
	}
	if r.TrainingSeconds > 0 {
		c.line("- training time: %s", seconds(r.TrainingSeconds))
	}
}

// configuration ends the card with what makes the model again.
func (c card) configuration(r *Report) {
	if r.Config == "" {
		return
	}
	config := strings.TrimRight(cleanLines(r.Config), "\n")
	fence := "```"
	for strings.Contains(config, fence) {
		fence += "`"
	}
	c.heading("Configuration")
	c.line("%syaml", fence)
	c.line("%s", config)
	c.line("%s", fence)
}

// shell quotes a file name for the commands that readers copy.
func shell(s string) string {
	s = clean(s)
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-/", r)
	}
	if !strings.HasPrefix(s, "-") && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return count(float64(n))
}

// md escapes what Markdown or the HTML within it would act upon.
func md(s string) string {
	var b strings.Builder
	for _, r := range clean(s) {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '\\', '`', '*', '_', '[', ']', '|', '#', '~', '$', '!':
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func quoted(s string) string {
	b, err := json.Marshal(clean(s))
	if err != nil { // a string always marshals
		return `""`
	}
	return string(b)
}
