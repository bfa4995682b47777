package report

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hone-ml/hone/evaluate"
)

// other is an output beside the first.
type other struct {
	Target, Tested string
	Result         *evaluate.Result
	Numbers        numbers
	Folds          *foldTables // nil where there was no cross-validation
}

// othersOf returns the outputs after the first, by name.
func othersOf(r *evaluate.Result) []other {
	var out []other
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		o := r.Outputs[name].Result()
		out = append(out, other{
			name, fmt.Sprintf("Learnt by the same network, and measured on the %s that have %s.", plural(o.Rows.Test, "test row"), clean(name)), o, metricTable(o), foldsOf(o),
		})
	}
	return out
}
