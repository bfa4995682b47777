package report

import (
	"math"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

func notANumber() float64       { return math.NaN() }
func negativeInfinity() float64 { return math.Inf(-1) }

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want string
	}{
		{0, "0.000"}, {0.91234, "0.912"}, {-0.5, "−0.500"}, {12.3456, "12.35"}, {123.456, "123.5"}, {999.96, "1,000"},
		{4567.8, "4,568"}, {1234567, "1,234,567"}, {0.0123456, "0.01235"}, {0.00012345, "0.0001234"}, {1e-9, "1.00×10⁻⁹"}, {-2098178025, "−2.10×10⁹"}, {1e20, "1.00×10²⁰"}, {math.NaN(), "–"}, {math.Inf(-1), "−∞"},
	} {
		if got := number(c.in); got != c.want {
			t.Errorf("number(%v) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestStyle(t *testing.T) {
	s := styleFor(0.063, -0.000569, 0.9)
	if got := s.number(-0.000569) + " " + s.number(-0.0001) + " " + s.signed(0.063); got != "−0.001 0.000 +0.063" {
		t.Error(got)
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct{ linear, trivial, want string }{
		{evaluate.Better, evaluate.Better, "Better than a linear model."},
		{evaluate.Worse, evaluate.Better, "Worse than a linear model."},
		{evaluate.NotSeparable, evaluate.Better, "Better than a trivial guess, but not than a linear model."},
		{evaluate.NotSeparable, "", "No better than a linear model."},
		{evaluate.Better, evaluate.NotSeparable, "No better than a trivial guess."},
		{"", evaluate.Better, "Better than a trivial guess."},
		{evaluate.Better, evaluate.Worse, "Worse than a trivial guess."},
		{"", "", "Accuracy of 0.900 on rows it had never seen."},
	} {
		r := &evaluate.Result{Metrics: []evaluate.Metric{{Name: "accuracy", Label: "Accuracy"}}, Test: evaluate.Scores{"accuracy": metric.Interval{Value: 0.9}}}
		for b, o := range map[string]string{"linear": c.linear, "trivial": c.trivial} {
			if o != "" {
				r.Comparisons = append(r.Comparisons, evaluate.Comparison{Baseline: b, Metric: "accuracy", Outcome: o})
			}
		}
		if got := verdict(read(&Report{Result: r}, voice{})); got != c.want {
			t.Errorf("linear %q, trivial %q: %q, want %q", c.linear, c.trivial, got, c.want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		s    scale
		n    int
		want []string
	}{
		{scale{lo: 0, hi: 1}, 5, []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		{scale{lo: 0.891, hi: 0.914}, 5, []string{"0.895", "0.9", "0.905", "0.91"}},
		{scale{lo: -50000, hi: 120000}, 5, []string{"−50k", "0", "50k", "100k"}},
		{scale{lo: 3, hi: 3}, 5, []string{"3"}},
		{scale{lo: 0.01, hi: 10, log: true}, 5, []string{"0.01", "0.1", "1", "10"}},
		{scale{lo: 0.2, hi: 6, log: true}, 5, []string{"0.2", "0.5", "1", "2", "5"}},
	} {
		got := tickLabels(c.s.ticks(c.n))
		if len(got) != len(c.want) {
			t.Errorf("%+v: %v, want %v", c.s, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%+v: %v, want %v", c.s, got, c.want)
				break
			}
		}
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  float64
		want string
	}{
		{"short", 100, "short"}, {"a name that is much too long", 64, "a name t…"}, {"技术问题技术问题", 50, "技术问…"}, {" a\tb\n", 50, "a b"},
	} {
		if got := fit(c.in, c.max); got != c.want {
			t.Errorf("fit(%q, %v) = %q, want %q", c.in, c.max, got, c.want)
		}
	}
}
