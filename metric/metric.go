package metric

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hone-ml/hone/internal/nearest"
)

// Kind is the kind of task that a sample comes from.
type Kind int

// The kinds of task.
const (
	Binary     Kind = iota // two classes, index 1 is the positive one
	Multiclass             // two or more classes, none of them special
	Regression             // a number
	Multilabel             // any number of labels at once
	Ranking                // an order of the rows of each query
	Text                   // a written answer
	Language               // a likelihood of given text
)

var kindNames = []string{"binary", "multiclass", "regression", "multilabel", "ranking", "text", "language"}

// String gives the kind's name: binary, multiclass, regression and so on.
func (k Kind) String() string {
	if k >= 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Input is a set of the parts of a sample that a metric reads beside Target.
type Input int

// The inputs of a metric.
const (
	Pred    Input = 1 << iota // the decided class, or the predicted value
	Prob                      // the class probabilities
	Score                     // scores that order the rows of a binary sample; probabilities do
	Query                     // which rows are ranked together
	Written                   // Answers and References
	Bytes                     // the length of each text
)

// A Metric is one measure of predictions, described and ready to compute.
type Metric struct {
	Name           string   // as in the config and in JSON: f1_macro
	Aliases        []string // other names that [Lookup] takes for it
	Label          string   // as in a report: F1 (macro)
	Doc            string   // what it says, in one plain sentence
	Formula        string   // in plain mathematical notation
	Source         string   // the definition that it follows
	Kinds          []Kind   // where it applies
	Needs          Input    // what it reads
	HigherIsBetter bool
	// OnRequest leaves the metric out of what is shown when none is named.
	OnRequest bool

	// Compute measures a sample that has been checked: lengths agree, every
	// number is finite, Weight is never nil, and what Needs names is there.
	// It must weigh each row by its Weight, keep nothing, and change nothing;
	// NaN says that the metric is undefined on these rows. It may be called
	// from several goroutines at once. It may be nil where OfCounts, or OfMean
	// with PerRow, says it all.
	Compute func(s *Sample) float64

	// PerRow gives the loss of each row where the metric is a mean of them, or
	// rises or falls with that mean alone; else it is nil. Lower is better,
	// whichever way the metric points. [Paired] exchanges them. The sample is
	// as for Compute, but weights do not enter. NaN makes the metric undefined
	// unless the row weighs nothing.
	PerRow func(s *Sample) []float64
	// OfMean gives the metric from the weighted mean of PerRow.
	OfMean func(mean float64) float64
	// sum is the sum of PerRow times the weights, without keeping either, of samples
	// of sumKinds (nil: of all).
	sum      func(s *Sample) float64
	sumKinds []Kind
	// OfCounts gives the metric from the weighted counts of decisions.
	OfCounts func(c *Counts) float64
	// Partial begins a sum over batches of rows for a [Stream], where neither
	// OfMean nor OfCounts does. The sample shows the kind and the classes.
	Partial func(like *Sample, o StreamOptions) Partial
}

// identity is the OfMean of a mean.
func identity(mean float64) float64 { return mean }

// oneMinus is the OfMean of a share of rows without the fault that PerRow marks.
func oneMinus(mean float64) float64 { return 1 - mean }

var (
	registered []*Metric
	byName     = map[string]*Metric{}
)

// Register adds a metric, which from then on is found by [Lookup] and listed
// last by [For]. It is to be called at start, from an init function, and
// panics when the metric is incomplete or one of its names is taken.
func Register(m Metric) {
	switch {
	case m.Name == "":
		panic("metric: register: a metric without a name") // programmer error
	case len(m.Kinds) == 0 || m.Needs == 0 || m.Compute == nil && m.OfCounts == nil && (m.OfMean == nil || m.PerRow == nil):
		panic(fmt.Sprintf("metric: register %q: Kinds, Needs and Compute (or OfCounts, or OfMean and PerRow) must be set", m.Name)) // programmer error
	}
	for _, name := range append([]string{m.Name}, m.Aliases...) {
		if old := byName[name]; old != nil {
			panic(fmt.Sprintf("metric: register %q: the name %q already belongs to %q", m.Name, name, old.Name)) // programmer error
		}
		byName[name] = &m
	}
	registered = append(registered, &m)
}

// measure computes the metric of a prepared sample.
func (m *Metric) measure(s *Sample) float64 {
	switch {
	case m.Compute != nil:
		return m.Compute(s)
	case m.OfCounts != nil:
		return m.OfCounts(s.counts())
	}
	losses := cached(s, "losses of "+m.Name, func() []float64 { return m.PerRow(s) })
	return m.OfMean(s.meanOfCounted(losses))
}

// A family makes metrics that differ by a whole number in their name, such as
// top_7_accuracy, when they are asked for.
type family struct {
	prefix, suffix string
	low, high      int
	of             func(n int) Metric
}

func (f family) lookup(name string) *Metric {
	digits, ok := strings.CutPrefix(name, f.prefix)
	if !ok {
		return nil
	}
	if digits, ok = strings.CutSuffix(digits, f.suffix); !ok {
		return nil
	}
	n, err := strconv.Atoi(digits)
	if err != nil || strconv.Itoa(n) != digits || n < f.low || n > f.high {
		return nil
	}
	made.Lock()
	defer made.Unlock()
	if m := made.byName[name]; m != nil {
		return m
	}
	m := f.of(n)
	m.OnRequest = true
	made.byName[name] = &m
	return &m
}

// made holds what families have made, so that a metric is one.
var made = struct {
	sync.Mutex
	byName map[string]*Metric
}{byName: map[string]*Metric{}}

// Lookup finds a metric by its name or one of its aliases; the numbers of
// top_3_accuracy, pinball_90, tweedie_15, ndcg_at_10 and their like may be
// others. The error of an unknown name offers the nearest one.
func Lookup(name string) (*Metric, error) {
	if m := byName[name]; m != nil {
		return m, nil
	}
	for _, f := range families {
		if m := f.lookup(name); m != nil {
			return m, nil
		}
	}
	known := slices.Sorted(maps.Keys(byName))
	if near := nearest.Name(name, known); near != "" {
		return nil, fmt.Errorf("unknown metric %q; did you mean %s?", name, byName[near].Name)
	}
	return nil, fmt.Errorf("unknown metric %q; expected one of %s", name, strings.Join(names(registered), ", "))
}

// For lists the metrics that apply to a kind of task, in report order.
func For(kind Kind) []*Metric {
	var ms []*Metric
	for _, m := range registered {
		if slices.Contains(m.Kinds, kind) {
			ms = append(ms, m)
		}
	}
	return ms
}

// Default lists the metrics of a kind of task that are shown when none is
// named, in report order.
func Default(kind Kind) []*Metric {
	return slices.DeleteFunc(For(kind), func(m *Metric) bool { return m.OnRequest })
}

// Value computes the metric. It is NaN where the metric is undefined on these
// rows, and an error where the sample is not valid or not of the right kind.
func (m *Metric) Value(s *Sample) (float64, error) {
	vs, err := Values(s, []*Metric{m})
	if err != nil {
		return 0, err
	}
	return vs[0], nil
}

// Values computes several metrics on one sample, checking and sorting it once.
func Values(s *Sample, ms []*Metric) ([]float64, error) {
	p, err := prepare(s, ms)
	if err != nil {
		return nil, err
	}
	vs := make([]float64, len(ms))
	for i, m := range ms {
		vs[i] = m.measure(p)
	}
	return vs, nil
}

// appliesTo says why a metric cannot be computed on a sample, if it cannot.
func (m *Metric) appliesTo(s *Sample) error {
	if !slices.Contains(m.Kinds, s.Kind) {
		fitting := names(For(s.Kind))
		alike := slices.DeleteFunc(slices.Clone(fitting), func(name string) bool {
			return !strings.HasPrefix(name, m.Name)
		})
		if len(alike) > 0 {
			fitting = alike
		}
		return fmt.Errorf("metric %s does not apply to a %s target; use %s", m.Name, s.Kind, strings.Join(fitting, ", "))
	}
	if m.Needs&Pred != 0 && s.Pred == nil {
		return fmt.Errorf("metric %s needs predictions (Pred), and the sample has none", m.Name)
	}
	if m.Needs&Prob != 0 && s.Prob == nil {
		return fmt.Errorf("metric %s needs probabilities (Prob), and the sample has none", m.Name)
	}
	if m.Needs&Score != 0 && s.scores() == nil {
		return fmt.Errorf("metric %s needs probabilities or scores (Prob, Score), and the sample has neither", m.Name)
	}
	if m.Needs&Bytes != 0 && s.Bytes == nil {
		return fmt.Errorf("metric %s needs the length of each text (Bytes), and the sample has none", m.Name)
	}
	return nil
}

// MeasuresWith reports whether a sample has what the metric reads.
func (m *Metric) MeasuresWith(s *Sample) bool { return m.appliesTo(s) == nil }

// prepare gives the checked, weighted form of a sample that Compute takes.
func prepare(s *Sample, ms []*Metric) (*Sample, error) {
	if s == nil {
		return nil, errors.New("metric: no sample")
	}
	for _, m := range ms {
		if err := m.appliesTo(s); err != nil {
			return nil, err
		}
	}
	return s.prepared()
}

func names(ms []*Metric) []string {
	ns := make([]string, len(ms))
	for i, m := range ms {
		ns[i] = m.Name
	}
	return ns
}
