package metric

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
)

// A Sample is a set of rows with what was true and what was predicted.
type Sample struct {
	Kind    Kind
	Classes []string  // the class names; Binary may leave them out
	Target  []float64 // the true class index (Binary: 1 is positive), or the true value; Multilabel: rows × labels of 0 and 1
	Prob    []float64 // Binary: the positive class, one per row; Multiclass, Multilabel: rows × classes, row by row; else nil
	Pred    []float64 // the decided class index, or the predicted value; Multilabel as Target
	Weight  []float64 // how much each row counts, ≥ 0; nil: all 1

	// Score orders the rows of a binary sample where it has no probabilities:
	// any finite number, the higher the more surely positive.
	Score []float64
	// Query says which rows of a ranking belong together: rows of the same
	// number, which need not stand together. They have one weight. Target is
	// how relevant a row is, 0 not at all; Pred is the score it is ranked by.
	Query []int
	// Answers of a text sample have each one or more references, as many for
	// all rows. Target and Pred are nil.
	Answers    []string
	References [][]string
	// Bytes is the length of each text of a language sample. Target is its
	// number of tokens, Pred the negative log-likelihood of them all, in nats.
	Bytes []float64

	even      bool    // every row weighs 1, since no weights were given
	fixed     *fixed  // what does not depend on Weight; shared between re-weightings
	confusion *Counts // what does, counted when a metric asks
}

// SumTolerance is how far the probabilities of a row may be from a sum of
// 1: wide enough for a softmax in half precision, narrow enough for scores
// that are no probabilities.
const SumTolerance = 2e-3

// maxClasses keeps the confusion matrix under a gigabyte.
const maxClasses = 10_000

// Rows is the number of rows.
func (s *Sample) Rows() int {
	switch {
	case s.Kind == Text:
		return len(s.Answers)
	case s.Kind == Multilabel && len(s.Classes) > 0:
		return len(s.Target) / len(s.Classes)
	}
	return len(s.Target)
}

// classes is the number of classes or labels, 0 where there are none.
func (s *Sample) classes() int {
	switch s.Kind {
	case Binary:
		return 2
	case Multiclass, Multilabel:
		return len(s.Classes)
	}
	return 0
}

// width is the number of targets in a row.
func (s *Sample) width() int {
	if s.Kind == Multilabel {
		return len(s.Classes)
	}
	return 1
}

// scores order the rows of a binary sample.
func (s *Sample) scores() []float64 {
	if s.Score != nil {
		return s.Score
	}
	return s.Prob
}

// prepared checks the sample and gives a copy with weights, ready to compute.
func (s *Sample) prepared() (*Sample, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.weighed()
}

// preparedBatch is prepared for rows that may all weigh nothing.
func (s *Sample) preparedBatch() (*Sample, error) {
	if err := s.check(); err != nil && !errors.Is(err, errNoWeight) {
		return nil, err
	}
	return s.weighed()
}

var errNoWeight = errors.New("all weights are 0; a metric needs at least one row that counts")

func (s *Sample) weighed() (*Sample, error) {
	p := *s
	if p.even = p.Weight == nil; p.even {
		p.Weight = onesOf(s.Rows())
	}
	p.fixed = newFixed(&p)
	if p.classes() > 0 {
		p.confusion = newConfusion(p.classes())
	}
	return &p, nil
}

func (s *Sample) check() error {
	n, k := s.Rows(), s.classes()
	if n == 0 {
		return errors.New("the sample has no rows; a metric needs at least one")
	}
	if n > math.MaxInt32 {
		return fmt.Errorf("the sample has %d rows; at most %d are supported", n, math.MaxInt32)
	}
	switch s.Kind {
	case Binary:
		if len(s.Classes) != 0 && len(s.Classes) != 2 {
			return fmt.Errorf("a binary sample has two classes, found %d", len(s.Classes))
		}
	case Multiclass:
		if k < 2 {
			return fmt.Errorf("a multiclass sample needs the names of at least two classes, found %d", k)
		}
		if k > maxClasses {
			return fmt.Errorf("the sample has %d classes; at most %d are supported", k, maxClasses)
		}
	case Multilabel:
		if k < 1 || k > maxClasses {
			return fmt.Errorf("a multilabel sample needs the names of its labels, 1 to %d, found %d", maxClasses, k)
		}
		if len(s.Target)%k != 0 {
			return fmt.Errorf("found %d values of Target, expected %d for each row", len(s.Target), k)
		}
	case Ranking:
		if err := s.checkQueries(); err != nil {
			return err
		}
	case Text:
		if err := s.checkTexts(); err != nil {
			return err
		}
	case Language:
		if err := s.checkLengths(); err != nil {
			return err
		}
	case Regression:
	default:
		return fmt.Errorf("unknown kind of sample %v; expected one of %s", s.Kind, strings.Join(kindNames, ", "))
	}
	if s.Score != nil && s.Kind != Binary {
		return fmt.Errorf("a %s sample has no scores beside probabilities; leave Score out", s.Kind)
	}
	for _, p := range []struct {
		name   string
		values []float64
		want   int
	}{{"Pred", s.Pred, n * s.width()}, {"Weight", s.Weight, n}, {"Prob", s.Prob, n * s.probWidth()}, {"Score", s.Score, n}, {"Bytes", s.Bytes, n}} {
		if p.values != nil && len(p.values) != p.want {
			return fmt.Errorf("%s has %d values, expected %d for %d rows", p.name, len(p.values), p.want, n)
		}
	}
	for _, p := range []struct {
		name   string
		values []float64
	}{{"target", s.Target}, {"prediction", s.Pred}, {"score", s.Score}} {
		top := float64(k)
		if s.Kind == Multilabel {
			top = 2
		}
		indices := k > 0 && p.name != "score"
		if indices && allIndices(p.values, top) || !indices && allFinite(p.values) {
			continue
		}
		for i, v := range p.values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("row %d: the %s is %v, expected a finite number", i/s.width(), p.name, v)
			}
			if indices && (v != math.Trunc(v) || v < 0 || v >= top) {
				return fmt.Errorf("row %d: the %s is %v, expected a class index from 0 to %v", i/s.width(), p.name, v, top-1)
			}
		}
	}
	if err := s.checkProb(); err != nil {
		return err
	}
	if s.Weight == nil {
		return nil
	}
	total := 0.0
	for i, w := range s.Weight {
		if !(w >= 0) || math.IsInf(w, 0) {
			return fmt.Errorf("row %d: the weight is %v, expected a finite number of at least 0", i, w)
		}
		total += w
	}
	if total == 0 {
		return errNoWeight
	}
	if math.IsInf(total, 0) {
		return errors.New("the weights add up to infinity; scale them down")
	}
	return nil
}

func (s *Sample) checkProb() error {
	width := s.probWidth()
	outside := width == 0 && s.Prob != nil
	for _, v := range s.Prob {
		if !(v >= 0 && v <= 1) {
			outside = true
			break
		}
	}
	for i := 0; outside && i < len(s.Prob); i++ {
		v := s.Prob[i]
		if width == 0 {
			return fmt.Errorf("a %s sample has no probabilities; leave Prob out", s.Kind)
		}
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("row %d: the probability is %v, expected a number from 0 to 1", i/width, v)
		}
	}
	if s.Kind != Multiclass || s.Prob == nil {
		return nil
	}
	for i := range s.Target {
		sum := 0.0
		for _, v := range s.Prob[i*width : (i+1)*width] {
			sum += v
		}
		if math.Abs(sum-1) > SumTolerance {
			return fmt.Errorf("row %d: the probabilities add up to %v, expected 1", i, sum)
		}
	}
	return nil
}

// probWidth is the number of probabilities in a row.
func (s *Sample) probWidth() int {
	switch s.Kind {
	case Binary:
		return 1
	case Multiclass, Multilabel:
		return len(s.Classes)
	}
	return 0
}

// OneVsRest turns a multiclass sample into the binary one of a single class
// against all others, as the curves need it.
func (s *Sample) OneVsRest(class int) (*Sample, error) {
	k := s.classes()
	if s.Kind != Multiclass {
		return nil, fmt.Errorf("one-versus-rest needs a multiclass sample, this one is %s", s.Kind)
	}
	if class < 0 || class >= k {
		return nil, fmt.Errorf("no class %d; expected an index from 0 to %d", class, k-1)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	is := func(values []float64) []float64 {
		if values == nil {
			return nil
		}
		out := make([]float64, len(values))
		for i, v := range values {
			if int(v) == class {
				out[i] = 1
			}
		}
		return out
	}
	return &Sample{
		Kind:    Binary,
		Classes: []string{"not " + s.Classes[class], s.Classes[class]},
		Target:  is(s.Target),
		Pred:    is(s.Pred),
		Prob:    s.column(class),
		Weight:  s.Weight,
	}, nil
}

// column copies the probabilities of a class out of a multiclass sample.
func (s *Sample) column(class int) []float64 {
	if s.Prob == nil {
		return nil
	}
	k := s.classes()
	out := make([]float64, s.Rows())
	for i := range out {
		out[i] = s.Prob[i*k+class]
	}
	return out
}

// fixed is what metrics derive from the rows without their weights, each part
// made once, when first asked for. The bootstrap's goroutines share it.
type fixed struct {
	cell        func() []int32   // target × classes + prediction, for the confusion matrix
	logLoss     func() []float64 // the loss of each row
	brier       func() []float64
	residual    func() []float64
	absError    func() []float64
	squareError func() []float64
	byError     func() []int32       // rows in ascending absolute error
	ranking     []func() *classOrder // rows in descending score, for each class (Binary: one)
	others      sync.Map             // what else metrics keep, by name
}

// cached makes something of the rows once, without their weights, and keeps it
// under a name.
func cached[T any](s *Sample, name string, of func() T) T {
	f, ok := s.fixed.others.Load(name)
	if !ok {
		f, _ = s.fixed.others.LoadOrStore(name, sync.OnceValue(of))
	}
	return f.(func() T)()
}

func newFixed(s *Sample) *fixed {
	f := &fixed{
		cell:        sync.OnceValue(s.cells),
		logLoss:     sync.OnceValue(func() []float64 { return s.perRow(s.rowLogLoss) }),
		brier:       sync.OnceValue(func() []float64 { return s.perRow(s.rowBrier) }),
		residual:    sync.OnceValue(func() []float64 { return s.perRow(s.rowResidual) }),
		absError:    sync.OnceValue(func() []float64 { return s.perRow(s.rowAbsError) }),
		squareError: sync.OnceValue(func() []float64 { return s.perRow(s.rowSquareError) }),
	}
	f.byError = sync.OnceValue(func() []int32 { return ascending(f.absError()) })
	switch s.Kind {
	case Binary:
		f.ranking = []func() *classOrder{sync.OnceValue(func() *classOrder { return s.orderOf(1, s.scores()) })}
	case Multiclass:
		for c := range s.classes() {
			f.ranking = append(f.ranking, sync.OnceValue(func() *classOrder { return s.orderOf(c, s.column(c)) }))
		}
	}
	return f
}

func (s *Sample) perRow(f func(row int) float64) []float64 {
	out := make([]float64, s.Rows())
	for i := range out {
		out[i] = f(i)
	}
	return out
}

// ascending gives the indices that sort values, equal ones in row order.
func ascending(values []float64) []int32 {
	rows := make([]int32, len(values))
	for i := range rows {
		rows[i] = int32(i)
	}
	slices.SortFunc(rows, func(a, b int32) int {
		switch {
		case values[a] < values[b]:
			return -1
		case values[a] > values[b]:
			return 1
		}
		return int(a - b)
	})
	return rows
}

// totalWeight is the weight of all rows.
func (s *Sample) totalWeight() float64 {
	if s.even {
		return float64(s.Rows())
	}
	sum := 0.0
	for _, w := range s.Weight {
		sum += w
	}
	return sum
}

// mean is the weighted mean of a value per row. Four running sums keep the
// adder busy and the rounding small; they depend on the rows alone.
func (s *Sample) mean(values []float64) float64 {
	var sum, weight [4]float64
	w := s.Weight[:len(values)]
	i := 0
	for ; i+4 <= len(values); i += 4 {
		for j := range 4 {
			sum[j] += w[i+j] * values[i+j]
			weight[j] += w[i+j]
		}
	}
	for ; i < len(values); i++ {
		sum[0] += w[i] * values[i]
		weight[0] += w[i]
	}
	return (sum[0] + sum[1] + sum[2] + sum[3]) / (weight[0] + weight[1] + weight[2] + weight[3])
}

// meanOfCounted is the mean over rows that weigh something, also where others
// are NaN.
func (s *Sample) meanOfCounted(values []float64) float64 {
	m := s.mean(values)
	if !math.IsNaN(m) {
		return m
	}
	sum, weight := 0.0, 0.0
	for i, w := range s.Weight {
		if w > 0 {
			sum += w * values[i]
			weight += w
		}
	}
	return sum / weight
}

// Select gives the sample of some rows, in their order.
func (s *Sample) Select(rows []int) *Sample {
	pick := func(values []float64, width int) []float64 {
		if values == nil {
			return nil
		}
		out := make([]float64, 0, len(rows)*width)
		for _, i := range rows {
			out = append(out, values[i*width:(i+1)*width]...)
		}
		return out
	}
	out := &Sample{
		Kind: s.Kind, Classes: s.Classes,
		Target: pick(s.Target, s.width()), Pred: pick(s.Pred, s.width()), Prob: pick(s.Prob, s.probWidth()),
		Weight: pick(s.Weight, 1), Score: pick(s.Score, 1), Bytes: pick(s.Bytes, 1),
	}
	for _, i := range rows {
		if s.Query != nil {
			out.Query = append(out.Query, s.Query[i])
		}
		if s.Answers != nil {
			out.Answers, out.References = append(out.Answers, s.Answers[i]), append(out.References, s.References[i])
		}
	}
	return out
}
