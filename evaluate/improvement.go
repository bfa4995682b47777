package evaluate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/metric"
)

// Outcomes of a [Trial].
const (
	TrialKept    = "kept"
	TrialNotKept = "not kept"
	TrialTooSlow = "too slow"
	TrialFailed  = "failed"
)

// Improvement is the chain of trials by which a run tried to improve on its
// first model, judged on validation rows alone.
type Improvement struct {
	// Metric is what a trial must improve, measured on Rows rows that its models
	// did not train on.
	Metric string `json:"metric"`
	Rows   int    `json:"rows"`
	// Folds is the number of parts that these rows are, each held out from
	// models of its own; 1: the validation rows.
	Folds int `json:"folds"`
	// Level is the one-sided level of every test: 0.05 shared among Allowed trials.
	Level   float64 `json:"level"`
	Allowed int     `json:"allowed"`
	// First and Last are the metric of the first model and of the one that was
	// kept in the end. Last flatters it: it was chosen by these rows.
	First Number `json:"first"`
	Last  Number `json:"last"`
	// Findings are those about the model that was kept in the end.
	Findings []Finding `json:"findings"`
	Trials   []Trial   `json:"trials"`
	// Changes are the overrides of the configuration that were kept, as --set
	// takes them.
	Changes []string `json:"changes"`
	// Stopped says why there were no more trials.
	Stopped string `json:"stopped"`
}

// Finding is something about a trained model that could be better, and the
// numbers that say so.
type Finding struct {
	Kind     string            `json:"kind"` // "over-fitting", …
	Sentence string            `json:"sentence"`
	Evidence map[string]Number `json:"evidence"`
	// Remedy says what to do, Changes how, as --set takes it; of a [Diagnosis]
	// alone, since the trials of an improvement have their own.
	Remedy  string   `json:"remedy,omitempty"`
	Changes []string `json:"changes,omitempty"`
}

// Trial is one change of the configuration, made for a finding, and what came
// of it.
type Trial struct {
	Trial   int      `json:"trial"` // from 1
	Finding Finding  `json:"finding"`
	Remedy  string   `json:"remedy"`  // in words
	Changes []string `json:"changes"` // as --set takes them
	Metric  string   `json:"metric"`
	Before  Number   `json:"before"` // the metric of the model that stood so far
	After   Number   `json:"after"`  // and of the trial's, null where it failed
	// Gain is by how much the metric got better, above 0 whichever way it
	// points, with an interval of 95 %.
	Gain metric.Interval `json:"gain"`
	// Test is the name of the paired test, P its one-sided p-value.
	Test    string `json:"test,omitempty"`
	P       Number `json:"p"`
	Outcome string `json:"outcome"`
	// Reason says why, where the test is not the reason.
	Reason string `json:"reason,omitempty"`
	// LatencyMS is the median time of one row; 0: not measured, since it has no
	// limit. It is left out of bundles, which hold no times.
	LatencyMS float64 `json:"latency_ms,omitempty"`
}

// Kept counts the trials that were kept.
func (c *Improvement) Kept() int {
	n := 0
	for _, t := range c.Trials {
		if t.Outcome == TrialKept {
			n++
		}
	}
	return n
}

// Sentence sums the chain up.
func (c *Improvement) Sentence() string {
	s := fmt.Sprintf("%d of %d trials kept", c.Kept(), len(c.Trials))
	if c.Kept() > 0 {
		s += fmt.Sprintf(": %s from %s to %s on %d held-out rows", c.Metric, figure(float64(c.First)), figure(float64(c.Last)), c.Rows)
	}
	return s + "; " + c.Stopped
}

// WithoutTimes returns the chain without what differs between equal runs.
func (c *Improvement) WithoutTimes() *Improvement {
	if c == nil {
		return nil
	}
	out := *c
	out.Trials = slices.Clone(c.Trials)
	for i := range out.Trials {
		out.Trials[i].LatencyMS = 0
	}
	return &out
}

// Problem is the finding and what shows it.
func (t Trial) Problem() string { return t.Finding.Kind + ": " + t.Finding.Sentence }

// Attempt is the remedy and how the configuration says it.
func (t Trial) Attempt() string {
	changes := t.Changes
	const most = 4
	more := ""
	if n := len(changes) - most; n > 1 { // as many inputs as there may be
		changes, more = changes[:most], fmt.Sprintf(" and %d more", n)
	}
	return t.Remedy + " (" + strings.Join(changes, ", ") + more + ")"
}

// Result is the gain and what came of it.
func (t Trial) Result() string {
	if t.Outcome == TrialFailed {
		return TrialFailed + ": " + t.Reason
	}
	word, gain := "better", t.Gain
	if gain.Value < 0 {
		word, gain = "worse", metric.Interval{Value: -gain.Value, Low: -gain.High, High: -gain.Low}
	}
	s := fmt.Sprintf("%s: %s %s to %s, %s by %s (95 %% interval %s to %s), one-sided p %.2g", t.Outcome, t.Metric, figure(float64(t.Before)), figure(float64(t.After)), word,
		figure(float64(gain.Value)), figure(float64(gain.Low)), figure(float64(gain.High)), float64(t.P))
	if t.LatencyMS > 0 {
		s += fmt.Sprintf("; %.2g ms a row", t.LatencyMS)
	}
	if t.Reason != "" {
		s += ", " + t.Reason
	}
	return s
}

func figure(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }
