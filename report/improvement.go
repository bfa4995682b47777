package report

import (
	"fmt"
	"strings"
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
func improvementOf(r reading) *improvement {
	c := r.Improvement
	if c == nil {
		return nil
	}
	held := r.plural(c.Rows, "validation row")
	if c.Folds > 1 {
		held = r.say("%s, each predicted by networks that did not train on it", r.plural(c.Rows, "row"))
	}
	out := &improvement{
		Intro:   r.say("What was found about the model, and what was tried for it: kept only where a paired test on %s says that %s is better, at a one-sided level of %.2g for each trial. Test rows took no part.", held, clean(c.Metric), c.Level),
		Summary: r.told(c.Sentence() + "."),
		Changes: clean(strings.Join(c.Changes, " ")),
	}
	for _, t := range c.Trials {
		out.Trials = append(out.Trials, trialRow{fmt.Sprint(t.Trial), r.told(t.Problem()), r.told(t.Attempt()), r.told(t.Result())})
	}
	return out
}

// table lays the trials out.
func (i *improvement) table(v voice) table {
	t := table{Name: v.say("Trials"), Head: []string{v.say("trial"), v.say("finding"), v.say("remedy"), v.say("outcome")}, Words: true}
	for _, r := range i.Trials {
		t.Rows = append(t.Rows, row(r.Number, r.Finding, r.Remedy, r.Result))
	}
	return t
}

// improvementSection is what was tried to make the model better.
func improvementSection(r reading) *section {
	i := improvementOf(r)
	if i == nil {
		return nil
	}
	s := &section{ID: "improvement", Title: r.say("Improvement"), Intro: r.join(i.Intro, i.Summary)}
	if len(i.Trials) > 0 {
		t := i.table(r.voice)
		s.Blocks = append(s.Blocks, block{Table: &t})
	}
	if i.Changes != "" {
		s.Blocks = append(s.Blocks, block{Pairs: []pair{{Term: r.say("what was kept, as --set takes it"), Text: i.Changes, Code: true}}})
	}
	return s
}

// improvement writes the chain into the card.
func (c card) improvement(r reading) {
	i := improvementOf(r)
	if i == nil {
		return
	}
	c.line("")
	c.line("### Improvement")
	c.line("")
	c.line("%s %s", md(i.Intro), md(i.Summary))
	if len(i.Trials) > 0 {
		c.table(i.table(r.voice))
	}
}
