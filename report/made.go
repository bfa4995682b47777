package report

import (
	"strconv"
)

// dataSection is the rows and columns that the model was made from.
func dataSection(r reading) *section {
	d := r.of.Data
	s := &section{ID: "data", Title: r.say("The data")}
	if r.Rows.Train > 0 {
		s.Intro = divided(r)
	}
	if len(d.Cleaned) > 0 {
		b := block{Title: r.say("Cleaned"), Intro: r.say("By the steps of data.clean, in this order. What changes values is done to rows to predict as well.")}
		for _, c := range d.Cleaned {
			b.Items = append(b.Items, item{Text: c.String()})
		}
		s.Blocks = append(s.Blocks, b)
	}
	if len(d.Findings) > 0 {
		b := block{Title: r.say("What the data check noticed")}
		for _, f := range d.Findings {
			b.Items = append(b.Items, item{r.told(f.Message), r.told(f.Remedy)})
		}
		s.Blocks = append(s.Blocks, b)
	}
	if len(d.LeftOut) > 0 {
		b := block{Title: r.say("Columns left out")}
		for _, l := range d.LeftOut {
			b.Pairs = append(b.Pairs, pair{Term: l.Name, Text: r.told(l.Reason), CodeTerm: true})
		}
		s.Blocks = append(s.Blocks, b)
	}
	if len(d.Used) > 0 {
		t := &table{Name: r.say("Columns the model reads"), Head: []string{r.say("column"), r.say("type"), r.say("fitted")}, Words: true}
		for _, c := range d.Used {
			t.Rows = append(t.Rows, []cell{{Value: c.Name, Code: true}, {Value: r.told(c.Type)}, {Value: r.told(c.Note)}})
		}
		s.Blocks = append(s.Blocks, block{Summary: r.say("%s the model reads", r.plural(len(d.Used), "column")), Open: len(d.Used) < 13, Table: t})
	}
	if s.Intro == "" && len(s.Blocks) == 0 {
		return nil
	}
	return s
}

// madeSection is what it takes to make the same again.
func madeSection(r reading) *section {
	o := r.of
	s := &section{ID: "made", Title: r.say("How it was made")}
	if r.Rows.Train == 0 {
		s.Title = r.say("How it was measured")
	}
	var pairs []pair
	add := func(term, text string) {
		if text != "" {
			pairs = append(pairs, pair{Term: term, Text: text})
		}
	}
	add(r.say("network"), o.Network)
	add(r.say("parameters"), positive(o.Parameters))
	if o.TrainingSeconds > 0 {
		add(r.say("training time"), seconds(o.TrainingSeconds))
	}
	add(r.say("one prediction"), latency(o.LatencyMS))
	add(r.say("machine"), o.Machine)
	add(r.say("run"), o.RunID)
	pairs = append(pairs, pair{Term: r.say("seed"), Text: strconv.FormatUint(o.Seed, 10), Code: true})
	add(r.say("date"), o.Date)
	add("hone", o.Version)
	for _, src := range o.Data.Sources {
		p := pair{Term: r.say("%s data", r.say(clean(src.Role))), Text: clean(src.Path)}
		if src.Rows > 0 {
			p.Text += ", " + r.plural(src.Rows, "row")
		}
		if src.Fingerprint != "" {
			p.Small = "SHA-256 " + src.Fingerprint
		}
		pairs = append(pairs, p)
	}
	s.Blocks = append(s.Blocks, block{Pairs: pairs})
	if o.Config != "" {
		s.Blocks = append(s.Blocks, block{Summary: r.say("Configuration"), Code: o.Config})
	}
	return s
}

func latency(ms float64) string {
	switch {
	case ms <= 0:
		return ""
	case ms < 1:
		return strconv.FormatFloat(round(1000*ms, 2), 'f', -1, 64) + " µs"
	}
	return strconv.FormatFloat(round(ms, 2), 'f', -1, 64) + " ms"
}
