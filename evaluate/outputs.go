package evaluate

// OutputResult is what was measured of one of several outputs: the fields of a
// Result that are its own. Rows are those that have its target.
type OutputResult struct {
	Task        string             `json:"task"`
	Classes     []string           `json:"classes,omitempty"`
	Positive    string             `json:"positive,omitempty"`
	Rows        Rows               `json:"rows"`
	Metrics     []Metric           `json:"metrics"`
	Test        Scores             `json:"test"`
	Baselines   map[string]Scores  `json:"baselines,omitempty"`
	Validation  map[string]float64 `json:"validation,omitempty"`
	Undefined   map[string]string  `json:"undefined,omitempty"`
	Comparisons []Comparison       `json:"comparisons,omitempty"`
	Confusion   [][]float64        `json:"confusion,omitempty"`
	PerClass    []ClassScore       `json:"per_class,omitempty"`
	// CrossValidation is nil where there was none.
	CrossValidation *CrossValidation `json:"cross_validation,omitempty"`
	Recalibration   *Recalibration   `json:"recalibration,omitempty"`
	PredictionSets  *PredictionSets  `json:"prediction_sets,omitempty"`
	Abstain         *Abstained       `json:"abstain,omitempty"`
	Importance      *Importance      `json:"importance,omitempty"`
}

// Output returns what of a result is the output's own.
func (r *Result) Output() *OutputResult {
	return &OutputResult{r.Task, r.Classes, r.Positive, r.Rows, r.Metrics, r.Test, r.Baselines, r.Validation, r.Undefined, r.Comparisons, r.Confusion, r.PerClass, r.CrossValidation, r.Recalibration, r.PredictionSets, r.Abstain, r.Importance}
}

// Result returns the output's as a result that holds nothing else.
func (o *OutputResult) Result() *Result {
	return &Result{
		Version: 1, Task: o.Task, Classes: o.Classes, Positive: o.Positive, Rows: o.Rows, Metrics: o.Metrics, Test: o.Test, Baselines: o.Baselines,
		Validation: o.Validation, Undefined: o.Undefined, Comparisons: o.Comparisons, Confusion: o.Confusion, PerClass: o.PerClass, CrossValidation: o.CrossValidation,
		Recalibration: o.Recalibration, PredictionSets: o.PredictionSets, Abstain: o.Abstain, Importance: o.Importance,
	}
}
