package hone_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone"
	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/model"
)

// What a coverage asks for comes with the prediction.
func TestCoverage(t *testing.T) {
	hundred := func(score float64) []calibrate.Scores {
		return []calibrate.Scores{{Rows: 100, Sorted: slices.Repeat([]float64{score}, 100)}}
	}
	row := hone.Row{"tenure": 12, "plan": "pro"}
	for from, sets := range map[string]*calibrate.Sets{
		binary: {Method: calibrate.LAC, Groups: hundred(1)},
		number: {Method: calibrate.Residual, Groups: hundred(2.5)},
	} {
		m, _, err := model.Load(from)
		if err != nil {
			t.Fatal(err)
		}
		m.Calibration = []model.Calibration{{Sets: sets}}
		path := filepath.Join(t.TempDir(), "m.hone")
		if err := m.Save(path, "test"); err != nil {
			t.Fatal(err)
		}
		with := load(t, path)
		p, err := with.Predict(context.Background(), row, hone.Coverage(0.9))
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := p.Value.(float64); ok && (p.Low != v-2.5 || p.High != v+2.5 || p.Set != nil) || !ok && !slices.Equal(p.Set, []string{"no", "yes"}) {
			t.Errorf("%s: %+v", from, p)
		}
		if p, err := with.Predict(context.Background(), row); err != nil || p.Set != nil || p.High != 0 {
			t.Errorf("%s, nothing asked for: %+v, %v", from, p, err)
		}
		if _, err := with.Predict(context.Background(), row, hone.Coverage(0.999)); err == nil || !strings.Contains(err.Error(), "ask for 0.99 at most") {
			t.Errorf("%s: %v", from, err)
		}
		if _, err := load(t, from).Predict(context.Background(), row, hone.Coverage(0.9)); err == nil || !strings.Contains(err.Error(), "no prediction sets") {
			t.Errorf("%s as it was: %v", from, err)
		}
	}
}
