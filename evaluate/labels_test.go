package evaluate

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/hone-ml/hone/metric"
)

// TestLabelErrors: the same rows, in the same order, with the same thresholds and the same
// confident joint as cleanlab 2.9.0 (testdata/labels.py).
func TestLabelErrors(t *testing.T) {
	raw, err := os.ReadFile("testdata/labels.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name       string
		Labels     []int
		Prob       []float64
		Thresholds []float64
		Joint      [][]int
		Issues     []int
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		s := &metric.Sample{Kind: metric.Multiclass, Prob: c.Prob}
		if len(c.Thresholds) == 2 {
			s.Kind = metric.Binary
		}
		for k := range c.Thresholds {
			s.Classes = append(s.Classes, "class "+strconv.Itoa(k))
		}
		for _, l := range c.Labels {
			s.Target = append(s.Target, float64(l))
		}
		e := FindLabelErrors(s, nil)
		for k, want := range c.Thresholds {
			if math.Abs(float64(e.Thresholds[k])-want) > 1e-12 {
				t.Errorf("%s: threshold of class %d is %v, expected %v", c.Name, k, e.Thresholds[k], want)
			}
		}
		for k, want := range c.Joint {
			if !slices.Equal(e.Estimated[k], want) {
				t.Errorf("%s: confident joint of class %d is %v, expected %v", c.Name, k, e.Estimated[k], want)
			}
		}
		var found []int
		for _, one := range e.All() {
			found = append(found, one.Row-1)
		}
		// Equal probabilities have no order.
		given := func(i int) float64 { return probability(s, i, c.Labels[i]) }
		for i := range min(len(found), len(c.Issues)) {
			if given(found[i]) != given(c.Issues[i]) {
				t.Errorf("%s: %d. is row %d, expected %d", c.Name, i, found[i], c.Issues[i])
			}
		}
		slices.Sort(found)
		slices.Sort(c.Issues)
		if !slices.Equal(found, c.Issues) {
			t.Errorf("%s: found %v, expected %v", c.Name, found, c.Issues)
		}
		t.Logf("%s: %d label errors, as expected", c.Name, len(found))
	}
}
