package metric

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// StreamOptions bound what a [Stream] uses.
type StreamOptions struct {
	// Memory in bytes for rows that have to be put in order, for each order that
	// the metrics need; what is more goes to files. 0: 16 MiB, which a cache holds.
	Memory int
	Dir    string // of those files; "": the system's folder for them

	shared map[string]any // what several metrics of a stream read
}

// A Partial is a metric of the rows seen so far. One call is made at a time.
type Partial interface {
	// Add takes a batch of rows, checked and with weights; the total of these
	// may be 0.
	Add(s *Sample) error
	// Merge takes over the rows of another partial of the same metric, which is
	// not to be used after that.
	Merge(other Partial) error
	Value() (float64, error)
	Close() error // removes files
}

// A Stream computes metrics of any number of rows, which come in batches, in
// memory that does not grow with them. Metrics of an order (ROC AUC, medians,
// ranks) sort rows on disk beyond a limit, and are as exact as those of one
// sample. Streams of parts of the rows can be merged: the values are those of
// the whole, but for rounding in the order of sums.
type Stream struct {
	metrics  []*Metric
	like     *Sample
	counts   *Counts // of decisions, where a metric asks
	counting int     // which metric has them counted for all
	partials []Partial
	weight   float64
}

// NewStream begins a stream for rows of a kind with classes or labels of these
// names. It must be closed.
func NewStream(kind Kind, classes []string, ms []*Metric, o StreamOptions) (*Stream, error) {
	s := &Stream{metrics: ms, like: &Sample{Kind: kind, Classes: classes}, partials: make([]Partial, len(ms)),
		counting: slices.IndexFunc(ms, func(m *Metric) bool { return m.OfCounts != nil })}
	if k := s.like.classes(); k > 0 {
		s.counts = newConfusion(k)
		s.counts.cell = make([]float64, k*k)
	}
	o.shared = map[string]any{}
	for i, m := range ms {
		switch {
		case !slices.Contains(m.Kinds, kind):
			return nil, fmt.Errorf("metric %s does not apply to a %s target; use %v", m.Name, kind, names(For(kind)))
		case m.OfCounts != nil:
		case m.Partial != nil:
			s.partials[i] = m.Partial(s.like, o)
		case m.OfMean != nil && m.PerRow != nil:
			s.partials[i] = &meanPartial{m: m}
		default:
			return nil, fmt.Errorf("metric %s cannot be summed up in batches: it has neither OfCounts, nor OfMean with PerRow, nor Partial", m.Name)
		}
	}
	return s, nil
}

// Add measures a batch of rows, whose fields are those of a sample of the
// stream's kind.
func (s *Stream) Add(batch *Sample) error {
	if batch.Kind != s.like.Kind || !slices.Equal(batch.Classes, s.like.Classes) && s.like.Classes != nil {
		return fmt.Errorf("a batch of a %s sample with classes %q, expected %s with %q", batch.Kind, batch.Classes, s.like.Kind, s.like.Classes)
	}
	if batch.Rows() == 0 {
		return nil
	}
	for _, m := range s.metrics {
		if err := m.appliesTo(batch); err != nil {
			return err
		}
	}
	p, err := batch.preparedBatch()
	if err != nil {
		return err
	}
	s.weight += p.totalWeight()
	return s.each(func(i int) error {
		switch {
		case s.partials[i] != nil:
			return s.partials[i].Add(p)
		case i == s.counting:
			s.counts.addBatch(p)
		}
		return nil
	})
}

// each calls f for each metric, as many at once as there are processors. Every
// metric sees the batches in their order, whatever the number.
func (s *Stream) each(f func(i int) error) error {
	failed := make([]error, len(s.metrics))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(s.metrics)) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(s.metrics); i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					failed[i] = fmt.Errorf("%s: %w", s.metrics[i].Name, err)
				}
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// Merge takes over the rows of another stream of the same metrics, which is not
// to be used after that but to be closed.
func (s *Stream) Merge(other *Stream) error {
	if !slices.Equal(s.metrics, other.metrics) || s.like.Kind != other.like.Kind || !slices.Equal(s.like.Classes, other.like.Classes) {
		return errors.New("only streams of the same metrics, kind and classes can be merged")
	}
	s.weight += other.weight
	if s.counts != nil {
		s.counts.merge(other.counts)
	}
	for i, p := range s.partials {
		if p == nil {
			continue
		}
		if err := p.Merge(other.partials[i]); err != nil {
			return fmt.Errorf("%s: %w", s.metrics[i].Name, err)
		}
	}
	return nil
}

// Values are the metrics of all rows so far, in the order in which they were
// given; NaN where undefined. More rows may follow.
func (s *Stream) Values() ([]float64, error) {
	if s.weight == 0 {
		return nil, errors.New("no row counts: a metric needs at least one with a weight above 0")
	}
	values := make([]float64, len(s.metrics))
	err := s.each(func(i int) (err error) {
		if m := s.metrics[i]; m.OfCounts != nil {
			values[i] = m.OfCounts(s.counts)
		} else {
			values[i], err = s.partials[i].Value()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// Close removes what lies on disk.
func (s *Stream) Close() error {
	var all []error
	for _, p := range s.partials {
		if p != nil {
			all = append(all, p.Close())
		}
	}
	return errors.Join(all...)
}

func (c *Counts) merge(o *Counts) {
	for _, of := range []struct{ into, from []float64 }{{c.cell, o.cell}, {c.actual, o.actual}, {c.predicted, o.predicted}} {
		for i, v := range of.from {
			of.into[i] += v
		}
	}
	c.total += o.total
	c.labels = c.labels || o.labels
}

// meanPartial is a metric of the mean of a loss.
type meanPartial struct {
	m           *Metric
	sum, weight float64
	lost        float64 // to rounding in sum (Kahan 1965, Further remarks on reducing truncation errors)
}

func (p *meanPartial) Add(s *Sample) error {
	w := s.totalWeight()
	if w == 0 {
		return nil
	}
	if p.m.sum != nil && (p.m.sumKinds == nil || slices.Contains(p.m.sumKinds, s.Kind)) {
		if sum := p.m.sum(s); !math.IsNaN(sum) { // 0 × ∞, of a row that does not count
			p.add(sum, w)
			return nil
		}
	}
	p.add(s.meanOfCounted(p.m.PerRow(s))*w, w)
	return nil
}

func (p *meanPartial) add(sum, weight float64) {
	next := sum - p.lost
	total := p.sum + next
	p.lost = total - p.sum - next
	if math.IsNaN(p.lost) {
		p.lost = 0 // infinities
	}
	p.sum = total
	p.weight += weight
}

func (p *meanPartial) Merge(other Partial) error {
	o := other.(*meanPartial)
	p.add(o.sum, o.weight)
	return nil
}

func (p *meanPartial) Value() (float64, error) { return p.m.OfMean(p.sum / p.weight), nil }
func (p *meanPartial) Close() error            { return nil }
