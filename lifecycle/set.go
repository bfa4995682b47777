package lifecycle

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// chooseSetThresholds decides from which probability on a label is present, by its
// F1 on the validation rows: one for all, or one for each label.
func (h heldOut) chooseSetThresholds(output *feature.Set, o *feature.SetOptions) (feature.Output, string, error) {
	if o.Threshold >= 0 {
		return output, "", nil
	}
	s := h.sample()
	if s.Rows() == 0 {
		return output, "", nil
	}
	k := len(output.Labels)
	out := *output
	name := "f1_micro"
	if o.Threshold == feature.SetPerLabel {
		name = "f1_macro"
	}
	before, err := measure(s, name)
	if err != nil {
		return nil, "", err
	}
	var said string
	if o.Threshold == feature.SetPerLabel {
		out.Thresholds = make([]float64, k)
		for j := range out.Thresholds {
			if out.Thresholds[j], err = metric.LabelThreshold(s, j); err != nil {
				return nil, "", err
			}
		}
		said = fmt.Sprintf("a label is present from a probability of its own on, %.4g to %.4g", slices.Min(out.Thresholds), slices.Max(out.Thresholds))
	} else {
		t, err := metric.SetThreshold(s)
		if err != nil {
			return nil, "", err
		}
		out.Thresholds = slices.Repeat([]float64{t}, k)
		said = fmt.Sprintf("a label is present from a probability of %.4g on", t)
	}
	h.by.Decide(out.Thresholds)
	after, err := measure(h.sample(), name)
	if err != nil {
		return nil, "", err
	}
	return &out, fmt.Sprintf("%s: %s on the validation rows is %.4g so, at 0.5 it was %.4g", said, name, after[name], before[name]), nil
}

// unseenLabels says which labels of a column the training rows do not have; "" for
// none.
func unseenLabels(o model.Output, t *data.Table) string {
	s, ok := o.Feature.(*feature.Set)
	if !ok || t == nil || t.Column(o.Column) == nil {
		return ""
	}
	labels, rows := s.Unseen(t.Column(o.Column))
	if len(labels) == 0 {
		return ""
	}
	shown := labels[:min(5, len(labels))]
	more := ""
	if n := len(labels) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s: %d rows have labels that the training rows do not have (%s%s): they count as missed, as one label %s", o.Column, rows, strings.Join(shown, ", "), more, model.UnseenLabels)
}

// setLabels are labels in a cell: parted in CSV, a list in JSON.
type setLabels struct {
	names     []string
	delimiter string
}

// MarshalJSON implements json.Marshaler.
func (l setLabels) MarshalJSON() ([]byte, error) { return json.Marshal(l.names) }

func (l setLabels) cell() string { return data.JoinSet(l.names, l.delimiter) }
