package report

import "github.com/hone-ml/hone/evaluate"

// thresholdSection is the threshold that was chosen for an aim, beside other ways to
// decide.
func thresholdSection(r reading) *section {
	c := r.of.Threshold
	if c == nil {
		return nil
	}
	s := &section{ID: "threshold", Title: r.say("A threshold for %s", clean(c.Aim)), Intro: r.say("Decide for “%s” from a probability of %s on. What that is worth was measured on rows that did not choose it.", clean(r.Positive), number(c.Threshold))}
	if c.Unmet {
		s.Intro = r.join(s.Intro, r.say("On those rows the condition is missed."))
	}
	t := &table{Name: s.Title, Head: []string{r.say("decision"), r.told(c.Label), r.say("difference"), r.say("precision"), r.say("recall"), r.say("positive")}}
	var values []float64
	for _, p := range c.Policies {
		values = append(values, p.Value.Value)
	}
	st := styleFor(values...)
	for _, p := range c.Policies {
		name := cell{Value: r.told(policyNames[p.Name])}
		if p.Threshold != nil {
			name.Small = r.say("from %s on", number(*p.Threshold))
		}
		value := cell{Value: st.number(p.Value.Value), Small: st.interval(p.Value, r.voice), Strong: p.Name == evaluate.PolicyChosen}
		difference := cell{}
		if d := p.Difference; d != nil {
			difference = cell{Value: st.signed(d.Value), Small: st.interval(*d, r.voice)}
		}
		t.Rows = append(t.Rows, []cell{name, value, difference, {Value: percent(p.Precision.Value)}, {Value: percent(p.Recall.Value)}, {Value: percent(p.Positive)}})
	}
	s.Blocks = []block{{Table: t}}
	return s
}

// policyNames are what ways to decide are called on the page.
var policyNames = map[string]string{
	evaluate.PolicyChosen: "the chosen threshold", evaluate.PolicyModel: "the model's own", evaluate.PolicyHalf: "one half",
	evaluate.PolicyNone: "never positive", evaluate.PolicyAll: "always positive",
}
