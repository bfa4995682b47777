package report

import (
	"maps"
	"slices"

	"github.com/hone-ml/hone/evaluate"
)

// other is an output beside the first.
type other struct {
	Target, Tested string
	reading
}

// othersOf returns the outputs after the first, by name.
func othersOf(r reading) []other {
	var out []other
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		o := r.Outputs[name].Result()
		o.Bootstrap = evaluate.Bootstrap{}
		out = append(out, other{clean(name), r.say("Learnt by the same network, and measured on the %s that have %s.", r.plural(o.Rows.Test, "test row"), clean(name)), reading{o, r.voice, r.of}})
	}
	return out
}

// outputsSection is the metrics of the other outputs.
func outputsSection(r reading) *section {
	s := &section{ID: "outputs", Title: r.say("Other outputs")}
	for _, o := range othersOf(r) {
		s.Blocks = append(s.Blocks, block{Title: o.Target, Intro: o.Tested, Table: metricTable(o.reading).table(r.voice, metricTable(o.reading).All(), r.say("Metrics of %s", o.Target))})
		if f := foldsOf(o.reading); f != nil {
			s.Blocks = append(s.Blocks, f.blocks(r.voice)...)
		}
	}
	if len(s.Blocks) == 0 {
		return nil
	}
	return s
}
