package report

import (
	"fmt"
	"strings"

	"github.com/hone-ml/hone/evaluate"
)

// improvement is the chain of trials in words.
type improvement struct {
	Intro   string
	Summary string
	Trials  []trialRow
	Changes string // the overrides that were kept
}

// trialRow is a trial: what was found, what was tried for it, what came of it.
type trialRow struct{ Number, Finding, Remedy, Result string }

// improvementOf returns nil where nothing was to be tried.
func improvementOf(r *evaluate.Result) *improvement {
	c := r.Improvement
	if c == nil {
		return nil
	}
	held := plural(c.Rows, "validation row")
	if c.Folds > 1 {
		held = fmt.Sprintf("%s, each predicted by networks that did not train on it", plural(c.Rows, "row"))
	}
	out := &improvement{
		Intro:   fmt.Sprintf("What was found about the model, and what was tried for it: kept only where a paired test on %s says that %s is better, at a one-sided level of %.2g for each trial. Test rows took no part.", held, clean(c.Metric), c.Level),
		Summary: clean(c.Sentence()) + ".",
		Changes: clean(strings.Join(c.Changes, " ")),
	}
	for _, t := range c.Trials {
		out.Trials = append(out.Trials, trialRow{fmt.Sprint(t.Trial), clean(t.Problem()), clean(t.Attempt()), clean(t.Result())})
	}
	return out
}

// improvement writes the chain into the card.
func (c card) improvement(r *evaluate.Result) {
	i := improvementOf(r)
	if i == nil {
		return
	}
	c.line("")
	c.line("## Improvement")
	c.line("")
	c.line("%s %s", md(i.Intro), md(i.Summary))
	if len(i.Trials) > 0 {
		c.line("")
		c.line("| | finding | remedy | outcome |")
		c.line("| ---: | --- | --- | --- |")
	}
	for _, t := range i.Trials {
		c.line("| %s | %s | %s | %s |", t.Number, md(t.Finding), md(t.Remedy), md(t.Result))
	}
}
