package report

import (
	"math"

	"github.com/hone-ml/hone/evaluate"
)

// answer is one of the three questions of the first screen.
type answer struct {
	ID, Question string
	State        string // good, fair, poor or plain: the words say the same
	Short        string
	Beside       string // of the short answer: an interval
	Text         []string
	Link         *link
}

type link struct{ Target, Text string }

// answers are: is it good, can the number be trusted, where does it fail.
func answers(r reading) []answer {
	if _, _, ok := headline(r.Result); !ok {
		return nil
	}
	return []answer{good(r), trusted(r), fails(r)}
}

func good(r reading) answer {
	m, iv, _ := headline(r.Result)
	t := metricStyle(r.Result, m.Name)
	a := answer{ID: "good", Question: r.say("Is it good?"), State: "plain", Short: r.label(m) + " " + t.number(iv.Value), Text: []string{howGood(r)},
		Link: &link{"numbers", r.say("All numbers")}}
	if w := t.interval(iv, r.voice); w != "" {
		a.Beside = w
	}
	better, worse := false, false
	for _, b := range baselineNames(r.Result) {
		if c := r.Compare(b, m.Name); c != nil {
			better = better || c.Outcome == evaluate.Better
			worse = worse || c.Outcome != evaluate.Better
		}
	}
	switch {
	case better && worse:
		a.State = "fair"
	case better:
		a.State = "good"
	case worse:
		a.State = "poor"
	}
	if len(r.Baselines) > 0 {
		a.Text = append(a.Text, stands(r))
	}
	return a
}

func trusted(r reading) answer {
	a := answer{ID: "trusted", Question: r.say("Can I trust the number?"), State: "good", Short: r.say("Yes, within its interval"), Text: []string{heldOut(r)}}
	m, iv, _ := headline(r.Result)
	t := metricStyle(r.Result, m.Name)
	if w := t.interval(iv, r.voice); w != "" {
		a.Text = append(a.Text, r.say("Other rows of the same kind would put it between %s and %s (%s interval).", t.number(iv.Low), t.number(iv.High), r.level()))
	} else {
		a.Short = r.say("It has no interval")
		a.State = "fair"
	}
	found := doubts(r)
	switch {
	case len(found) > 0:
		a.State, a.Short = "fair", r.say("With care")
	case r.of.File != "":
		a.State, a.Short = "fair", r.say("If these rows were new to it")
	}
	for _, d := range found[:min(2, len(found))] {
		a.Text = append(a.Text, d.Text)
	}
	if trustSection(r) != nil {
		a.Link = &link{"trust", r.say("What speaks for it and against")}
	}
	return a
}

// fails names the worst that was found, and what else stands out.
func fails(r reading) answer {
	const mostHeadline = 260.0 // units of a chart's letters
	a := answer{ID: "fails", Question: r.say("Where does it fail?"), State: "plain"}
	add := func(short, text string) {
		if a.Short == "" {
			a.Short = short
		}
		a.Text = append(a.Text, text)
	}
	if f := r.Failures; f != nil && len(f.Weak) > 0 {
		w := f.Weak[0]
		t := styleFor(w.Score.Value, float64(w.Rest))
		short := r.say("Where %s", clean(w.Where))
		if textWidth(short) > mostHeadline {
			short = r.say("%s %s on one slice", upperFirst(r.failureMetric()), t.number(w.Score.Value))
		}
		add(short, r.say("Where %s, %s is %s against %s elsewhere (%s).", clean(w.Where), r.failureMetric(), t.number(w.Score.Value), t.number(float64(w.Rest)), r.plural(w.Tested, "row")))
	}
	for i, s := range r.of.Slices {
		if !s.Worse || i > 1 || a.Short != "" {
			break
		}
		t := styleFor(s.Score.Value, float64(s.Rest))
		add(r.say("Where %s", clean(s.Column+" = "+s.Value)), r.say("Where %s, %s is %s against %s elsewhere (%s).", clean(s.Column+" = "+s.Value), r.metricName(r.of.SlicedBy), t.number(s.Score.Value), t.number(float64(s.Rest)), r.plural(s.Rows, "row")))
	}
	if weakest, ok := leastFound(r.PerClass); ok {
		missed := wholePercent(1 - weakest.Recall)
		text := r.say("Of %s rows that are “%s”, it misses %s; of those that it calls so, %s are something else.", count(weakest.Rows), clean(weakest.Class), missed, wholePercent(1-weakest.Precision))
		if weakest.Precision == 1 {
			text = r.say("Of %s rows that are “%s”, it misses %s; it calls no other row so.", count(weakest.Rows), clean(weakest.Class), missed)
		}
		add(r.say("%s of “%s” missed", missed, clean(weakest.Class)), text)
	}
	if len(r.Confused) > 0 {
		c := r.Confused[0]
		add("", r.say("Most often it takes “%s” for “%s”: %s times, %s of that class.", clean(c.True), clean(c.Predicted), count(c.Rows), wholePercent(c.Share)))
	}
	if e := r.Residuals; e != nil {
		t := styleFor(e.Quantiles[:]...)
		most := math.Max(math.Abs(e.Quantiles[0]), math.Abs(e.Quantiles[4]))
		add(r.say("One in ten is off by more"), r.say("Nine of ten actual values lie between %s and %s of what it predicts.", t.signed(e.Quantiles[0]), t.signed(e.Quantiles[4])))
		if len(a.Text) == 1 {
			a.Short = r.say("Up to %s off, nine times of ten", t.number(most))
		}
		if where := widest(e); where != "" {
			a.Text = append(a.Text, r.say("Errors are largest where it predicts %s.", where))
		}
	}
	if a.Short == "" {
		a.Short = r.say("Nothing stands out")
		if len(r.of.Slices) > 0 {
			a.Text = append(a.Text, r.say("No part of the rows is told from the rest as worse."))
		}
	}
	a.Link = r.failureLink()
	return a
}

// failureLink leads to the first section about failures that there is.
func (r reading) failureLink() *link {
	switch {
	case r.Failures != nil && len(r.Failures.Weak) > 0:
		return &link{"weak", r.say("Weak slices")}
	case errorsSection(r) != nil:
		return &link{"errors", r.say("Where it errs")}
	case slicesSection(r) != nil:
		return &link{"slices", r.say("Part by part")}
	}
	return nil
}

// leastFound is the class of which the largest share is missed, among those with
// enough rows to say so; none where nothing is missed.
func leastFound(all []evaluate.ClassScore) (evaluate.ClassScore, bool) {
	var least evaluate.ClassScore
	ok := false
	for _, k := range all {
		if k.Rows >= fewOfClass && k.Recall < 1 && (!ok || k.Recall < least.Recall) {
			least, ok = k, true
		}
	}
	return least, ok
}

// mostUnequal is how much larger than elsewhere the errors of a fifth must be to
// be named.
const mostUnequal = 1.5

// widest names the fifth of the predictions whose errors are largest, where they
// are larger than those of all by much.
func widest(e *evaluate.Residuals) string {
	n := len(e.Points)
	if n < 50 {
		return ""
	}
	mean := func(points []evaluate.Residual) float64 {
		sum := 0.0
		for _, p := range points {
			sum += math.Abs(p.Residual)
		}
		return sum / float64(len(points))
	}
	all, worst, at := mean(e.Points), 0.0, 0
	for i := range 5 {
		if m := mean(e.Points[i*n/5 : (i+1)*n/5]); m > worst {
			worst, at = m, i
		}
	}
	if worst < mostUnequal*all {
		return ""
	}
	lo, hi := e.Points[at*n/5].Predicted, e.Points[(at+1)*n/5-1].Predicted
	t := styleFor(lo, hi)
	return t.number(lo) + " – " + t.number(hi)
}
