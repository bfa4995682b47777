package model

import (
	"context"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/format/bundle"
)

// What validation rows taught travels in the bundle, and changes what is predicted.
func TestCalibrationInTheBundle(t *testing.T) {
	rows := table(t, 60, 8)
	m := fitted(t, rows, "churn", &ResNet{Width: 4, Hidden: 5, Blocks: 1, Norm: "batch"})
	learn(t, m, rows, 1)
	before, err := m.Predict(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	_, targets, err := m.Targets(rows)
	if err != nil {
		t.Fatal(err)
	}
	sets, err := calibrate.Fit(before.Sample(targets), calibrate.Options{Method: calibrate.LAC, ByClass: "off"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Sets([]*Predictions{before}, 0.9); err == nil || !strings.Contains(err.Error(), "no prediction sets") {
		t.Errorf("sets without scores: %v", err)
	}
	m.Calibration = []Calibration{{Map: &calibrate.Map{Method: calibrate.Temperature, Temperature: 2, Rows: 60}, Sets: sets}}
	path := filepath.Join(t.TempDir(), "m.hone")
	if err := m.Save(path, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	loaded, b, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	after, err := loaded.Predict(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(before.Prob)
	m.Calibration[0].Map.Apply(want, 2)
	if !slices.Equal(after.Prob, want) || slices.Equal(after.Prob, before.Prob) {
		t.Errorf("the loaded model predicts %v, expected %v", after.Prob[:3], want[:3])
	}
	a, err := m.Sets([]*Predictions{after}, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	c, err := loaded.Sets([]*Predictions{after}, 0.9)
	if err != nil || !reflect.DeepEqual(a, c) || len(c[0].Classes) != 60 {
		t.Errorf("the loaded model's sets differ (%v)", err)
	}
	if _, err := loaded.Sets([]*Predictions{after}, 0.99); err == nil || !strings.Contains(err.Error(), "60 rows can promise") {
		t.Errorf("99 %% by 60 rows: %v", err)
	}

	// An output without sets has none beside one that has.
	two := several(t, rows, &ResNet{Width: 4, Hidden: 5, Blocks: 1, Norm: "batch"}, "price")
	two.Calibration = []Calibration{{Sets: sets}, {}}
	if got, err := two.Sets([]*Predictions{after, {Value: []float64{1}}}, 0.9); err != nil || got[0] == nil || got[1] != nil {
		t.Errorf("one of two outputs has sets: %v, %v", got, err)
	}

	for name, damage := range map[string]string{
		"it is of 0 outputs": "[]", "temperature is 0": `[{"map":{"method":"temperature"}}]`, "scores of 0 groups": `[{"sets":{"method":"lac"}}]`,
	} {
		var parts []bundle.Part
		for _, n := range b.Names() {
			content, err := b.Part(n)
			if err != nil {
				t.Fatal(err)
			}
			if n == calibrationPart {
				content = []byte(damage)
			}
			parts = append(parts, bundle.Part{Name: n, Content: content})
		}
		bad := filepath.Join(t.TempDir(), "bad.hone")
		if err := bundle.Write(bad, "1.2.3", parts); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Load(bad); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, expected %q", damage, err, name)
		}
	}
}
