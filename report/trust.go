package report

import (
	"math"
	"strconv"

	"github.com/hone-ml/hone/evaluate"
)

// What makes a number doubtful.
const (
	fewRows      = 200  // tested; of fewer the interval itself is rough
	fewOfClass   = 20   // rows of a class, of fewer nothing is known about it
	offBy        = 0.05 // by which stated probabilities are off on average
	farApart     = 1.7  // half-widths of an interval between test and validation: about one in a thousand
	fewestTested = 30
)

// doubts are what a reader should know before believing the headline number, the
// gravest first; none: nothing speaks against it.
func doubts(r reading) []item {
	var out []item
	add := func(remedy, format string, args ...any) {
		out = append(out, item{r.say(format, args...), remedy})
	}
	m, iv, ok := headline(r.Result)
	if !ok {
		return nil
	}
	t := metricStyle(r.Result, m.Name)
	if d := r.Diagnosis; d != nil {
		for _, f := range d.Found {
			if trustKinds[f.Kind] {
				add(r.told(f.Remedy), "%s: %s", upperFirst(r.told(f.Kind)), r.told(f.Sentence))
			}
		}
	} else if n := r.Rows.Test; n < fewRows && n > 0 {
		add(r.say("Measure on more rows."), "%s are few: the number may well be another on other rows.", r.plural(n, "row"))
	}
	var rare []evaluate.ClassScore
	for _, k := range r.PerClass {
		if k.Rows < fewOfClass {
			rare = append(rare, k)
		}
	}
	switch {
	case len(rare) == 1:
		add("", "“%s” has only %s rows here: what is said of this class is rough.", clean(rare[0].Class), count(rare[0].Rows))
	case len(rare) > 1:
		add("", "%d of %d classes have fewer than %d rows here: what is said of these classes is rough.", len(rare), len(r.PerClass), fewOfClass)
	}
	if v, ok := r.Result.Validation[m.Name]; ok && r.Rows.Validation >= fewestTested && finite(v) && finite(iv.Low) && finite(iv.High) {
		wide := (iv.High - iv.Low) / 2 * math.Sqrt(1+float64(r.Rows.Test)/float64(r.Rows.Validation))
		if wide > 0 && math.Abs(v-iv.Value) > farApart*wide {
			add(r.say("See whether the parts were divided alike, by time or by group."), "On the validation rows it was %s, further away than chance explains.", t.number(v))
		}
	}
	if off := miscalibration(r.Result); off > offBy && r.Diagnosis == nil {
		add("", "Stated probabilities are off by %s points on average: read them as an order, not as shares.", points(off))
	}
	if r.Fit.Kind == evaluate.FitDiverged {
		add(r.told(r.Fit.Remedy), "%s", r.told(r.Fit.Sentence))
	}
	return out
}

// miscalibration is how far stated probabilities are from what was observed, on
// average over the rows; 0 where nothing is known.
func miscalibration(r *evaluate.Result) float64 {
	off, total := 0.0, 0.0
	for _, b := range r.Calibration {
		if b.Weight > 0 {
			off += b.Weight * math.Abs(b.Observed-b.Predicted)
			total += b.Weight
		}
	}
	if total == 0 {
		return 0
	}
	return off / total
}

// points prints a share in points of percent.
func points(share float64) string {
	return strconv.FormatFloat(round(100*share, 2), 'f', -1, 64)
}

// heldOut says how far the rows were kept from whoever made the model.
func heldOut(r reading) string {
	switch cv := r.CrossValidation; {
	case r.of.Predictions:
		return r.say("hone saw predictions, not how they came about: the number holds only if these rows took no part in training, nor in choosing among models.")
	case r.of.File != "":
		return r.say("It holds for rows like those of %s, and only if the model did not learn from them.", base(r.of.File))
	case cv != nil && cv.IsTest:
		return r.say("Every row was predicted by models that had not learned from it.")
	}
	return r.say("The test rows were read once, at the end: nothing was chosen by them.")
}

// trustSection is what speaks for the numbers and against them.
func trustSection(r reading) *section {
	s := &section{ID: "trust", Title: r.say("How sure this is"), Intro: heldOut(r)}
	var facts []item
	facts = append(facts, doubts(r)...)
	if r.Fit.Kind != "" && r.Fit.Kind != evaluate.FitDiverged && r.Rows.Train > 0 {
		facts = append(facts, item{r.told(r.Fit.Sentence), r.told(r.Fit.Remedy)})
	}
	if off := miscalibration(r.Result); off > 0 && off <= offBy {
		facts = append(facts, item{Text: r.say("Stated probabilities can be read as shares: they are off by %s points on average.", points(off))})
	}
	if c := r.Recalibration; c != nil && c.Sentence != "" {
		facts = append(facts, item{Text: r.sentence(c.Sentence)})
	}
	if r.Abstain != nil {
		facts = append(facts, item{Text: r.sentence(r.Abstain.Sentence())})
	}
	if c := r.PredictionSets.At(0.9); c != nil {
		text := r.say("Asked to hold the truth in %s of cases, its prediction sets or intervals held it in %s (%s to %s).", percent(c.Coverage), percent(c.Observed.Value), percent(c.Observed.Low), percent(c.Observed.High))
		if c.Verdict == evaluate.LessCovered {
			text = r.join(text, r.say("That is less than chance explains: these rows differ from those that it was calibrated on."))
		}
		facts = append(facts, item{Text: text})
	}
	if len(facts) == 0 {
		return nil
	}
	s.Blocks = append(s.Blocks, block{Items: facts})
	return s
}
