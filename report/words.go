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

func (t style) interval(iv metric.Interval) string {
	if math.IsNaN(iv.Low) || math.IsNaN(iv.High) || iv.Low == iv.High {
		return "" // not measured, or the same on every resample
	}
	return t.number(iv.Low) + " to " + t.number(iv.High)
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

func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + "%" }

func wholePercent(x float64) string { return strconv.FormatFloat(100*x, 'f', 0, 64) + "%" }

// lowerFirst puts a label into running text: Log loss, but ROC AUC.
func lowerFirst(s string) string {
	s = clean(s)
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
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
func baselineLabel(name string) string {
	switch name {
	case "linear":
		return "linear model"
	case "trivial":
		return "trivial guess"
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

// verdict is the page's title: where the model stands, in one sentence.
func verdict(r *evaluate.Result) string {
	m, iv, ok := headline(r)
	if !ok {
		return "Nothing could be measured."
	}
	outcome := func(baseline string) string {
		if c := r.Compare(baseline, m.Name); c != nil {
			return c.Outcome
		}
		return ""
	}
	linear, trivial := outcome("linear"), outcome("trivial")
	switch {
	case trivial == evaluate.Worse:
		return "Worse than a trivial guess."
	case trivial == evaluate.NotSeparable:
		return "No better than a trivial guess."
	case linear == evaluate.Better:
		return "Better than a linear model."
	case linear == evaluate.Worse:
		return "Worse than a linear model."
	case linear == evaluate.NotSeparable && trivial == evaluate.Better:
		return "Better than a trivial guess, but not than a linear model."
	case linear == evaluate.NotSeparable:
		return "No better than a linear model."
	case trivial == evaluate.Better:
		return "Better than a trivial guess."
	}
	return fmt.Sprintf("%s of %s on rows it had never seen.", clean(m.Label), metricStyle(r, m.Name).number(iv.Value))
}

// learned says what the model does and from what.
func learned(r *Report) string {
	res := r.Result
	var what string
	switch res.Task {
	case "binary":
		what = fmt.Sprintf("It tells whether “%s” is “%s”", clean(res.Target), clean(res.Positive))
	case "multiclass":
		what = fmt.Sprintf("It tells which of %d values “%s” has", len(res.Classes), clean(res.Target))
	default:
		what = fmt.Sprintf("It estimates the number “%s”", clean(res.Target))
	}
	if n := len(r.Data.Used); n > 0 {
		what += " from " + plural(n, "other column")
	}
	what += fmt.Sprintf(", having learned from %s", plural(res.Rows.Train, "row"))
	if n := res.Training.Members; n > 0 {
		what += fmt.Sprintf(" by %d networks, whose mean it is", n)
	}
	if res.Rows.Validation > 0 {
		what += fmt.Sprintf("; %s more served to choose when to stop", group(strconv.Itoa(res.Rows.Validation)))
	}
	what += "."
	if n := len(r.Data.LeftOut); n == 1 {
		what += " One column was left out; the data section says why."
	} else if n > 1 {
		what += fmt.Sprintf(" %d columns were left out; the data section says why.", n)
	}
	return what
}

// howGood puts the headline metric into plain words, with its interval.
func howGood(r *evaluate.Result) string {
	m, iv, ok := headline(r)
	if !ok {
		return "No metric was defined on the test rows."
	}
	s := fmt.Sprintf("On %s that it had never seen, %s.", plural(r.Rows.Test, "test row"), plain(r, m, iv))
	if cv := r.CrossValidation; cv != nil && cv.IsTest {
		s = fmt.Sprintf("Learned without them, %s were predicted thus: %s.", plural(r.Rows.Test, "row"), plain(r, m, iv))
	}
	for _, second := range []string{"accuracy", "mae"} {
		if m2 := r.Lookup(second); m2 != nil && second != m.Name {
			if iv2, ok := r.Test[second]; ok {
				p := plain(r, *m2, iv2)
				s += " " + strings.ToUpper(p[:1]) + p[1:] + "."
				break
			}
		}
	}
	if r.Bootstrap.Resamples > 0 {
		s += fmt.Sprintf(" In brackets, the %s interval.", strings.Replace(percent(r.Bootstrap.Level), ".0%", "%", 1))
	}
	return s
}

// plain says what a metric's value means.
func plain(r *evaluate.Result, m evaluate.Metric, iv metric.Interval) string {
	share := func() string {
		if math.IsNaN(iv.Low) || math.IsNaN(iv.High) {
			return percent(iv.Value)
		}
		return fmt.Sprintf("%s (%s to %s)", percent(iv.Value), percent(iv.Low), percent(iv.High))
	}
	t := metricStyle(r, m.Name)
	value := t.number(iv.Value)
	if w := t.interval(iv); w != "" {
		value += " (" + w + ")"
	}
	switch {
	case m.Name == "accuracy":
		return "it decides " + share() + " of rows correctly"
	case m.Name == "roc_auc" && r.Task == "binary":
		return fmt.Sprintf("it ranks a “%s” above another row %s of the time", clean(r.Positive), share())
	case m.Name == "r2":
		return "it explains " + share() + " of the variance"
	case m.Name == "rmse":
		return "its typical error (root mean square) is " + value
	case m.Name == "mae":
		return "it is off by " + value + " on average"
	case m.Name == "median_ae":
		return "half of its errors are below " + value
	}
	return "its " + lowerFirst(m.Label) + " is " + value
}

// stands compares with the baselines by the headline metric.
func stands(r *evaluate.Result) string {
	m, _, ok := headline(r)
	names := baselineNames(r)
	if !ok || len(names) == 0 {
		return "No baseline was measured beside it."
	}
	var out []string
	t := metricStyle(r, m.Name)
	for _, b := range names {
		iv, ok := r.Baselines[b][m.Name]
		if !ok {
			continue
		}
		s := fmt.Sprintf("The %s reaches %s", baselineLabel(b), t.number(iv.Value))
		if len(out) == 0 {
			s = fmt.Sprintf("By %s, the %s reaches %s", lowerFirst(m.Label), baselineLabel(b), t.number(iv.Value))
		}
		if c := r.Compare(b, m.Name); c != nil {
			d := c.Difference
			lo, hi := min(math.Abs(d.Low), math.Abs(d.High)), max(math.Abs(d.Low), math.Abs(d.High))
			chance := c.Chance()
			if chance != "" {
				chance = "; " + chance
			}
			by := fmt.Sprintf("%s (%s to %s%s)", t.number(math.Abs(d.Value)), t.number(lo), t.number(hi), chance)
			switch c.Outcome {
			case evaluate.Better:
				s += ": the network is better, by " + by
			case evaluate.Worse:
				s += ": the network is worse, by " + by
			default:
				s += fmt.Sprintf(": the difference, %s (%s to %s%s), could be chance", t.signed(d.Value), t.signed(d.Low), t.signed(d.High), chance)
			}
		}
		out = append(out, s+".")
	}
	return strings.Join(out, " ")
}
