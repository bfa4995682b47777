package evaluate

import (
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/metric"
)

// Abstained is how a model that says when it is not sure does on the test rows.
type Abstained struct {
	ErrorRate float64 `json:"error_rate"` // asked for: wrong ones among those told as sure, at most
	Threshold float64 `json:"threshold"`  // of confidence, chosen on validation rows; above 1: no row is sure
	None      string  `json:"none,omitempty"`
	Rows      int     `json:"rows"`
	Sure      int     `json:"sure"` // rows that are told as sure
	// Wrong is the share of wrong ones among these; rows of None that are told as
	// sure are wrong. Undefined, NaN, where no row is sure.
	Wrong metric.Interval `json:"wrong"`
	// Answered is the share of rows, without those of None, that are told as sure
	// and rightly.
	Answered metric.Interval `json:"answered"`
	// RecallAt95 is the largest such share at a threshold from which on at least 95 %
	// of what is told as sure is right, whatever threshold that is.
	RecallAt95 float64 `json:"recall_at_95_precision"`
	// OutOfScope is what tells rows of None from others; nil without None.
	OutOfScope *OutOfScope `json:"out_of_scope,omitempty"`
}

// OutOfScope is how well confidence tells rows that have an answer from those of
// None.
type OutOfScope struct {
	Rows  int             `json:"rows"`    // of None
	Sure  int             `json:"sure"`    // of these, told as sure
	AUROC metric.Interval `json:"roc_auc"` // of confidence: rows that have an answer are positive
}

// A Decision is what is told of one row.
type Decision struct {
	Confidence float64
	None       bool // the model says that it is of None: never sure
	Right      bool // the class is that of the row
	OutOfScope bool // the row is of None
}

// right says whether a decision, told as sure, is.
func (d *Decision) right() bool { return d.Right && !d.OutOfScope }

// ChooseConfidence returns the least confidence from which on (wrong + 1)/(sure + 1)
// is at most the error rate, so that most rows are told as sure. The row that is
// added, wrong, stands for the next one (Angelopoulos et al. 2024, Conformal risk
// control, section 2). It is false where no confidence does. It takes rows alike,
// whatever their weights.
func ChooseConfidence(rows []Decision, errorRate float64) (threshold float64, ok bool) {
	var sure []Decision
	for _, d := range rows {
		if !d.None {
			sure = append(sure, d)
		}
	}
	walk(sure, func(n, right int, confidence float64) {
		if float64(n-right+1)/float64(n+1) <= errorRate {
			threshold, ok = confidence, true
		}
	})
	return threshold, ok
}

// walk goes down the confidences: with rows of at least so much, n are sure, of
// which so many are right.
func walk(rows []Decision, at func(n, right int, confidence float64)) {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Decision) int {
		switch {
		case a.Confidence > b.Confidence:
			return -1
		case a.Confidence < b.Confidence:
			return 1
		}
		return 0
	})
	right := 0
	for i, d := range rows {
		if d.right() {
			right++
		}
		if i+1 == len(rows) || rows[i+1].Confidence != d.Confidence {
			at(i+1, right, d.Confidence)
		}
	}
}

// Abstain measures decisions of test rows, with intervals.
func Abstain(rows []Decision, a Abstained, o Options) (*Abstained, error) {
	a.Rows = len(rows)
	var all []Decision
	inScope, scores := make([]float64, len(rows)), make([]float64, len(rows))
	out := &OutOfScope{}
	wrong, right := 0, 0
	for i, d := range rows {
		sure := !d.None && d.Confidence >= a.Threshold
		if !d.None {
			all = append(all, d)
		}
		switch {
		case !sure:
		case d.right():
			right++
		default:
			wrong++
		}
		scores[i] = d.Confidence
		if !d.OutOfScope {
			inScope[i] = 1
			continue
		}
		if out.Rows++; sure {
			out.Sure++
		}
	}
	answerable := len(rows) - out.Rows
	a.Sure = wrong + right
	a.Wrong, a.Answered = share(wrong, a.Sure, o), share(right, answerable, o)
	walk(all, func(n, right int, _ float64) {
		if float64(right) >= 0.95*float64(n) && answerable > 0 {
			a.RecallAt95 = max(a.RecallAt95, float64(right)/float64(answerable))
		}
	})
	if a.None == "" || out.Rows == 0 || out.Rows == len(rows) {
		return &a, nil
	}
	auc, err := metric.Lookup("roc_auc")
	if err != nil {
		return nil, err
	}
	s := &metric.Sample{Kind: metric.Binary, Target: inScope, Score: scores, Pred: inScope}
	intervals, err := metric.Bootstrap(s, []*metric.Metric{auc}, o.Bootstrap, o.Level, o.Seed)
	if err != nil {
		return nil, err
	}
	out.AUROC, a.OutOfScope = intervals[0], out
	return &a, nil
}

// share is k of n with Wilson's interval, where intervals are wanted.
func share(k, n int, o Options) metric.Interval {
	v := metric.Wilson(float64(k), float64(n), o.Level)
	if o.Bootstrap == 0 {
		v.Low, v.High = math.NaN(), math.NaN()
	}
	return v
}

// Sentence says in words how often the model is sure, and how often wrongly.
func (a *Abstained) Sentence() string {
	if a.Sure == 0 {
		return fmt.Sprintf("the model is sure of none of the test rows (from a confidence of %.3g on; asked for: at most %.3g %% wrong)", a.Threshold, 100*a.ErrorRate)
	}
	s := fmt.Sprintf("from a confidence of %.3g on the model is sure: of %d of %d test rows, %.1f %% of them wrongly", a.Threshold, a.Sure, a.Rows, 100*a.Wrong.Value)
	if a.Wrong.Low == a.Wrong.Low { // not NaN
		s += fmt.Sprintf(" (95 %% interval %.1f to %.1f)", 100*a.Wrong.Low, 100*a.Wrong.High)
	}
	s += fmt.Sprintf("; asked for: at most %.3g %%. At 95 %% right, it could answer %.1f %% of those that have an answer", 100*a.ErrorRate, 100*a.RecallAt95)
	if o := a.OutOfScope; o != nil {
		s += fmt.Sprintf("; of %d rows of %s it is sure of %d, its confidence tells them apart with an ROC AUC of %.3f", o.Rows, a.None, o.Sure, o.AUROC.Value)
	}
	return s
}
