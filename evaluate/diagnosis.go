package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/hone-ml/hone/metric"
)

// Kinds of findings of a [Diagnosis]. Those that package optimize knows a remedy
// for have the same names there.
const (
	ProblemOver        = FitOver
	ProblemUnder       = FitUnder
	ProblemLeak        = "leakage"
	ProblemNoise       = "noisy labels"
	ProblemImbalance   = "imbalance"
	ProblemDrift       = "drift"
	ProblemCalibration = "miscalibration"
	ProblemWeak        = "weak slice"
	ProblemFewTest     = "too few test rows"
	ProblemFewRows     = "too little data"
	ProblemCapacity    = "too little capacity"
)

// A Diagnosis names what a model suffers from. Every kind is found, cleared or left
// open: one pair of numbers proves nothing.
type Diagnosis struct {
	Found []Finding `json:"found"`
	// Clear are the kinds that were looked for and not found.
	Clear []string `json:"clear"`
	// Open are the kinds that what is at hand cannot tell, with what would.
	Open []Open `json:"open"`
}

// Open is a kind of finding that nothing can be said of.
type Open struct {
	Kind  string `json:"kind"`
	Needs string `json:"needs"` // what one would need to see
}

// A Case is what a diagnosis is made from. What is not known is left out.
type Case struct {
	Test       *metric.Sample // or what was measured
	Validation *metric.Sample
	Failures   *Failures
	Headline   string // the metric, and its interval on the test rows
	Score      metric.Interval
	// Training is how the network was trained, Fit what its curves say; Train, Valid
	// and Trivial are losses as of optimize.Evidence, NaN where unknown.
	Training              Training
	Fit                   *Verdict
	Train, Valid, Trivial float64
	Linear                *Comparison // with a linear model on the same inputs
	Improvement           *Improvement
	// Leaks are what gives the target away, in sentences, and Drifts what differs between splits;
	// Looked* says that they were looked for.
	Leaks, Drifts             []Hint
	LookedLeaks, LookedDrifts bool
	// Conflicts are rows bound to be wrong, of Rows: an equal one has another class.
	Conflicts, Rows int
}

// A Hint is something that was found in the data.
type Hint struct {
	Sentence string
	Evidence map[string]float64
	Remedy   string
	Changes  []string
}

// Thresholds. A diagnosis is for people, who stop reading what is always worried:
// what is told is both large and beyond chance.
const (
	surely       = 0.001 // p-value of what is told
	miscalibrate = 0.03  // calibration error
	noiseFloor   = 0.01  // share of wrong rows among the surest half
	noiseEven    = 0.5   // of the share among all rows: errors do not thin out
	rareClass    = 0.2   // of the even share of a class
	weakGap      = 0.10  // of accuracy
	weakTimes    = 1.5   // of the mean error
	wideInterval = 0.05  // half of an interval of a metric between 0 and 1
	behindLinear = 0.01  // of a metric between 0 and 1, of an error its own part
	driftErrors  = 0.03  // more rows wrong
	driftSure    = 0.10  // Kolmogorov-Smirnov distance of confidences
)

// diagnoses are the readers, in the order in which they are told. One that cannot
// tell says what it would need.
var diagnoses = []struct {
	kind string
	read func(c *Case) (found *Finding, needs string)
}{
	{ProblemLeak, leakage},
	{ProblemDrift, drifting},
	{ProblemOver, overFitting},
	{ProblemUnder, underFitting},
	{ProblemNoise, noisyLabels},
	{ProblemCalibration, miscalibration},
	{ProblemImbalance, imbalanced},
	{ProblemWeak, weakSlice},
	{ProblemFewTest, fewTestRows},
	{ProblemFewRows, fewRows},
	{ProblemCapacity, fewUnits},
}

// DiagnoseCase looks for every kind of problem.
func DiagnoseCase(c *Case) *Diagnosis {
	d := &Diagnosis{Found: []Finding{}, Clear: []string{}, Open: []Open{}}
	for _, r := range diagnoses {
		switch found, needs := r.read(c); {
		case found != nil:
			found.Kind = r.kind
			d.Found = append(d.Found, *found)
		case needs != "":
			d.Open = append(d.Open, Open{r.kind, needs})
		default:
			d.Clear = append(d.Clear, r.kind)
		}
	}
	return d
}

// Says returns the finding of a kind, nil if there is none.
func (d *Diagnosis) Says(kind string) *Finding {
	for i := range d.Found {
		if d.Found[i].Kind == kind {
			return &d.Found[i]
		}
	}
	return nil
}

// hints joins what was found in the data into one finding.
func hints(list []Hint) *Finding {
	if len(list) == 0 {
		return nil
	}
	f := &Finding{Evidence: map[string]Number{"count": Number(len(list))}, Remedy: list[0].Remedy, Changes: list[0].Changes}
	var said []string
	for i, h := range list {
		if i == 0 {
			for k, v := range h.Evidence {
				f.Evidence[k] = Number(v)
			}
		}
		if i < 3 {
			said = append(said, h.Sentence)
		}
	}
	if more := len(list) - len(said); more > 0 {
		said = append(said, fmt.Sprintf("and %d more", more))
	}
	f.Sentence = strings.Join(said, "; ")
	return f
}

func leakage(c *Case) (*Finding, string) {
	if f := hints(c.Leaks); f != nil || c.LookedLeaks {
		return f, ""
	}
	return nil, "the rows that the model was trained on: hone check TRAIN --target COLUMN --against FILE looks for columns that give the target away and for rows that stand in both"
}

func drifting(c *Case) (*Finding, string) {
	list := slices.Clone(c.Drifts)
	if a, b := sureness(c.Validation), sureness(c.Test); a != nil && b != nil {
		if d, p := kolmogorovSmirnov(a, b); d >= driftSure && p <= surely {
			list = append(list, Hint{
				Sentence: fmt.Sprintf("the model is as sure of other rows otherwise: its mean confidence is %.3f on validation rows and %.3f on test rows (Kolmogorov-Smirnov distance %.2f)", average(a), average(b), d),
				Evidence: map[string]float64{"validation_confidence": average(a), "test_confidence": average(b), "distance": d, "p": p},
				Remedy:   "find out how the test rows came about; validate on rows like those that are to be predicted (data.validation.file, or data.split by time or group)",
			})
		}
	}
	if h, ok := otherErrors(c.Validation, c.Test); ok {
		list = append([]Hint{h}, list...)
	}
	if f := hints(list); f != nil || c.LookedDrifts {
		return f, ""
	}
	return nil, "rows of another split to compare with: hone check TRAIN --against FILE"
}

// otherErrors tells test rows on which the model errs much more than on validation
// rows. Those were used to choose by, which flatters a little; this is more.
func otherErrors(validation, test *metric.Sample) (h Hint, ok bool) {
	if validation == nil || validation.Pred == nil || test.Pred == nil || min(validation.Rows(), test.Rows()) < minSlice {
		return h, false
	}
	wrong := append(rowErrors(test), rowErrors(validation)...)
	var in, out []int
	for i := range wrong {
		if i < test.Rows() {
			in = append(in, i)
		} else {
			out = append(out, i)
		}
	}
	a, b := mean(wrong, out), mean(wrong, in)
	p := worseBy(test.Kind, wrong, in, out)
	if p > surely || b < weakTimes*a || test.Kind != metric.Regression && b-a < driftErrors {
		return h, false
	}
	h.Sentence = fmt.Sprintf("the model errs on %s of the validation rows and on %s of the test rows, more than its choices by validation rows explain: these are other rows", percent(Number(a)), percent(Number(b)))
	if test.Kind == metric.Regression {
		h.Sentence = fmt.Sprintf("the mean error is %s on validation rows and %s on test rows, more than the choices by validation rows explain: these are other rows", short(a), short(b))
	}
	h.Evidence = map[string]float64{"validation_error": a, "test_error": b, "p": p}
	h.Remedy = "find out how the test rows came about; validate on rows like those that are to be predicted (data.validation.file, or data.split by time or group)"
	return h, true
}

func overFitting(c *Case) (*Finding, string) {
	gap := (c.Valid - c.Train) / c.Trivial
	switch {
	case c.Fit == nil || math.IsNaN(gap):
		return nil, "the loss on training rows beside that on held-out rows, and how both went from epoch to epoch; a score on one set of rows, or one on each, tells nothing: a run knows (hone run, its report)"
	case c.Fit.Kind == FitOverLate && c.Fit.Evidence.Rise > gapLarge: // what stopping early spared the model, it suffered from
		return &Finding{Sentence: plainly(c.Fit.Sentence), Evidence: map[string]Number{"rise": c.Fit.Evidence.Rise, "gap": Number(gap), "best_epoch": Number(c.Training.Best)},
			Remedy: "the best epoch was kept, which spares the model most of it; more rows, more dropout or weight decay, or a smaller network would let it learn for longer"}, ""
	case gap <= gapLarge:
		return nil, ""
	}
	f := &Finding{Evidence: map[string]Number{"gap": Number(gap), "train": Number(c.Train), "held_out": Number(c.Valid), "trivial": Number(c.Trivial), "rise": c.Fit.Evidence.Rise}}
	said := fmt.Sprintf("training rows are predicted better than held-out rows by %s of what a model that knows nothing loses (%s and %s)", percent(Number(gap)), loss(Number(c.Train)), loss(Number(c.Valid)))
	switch {
	case c.Valid > c.Trivial:
		f.Sentence = said + ", and these worse than by one constant"
	case float64(c.Fit.Evidence.Rise) > riseLarge:
		f.Sentence = fmt.Sprintf("%s, and after epoch %d the held-out loss rose by %s of it", said, c.Training.Best, percent(c.Fit.Evidence.Rise))
	case c.Linear != nil && c.Linear.Outcome == Worse:
		f.Sentence = said + ", and a linear model on the same inputs does better"
	default:
		return nil, said + ": a gap alone proves nothing, since what learns well learns its own rows best. A smaller or more regularised network that does better would: hone run CONFIG --set optimize.trials=4"
	}
	f.Remedy = "more rows help most; otherwise more dropout or weight decay, or a smaller network"
	return f, ""
}

func underFitting(c *Case) (*Finding, string) {
	if c.Fit == nil || c.Fit.Kind == FitUnknown {
		return nil, "how the loss went from epoch to epoch, and what a linear model makes of the same rows: a run knows"
	}
	k := c.Fit.Kind
	if k == FitUnder && c.Linear != nil { // by how much: what is small is not worth the word
		least := behindLinear
		if c.Test.Kind == metric.Regression {
			least *= math.Abs(c.Score.Value)
		}
		if math.Abs(c.Linear.Difference.Value) < least {
			return nil, ""
		}
	}
	if k == FitUnder || k == FitStillLearning || k == FitDiverged {
		e := c.Fit.Evidence
		return &Finding{Sentence: plainly(c.Fit.Sentence), Remedy: c.Fit.Remedy,
			Evidence: map[string]Number{"gap": e.Gap, "slope": e.Slope, "scale": e.Scale}}, ""
	}
	return nil, ""
}

// plainly is a verdict's sentence without the name that it begins with.
func plainly(sentence string) string {
	if name, rest, ok := strings.Cut(sentence, ": "); ok && strings.EqualFold(name, FitUnder) {
		sentence = rest
	}
	if sentence == "" {
		return ""
	}
	return strings.ToLower(sentence[:1]) + strings.TrimSuffix(sentence[1:], ".")
}

// noisyLabels looks at the rows that the model is surest of: where it errs there
// nearly as often as elsewhere, though it is a good model, the labels are wrong.
func noisyLabels(c *Case) (*Finding, string) {
	if c.Conflicts > 0 && float64(c.Conflicts) >= noiseFloor*float64(c.Rows) {
		return &Finding{
			Sentence: fmt.Sprintf("%d of %d training rows contradict an equal row of another class", c.Conflicts, c.Rows),
			Evidence: map[string]Number{"conflicts": Number(c.Conflicts), "rows": Number(c.Rows)},
			Remedy:   "look at these rows (hone check), correct what is wrong, or add the column that tells them apart",
		}, ""
	}
	s := c.Test
	sure := sureness(s)
	if sure == nil {
		return nil, map[bool]string{true: "rows that were measured twice: an error of a number may be the model's or the measure's", false: "probabilities of the classes"}[s.Kind == metric.Regression]
	}
	n := len(sure)
	if n < weakRows {
		return nil, fmt.Sprintf("%d rows or more", weakRows)
	}
	wrong := rowErrors(s)
	all := average(wrong)
	counts := make([]float64, max(2, len(s.Classes)))
	for _, t := range s.Target {
		counts[int(t)]++
	}
	guess := 1 - slices.Max(counts)/float64(n)
	if all > guess/2 {
		return nil, fmt.Sprintf("a model that errs less than half as often as one that always says the commonest class (it errs in %s of the rows, that one in %s): errors of a weak model are not those of the labels", percent(Number(all)), percent(Number(guess)))
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sure[b], sure[a]) })
	if sure[order[n/2]] == sure[order[n-1-n/10]] {
		return nil, "probabilities that tell surer answers from others"
	}
	surest := order[:n/2]
	rate := mean(wrong, surest)
	low := metric.Wilson(rate*float64(len(surest)), float64(len(surest)), 0.99).Low
	if low < noiseFloor || rate < noiseEven*all {
		return nil, ""
	}
	f := &Finding{
		Sentence: fmt.Sprintf("of the half of the rows that the model is surest of, %s have another label (at least %s, 99 %% bound), nearly as many as of all rows (%s): errors that sureness does not thin out are those of labels", percent(Number(rate)), percent(Number(low)), percent(Number(all))),
		Evidence: map[string]Number{"surest": Number(rate), "low": Number(low), "all": Number(all), "guess": Number(guess)},
		Remedy:   "look at the likeliest label errors and correct them (hone evaluate … --label-errors FILE)",
	}
	if c.Failures != nil && c.Failures.LabelErrors != nil {
		f.Evidence["label_errors"] = Number(c.Failures.LabelErrors.Rows)
	}
	return f, ""
}

// miscalibration is the test of Hosmer and Lemeshow on ten groups of equal size,
// for more than two classes of the class that was decided for; the probabilities
// were not fitted to these rows, so that there are ten degrees of freedom.
func miscalibration(c *Case) (*Finding, string) {
	s := c.Test
	if s.Prob == nil || s.Kind != metric.Binary && s.Kind != metric.Multiclass {
		if s.Kind == metric.Regression {
			return nil, "intervals beside the predicted numbers"
		}
		return nil, "probabilities of the classes"
	}
	n := s.Rows()
	if n < weakRows {
		return nil, fmt.Sprintf("%d rows or more", weakRows)
	}
	p, y := s.Prob, s.Target
	if s.Kind == metric.Multiclass {
		d := decided(s)
		p, y = d.Prob, d.Target
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	chi, free, off, chance := 0.0, 0.0, 0.0, 0.0
	for q := range calibrationBin {
		rows := order[q*n/calibrationBin : (q+1)*n/calibrationBin]
		m := float64(len(rows))
		stated, seen, variance := 0.0, 0.0, 0.0
		for _, i := range rows {
			stated += p[i]
			seen += y[i]
			variance += p[i] * (1 - p[i])
		}
		off += math.Abs(seen-stated) / float64(n)
		if variance < 1 { // too few are expected for a normal law: at least one
			variance = 1
		}
		chance += math.Sqrt(2*variance/math.Pi) / float64(n)
		chi += (seen - stated) * (seen - stated) / variance
		if m > 0 {
			free++
		}
	}
	pv := distuv.ChiSquared{K: free}.Survival(chi)
	if pv > surely || off-chance < miscalibrate {
		return nil, ""
	}
	f := &Finding{Evidence: map[string]Number{"calibration_error": Number(off), "by_chance": Number(chance), "chi_squared": Number(chi), "p": Number(pv)}}
	f.Sentence = fmt.Sprintf("stated probabilities are off by %s on average, where chance makes %s", percent(Number(off)), percent(Number(chance)))
	if sure := sureness(s); sure != nil {
		stated, right := average(sure), 1-average(rowErrors(s))
		f.Evidence["confidence"], f.Evidence["accuracy"] = Number(stated), Number(right)
		f.Sentence += fmt.Sprintf("; of its answers it is sure by %.3f on average, and %.3f are right", stated, right)
	}
	f.Remedy = "recalibrate the probabilities on validation rows that are like these (evaluate.recalibration); against too much confidence also smoother labels or more weight decay"
	return f, ""
}

// imbalanced finds a rare class that is missed more than the others.
func imbalanced(c *Case) (*Finding, string) {
	s := c.Test
	if s.Kind != metric.Binary && s.Kind != metric.Multiclass {
		return nil, ""
	}
	if s.Pred == nil {
		return nil, "decisions"
	}
	k := max(2, len(s.Classes))
	rows, hits := make([]float64, k), make([]float64, k)
	for i, t := range s.Target {
		rows[int(t)]++
		if s.Pred[i] == t {
			hits[int(t)]++
		}
	}
	n := float64(s.Rows())
	worst, worstHigh := -1, 1.0
	few := ""
	for class, m := range rows {
		if m == 0 || m >= rareClass*n/float64(k) {
			continue
		}
		if m < 10 {
			few = fmt.Sprintf("10 rows or more of class %q, of which there are %.0f", className(s, class), m)
			continue
		}
		others := (sum(hits) - hits[class]) / (n - m)
		if high := metric.Wilson(hits[class], m, 0.95).High; high < others-weakGap && high < worstHigh {
			worst, worstHigh = class, high
		}
	}
	if worst < 0 {
		return nil, few
	}
	return &Finding{
		Sentence: fmt.Sprintf("class %q is %s of the rows, and %s of it is found, where %s of the others are", className(s, worst), percent(Number(rows[worst]/n)), percent(Number(hits[worst]/rows[worst])), percent(Number((sum(hits)-hits[worst])/(n-rows[worst])))),
		Evidence: map[string]Number{"share": Number(rows[worst] / n), "recall": Number(hits[worst] / rows[worst]), "recall_high": Number(worstHigh), "rows": Number(rows[worst])},
		Remedy:   "classes weighted to count the same (train.class_weights: balanced), or a threshold chosen on validation rows (threshold: auto on the output)",
	}, ""
}

// weakSlice tells a slice that is much worse, and of which the model knows no more
// than one constant, or less than it states: what is near a border between classes is
// harder in every model.
func weakSlice(c *Case) (*Finding, string) {
	if c.Failures == nil || c.Test.Pred == nil || c.Test.Rows() < weakRows {
		return nil, fmt.Sprintf("decisions on %d rows or more, with other columns", weakRows)
	}
	s := c.Test
	for i := range c.Failures.Weak {
		w := &c.Failures.Weak[i]
		value, rest := w.Score.Value, float64(w.Rest)
		large, blind := rest-value >= weakGap, false
		if s.Kind == metric.Regression {
			large = value >= weakTimes*rest
			blind = value >= 2*rest || value >= 0.9*spreadAround(s.Target, w.in)
		} else {
			counts := map[float64]int{}
			most := 0
			for _, i := range w.in {
				counts[s.Target[i]]++
				most = max(most, counts[s.Target[i]])
			}
			constant := float64(most) / float64(max(1, len(w.in)))
			blind = value < constant+weakGap/2 || w.Stated.finite() && w.Score.High < float64(w.Stated)-weakGap/2
		}
		if !large || !blind || float64(w.Adjusted) > 0.01 {
			continue
		}
		return &Finding{
			Sentence: w.Sentence(c.Failures.Metric),
			Evidence: map[string]Number{"rows": Number(w.Rows), "value": Number(value), "rest": w.Rest, "p": w.Adjusted, "stated": w.Stated},
			Remedy:   "look at these rows: more of them to learn from, or a column that tells what makes them different; until then warn whoever uses the model there",
		}, ""
	}
	return nil, ""
}

// spreadAround is the mean distance of values from their median.
func spreadAround(values []float64, rows []int) float64 {
	var some []float64
	for _, i := range rows {
		some = append(some, values[i])
	}
	if len(some) == 0 {
		return 0
	}
	slices.Sort(some)
	middle, total := some[len(some)/2], 0.0
	for _, v := range some {
		total += math.Abs(v - middle)
	}
	return total / float64(len(some))
}

func fewTestRows(c *Case) (*Finding, string) {
	m, err := metric.Lookup(c.Headline)
	if err != nil || math.IsNaN(c.Score.Low+c.Score.High) {
		return nil, "an interval of the headline metric (--bootstrap)"
	}
	half := (c.Score.High - c.Score.Low) / 2
	if c.Test.Kind == metric.Regression || !m.HigherIsBetter { // in units of its own
		half /= 2 * math.Abs(c.Score.Value)
	}
	if half <= wideInterval {
		return nil, ""
	}
	n := float64(c.Test.Rows())
	return &Finding{
		Sentence: fmt.Sprintf("the interval of %s from %s to %s is too wide to build on: %d rows; about %.0f would halve it", c.Headline, loss(Number(c.Score.Low)), loss(Number(c.Score.High)), c.Test.Rows(), 4*n),
		Evidence: map[string]Number{"rows": Number(n), "low": Number(c.Score.Low), "high": Number(c.Score.High)},
		Remedy:   "measure on more rows, or by cross-validation (evaluate.cross_validation: 5)",
	}, ""
}

func fewRows(*Case) (*Finding, string) {
	return nil, "the score of models that learnt from fewer rows, which says what more would bring: hone learning-curve CONFIG"
}

// fewUnits: a larger network that did better is the one proof.
func fewUnits(c *Case) (*Finding, string) {
	if c.Improvement != nil {
		for _, t := range c.Improvement.Trials {
			if t.Outcome == TrialKept && (strings.Contains(t.Remedy, "width") || strings.Contains(t.Remedy, "layer")) && !strings.Contains(t.Remedy, "half") {
				return &Finding{
					Sentence: fmt.Sprintf("%s made it better: %s", t.Remedy, t.Result()), Remedy: "kept by the trials; a still larger one may bring more",
					Evidence: map[string]Number{"before": t.Before, "after": t.After, "p": t.P}, Changes: t.Changes,
				}, ""
			}
		}
	}
	return nil, "a larger network on the same rows: hone run CONFIG --set optimize.trials=8 tries one"
}

// sureness is the confidence of each answer, nil without probabilities.
func sureness(s *metric.Sample) []float64 {
	if s == nil {
		return nil
	}
	return confidences(s)
}

func short(x float64) string { return loss(Number(x)) }

func sum(values []float64) float64 {
	t := 0.0
	for _, v := range values {
		t += v
	}
	return t
}

func average(values []float64) float64 { return sum(values) / float64(max(1, len(values))) }

// kolmogorovSmirnov is the largest distance of two distribution functions, and the
// asymptotic chance of so large a one.
func kolmogorovSmirnov(a, b []float64) (d, p float64) {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	i, j := 0, 0
	n, m := float64(len(a)), float64(len(b))
	for i < len(a) && j < len(b) {
		v := min(a[i], b[j])
		for i < len(a) && a[i] == v {
			i++
		}
		for j < len(b) && b[j] == v {
			j++
		}
		d = math.Max(d, math.Abs(float64(i)/n-float64(j)/m))
	}
	x := d * math.Sqrt(n*m/(n+m))
	sign := 1.0
	for k := 1.0; k <= 100; k++ {
		p += 2 * sign * math.Exp(-2*k*k*x*x)
		sign = -sign
	}
	return d, min(1, max(0, p))
}
