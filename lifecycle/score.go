package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/nn/optim"
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

// scores predicts a table and measures it.
func (r *run) scores(ctx context.Context, m *model.Model, t *data.Table, names ...string) (map[string]float64, error) {
	_, targets, err := m.Targets(t)
	if err != nil {
		return nil, &UserError{err.Error()}
	}
	p, err := m.Predict(ctx, t)
	if err != nil {
		return nil, err
	}
	return measure(p.Sample(targets), names...)
}

// Training of the linear baseline. The settings are the same for every data
// set: a linear model has one optimum, and they reach it.
const (
	linearBaseline = "linear baseline" // what it is called

	linearRate     = 0.01
	linearEpochs   = 40
	linearPatience = 5
	linearDecay    = 1e-4
)

// trainLinear trains the strong cheap baseline: no hidden layer, on the same
// inputs and rows, by the same engine.
func (r *run) trainLinear(ctx context.Context) (*fitted, error) {
	options := func() train.Options {
		o := r.c.options()
		o.Epochs, o.Patience, o.Monitor, o.MinDelta = linearEpochs, linearPatience, "", 0
		o.Optimizer, o.Accumulate, o.ClipNorm, o.L1, o.L2 = optim.Adam(linearRate), 1, 0, 0, linearDecay
		o.Schedule = &optim.ReduceOnPlateau{Gamma: 0.3, Patience: 1, Floor: 1e-3}
		return o
	}
	size := min(256, max(16, r.p.train.Rows/64)) // small tables need smaller batches for as many steps
	return r.trainModel(ctx, r.fit.model.With(r.fit.model.Output, &model.Linear{}), linearBaseline, options, size)
}

// describeNetwork says in a few words what the network is.
func describeNetwork(m *model.Model) string {
	switch n := m.Network.(type) {
	case *model.MLP:
		return fmt.Sprintf("multi-layer perceptron, hidden widths %v, %s, dropout %g", n.Widths, n.Activation, n.Dropout)
	case *model.ResNet:
		return fmt.Sprintf("residual network, %d blocks of %d, width %d, dropout %g", n.Blocks, n.Hidden, n.Width, n.Dropout)
	}
	return m.Network.Type()
}

// IsStopped reports whether an error says that the user stopped the run.
func IsStopped(err error) bool {
	return errors.Is(err, train.ErrStopped) || errors.Is(err, context.Canceled)
}
