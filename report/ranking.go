package report

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// Board is a comparison of models on the same rows, and what is known of each
// beside its measures.
type Board struct {
	*evaluate.Leaderboard
	Title        string // of the page; "": the target
	File, Target string
	Weight       string // the column by which rows count; "": all the same
	Unlabeled    int    // rows that were left out, since they lack the target
	Filtered     int    // and since a filter of a bundle leaves them out
	Facts        []Fact
	Notes        []string
	Date         string
	Version      string
	Language     string
}

// Fact is something of each model, in the order of the standings: what it took to
// make, how large it is.
type Fact struct {
	Name  string
	Cells []string
}

// Ranking writes a comparison as one self-contained page.
func Ranking(w io.Writer, b *Board) error {
	if b == nil || b.Leaderboard == nil || len(b.Standings) == 0 {
		return errors.New("report: no comparison to write about")
	}
	r := ranking{b, voiceOf(b.Language)}
	p := view{Name: clean(b.Title), Verdict: r.verdict(), Lede: r.lede(), Answers: r.answers()}
	if p.Name == "" {
		p.Name = clean(b.Target)
	}
	if b.Date != "" {
		p.Facts = append(p.Facts, clean(b.Date))
	}
	if b.Version != "" {
		p.Facts = append(p.Facts, "hone "+clean(b.Version))
	}
	for _, n := range b.Notes {
		p.Notes = append(p.Notes, r.told(n))
	}
	p.Sections = append(p.Sections, r.places(), r.measures())
	if len(r.Facts) > 0 {
		p.Sections = append(p.Sections, r.costs())
	}
	return p.write(w, r.voice)
}

// A ranking is a comparison and the voice to tell it in.
type ranking struct {
	*Board
	voice
}

func (r ranking) verdict() string {
	first := clean(r.Standings[0].Name)
	switch n := len(r.Standings); {
	case n == 1:
		return r.say("There is nothing to compare it with.")
	case r.Winner != "" && n == 2:
		return r.say("%s is better than %s.", first, clean(r.Standings[1].Name))
	case r.Winner != "":
		return r.say("%s is better than each of the others.", first)
	}
	return r.say("No winner.")
}

func (r ranking) lede() string {
	s := r.say("%s by %s, for “%s” on %s of %s.", r.plural(len(r.Standings), "model"), r.lower(r.Metric), clean(r.Target), r.plural(r.Rows, "row"), base(r.File))
	if r.Weight != "" {
		s = r.join(s, r.say("Rows count by their weights in %s.", clean(r.Weight)))
	}
	if r.Unlabeled > 0 {
		s = r.join(s, r.say("%s more lack the target.", count(float64(r.Unlabeled))))
	}
	if r.Filtered > 0 {
		s = r.join(s, r.say("%s more are left out by a filter of data.clean.", count(float64(r.Filtered))))
	}
	return s
}

// style is how scores are printed.
func (r ranking) style() style {
	var values []float64
	for _, s := range r.Standings {
		values = append(values, s.Score.Value)
	}
	return styleFor(values...)
}

// answers are: which is best, is the difference real, where is another better.
func (r ranking) answers() []answer {
	t, first := r.style(), r.Standings[0]
	best := answer{ID: "best", Question: r.say("Which is best?"), State: "good", Short: clean(first.Name), Link: &link{"places", r.say("All places")},
		Text: []string{r.say("%s leads with %s %s.", clean(first.Name), r.lower(r.Metric), t.number(first.Score.Value))}}
	if w := t.interval(first.Score, r.voice); w != "" {
		best.Text[0] = r.say("%s leads with %s %s (%s).", clean(first.Name), r.lower(r.Metric), t.number(first.Score.Value), w)
	}
	if r.Winner == "" {
		best.State, best.Short = "fair", r.say("No winner")
	}
	out := []answer{best}
	if len(r.Standings) > 1 {
		second := r.Standings[1]
		a := second.Against
		lead := ahead(a.Difference)
		real := answer{ID: "real", Question: r.say("Is the difference real?"), State: "good", Short: r.say("Yes"), Link: &link{"places", r.say("All differences")},
			Text: []string{r.say("%s is behind by %s (%s); p %s, %s.", clean(second.Name), t.number(lead.Value), r.say("%s to %s", t.number(lead.Low), t.number(lead.High)), chance(float64(a.Adjusted)), r.told(a.Test))}}
		apart := 0
		for _, s := range r.Standings[1:] {
			if s.Against.Apart {
				apart++
			}
		}
		if r.Winner == "" {
			real.State, real.Short = "fair", r.say("It could be chance")
		}
		if n := len(r.Standings) - 1; n > 1 {
			real.Text = append(real.Text, r.say("%d of %d others are told from the first.", apart, n))
		}
		if m := a.MoreRows; m != nil {
			real.Text = append(real.Text, r.say("About %s more rows like these would tell the two apart, were the difference as large as measured.", count(float64(*m))))
		}
		out = append(out, real, r.otherwise())
	}
	return out
}

// ahead turns a difference, leader minus other, to where the leader is ahead.
func ahead(d metric.Interval) metric.Interval {
	if d.Value < 0 {
		d.Value, d.Low, d.High = -d.Value, -d.High, -d.Low
	}
	return d
}

// otherwise says by which other metrics the first is not the first.
func (r ranking) otherwise() answer {
	a := answer{ID: "otherwise", Question: r.say("Where is another better?"), State: "plain", Link: &link{"measures", r.say("All measures")}}
	for _, name := range r.metrics() {
		m, err := metric.Lookup(name)
		if err != nil || name == r.Metric.Name {
			continue
		}
		at := r.bestBy(m)
		if own, ok := r.Standings[0].Metrics[name]; at > 0 && ok {
			t := styleFor(own, r.Standings[at].Metrics[name])
			a.Text = append(a.Text, r.say("By %s, %s: %s against %s.", r.lower(evaluate.Metric{Label: m.Label}), clean(r.Standings[at].Name), t.number(r.Standings[at].Metrics[name]), t.number(own)))
		}
	}
	n := len(a.Text)
	if n == 0 {
		a.Short = r.say("Nowhere")
		a.Text = []string{r.say("The first is the first by every metric that was measured.")}
		return a
	}
	a.Short = r.say("By %d of %d other metrics", n, len(r.metrics())-1)
	const shown = 3
	if n > shown {
		a.Text = append(a.Text[:shown], r.say("And by %d more.", n-shown))
	}
	return a
}

// metrics are the names of all metrics of the standings, the one that ranks first.
func (r ranking) metrics() []string {
	seen := map[string]bool{}
	for _, s := range r.Standings {
		for name := range s.Metrics {
			seen[name] = true
		}
	}
	delete(seen, r.Metric.Name)
	names := slices.Sorted(maps.Keys(seen))
	var some []string // as docs/metrics.md orders them
	if kind, ok := kindNamed(r.Task); ok {
		for _, m := range metric.For(kind) {
			if slices.Contains(names, m.Name) {
				some = append(some, m.Name)
			}
		}
	}
	for _, n := range names {
		if !slices.Contains(some, n) {
			some = append(some, n)
		}
	}
	return append([]string{r.Metric.Name}, some...)
}

// kindNamed is the kind of a task by its name.
func kindNamed(task string) (metric.Kind, bool) {
	for _, k := range []metric.Kind{metric.Binary, metric.Multiclass, metric.Regression} {
		if k.String() == task {
			return k, true
		}
	}
	return 0, false
}

// bestBy is the place of the best by a metric; the first of equals.
func (r ranking) bestBy(m *metric.Metric) int {
	best := -1
	for i, s := range r.Standings {
		v, ok := s.Metrics[m.Name]
		if !ok {
			continue
		}
		if best < 0 || v != r.Standings[best].Metrics[m.Name] && v > r.Standings[best].Metrics[m.Name] == m.HigherIsBetter {
			best = i
		}
	}
	return best
}

// places is the leaderboard.
func (r ranking) places() section {
	t := r.style()
	var rows []dotRow
	list := table{Name: r.say("Places"), Head: []string{r.say("model"), r.label(r.Metric), r.say("behind"), r.say("p, corrected")}}
	for i, s := range r.Standings {
		class := "2"
		if i == 0 {
			class = "1"
		}
		rows = append(rows, dotRow{s.Name, class, s.Score})
		line := []cell{{Value: fmt.Sprintf("%d. %s", i+1, s.Name)}, {Value: t.number(s.Score.Value), Small: t.interval(s.Score, r.voice), Strong: i == 0}, {}, {}}
		if a := s.Against; a != nil {
			d := ahead(a.Difference)
			line[2] = cell{Value: t.number(d.Value), Small: t.interval(d, r.voice), Mark: r.say("unclear"), Kind: "same"}
			if a.Apart {
				line[2].Mark, line[2].Kind = r.say("worse"), "worse"
			}
			line[3] = cell{Value: chance(float64(a.Adjusted)), Small: r.told(a.Test)}
		}
		list.Rows = append(list.Rows, line)
	}
	c := chart{ID: "scores", Title: r.label(r.Metric), Caption: r.say("Higher is better.")}
	if !r.Metric.HigherIsBetter {
		c.Caption = r.say("Lower is better.")
	}
	c.Caption = r.join(c.Caption, r.say("Intervals that overlap may still be told apart: the test compares row by row."))
	c.draw(r.voice, r.say("%s of each model", r.label(r.Metric)), rows, t, math.NaN())
	charts := []chart{c}
	if behind := r.behind(); behind != nil {
		charts = append(charts, *behind)
	}
	return section{ID: "places", Title: r.say("The places"),
		Intro:  r.say("Intervals come from %s bootstrap resamples. Each model is tested against the first, two-sided, at %g; for more than one the p-values are corrected by Holm's method.", count(float64(r.Resamples)), r.Alpha),
		Blocks: []block{{Charts: charts}, {Table: &list}}}
}

// behind is how far each is behind the first.
func (r ranking) behind() *chart {
	var rows []dotRow
	for _, s := range r.Standings[1:] {
		class := "3"
		if s.Against.Apart {
			class = "2"
		}
		rows = append(rows, dotRow{s.Name, class, ahead(s.Against.Difference)})
	}
	if len(rows) == 0 {
		return nil
	}
	c := &chart{ID: "behind", Title: r.say("Behind %s", clean(r.Standings[0].Name)),
		Caption: r.say("The difference on the same resampled rows: what makes a row hard for both cancels. Grey: could be chance.")}
	c.draw(r.voice, r.say("How far each model is behind the first"), rows, r.style(), 0)
	return c
}

// measures are all metrics, a column for each model.
func (r ranking) measures() section {
	t := table{Name: r.say("All measures"), Head: []string{r.say("metric")}, Names: true}
	for _, s := range r.Standings {
		t.Head = append(t.Head, s.Name)
	}
	for _, name := range r.metrics() {
		m, err := metric.Lookup(name)
		if err != nil {
			continue
		}
		better := r.say("lower is better")
		if m.HigherIsBetter {
			better = r.say("higher is better")
		}
		line := []cell{{Value: r.told(m.Label), Small: better}}
		best := r.bestBy(m)
		var values []float64
		for _, s := range r.Standings {
			if v, ok := s.Metrics[name]; ok {
				values = append(values, v)
			}
		}
		style := styleFor(values...)
		for i, s := range r.Standings {
			c := cell{Value: "–"}
			if v, ok := s.Metrics[name]; ok {
				c = cell{Value: style.number(v), Strong: i == best}
			}
			line = append(line, c)
		}
		t.Rows = append(t.Rows, line)
	}
	return section{ID: "measures", Title: r.say("All measures"), Intro: r.say("The best of each line is bold; only the differences above were tested."), Blocks: []block{{Table: &t}}}
}

// costs are what is known of each model beside.
func (r ranking) costs() section {
	t := table{Name: r.say("What they cost"), Head: []string{""}, Names: true}
	for _, s := range r.Standings {
		t.Head = append(t.Head, s.Name)
	}
	for _, f := range r.Facts {
		t.Rows = append(t.Rows, row(append([]string{r.say(f.Name)}, f.Cells...)...))
	}
	return section{ID: "costs", Title: r.say("What they cost"), Blocks: []block{{Table: &t}}}
}
