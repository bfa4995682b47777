package metric

import (
	"errors"
	"math"
)

// groups calls f with the weight of positive and negative rows after each group
// of equal scores, from the highest score down.
type groups func(f func(tp, fp float64))

// groups walks down the ranking.
func (o *classOrder) groups(weight []float64) groups {
	return func(f func(tp, fp float64)) {
		o.walk(weight, func(_ int, tp, fp float64) { f(tp, fp) })
	}
}

func areaUnder(g groups) float64 {
	area, lastTP, lastFP := 0.0, 0.0, 0.0
	g(func(tp, fp float64) {
		area += (fp - lastFP) * (tp + lastTP)
		lastTP, lastFP = tp, fp
	})
	return area / 2 / lastTP / lastFP
}

func averagePrecisionOf(g groups) float64 {
	sum, lastTP := 0.0, 0.0
	g(func(tp, fp float64) {
		if tp > lastTP {
			sum += (tp - lastTP) * tp / (tp + fp)
			lastTP = tp
		}
	})
	return sum / lastTP
}

// rankRows are the rows of a binary sample in falling score with their weights,
// those of negative rows below 0. All metrics of a stream share them.
type rankRows struct {
	rows *sorter
	// even has the rows instead while all of them weigh 1 and have probabilities:
	// the key of such a score leaves its highest bit to the class.
	even    *keySorter
	weighed bool // rows is in use
}

func newRankRows(o StreamOptions) *rankRows {
	rows := newSorter(1, o)
	memory := o.Memory
	if memory <= 0 {
		memory = streamMemory
	}
	return &rankRows{rows: rows, even: newKeySorter(memory, rows.disk)}
}

func (r *rankRows) add(s *Sample) error {
	if s.even && s.Score == nil && !r.weighed {
		for from := 0; from < len(s.Prob); {
			keys, err := r.even.room(len(s.Prob) - from)
			if err != nil {
				return err
			}
			probs, target := s.Prob[from:from+len(keys)], s.Target[from:from+len(keys)]
			for i, v := range probs {
				keys[i] = fallingKey(v)<<1 | uint64(target[i])
			}
			from += len(keys)
		}
		return nil
	}
	if err := r.weigh(); err != nil {
		return err
	}
	for i, v := range s.scores() {
		w := s.Weight[i]
		if w == 0 {
			continue
		}
		if s.Target[i] == 0 {
			w = -w
		}
		if err := r.rows.add(-v, w); err != nil {
			return err
		}
	}
	return nil
}

// fallingKey turns a probability into a number below 2⁶³, the larger the smaller it
// is.
func fallingKey(p float64) uint64 {
	if p == 0 { // also −0
		return math.Float64bits(1)
	}
	return math.Float64bits(1) - math.Float64bits(p)
}

func fromFallingKey(k uint64) float64 { return math.Float64frombits(math.Float64bits(1) - k) }

// weigh gives the rows so far their weights.
func (r *rankRows) weigh() error {
	if r.weighed {
		return nil
	}
	r.weighed = true
	var failed error
	err := r.even.each(func(key uint64) {
		if failed == nil {
			failed = r.rows.add(-fromFallingKey(key>>1), 2*float64(key&1)-1)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	r.even.runs, r.even.keys = nil, nil // the room on the disk is let go with it
	return nil
}

func (r *rankRows) merge(o *rankRows) error {
	if r.weighed || o.weighed {
		if err := errors.Join(r.weigh(), o.weigh()); err != nil {
			return err
		}
	}
	if err := r.even.merge(o.even); err != nil {
		return err
	}
	return r.rows.merge(o.rows) // also where it has none: both write to one disk
}

func (r *rankRows) close() error { return errors.Join(r.even.close(), r.rows.close()) }

// read gives the groups, and the error that a walk of them met.
func (r *rankRows) read() (groups, *error) {
	failed := new(error)
	return func(f func(tp, fp float64)) {
		tp, fp, last, any := 0.0, 0.0, uint64(0), false
		var err error
		if r.weighed {
			err = r.rows.eachKey(func(key uint64, cols []float64) {
				if any && key != last {
					f(tp, fp)
				}
				last, any = key, true
				if w := cols[0]; w > 0 {
					tp += w
				} else {
					fp -= w
				}
			})
		} else {
			err = r.even.each(func(key uint64) {
				if any && key>>1 != last {
					f(tp, fp)
				}
				last, any = key>>1, true
				yes := float64(key & 1)
				tp += yes
				fp += 1 - yes
			})
		}
		if any {
			f(tp, fp)
		}
		if err != nil {
			*failed = err
		}
	}, failed
}

// rankPartial is a metric of the groups.
type rankPartial struct {
	rows *rankRows
	own  bool // the first of those that share rows fills them
	of   func(g groups) float64
}

func partialRanking(of func(g groups) float64) func(*Sample, StreamOptions) Partial {
	return func(_ *Sample, o StreamOptions) Partial {
		rows, own := sharedIn(o, "ranking", func() *rankRows { return newRankRows(o) })
		return &rankPartial{rows, own, of}
	}
}

// sharedIn is what the metrics of a stream share under a name, and whether it
// is new.
func sharedIn[T any](o StreamOptions, name string, make func() T) (v T, own bool) {
	if v, ok := o.shared[name]; ok {
		return v.(T), false
	}
	v = make()
	if o.shared != nil {
		o.shared[name] = v
	}
	return v, true
}

func (p *rankPartial) Add(s *Sample) error {
	if !p.own {
		return nil
	}
	return p.rows.add(s)
}

func (p *rankPartial) Merge(other Partial) error {
	if !p.own {
		return nil
	}
	return p.rows.merge(other.(*rankPartial).rows)
}

func (p *rankPartial) Value() (float64, error) {
	g, err := p.rows.read()
	v := p.of(g)
	return v, *err
}

func (p *rankPartial) Close() error {
	if !p.own {
		return nil
	}
	return p.rows.close()
}

// classRows are the rows of a multiclass sample in falling probability of each
// class, with their class and weight.
type classRows struct{ of []*sorter }

type classPartial struct {
	rows  *classRows
	own   bool
	value func(r *classRows) (float64, error)
}

func partialClasses(value func(r *classRows) (float64, error)) func(*Sample, StreamOptions) Partial {
	return func(like *Sample, o StreamOptions) Partial {
		rows, own := sharedIn(o, "classes", func() *classRows {
			if o.Memory <= 0 {
				o.Memory = streamMemory
			}
			o.Memory /= like.classes()
			r := &classRows{}
			for range like.classes() {
				r.of = append(r.of, newSorter(2, o))
			}
			return r
		})
		return &classPartial{rows, own, value}
	}
}

func (p *classPartial) Add(s *Sample) error {
	if !p.own {
		return nil
	}
	k := s.classes()
	for i, w := range s.Weight {
		if w == 0 {
			continue
		}
		for c, rows := range p.rows.of {
			if err := rows.add(-s.Prob[i*k+c], s.Target[i], w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *classPartial) Merge(other Partial) error {
	if !p.own {
		return nil
	}
	for c, rows := range p.rows.of {
		if err := rows.merge(other.(*classPartial).rows.of[c]); err != nil {
			return err
		}
	}
	return nil
}

func (p *classPartial) Value() (float64, error) { return p.value(p.rows) }

func (p *classPartial) Close() error {
	if !p.own {
		return nil
	}
	var all []error
	for _, rows := range p.rows.of {
		all = append(all, rows.close())
	}
	return errors.Join(all...)
}

// meanOverClasses is the mean of a metric of one class against the rest.
func meanOverClasses(of func(g groups) float64) func(r *classRows) (float64, error) {
	return func(r *classRows) (float64, error) {
		sum := 0.0
		for class, rows := range r.of {
			var failed error
			sum += of(func(f func(tp, fp float64)) {
				tp, fp, last, any := 0.0, 0.0, uint64(0), false
				failed = rows.eachKey(func(key uint64, cols []float64) {
					if any && key != last {
						f(tp, fp)
					}
					last, any = key, true
					if int(cols[0]) == class {
						tp += cols[1]
					} else {
						fp += cols[1]
					}
				})
				if any {
					f(tp, fp)
				}
			})
			if failed != nil {
				return 0, failed
			}
		}
		return sum / float64(len(r.of)), nil
	}
}

// oneVsEach sums up, for the ranking by one class, its ROC AUC against each
// other class, in one walk from the highest probability down.
type oneVsEach struct {
	class        int
	above        float64   // weight of the class's rows in earlier groups
	right        []float64 // by other class, the weight of pairs in the right order, ties half
	total, group []float64 // weight by class
	in           []int     // classes of the group
}

func newOneVsEach(class, k int) *oneVsEach {
	return &oneVsEach{class: class, right: make([]float64, k), total: make([]float64, k), group: make([]float64, k)}
}

func (o *oneVsEach) add(target int, w float64) {
	if w == 0 {
		return
	}
	if o.group[target] == 0 {
		o.in = append(o.in, target)
	}
	o.group[target] += w
}

// end closes a group of equal probabilities.
func (o *oneVsEach) end() {
	own := o.group[o.class]
	for _, c := range o.in {
		o.right[c] += o.group[c] * (o.above + own/2)
		o.total[c] += o.group[c]
		o.group[c] = 0
	}
	o.above += own
	o.in = o.in[:0]
}

// meanOfPairs is the mean over pairs of classes that occur of the mean of their
// two AUCs.
func meanOfPairs(all []*oneVsEach) float64 {
	pairs, sum := 0.0, 0.0
	for a, o := range all {
		for b := range all {
			if a != b && o.total[a] > 0 && o.total[b] > 0 {
				sum += o.right[b] / o.total[a] / o.total[b]
				pairs++
			}
		}
	}
	return sum / pairs // NaN with one class
}

var rocAUCOvO = Metric{
	Name: "roc_auc_ovo", Label: "ROC AUC (one-vs-one)",
	Doc:     "ROC AUC of each class against each other one, averaged over the pairs: how rare a class is does not matter.",
	Formula: "mean over ordered pairs (a, b) of classes that occur of the ROC AUC of p_a on the rows of a and b; undefined when only one occurs",
	Source:  "Hand and Till 2001, A simple generalisation of the area under the ROC curve for multiple class classification problems; scikit-learn roc_auc_score(multi_class='ovo', average='macro')",
	Kinds:   []Kind{Multiclass}, Needs: Prob, HigherIsBetter: true,
	Compute: func(s *Sample) float64 {
		var all []*oneVsEach
		for c, order := range s.fixed.ranking {
			o, one := order(), newOneVsEach(c, s.classes())
			i := 0
			for _, end := range o.end {
				for ; i < int(end); i++ {
					row := o.row[i]
					one.add(int(s.Target[row]), s.Weight[row])
				}
				one.end()
			}
			all = append(all, one)
		}
		return meanOfPairs(all)
	},
	Partial: partialClasses(func(r *classRows) (float64, error) {
		var all []*oneVsEach
		for c, rows := range r.of {
			one, last := newOneVsEach(c, len(r.of)), uint64(0)
			err := rows.eachKey(func(key uint64, cols []float64) {
				if key != last {
					one.end()
					last = key
				}
				one.add(int(cols[0]), cols[1])
			})
			one.end()
			if err != nil {
				return 0, err
			}
			all = append(all, one)
		}
		return meanOfPairs(all), nil
	}),
}

// momentsPartial are the moments of targets and residuals.
type momentsPartial struct {
	c       comoments // target, residual
	squares float64
	rows    int
	of      func(p *momentsPartial) float64
}

func partialMoments(of func(p *momentsPartial) float64) func(*Sample, StreamOptions) Partial {
	return func(*Sample, StreamOptions) Partial { return &momentsPartial{of: of} }
}

func (p *momentsPartial) Add(s *Sample) error {
	p.rows += s.Rows()
	for i, w := range s.Weight {
		p.c.add(s.Target[i], s.rowResidual(i), w)
		p.squares += w * s.rowSquareError(i)
	}
	return nil
}

func (p *momentsPartial) Merge(other Partial) error {
	o := other.(*momentsPartial)
	p.rows += o.rows
	p.squares += o.squares
	p.c.merge(&o.c)
	return nil
}

func (p *momentsPartial) Value() (float64, error) { return p.of(p), nil }
func (p *momentsPartial) Close() error            { return nil }

// medianPartial sorts absolute errors with their weights, or by themselves while
// all weigh 1.
type medianPartial struct {
	rows    *sorter
	even    *keySorter
	count   int // of even
	total   float64
	weighed bool // rows is in use
}

func newMedianPartial(o StreamOptions) *medianPartial {
	rows := newSorter(1, o)
	memory := o.Memory
	if memory <= 0 {
		memory = streamMemory
	}
	return &medianPartial{rows: rows, even: newKeySorter(memory, rows.disk)}
}

func (p *medianPartial) Add(s *Sample) error {
	if s.even && !p.weighed {
		p.count += s.Rows()
		for from := 0; from < s.Rows(); {
			keys, err := p.even.room(s.Rows() - from)
			if err != nil {
				return err
			}
			for i := range keys {
				keys[i] = orderKey(s.rowAbsError(from + i))
			}
			from += len(keys)
		}
		return nil
	}
	if err := p.weigh(); err != nil {
		return err
	}
	for i, w := range s.Weight {
		if w == 0 {
			continue
		}
		p.total += w
		if err := p.rows.add(s.rowAbsError(i), w); err != nil {
			return err
		}
	}
	return nil
}

// weigh gives the rows so far their weights.
func (p *medianPartial) weigh() error {
	if p.weighed {
		return nil
	}
	p.weighed, p.total = true, float64(p.count)
	var failed error
	err := p.even.each(func(key uint64) {
		if failed == nil {
			failed = p.rows.addKey(key, 1)
		}
	})
	p.even.runs, p.even.keys = nil, nil
	return errors.Join(err, failed)
}

func (p *medianPartial) Merge(other Partial) error {
	o := other.(*medianPartial)
	if p.weighed || o.weighed {
		if err := errors.Join(p.weigh(), o.weigh()); err != nil {
			return err
		}
	}
	p.total += o.total
	p.count += o.count
	if err := p.even.merge(o.even); err != nil {
		return err
	}
	return p.rows.merge(o.rows)
}

func (p *medianPartial) Value() (float64, error) {
	if !p.weighed {
		return p.middle()
	}
	half, slack := p.total/2, 1e-12*p.total
	reached, low, median := 0.0, math.NaN(), math.NaN()
	err := p.rows.each(func(v float64, cols []float64) {
		switch {
		case !math.IsNaN(median):
		case !math.IsNaN(low): // the half was reached exactly
			median = (low + v) / 2
		default:
			reached += cols[0]
			if reached > half+slack {
				median = v
			} else if reached >= half-slack {
				low = v
			}
		}
	})
	if math.IsNaN(median) {
		median = low
	}
	return median, err
}

// middle is the median of rows of one weight.
func (p *medianPartial) middle() (float64, error) {
	at, sum := 0, 0.0
	low, high := (p.count-1)/2, p.count/2
	err := p.even.each(func(key uint64) {
		if at == low {
			sum += fromOrderKey(key) / 2
		}
		if at == high {
			sum += fromOrderKey(key) / 2
		}
		at++
	})
	return sum, err
}

func (p *medianPartial) Close() error { return errors.Join(p.even.close(), p.rows.close()) }
