package model

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
)

// cleanSteps exchange two plans, take a tenure as missing, cap what was spent and
// rename the outcomes: done twice, the first and the last would undo themselves.
func cleanSteps(t testing.TB, rows *data.Table) []data.Step {
	t.Helper()
	text := func(s string) *string { return &s }
	most := 1.0
	where, err := data.ParseExpr("tenure > 5")
	if err != nil {
		t.Fatal(err)
	}
	var steps []data.Step
	for _, o := range []data.StepOptions{
		&data.MapOptions{Column: "plan", Values: map[string]*string{"basic": text("pro"), "pro": text("basic")}},
		&data.MissingOptions{Columns: []string{"tenure"}, Values: []string{"30"}},
		&data.CapOptions{Columns: []string{"spent"}, Max: &most},
		&data.FilterOptions{Where: where},
		&data.MapOptions{Column: "churn", Values: map[string]*string{"yes": text("no"), "no": text("yes")}},
	} {
		s, err := o.Fit(rows, "churn")
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, s)
	}
	return steps
}

// TestCleanTravels: a loaded model does to raw rows what was done to those that it
// learnt from, once, and to each row alone.
func TestCleanTravels(t *testing.T) {
	raw := table(t, 120, 4)
	raw.Columns[0].Numbers[3] = 30
	steps := cleanSteps(t, raw)
	clean, err := data.CleanValues(steps, raw)
	if err != nil {
		t.Fatal(err)
	}
	marked := *clean
	marked.Cleaned = true
	m := fitted(t, &marked, "churn", &MLP{Widths: []int{8}, Activation: "relu", Norm: "none"})
	m.Clean = steps
	learn(t, m, &marked, 3)
	want := predict(t, m, &marked)
	if sameBits(predict(t, m, clean), want) {
		t.Error("steps that do not stand to be done twice give the same twice")
	}
	path := filepath.Join(t.TempDir(), "m.hone")
	if err := m.Save(path, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	loaded, _, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]Predictor{"the model": m, "the loaded model": loaded} {
		if !sameBits(predict(t, p, raw), want) {
			t.Errorf("%s predicts raw rows otherwise than clean ones", name)
		}
		if !sameBits(predict(t, p, &marked), want) {
			t.Errorf("%s cleans clean rows again", name)
		}
	}
	// Rows as a program or a server has them, with the inputs alone.
	for i := range 20 {
		row := map[string]any{}
		for _, f := range loaded.InputSchema() {
			if c := raw.Column(f.Name); c.Missing(i) {
				row[f.Name] = nil
			} else if c.Type == data.Number {
				row[f.Name] = c.Numbers[i]
			} else {
				row[f.Name] = c.Text(i)
			}
		}
		one, err := data.FromRecords(loaded.InputSchema(), []map[string]any{row})
		if err != nil {
			t.Fatal(err)
		}
		if got := predict(t, loaded, one); got.Prob[0] != want.Prob[i] || got.Class[0] != want.Class[i] {
			t.Errorf("row %d alone is predicted as %v, in the table as %v", i+1, got.Prob[0], want.Prob[i])
		}
	}
	// The answers of raw rows are those that the model learnt.
	_, learnt, err := m.Targets(&marked)
	if err != nil {
		t.Fatal(err)
	}
	if _, told, err := loaded.Targets(raw); err != nil || !slices.Equal(told, learnt) {
		t.Errorf("the answers of raw rows differ (%v)", err)
	}
	if other := m.With(m.Output, &Linear{}); len(other.Clean) != len(steps) {
		t.Error("a model on the same inputs loses the steps")
	}
}

// TestLoadCleanDamaged: steps that are not understood are refused, not left out.
func TestLoadCleanDamaged(t *testing.T) {
	_, _, parts := saved(t)
	var features map[string]json.RawMessage
	if err := json.Unmarshal(parts[featuresPart], &features); err != nil {
		t.Fatal(err)
	}
	if _, there := features["clean"]; there {
		t.Error("a model without steps writes some")
	}
	for clean, want := range map[string]string{
		`{"version":7,"steps":[]}`:                                                       "clean: the cleaning steps have version 7, this program reads 1",
		`{"version":1,"steps":[{"type":"scrub","fitted":{}}]}`:                           `clean: step 1 has the unknown type "scrub"`,
		`{"version":1,"steps":[{"type":"filter","fitted":{}}]}`:                          "clean: step 1 (filter)",
		`{"version":1,"steps":[{"type":"cap","fitted":{"bounds":[{"column":"gone"}]}}]}`: `no column "gone"`,
	} {
		features["clean"] = json.RawMessage(clean)
		raw, err := json.Marshal(features)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fromParts(raw, parts[weightsPart]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, expected %s", clean, err, want)
		}
	}
}
