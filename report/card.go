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

	"github.com/hone-ml/hone/evaluate"
)

// ModelCard writes the report as a Markdown model card (Mitchell et al. 2019,
// Model cards for model reporting), with the metadata block that model hubs
// read.
func ModelCard(w io.Writer, r *Report) error {
	if r == nil || r.Result == nil {
		return errors.New("report: no result to write about")
	}
	var b strings.Builder
	c := card{&b}
	c.metadata(r)
	c.body(r)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("report: write the model card: %w", err)
	}
	return nil
}

type card struct{ *strings.Builder }

func (c card) line(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

// metadata is YAML; strings are written as JSON, which is YAML too.
func (c card) metadata(r *Report) {
	task := "tabular-classification"
	if r.Result.Task == "regression" {
		task = "tabular-regression"
	}
	c.line("---")
	c.line("library_name: hone")
	c.line("pipeline_tag: %s", task)
	c.line("model-index:")
	c.line("  - name: %s", quoted(r.Name))
	c.line("    results:")
	c.line("      - task: {type: %s}", task)
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

func (c card) body(r *Report) {
	res := r.Result
	c.line("# %s", md(r.Name))
	c.line("")
	c.line("**%s** %s", md(verdict(res)), md(learned(r)))
	c.line("")
	c.line("%s", md(howGood(res)))
	c.line("")
	c.line("%s", md(stands(res)))
	c.line("")
	c.line("## Use")
	c.line("")
	c.line("It is meant for rows that come about in the same way as those it learned from, with the columns listed below. Nothing is known about it anywhere else.")
	if r.Bundle != "" {
		c.line("")
		c.line("    hone predict %s rows.csv", shell(r.Bundle))
		c.line("    hone serve %s", shell(r.Bundle))
	}
	c.line("")
	c.line("## Performance")
	c.line("")
	c.line("%s", tested(res))
	c.line("")
	c.scores(res)
	if len(res.PerClass) > 0 && len(res.PerClass) <= 50 {
		c.line("")
		c.line("| class | rows | precision | recall | F1 |")
		c.line("| --- | ---: | ---: | ---: | ---: |")
		for _, k := range res.PerClass {
			c.line("| %s | %s | %s | %s | %s |", md(k.Class), count(k.Rows), number(k.Precision), number(k.Recall), number(k.F1))
		}
	}
	for _, o := range othersOf(res) {
		c.line("")
		c.line("### Output %s", md(o.Target))
		c.line("")
		c.line("%s", o.Tested)
		c.line("")
		c.scores(o.Result)
	}
	c.folds("Cross-validation", res)
	for _, o := range othersOf(res) {
		c.folds("Cross-validation of "+md(o.Target), o.Result)
	}
	c.improvement(res)
	c.line("")
	c.line("## Fit and limits")
	c.line("")
	c.line("- %s", strings.TrimSpace(md(res.Fit.Sentence)+" "+md(res.Fit.Remedy)))
	for _, n := range res.Notes {
		c.line("- %s", md(n))
	}
	c.line("- The figures hold for rows like the test rows. Groups within them were not looked at one by one: an average can hide a group for which the model is much worse.")
	c.line("- Columns that stand for a person's sex, origin, age or health, or that follow from them, may carry past injustice into predictions.")
	c.line("")
	c.data(r)
	c.line("")
	c.provenance(r)
}

func (c card) scores(res *evaluate.Result) {
	n := metricTable(res)
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

func (c card) data(r *Report) {
	c.line("## Data")
	c.line("")
	c.line("%s", divided(r.Result))
	if len(r.Data.Used) > 0 {
		c.line("")
		c.line("| column | type | fitted |")
		c.line("| --- | --- | --- |")
		for _, u := range r.Data.Used {
			c.line("| %s | %s | %s |", md(u.Name), md(u.Type), md(u.Note))
		}
	}
	c.list("Left out:", len(r.Data.LeftOut), func(i int) string {
		return md(r.Data.LeftOut[i].Name) + ": " + md(r.Data.LeftOut[i].Reason)
	})
	c.list("Cleaned, in this order; what changes values is done to rows to predict as well:", len(r.Data.Cleaned), func(i int) string {
		return md(r.Data.Cleaned[i].String())
	})
	c.list("What the data check noticed:", len(r.Data.Findings), func(i int) string {
		return strings.TrimSpace(md(r.Data.Findings[i].Message) + " " + md(r.Data.Findings[i].Remedy))
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

func (c card) provenance(r *Report) {
	c.line("## Provenance")
	c.line("")
	for _, p := range [][2]string{
		{"network", r.Network}, {"parameters", positive(r.Parameters)}, {"run", r.RunID}, {"seed", strconv.FormatUint(r.Seed, 10)},
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
	for _, s := range r.Data.Sources {
		line := fmt.Sprintf("- %s data: %s", md(s.Role), md(s.Path))
		if s.Fingerprint != "" {
			line += ", SHA-256 " + md(s.Fingerprint)
		}
		c.line("%s", line)
	}
	if r.Config != "" {
		config := strings.TrimRight(cleanLines(r.Config), "\n")
		fence := "```"
		for strings.Contains(config, fence) {
			fence += "`"
		}
		c.line("")
		c.line("%syaml", fence)
		c.line("%s", config)
		c.line("%s", fence)
	}
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
