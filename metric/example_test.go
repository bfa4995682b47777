package metric_test

import (
	"fmt"

	"github.com/hone-ml/hone/metric"
)

func ExampleMetric_Value() {
	m, err := metric.Lookup("roc_auc")
	if err != nil {
		fmt.Println(err)
		return
	}
	auc, err := m.Value(&metric.Sample{
		Kind:   metric.Binary,
		Target: []float64{0, 0, 1, 1},
		Prob:   []float64{0.1, 0.4, 0.35, 0.8},
	})
	fmt.Println(m.Label, auc, err)
	// Output: ROC AUC 0.75 <nil>
}

// A metric of one's own is a function of a sample that weighs each row,
// registered at start. It then works in the config, in reports, with intervals
// and as a quality gate.
func init() {
	metric.Register(metric.Metric{
		Name: "profit", Label: "Profit",
		Doc:     "What an offer to every customer predicted to leave earns, per customer.",
		Formula: "Σ w·[pred]·(40·[target] − 10) / Σ w",
		Source:  "marketing, 2026",
		Kinds:   []metric.Kind{metric.Binary}, Needs: metric.Pred, HigherIsBetter: true,
		Compute: func(s *metric.Sample) float64 {
			sum, weight := 0.0, 0.0
			for i, w := range s.Weight {
				sum += w * s.Pred[i] * (40*s.Target[i] - 10)
				weight += w
			}
			return sum / weight
		},
	})
}

func ExampleRegister() {
	// After metric.Register(metric.Metric{Name: "profit", …}) in an init function:
	m, _ := metric.Lookup("profit")
	s := &metric.Sample{Kind: metric.Binary, Target: []float64{0, 1, 1, 0}, Pred: []float64{1, 1, 0, 0}}
	fmt.Println(m.Value(s))

	r, _ := metric.ParseRequirement("profit>=8")
	fmt.Println(r.Check(5))
	// Output:
	// 5 <nil>
	// profit is 5, required >= 8 (off by 3)
}

func ExampleBootstrap() {
	s := &metric.Sample{Kind: metric.Regression}
	for i := range 200 {
		s.Target = append(s.Target, float64(i))
		s.Pred = append(s.Pred, float64(i+i%5))
	}
	m, _ := metric.Lookup("mae")
	intervals, err := metric.Bootstrap(s, []*metric.Metric{m}, 1000, 0.95, 42)
	fmt.Printf("%.2f [%.2f, %.2f] %v\n", intervals[0].Value, intervals[0].Low, intervals[0].High, err)
	// Output: 2.00 [1.80, 2.19] <nil>
}
