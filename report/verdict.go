package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// verdict is the page's title: where the model stands, in one sentence.
func verdict(r reading) string {
	m, iv, ok := headline(r.Result)
	if !ok {
		return r.say("Nothing could be measured.")
	}
	outcome := func(baseline string) string {
		if c := r.Compare(baseline, m.Name); c != nil {
			return c.Outcome
		}
		return ""
	}
	linear, trivial := outcome("linear"), outcome("trivial")
	switch {
	case trivial == evaluate.Worse:
		return r.say("Worse than a trivial guess.")
	case trivial == evaluate.NotSeparable:
		return r.say("No better than a trivial guess.")
	case linear == evaluate.Better:
		return r.say("Better than a linear model.")
	case linear == evaluate.Worse:
		return r.say("Worse than a linear model.")
	case linear == evaluate.NotSeparable && trivial == evaluate.Better:
		return r.say("Better than a trivial guess, but not than a linear model.")
	case linear == evaluate.NotSeparable:
		return r.say("No better than a linear model.")
	case trivial == evaluate.Better:
		return r.say("Better than a trivial guess.")
	}
	value := metricStyle(r.Result, m.Name).number(iv.Value)
	if r.of.File != "" {
		return r.say("%s of %s on %s.", r.label(m), value, base(r.of.File))
	}
	return r.say("%s of %s on rows it had never seen.", r.label(m), value)
}

// base is the last part of a path.
func base(path string) string {
	path = clean(path)
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// learned says what the model does and from what.
func learned(r reading) string {
	target := clean(r.Target)
	if r.of.Predictions {
		switch r.Task {
		case "binary":
			return r.say("Predictions of whether “%s” is “%s”, whoever made them.", target, clean(r.Positive))
		case "multiclass":
			return r.say("Predictions of which of %d values “%s” has, whoever made them.", len(r.Classes), target)
		}
		return r.say("Predictions of “%s”, whoever made them.", target)
	}
	var what string
	switch r.Task {
	case "binary":
		what = r.say("It tells whether “%s” is “%s”", target, clean(r.Positive))
	case "multiclass":
		what = r.say("It tells which of %d values “%s” has", len(r.Classes), target)
	case metric.Multilabel.String():
		what = r.say("It tells which of %d labels “%s” holds", len(r.Classes), target)
	case "regression":
		what = r.say("It estimates the number “%s”", target)
	default:
		what = r.say("It predicts “%s”", target)
	}
	if n := len(r.of.Data.Used); n > 0 {
		what += r.say(" from %s", r.plural(n, "other column"))
	}
	if r.Rows.Train > 0 {
		what += r.say(", having learned from %s", r.plural(r.Rows.Train, "row"))
	}
	if n := r.Training.Members; n > 0 {
		what += r.say(" by %d networks, whose mean it is", n)
	}
	if r.Rows.Validation > 0 {
		what += r.say("; %s more served to choose when to stop", count(float64(r.Rows.Validation)))
	}
	what += r.say(".")
	if n := len(r.of.Data.LeftOut); n == 1 {
		what = r.join(what, r.say("One column was left out; the data section says why."))
	} else if n > 1 {
		what = r.join(what, r.say("%d columns were left out; the data section says why.", n))
	}
	return what
}

// howGood puts the headline metric into plain words, with its interval.
func howGood(r reading) string {
	m, iv, ok := headline(r.Result)
	if !ok {
		return r.say("No metric was defined on the test rows.")
	}
	s := r.say("On %s that it had never seen, %s.", r.plural(r.Rows.Test, "test row"), r.plain(m, iv))
	switch cv := r.CrossValidation; {
	case r.of.File != "":
		s = r.say("On %s of %s, %s.", r.plural(r.Rows.Test, "row"), base(r.of.File), r.plain(m, iv))
	case cv != nil && cv.IsTest:
		s = r.say("Learned without them, %s were predicted thus: %s.", r.plural(r.Rows.Test, "row"), r.plain(m, iv))
	}
	for _, second := range []string{"accuracy", "mae"} {
		if m2 := r.Lookup(second); m2 != nil && second != m.Name {
			if iv2, ok := r.Test[second]; ok {
				p := r.plain(*m2, iv2)
				s = r.join(s, upperFirst(p)+r.say("."))
				break
			}
		}
	}
	if r.Bootstrap.Resamples > 0 {
		s = r.join(s, r.say("In brackets, the %s interval.", r.level()))
	}
	return s
}

// level is the coverage of the intervals.
func (r reading) level() string {
	return strings.Replace(percent(r.Bootstrap.Level), ".0%", "%", 1)
}

// plain says what a metric's value means.
func (r reading) plain(m evaluate.Metric, iv metric.Interval) string {
	share := func() string {
		if math.IsNaN(iv.Low) || math.IsNaN(iv.High) {
			return percent(iv.Value)
		}
		return r.say("%s (%s to %s)", percent(iv.Value), percent(iv.Low), percent(iv.High))
	}
	t := metricStyle(r.Result, m.Name)
	value := t.number(iv.Value)
	if w := t.interval(iv, r.voice); w != "" {
		value += fmt.Sprintf(" (%s)", w)
	}
	switch {
	case m.Name == "accuracy":
		return r.say("it decides %s of rows correctly", share())
	case m.Name == "roc_auc" && r.Task == "binary":
		return r.say("it ranks a “%s” above another row %s of the time", clean(r.Positive), share())
	case m.Name == "r2":
		return r.say("it explains %s of the variance", share())
	case m.Name == "rmse":
		return r.say("its typical error (root mean square) is %s", value)
	case m.Name == "mae":
		return r.say("it is off by %s on average", value)
	case m.Name == "median_ae":
		return r.say("half of its errors are below %s", value)
	}
	return r.say("its %s is %s", r.lower(m), value)
}

// stands compares with the baselines by the headline metric.
func stands(r reading) string {
	m, _, ok := headline(r.Result)
	names := baselineNames(r.Result)
	if !ok || len(names) == 0 {
		return r.say("No baseline was measured beside it.")
	}
	var out []string
	t := metricStyle(r.Result, m.Name)
	for _, b := range names {
		iv, ok := r.Baselines[b][m.Name]
		if !ok {
			continue
		}
		s := r.say("The %s reaches %s", r.baselineLabel(b), t.number(iv.Value))
		if len(out) == 0 {
			s = r.say("By %s, the %s reaches %s", r.lower(m), r.baselineLabel(b), t.number(iv.Value))
		}
		if c := r.Compare(b, m.Name); c != nil {
			d := c.Difference
			lo, hi := min(math.Abs(d.Low), math.Abs(d.High)), max(math.Abs(d.Low), math.Abs(d.High))
			chance := r.told(c.Chance())
			if chance != "" {
				chance = r.say("; ") + chance
			}
			by := r.say("%s (%s to %s%s)", t.number(math.Abs(d.Value)), t.number(lo), t.number(hi), chance)
			switch c.Outcome {
			case evaluate.Better:
				s += r.say(": the network is better, by %s", by)
			case evaluate.Worse:
				s += r.say(": the network is worse, by %s", by)
			default:
				s += r.say(": the difference, %s (%s to %s%s), could be chance", t.signed(d.Value), t.signed(d.Low), t.signed(d.High), chance)
			}
		}
		out = append(out, s+r.say("."))
	}
	return r.join(out...)
}
