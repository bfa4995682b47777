package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/hone-ml/hone/metric"
)

// Methods of a [Map].
const (
	Temperature = "temperature"
	Isotonic    = "isotonic"
)

// What [Choose] may be asked for beside the name of a method.
const (
	Auto = "auto"
	Off  = "off"
)

// A Map corrects probabilities of classes.
type Map struct {
	Method string `json:"method"`
	// Temperature divides the logarithms of the probabilities: above 1 they were too
	// sure of themselves.
	Temperature float64 `json:"temperature,omitempty"`
	// Curves are those of isotonic regression: of two classes one, of the positive
	// class; of more, one for each.
	Curves []Curve `json:"curves,omitempty"`
	Rows   int     `json:"rows"` // that it was fitted on
}

// least keeps a logarithm finite, as log_loss does.
const least = 0x1p-52

// Apply corrects probabilities in place, row by row: of two classes those of the
// positive one, of more all of each row.
func (m *Map) Apply(prob []float64, classes int) {
	switch {
	case m == nil:
	case m.Method == Temperature && classes == 2:
		for i, p := range prob {
			prob[i] = soften(p, 1/m.Temperature)
		}
	case m.Method == Temperature:
		for i := 0; i+classes <= len(prob); i += classes {
			softenRow(prob[i:i+classes], 1/m.Temperature)
		}
	case classes == 2:
		low := m.floor()
		for i, p := range prob {
			prob[i] = min(max(m.Curves[0].At(p), low), 1-low)
		}
	default:
		low := m.floor()
		for i := 0; i+classes <= len(prob); i += classes {
			row, sum := prob[i:i+classes], 0.0
			for k := range row {
				row[k] = max(m.Curves[k].At(row[k]), low)
				sum += row[k]
			}
			for k := range row {
				row[k] /= sum
			}
		}
	}
}

// floor is the least probability that an isotonic regression states: what Laplace's
// rule of succession gives where none of its rows was of the class. Without it a
// single row could cost an infinite log loss.
func (m *Map) floor() float64 { return 1 / float64(m.Rows+2) }

// soften is a probability of two classes whose logarithms are multiplied by beta.
func soften(p, beta float64) float64 {
	d := beta * (math.Log(max(1-p, least)) - math.Log(max(p, least)))
	return 1 / (1 + math.Exp(d))
}

// softenRow is soften for the classes of a row.
func softenRow(row []float64, beta float64) {
	top := math.Inf(-1)
	for k, p := range row {
		row[k] = beta * math.Log(max(p, least))
		top = max(top, row[k])
	}
	sum := 0.0
	for k, z := range row {
		row[k] = math.Exp(z - top)
		sum += row[k]
	}
	for k := range row {
		row[k] /= sum
	}
}

// Check finds a map that cannot be one of so many classes.
func (m *Map) Check(classes int) error {
	switch m.Method {
	case Temperature:
		if !(m.Temperature > 0) || math.IsInf(m.Temperature, 0) {
			return fmt.Errorf("temperature is %v, expected a finite number above 0", m.Temperature)
		}
		return nil
	case Isotonic:
		want := classes
		if classes == 2 {
			want = 1
		}
		if len(m.Curves) != want || m.Rows < 1 {
			return fmt.Errorf("isotonic has %d curves of %d rows, expected %d of 1 or more", len(m.Curves), m.Rows, want)
		}
		for _, c := range m.Curves {
			if err := c.check(); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("method %q, expected %s or %s", m.Method, Temperature, Isotonic)
}

// FitTemperature finds the one number by which the logarithms of all probabilities
// are to be divided so that the log loss is least (Guo et al. 2017, On calibration
// of modern neural networks, section 4.2). The loss is convex in its inverse, which
// is found by Newton's method within halving bounds. Where every row's class is the
// most probable one there is no least, only ever surer probabilities, of which the
// first wrong row would be told with certainty: the temperature is then 1.
func FitTemperature(s *metric.Sample) *Map {
	const lowest, highest = 1e-3, 1e3
	low, high := lowest, highest
	beta := 1.0
	for range 100 {
		slope, bend := temperatureSlope(s, beta)
		if slope > 0 {
			high = beta
		} else {
			low = beta
		}
		next := beta - slope/bend
		if !(next > low && next < high) {
			next = math.Sqrt(low * high)
		}
		if math.Abs(next-beta) <= 1e-12*beta {
			break
		}
		beta = next
	}
	if beta > highest/2 || beta < 2*lowest {
		beta = 1
	}
	return &Map{Method: Temperature, Temperature: 1 / beta, Rows: s.Rows()}
}

// temperatureSlope is the first and second derivative of the log loss by beta.
func temperatureSlope(s *metric.Sample, beta float64) (slope, bend float64) {
	k := len(s.Classes)
	q, z := make([]float64, k), make([]float64, k)
	for i, y := range s.Target {
		stated(s, i, q)
		for c, p := range q {
			z[c] = math.Log(max(p, least))
		}
		softenRow(q, beta)
		mean, square := 0.0, 0.0
		for c := range q {
			mean += q[c] * z[c]
			square += q[c] * z[c] * z[c]
		}
		w := weight(s, i)
		slope += w * (mean - z[int(y)])
		bend += w * (square - mean*mean)
	}
	return slope, bend
}

// stated writes the probabilities of all classes of a row.
func stated(s *metric.Sample, row int, to []float64) {
	if s.Kind == metric.Binary {
		to[0], to[1] = 1-s.Prob[row], s.Prob[row]
		return
	}
	copy(to, s.Prob[row*len(to):])
}

func weight(s *metric.Sample, row int) float64 {
	if s.Weight == nil {
		return 1
	}
	return s.Weight[row]
}

// FitIsotonic fits for each class the rising steps that are nearest to its rows
// (Zadrozny and Elkan 2002, Transforming classifier scores into accurate multiclass
// probability estimates); of more than two classes the values are divided by their
// sum.
func FitIsotonic(s *metric.Sample) *Map {
	m := &Map{Method: Isotonic, Rows: s.Rows()}
	k := len(s.Classes)
	is := make([]float64, s.Rows())
	if s.Kind == metric.Binary {
		m.Curves = []Curve{Rising(s.Prob, s.Target, s.Weight)}
		return m
	}
	x := make([]float64, s.Rows())
	for c := range k {
		for i, y := range s.Target {
			x[i], is[i] = s.Prob[i*k+c], 0
			if int(y) == c {
				is[i] = 1
			}
		}
		m.Curves = append(m.Curves, Rising(x, is, s.Weight))
	}
	return m
}

const (
	parts       = 5   // that rows are divided into to judge a map by those it was not fitted on
	leastRows   = 50  // of fewer no map is fitted
	leastSteps  = 200 // of fewer, none of isotonic regression
	significant = 2   // standard errors by which a map must help
)

// A Choice is what [Choose] found.
type Choice struct {
	Map *Map // nil: the probabilities stay as they are
	// Prob are the corrected probabilities of the rows, each by a map that was fitted
	// on other rows; as they were where Map is nil.
	Prob []float64
	// Tried has the log loss of each method on rows that it was not fitted on.
	Tried []Tried
	Why   string // in words
}

// Tried is a map that was tried.
type Tried struct {
	Method string  `json:"method"`
	Before float64 `json:"log_loss_before"`
	After  float64 `json:"log_loss_after"`
	// Gain is before minus after, and Error its standard error, of the same rows.
	Gain  float64 `json:"gain"`
	Error float64 `json:"standard_error"`
}

// Helps is whether the gain is more than chance explains.
func (t Tried) Helps() bool { return t.Gain > significant*t.Error }

// Choose fits maps to a sample of classes and takes the one that helps. With auto,
// temperature must lower the log loss of rows that it was not fitted on (each fifth
// by the other four) by two standard errors of the paired differences, and isotonic
// regression in turn that of temperature, or of nothing; the name of a method takes it
// without asking. Rows are divided by the seed alone.
func Choose(s *metric.Sample, method string, seed uint64) (*Choice, error) {
	none := &Choice{Prob: s.Prob}
	switch {
	case method == Off:
		return none, nil
	case s.Prob == nil || s.Kind != metric.Binary && s.Kind != metric.Multiclass:
		return nil, fmt.Errorf("recalibration needs the probabilities of classes, this is a %s sample", s.Kind)
	case len(s.Classes) < 2:
		return nil, fmt.Errorf("recalibration needs the names of the classes")
	case s.Rows() < leastRows:
		none.Why = fmt.Sprintf("%d rows are too few to correct probabilities by, expected %d", s.Rows(), leastRows)
		return none, nil
	}
	fold := divide(s.Rows(), seed)
	best, before := none, rowLosses(s, s.Prob)
	var tried []Tried
	for _, fit := range []struct {
		method string
		least  int
		of     func(*metric.Sample) *Map
	}{{Temperature, leastRows, FitTemperature}, {Isotonic, leastSteps, FitIsotonic}} {
		if method != Auto && method != fit.method || method == Auto && s.Rows() < fit.least {
			continue
		}
		prob := crossFit(s, fold, fit.of)
		after := rowLosses(s, prob)
		t := compare(s, fit.method, before, after)
		tried = append(tried, t)
		if t.Helps() || method == fit.method {
			best, before = &Choice{Map: fit.of(s), Prob: prob}, after
		}
	}
	best.Tried = tried
	best.Why = best.words(method)
	return best, nil
}

func (c *Choice) words(method string) string {
	if len(c.Tried) == 0 {
		return ""
	}
	t := c.Tried[0]
	if c.Map == nil {
		return "no correction of the probabilities helps on rows that it was not fitted on: they stay as they are"
	}
	for _, one := range c.Tried {
		if one.Method == c.Map.Method {
			t = one
		}
	}
	how := "isotonic regression"
	if c.Map.Method == Temperature {
		how = fmt.Sprintf("temperature %.4g", c.Map.Temperature)
	}
	was, is := c.Tried[0].Before, t.After
	if method != Auto {
		return fmt.Sprintf("the probabilities are corrected by %s, as the configuration says: log loss %.4g before, %.4g after, on rows that it was not fitted on", how, was, is)
	}
	return fmt.Sprintf("the probabilities are corrected by %s: log loss on rows that it was not fitted on %.4g, without it %.4g", how, is, was)
}

// divide gives each row one of the parts, by chance and as evenly as they go.
func divide(rows int, seed uint64) []int {
	fold := make([]int, rows)
	for i, at := range rand.New(rand.NewPCG(seed, 0x63616c)).Perm(rows) {
		fold[at] = i % parts
	}
	return fold
}

// crossFit is what maps make of the rows that they were not fitted on.
func crossFit(s *metric.Sample, fold []int, fit func(*metric.Sample) *Map) []float64 {
	width := len(s.Prob) / s.Rows()
	out := make([]float64, len(s.Prob))
	for part := range parts {
		var in, rest []int
		for i, f := range fold {
			if f == part {
				in = append(in, i)
			} else {
				rest = append(rest, i)
			}
		}
		some := s.Select(in)
		prob := append([]float64{}, some.Prob...)
		fit(s.Select(rest)).Apply(prob, len(s.Classes))
		for k, i := range in {
			copy(out[i*width:(i+1)*width], prob[k*width:(k+1)*width])
		}
	}
	return out
}

// rowLosses is the log loss of each row.
func rowLosses(s *metric.Sample, prob []float64) []float64 {
	out := make([]float64, s.Rows())
	k := len(s.Classes)
	for i, y := range s.Target {
		p := 0.0
		switch {
		case s.Kind != metric.Binary:
			p = prob[i*k+int(y)]
		case y == 1:
			p = prob[i]
		default:
			p = 1 - prob[i]
		}
		out[i] = -math.Log(max(p, least))
	}
	return out
}

// compare is the weighted mean of paired differences, with its standard error.
func compare(s *metric.Sample, method string, before, after []float64) Tried {
	t := Tried{Method: method}
	total, squares := 0.0, 0.0
	for i := range before {
		w := weight(s, i)
		total += w
		t.Before += w * before[i]
		t.After += w * after[i]
	}
	t.Before, t.After = t.Before/total, t.After/total
	t.Gain = t.Before - t.After
	for i := range before {
		d := weight(s, i) * (before[i] - after[i] - t.Gain)
		squares += d * d
	}
	t.Error = math.Sqrt(squares) / total
	return t
}
