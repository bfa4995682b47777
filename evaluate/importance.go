package evaluate

import "github.com/hone-ml/hone/metric"

// Importance tells by how much a model's predictions of some rows get worse when
// what a column tells is taken away, by exchanging its values between the rows at
// random: permutation importance (Breiman 2001, Random forests, section 10; in the
// form of Fisher, Rudin and Dominici 2019, All models are wrong, that any model
// allows).
type Importance struct {
	// Split is the rows that were measured: "validation", or "" for a file's.
	Split  string `json:"split,omitempty"`
	Metric string `json:"metric"`
	// Score is the metric of the rows as they are.
	Score   Number `json:"score"`
	Rows    int    `json:"rows"`
	Repeats int    `json:"repeats"` // exchanges of each column, of which the mean is told
	// Columns are all inputs, the most important first.
	Columns []ColumnImportance `json:"columns"`
	// Groups are columns that tell much the same, exchanged together: each by itself
	// may look unimportant since the others stand in for it.
	Groups []ColumnImportance `json:"groups,omitempty"`
}

// ColumnImportance is what is lost without a column, or several.
type ColumnImportance struct {
	Columns []string `json:"columns"`
	// Loss is by how much the metric gets worse, positive also where lower values are
	// better, with its bootstrap interval over the rows.
	Loss metric.Interval `json:"loss"`
}
