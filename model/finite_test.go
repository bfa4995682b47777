package model

import (
	"errors"
	"math"
	"testing"

	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
)

func TestPredictionsThatAreNoNumbersAreRefused(t *testing.T) {
	m := &Model{Output: &feature.CategoryOutput{Names: []string{"a", "b", "c"}}}
	good := &Predictions{Kind: metric.Multiclass, Prob: []float64{0.2, 0.3, 0.5, 1, 0, 0}}
	if err := finite(m.Output, good); err != nil {
		t.Errorf("finite ones: %v", err)
	}
	good.Prob[4] = math.NaN()
	var row *RowError
	if err := finite(m.Output, good); !errors.As(err, &row) || row.Row != 2 || !row.UserError() {
		t.Errorf("NaN in row 2: %v", err)
	}
	if err := finite(m.Output, &Predictions{Kind: metric.Regression, Value: []float64{1, math.Inf(1)}}); err == nil {
		t.Error("an infinite value is not refused")
	}
}
