package optimize

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/evaluate"
)

// Settings looks up the configuration that a model was trained with: the
// values at a dotted path, one of a scalar, each of a list; nil where there is
// none.
type Settings func(path string) []string

// A Proposal is a change of the configuration to try, and what for.
type Proposal struct {
	Finding evaluate.Finding
	Remedy  string   // in words
	Changes []string // overrides, as --set takes them
}

// change returns overrides that carry a remedy out, nil where it makes no
// sense for the settings.
type change func(s Settings, e *Evidence) []string

// Paths of what remedies change.
const (
	rate     = "train.optimizer.learning_rate"
	decay    = "train.optimizer.weight_decay"
	dropout  = "network.dropout"
	widths   = "network.widths"
	epochs   = "train.epochs"
	clip     = "train.clip_norm"
	batch    = "train.batch_size"
	weights  = "train.class_weights"
	outType  = "outputs[0].type"
	smooth   = "outputs[0].label_smoothing"
	lossKind = "outputs[0].loss"
)

// remedies are what is tried for a finding, the likeliest first.
var remedies = []struct {
	kind, words string
	change
}{
	{RateHigh, "a third of the learning rate", times(rate, 0.3, 1e-6, 1)},
	{RateHigh, "a tenth of the learning rate", times(rate, 0.1, 1e-6, 1)},
	{RateHigh, "gradients bounded", set(clip, "0", "1")},
	{RateHigh, "batches of twice the size", times(batch, 2, 2, 4096)},

	{RateLow, "ten times the learning rate", times(rate, 10, 0, 0.1)},
	{RateLow, "three times the learning rate", times(rate, 3, 0, 0.1)},
	{RateLow, "twice the epochs", times(epochs, 2, 1, 1000)},

	{Regularised, "a quarter of the dropout", times(dropout, 0.25, 0, 0.95)},
	{Regularised, "no dropout", to(dropout, "0")},
	{Regularised, "a tenth of the weight decay", times(decay, 0.1, 0, 1)},

	{Under, "three times the learning rate", times(rate, 3, 0, 0.1)},
	{Under, "twice the epochs", times(epochs, 2, 1, 1000)},
	{Under, "no dropout", to(dropout, "0")},
	{Under, "layers of twice the width", timesAll(widths, 2, 1, 1024)},
	{Under, "batches of half the size", times(batch, 0.5, 16, 4096)},

	{Over, "more dropout", more(dropout, 0.2, 0.6)},
	{Over, "numbers by waves instead of pieces", waves},
	{Over, "ten times the weight decay", atLeast(decay, 10, 0.01, 1)},
	{Over, "a third of the learning rate", times(rate, 0.3, 1e-5, 1)},
	{Over, "layers of half the width", timesAll(widths, 0.5, 8, 1024)},
	{Over, "batches of half the size", times(batch, 0.5, 16, 4096)},

	{Noise, "labels smoothed", smoothed},
	{Noise, "the Huber loss, for which a stray target counts less", huber},
	{Noise, "more dropout", more(dropout, 0.2, 0.6)},

	{Overconfident, "labels smoothed", smoothed},
	{Overconfident, "ten times the weight decay", atLeast(decay, 10, 0.01, 1)},

	{Outliers, "the Huber loss, for which a stray target counts less", huber},

	{Imbalance, "classes weighted to count the same", set(weights, "none", "balanced")},

	{Capacity, "layers of twice the width", timesAll(widths, 2, 1, 1024)},
	{Capacity, "a layer more", deeper},
	{Capacity, "no dropout", to(dropout, "0")},
	{Capacity, "three times the learning rate", times(rate, 3, 0, 0.03)},
}

// Prescribe returns what to try for the findings, in the order in which to try
// it: the first remedy of every finding, then the second ones. A change that
// two findings call for stands once, for the graver one.
func Prescribe(found []evaluate.Finding, s Settings, e Evidence) []Proposal {
	perFinding := make([][]Proposal, len(found))
	longest := 0
	seen := map[string]bool{}
	for i, f := range found {
		for _, r := range remedies {
			if r.kind != f.Kind {
				continue
			}
			sets := r.change(s, &e)
			if sets == nil {
				continue
			}
			perFinding[i] = append(perFinding[i], Proposal{f, r.words, sets})
		}
		longest = max(longest, len(perFinding[i]))
	}
	var out []Proposal
	for k := range longest {
		for _, list := range perFinding {
			if k < len(list) && !seen[strings.Join(list[k].Changes, "\n")] {
				seen[strings.Join(list[k].Changes, "\n")] = true
				out = append(out, list[k])
			}
		}
	}
	return out
}

// number reads a setting that is one number.
func number(s Settings, path string) (float64, bool) {
	v := s(path)
	if len(v) != 1 {
		return 0, false
	}
	x, err := strconv.ParseFloat(v[0], 64)
	return x, err == nil
}

// text writes a number in at most three digits, so that a chain of changes
// stays readable.
func text(x float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil { // what FormatFloat writes can be read
		rounded = x
	}
	return strconv.FormatFloat(rounded, 'g', -1, 64)
}

func whole(path string) bool { return path == epochs || path == batch }

// times multiplies a number, within bounds. A number of 0 stays: it is off.
func times(path string, factor, low, high float64) change {
	return func(s Settings, _ *Evidence) []string {
		old, ok := number(s, path)
		v := old * factor
		if whole(path) {
			v = math.Round(v)
		}
		if !ok || v < low || v > high || v == old {
			return nil
		}
		return []string{path + "=" + text(v)}
	}
}

// atLeast multiplies a number, from a least value on.
func atLeast(path string, factor, least, high float64) change {
	return func(s Settings, _ *Evidence) []string {
		old, ok := number(s, path)
		v := min(high, max(least, old*factor))
		if !ok || v <= old {
			return nil
		}
		return []string{path + "=" + text(v)}
	}
}

// more adds to a number up to a bound.
func more(path string, by, high float64) change {
	return func(s Settings, _ *Evidence) []string {
		old, ok := number(s, path)
		v := min(high, old+by)
		if !ok || v <= old {
			return nil
		}
		return []string{path + "=" + text(v)}
	}
}

// to sets what has another value.
func to(path, value string) change {
	return func(s Settings, _ *Evidence) []string {
		if v := s(path); len(v) != 1 || v[0] == value {
			return nil
		}
		return []string{path + "=" + value}
	}
}

// set sets what still has a value, its default.
func set(path, from, value string) change {
	return func(s Settings, _ *Evidence) []string {
		if v := s(path); len(v) != 1 || v[0] != from {
			return nil
		}
		return []string{path + "=" + value}
	}
}

// timesAll multiplies every number of a list, all within bounds.
func timesAll(path string, factor, low, high float64) change {
	return func(s Settings, _ *Evidence) []string {
		var out []string
		for _, v := range s(path) {
			x, err := strconv.ParseFloat(v, 64)
			if x = math.Round(x * factor); err != nil || x < low || x > high {
				return nil
			}
			out = append(out, text(x))
		}
		if out == nil {
			return nil
		}
		return []string{fmt.Sprintf("%s=[%s]", path, strings.Join(out, ", "))}
	}
}

// deeper repeats the last layer.
func deeper(s Settings, _ *Evidence) []string {
	w := s(widths)
	if len(w) == 0 || len(w) > 5 {
		return nil
	}
	return []string{fmt.Sprintf("%s=[%s, %s]", widths, strings.Join(w, ", "), w[len(w)-1])}
}

// typed prepends the output's type where the configuration leaves it to the
// data: its options cannot be set without.
func typed(s Settings, e *Evidence, sets ...string) []string {
	if v := s(outType); len(v) == 1 && v[0] == e.Task {
		return sets
	}
	return append([]string{outType + "=" + e.Task}, sets...)
}

// waves gives every number that is embedded by pieces of a line a periodic
// embedding: smoother, it learns less by heart of a small table. Where the
// configuration leaves the inputs to the data, they are written out.
func waves(s Settings, e *Evidence) []string {
	if v := s("network.type"); len(v) == 1 && v[0] == "linear" { // which reads the numbers themselves
		return nil
	}
	var sets, all []string
	found := false
	for i := 0; s(fmt.Sprintf("inputs[%d].name", i)) != nil; i++ {
		path := fmt.Sprintf("inputs[%d].embedding", i)
		if v := s(path); len(v) == 1 && (v[0] == "piecewise_linear" || v[0] == "auto") {
			sets = append(sets, path+"=periodic")
		}
		found = true
	}
	if found {
		return sets
	}
	for _, in := range e.Inputs {
		entry := fmt.Sprintf("{name: %s, type: %s}", config.Quote(in.Name), in.Type)
		if in.Type == "number" {
			entry, found = strings.TrimSuffix(entry, "}")+", embedding: periodic}", true
		}
		all = append(all, entry)
	}
	if !found {
		return nil
	}
	return []string{"inputs=[" + strings.Join(all, ", ") + "]"}
}

func smoothed(s Settings, e *Evidence) []string {
	if v, ok := number(s, smooth); e.Task != "category" || ok && v > 0 {
		return nil
	}
	return typed(s, e, smooth+"=0.1")
}

func huber(s Settings, e *Evidence) []string {
	if v := s(lossKind); e.Task != "number" || len(v) == 1 && v[0] != "squared_error" {
		return nil
	}
	return typed(s, e, lossKind+"=huber")
}
