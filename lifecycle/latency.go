package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/model"
)

// latencyRuns is how many single rows a run times.
const latencyRuns = 200

// Latency is the time of one row through a model, from named values to
// prediction, as a service would call it.
type Latency struct {
	MedianMS float64 `json:"median_ms"`
	P99MS    float64 `json:"p99_ms"`
}

// measureLatency returns the median milliseconds of one row through a bundle.
func measureLatency(ctx context.Context, path string, rows *data.Table) (float64, error) {
	m, _, err := model.Load(path)
	if err != nil {
		return 0, fmt.Errorf("the bundle just written cannot be read back: %w", err)
	}
	l, err := latencyOf(ctx, m, rows, latencyRuns)
	return l.MedianMS, err
}

// latencyOf times single rows, going round through a table of them.
func latencyOf(ctx context.Context, m *model.Model, rows *data.Table, times int) (Latency, error) {
	took := make([]float64, times)
	for i := range took {
		row := i % rows.Rows
		values := map[string]any{}
		for _, in := range m.Inputs {
			c := rows.Column(in.Column)
			switch {
			case c.Missing(row):
				values[in.Column] = nil
			case c.Type == data.Image:
				content, err := c.Picture(row).Content()
				if err != nil {
					return Latency{}, err
				}
				values[in.Column] = content
			case c.Type == data.Number:
				values[in.Column] = c.Numbers[row]
			default:
				values[in.Column] = c.Text(row)
			}
		}
		began := time.Now()
		t, err := data.FromRecords(m.InputSchema(), []map[string]any{values})
		if err != nil {
			return Latency{}, err
		}
		if _, err := m.Predict(ctx, t); err != nil {
			return Latency{}, err
		}
		took[i] = time.Since(began).Seconds() * 1000
	}
	slices.Sort(took)
	return Latency{took[times/2], took[(99*times-1)/100]}, nil
}
