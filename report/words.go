package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// round keeps n significant digits.
func round(x float64, n int) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', n, 64), 64)
	if err != nil { // FormatFloat's output always parses
		return x
	}
	return y
}

// group puts commas between thousands of a decimal number in plain notation.
func group(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	whole, frac, dot := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		whole += "." + frac
	}
	return sign + whole
}

// count prints a number of rows; fractional when rows are weighted.
func count(x float64) string { return group(strconv.FormatFloat(round(x, 7), 'f', -1, 64)) }

// style is how the numbers of one quantity are printed, so that they line up
// and none shows more than the largest can bear.
type style struct {
	decimals   int
	scientific bool
}

// styleFor keeps four significant digits of the largest value, three decimals
// around 1.
func styleFor(values ...float64) style {
	most := 0.0
	for _, v := range values {
		if finite(v) {
			most = math.Max(most, math.Abs(v))
		}
	}
	most = round(most, 4)
	switch {
	case most >= 1e7 || most > 0 && most < 1e-4:
		return style{scientific: true}
	case most == 0 || most >= 0.1 && most < 10:
		return style{decimals: 3}
	}
	return style{decimals: max(0, 3-int(math.Floor(math.Log10(most))))}
}

// metricStyle is the style of all values of a metric.
func metricStyle(r *evaluate.Result, name string) style {
	ivs := []metric.Interval{r.Test[name]}
	for _, scores := range r.Baselines {
		ivs = append(ivs, scores[name])
	}
	var values []float64
	for _, iv := range ivs {
		values = append(values, iv.Value, iv.Low, iv.High)
	}
	return styleFor(values...)
}

func (t style) number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case math.IsInf(x, 1):
		return "∞"
	case math.IsInf(x, -1):
		return "−∞"
	case t.scientific && x != 0:
		return scientific(x)
	}
	s := strconv.FormatFloat(x, 'f', t.decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return group(s)
}

// signed prints a difference with its sign.
func (t style) signed(x float64) string {
	if x > 0 {
		return "+" + t.number(x)
	}
	return t.number(x)
}

func (t style) interval(iv metric.Interval, v voice) string {
	if math.IsNaN(iv.Low) || math.IsNaN(iv.High) || iv.Low == iv.High {
		return "" // not measured, or the same on every resample
	}
	return v.say("%s to %s", t.number(iv.Low), t.number(iv.High))
}

func scientific(x float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', 2, 64), "e")
	exponent = strings.TrimPrefix(exponent, "+")
	sign := ""
	if strings.HasPrefix(exponent, "-") {
		sign = "⁻"
	}
	exponent = strings.TrimLeft(exponent, "-0")
	return group(mantissa) + "×10" + sign + strings.Map(func(r rune) rune { return []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[r-'0'] }, exponent)
}

// number prints a value on its own.
func number(x float64) string { return styleFor(x).number(x) }

func percent(x float64) string {
	if !finite(x) {
		return "–"
	}
	return strconv.FormatFloat(100*x, 'f', 1, 64) + "%"
}

func wholePercent(x float64) string { return strconv.FormatFloat(100*x, 'f', 0, 64) + "%" }

// lowerFirst puts a label into running text: Log loss, but ROC AUC.
func lowerFirst(s string) string {
	s = clean(s)
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// upperFirst begins a sentence.
func upperFirst(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// plural prints n things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return group(strconv.Itoa(n)) + " " + thing + "s"
}

// seconds prints a duration as people say it.
func seconds(s float64) string {
	switch {
	case s < 10:
		return strconv.FormatFloat(round(s, 2), 'f', -1, 64) + " s"
	case s < 120:
		return strconv.FormatFloat(math.Round(s), 'f', -1, 64) + " s"
	case s < 7200:
		return fmt.Sprintf("%d min %02d s", int(s)/60, int(s)%60)
	}
	return fmt.Sprintf("%d h %02d min", int(s)/3600, int(s)%3600/60)
}

// baselineLabel is what a baseline is called in running text.
func (v voice) baselineLabel(name string) string {
	switch name {
	case "linear":
		return v.say("linear model")
	case "trivial":
		return v.say("trivial guess")
	}
	return clean(name)
}

// baselineNames are the baselines in order: linear, others, trivial.
func baselineNames(r *evaluate.Result) []string {
	rank := func(name string) int {
		switch name {
		case "linear":
			return 0
		case "trivial":
			return 2
		}
		return 1
	}
	var names []string
	for n := range r.Baselines {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return names
}

// headline is the metric that the verdict speaks of.
func headline(r *evaluate.Result) (m evaluate.Metric, iv metric.Interval, ok bool) {
	for _, m := range r.Metrics {
		if iv, ok := r.Test[m.Name]; ok {
			return m, iv, true
		}
	}
	return evaluate.Metric{}, metric.Interval{}, false
}
