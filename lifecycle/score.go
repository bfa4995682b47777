package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/train"
)

// measure returns metrics of a sample by name; one that is undefined is left
// out.
func measure(s *metric.Sample, names ...string) (map[string]float64, error) {
	var ms []*metric.Metric
	for _, n := range names {
		m, err := metricFor(n, s.Kind)
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	values, err := metric.Values(s, ms)
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for i, v := range values {
		if !math.IsNaN(v) {
			out[names[i]] = v
		}
	}
	return out, nil
}

// describeNetwork says in a few words what the network is.
func describeNetwork(m *model.Model) string {
	if m.Members > 0 {
		return fmt.Sprintf("the mean of %d: %s", m.Members, describeNetwork(m.With(m.Output, m.Network)))
	}
	switch n := m.Network.(type) {
	case *model.MLP:
		return fmt.Sprintf("multi-layer perceptron, hidden widths %v, %s, dropout %g", n.Widths, n.Activation, n.Dropout)
	case *model.TabM:
		return fmt.Sprintf("%d multi-layer perceptrons in one (TabM), hidden widths %v, %s, dropout %g", n.Members, n.Widths, n.Activation, n.Dropout)
	case *model.ResNet:
		return fmt.Sprintf("residual network, %d blocks of %d, width %d, dropout %g", n.Blocks, n.Hidden, n.Width, n.Dropout)
	}
	return m.Network.Type()
}

// IsStopped reports whether an error says that the user stopped the run.
func IsStopped(err error) bool {
	return errors.Is(err, train.ErrStopped) || errors.Is(err, context.Canceled)
}
