package report

import "github.com/hone-ml/hone/evaluate"

// trustKinds are the findings that make the numbers themselves doubtful.
var trustKinds = map[string]bool{
	evaluate.ProblemLeak: true, evaluate.ProblemDrift: true, evaluate.ProblemNoise: true, evaluate.ProblemCalibration: true, evaluate.ProblemFewTest: true,
}

// diagnosisSection is what the model suffers from, what was looked for in vain, and
// what could not be told.
func diagnosisSection(r reading) *section {
	d := r.Diagnosis
	if d == nil || len(d.Found)+len(d.Clear)+len(d.Open) == 0 {
		return nil
	}
	s := &section{ID: "diagnosis", Title: r.say("What it suffers from")}
	if len(d.Found) > 0 {
		t := &table{Name: r.say("Findings"), Head: []string{r.say("finding"), r.say("evidence"), r.say("remedy")}, Words: true}
		for _, f := range d.Found {
			t.Rows = append(t.Rows, row(r.told(f.Kind), r.told(f.Sentence), r.told(f.Remedy)))
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	} else {
		s.Intro = r.say("Nothing was found of what was looked for.")
	}
	var rest []pair
	if len(d.Clear) > 0 {
		kinds := ""
		for i, k := range d.Clear {
			if i > 0 {
				kinds += r.say(", ")
			}
			kinds += r.told(k)
		}
		rest = append(rest, pair{Term: r.say("Looked for, not found"), Text: kinds})
	}
	for _, o := range d.Open {
		rest = append(rest, pair{Term: r.say("Cannot be told: %s", r.told(o.Kind)), Text: r.told(o.Needs)})
	}
	if len(rest) > 0 {
		s.Blocks = append(s.Blocks, block{Pairs: rest})
	}
	return s
}
