package evaluate

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

// people are columns of every kind that a slice can be made of.
func people(r *rand.Rand, n int) []*data.Column {
	age := &data.Column{Name: "age", Type: data.Number}
	income := &data.Column{Name: "income", Type: data.Number}
	region := &data.Column{Name: "region", Type: data.Category, Dict: []string{"north", "south", "east", "west"}}
	member := &data.Column{Name: "member", Type: data.Boolean, Dict: []string{"no", "yes"}}
	review := &data.Column{Name: "review", Type: data.Text}
	for i := range n {
		age.Numbers = append(age.Numbers, float64(18+r.IntN(60)))
		v := math.Exp(10 + r.NormFloat64())
		if r.IntN(5) == 0 {
			v = math.NaN()
		}
		income.Numbers = append(income.Numbers, v)
		region.Codes = append(region.Codes, int32(r.IntN(4)))
		member.Codes = append(member.Codes, int32(r.IntN(2)))
		text := strings.Repeat("word ", 1+r.IntN(40))
		if r.IntN(4) == 0 {
			text = strings.Repeat("слово ", 1+r.IntN(40))
		}
		review.Codes, review.Dict = append(review.Codes, int32(i)), append(review.Dict, text)
	}
	return []*data.Column{age, income, region, member, review}
}

// answers are of rows of which wrong says how likely the answer is not right; of
// numbers how large the error is.
func answers(r *rand.Rand, kind metric.Kind, n int, wrong func(i int) float64) *metric.Sample {
	s := &metric.Sample{Kind: kind}
	if kind != metric.Regression {
		s.Classes = []string{"a", "b"}
	}
	for i := range n {
		t, p := float64(r.IntN(2)), wrong(i)
		pred := t
		if kind == metric.Regression {
			t = r.NormFloat64()
			pred = t + p*r.NormFloat64()
		} else if r.Float64() < p {
			pred = 1 - t
		}
		s.Target, s.Pred = append(s.Target, t), append(s.Pred, pred)
	}
	return s
}

func TestWeakSlices(t *testing.T) {
	const n = 3000
	for _, tt := range []struct {
		name string
		kind metric.Kind
		hard func(c []*data.Column, i int) bool
		want []string
	}{
		{"category and number", metric.Binary, func(c []*data.Column, i int) bool { return c[2].Text(i) == "north" && c[0].Numbers[i] > 50 }, []string{`region is "north"`, "age > "}},
		{"missing", metric.Binary, func(c []*data.Column, i int) bool { return c[1].Missing(i) }, []string{"income missing"}},
		{"script", metric.Binary, func(c []*data.Column, i int) bool { return strings.HasPrefix(c[4].Text(i), "с") }, []string{`script of review is "Cyrillic"`}},
		{"length", metric.Regression, func(c []*data.Column, i int) bool { return len([]rune(c[4].Text(i))) < 40 }, []string{"length of review ≤ "}},
		{"range", metric.Regression, func(c []*data.Column, i int) bool { return c[0].Numbers[i] > 30 && c[0].Numbers[i] <= 45 }, []string{"age > ", "and ≤ "}},
	} {
		r := rand.New(rand.NewPCG(7, 7))
		columns := people(r, n)
		s := answers(r, tt.kind, n, func(i int) float64 {
			switch hard := tt.hard(columns, i); {
			case hard && tt.kind == metric.Regression:
				return 2
			case hard:
				return 0.4
			case tt.kind == metric.Regression:
				return 1
			}
			return 0.1
		})
		found, err := WeakSlices(s, columns, 0.95, 1)
		if err != nil || len(found) == 0 {
			t.Errorf("%s: found %v, %v", tt.name, found, err)
			continue
		}
		w, in := found[0], 0
		for _, i := range w.in {
			if tt.hard(columns, i) {
				in++
			}
		}
		all := 0
		for i := range n {
			if tt.hard(columns, i) {
				all++
			}
		}
		for _, words := range tt.want {
			if !strings.Contains(w.Where, words) {
				t.Errorf("%s: %q, expected %q", tt.name, w.Where, words)
			}
		}
		if float64(in) < 0.8*float64(len(w.in)) || float64(in) < 0.7*float64(all) {
			t.Errorf("%s: %q is %d rows, of which %d of %d are hard", tt.name, w.Where, len(w.in), in, all)
		}
		if w.Tested >= w.Rows || w.Score.Low > w.Score.Value || math.IsNaN(float64(w.Rest)) {
			t.Errorf("%s: %+v", tt.name, w)
		}
		again, err := WeakSlices(s, columns, 0.95, 1)
		if err != nil || again[0].Where != w.Where || again[0].Score != w.Score {
			t.Errorf("%s: the second time %+v, %v", tt.name, again, err)
		}
	}
}

// TestWeakSlicesClean: where errors have nothing to do with the columns, a slice is
// found in at most one of twenty cases.
func TestWeakSlicesClean(t *testing.T) {
	const runs = 60
	for _, kind := range []metric.Kind{metric.Binary, metric.Regression} {
		wrongly := 0
		for k := range runs {
			r := rand.New(rand.NewPCG(uint64(k), 99))
			n := []int{250, 600, 1500}[k%3]
			columns := people(r, n)
			s := answers(r, kind, n, func(int) float64 { return []float64{0.05, 0.2}[k%2] })
			if kind == metric.Regression { // of a long tail
				for i := range s.Pred {
					s.Pred[i] = s.Target[i] + math.Exp(2*r.NormFloat64())
				}
			}
			found, err := WeakSlices(s, columns, 0.95, uint64(k))
			if err != nil {
				t.Fatal(err)
			}
			if len(found) > 0 {
				wrongly++
			}
		}
		if wrongly > 7 { // 3 are expected at most, and a standard deviation is 1.7
			t.Errorf("%v: slices were found in %d of %d tables without any", kind, wrongly, runs)
		}
	}
}

// TestFisher: reference values of scipy 1.17.1, scipy.stats.fisher_exact and
// mannwhitneyu(alternative="greater", method="asymptotic").
func TestFisher(t *testing.T) {
	near := func(got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("found %v, expected %v", got, want)
		}
	}
	near(fisher(8, 10, 10, 20), 0.011507068782610578)
	near(fisher(3, 30, 4, 200), 0.011093847950721148)
	values := []float64{1.2, 3.4, 3.4, 5.1, 0.3, 2.2, 3.4, 0.9, 1.2, 0.1, 0.8}
	near(rankSum(values, []int{0, 1, 2, 3, 5}, []int{4, 6, 7, 8, 9, 10}), 0.021100409742444804)
}

func TestScript(t *testing.T) {
	for text, want := range map[string]string{"": "no letters", "12 3!": "no letters", "abc Z": "Latin", "äöü": "Latin", "aäb да": "Latin", "да нет a": "Cyrillic", "ab дà": "Latin", "漢字かな漢": "Han"} {
		if got := script(text); got != want {
			t.Errorf("%q: %s, expected %s", text, got, want)
		}
	}
}
