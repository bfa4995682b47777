package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

// TestFairness: the gaps of fairlearn 0.15.0 (testdata/fairness.py).
func TestFairness(t *testing.T) {
	raw, err := os.ReadFile("testdata/fairness.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for k, c := range cases {
		read := func(name string, into any) {
			t.Helper()
			if err := json.Unmarshal(c[name], into); err != nil {
				t.Fatal(err)
			}
		}
		s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}}
		column := &data.Column{Name: "sex", Type: data.Category, Dict: []string{"a", "b", "c"}}
		read("group", &column.Codes)
		read("truth", &s.Target)
		read("pred", &s.Pred)
		read("weight", &s.Weight)
		f, err := MeasureFairness(s, column, 0.95, 100, 1)
		if err != nil {
			t.Fatal(err)
		}
		known := 0
		for _, g := range f.Gaps {
			if c[g.Name] == nil {
				continue
			}
			known++
			var want [2]float64
			read(g.Name, &want)
			if math.Abs(float64(g.Difference)-want[0]) > 1e-12 || math.Abs(float64(g.Ratio)-want[1]) > 1e-12 || g.Class != "yes" {
				t.Errorf("case %d: %+v, expected %v", k, g, want)
			}
		}
		if known != 3 {
			t.Errorf("case %d: %d gaps", k, known)
		}
	}
}

// TestFairnessChance: groups that are treated alike are hardly ever told apart, and
// those that are not, always.
func TestFairnessChance(t *testing.T) {
	apart := 0
	const runs = 30
	for k := range runs {
		r := rand.New(rand.NewPCG(uint64(k), 5))
		columns := people(r, 400)
		s := answers(r, []metric.Kind{metric.Binary, metric.Regression}[k%2], 400, func(int) float64 { return 0.2 })
		f, err := MeasureFairness(s, columns[2], 0.95, 0, uint64(k))
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range f.Gaps {
			if g.Apart {
				apart++
				break
			}
		}
	}
	if apart > 5 { // 1.5 are expected at most, and a standard deviation is 1.2
		t.Errorf("groups were told apart in %d of %d tables without any difference", apart, runs)
	}
	r := rand.New(rand.NewPCG(1, 5))
	columns := people(r, 2000)
	for _, kind := range []metric.Kind{metric.Binary, metric.Regression} {
		s := answers(r, kind, 2000, func(i int) float64 { return 0.1 + 0.3*float64(columns[3].Codes[i]) })
		f, err := MeasureFairness(s, columns[3], 0.95, 100, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range f.Gaps {
			if (g.Name == "accuracy" || g.Name == "rmse") && (!g.Apart || g.Difference < 0.1 || g.Lowest == g.Highest) {
				t.Errorf("%v: %+v", kind, g)
			}
		}
	}
	if _, err := MeasureFairness(answers(r, metric.Binary, 2000, func(int) float64 { return 0 }), columns[4], 0.95, 0, 1); err == nil {
		t.Error("a text makes groups")
	}
}

// TestFairnessOfManyClasses: a gap of each of ten thousand classes would never end.
func TestFairnessOfManyClasses(t *testing.T) {
	const n, many = 400, 10_000
	s := &metric.Sample{Kind: metric.Multiclass, Classes: make([]string, many)}
	for k := range many {
		s.Classes[k] = fmt.Sprint("c", k)
	}
	c := &data.Column{Name: "sex", Type: data.Category, Dict: []string{"f", "m"}}
	for i := range n {
		class := float64(many - 1 - i%30)
		if i >= n/2 {
			class = 7
		}
		s.Target, s.Pred = append(s.Target, class), append(s.Pred, class)
		c.Codes = append(c.Codes, int32(i%2))
	}
	f, err := MeasureFairness(s, c, 0.95, 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	if f.ClassesLeftOut != many-fairClasses || len(f.Groups[0].Rates) != fairClasses || f.Groups[0].Rates["c7"] == nil {
		t.Errorf("%d left out, %d told", f.ClassesLeftOut, len(f.Groups[0].Rates))
	}
	if s.Prob = slices.Repeat([]float64{1.0 / many}, n*many); FindLabelErrors(s, nil).Rows != 0 {
		t.Error("label errors, though every class is as likely")
	}
}
