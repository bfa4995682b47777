package hone_test

import (
	"context"
	"fmt"
	"log"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hone-ml/hone"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/model"
)

const (
	binary = "model/testdata/v1-binary-mlp.hone"
	number = "model/testdata/v1-number-linear.hone"
)

func ExampleLoad() {
	m, err := hone.Load("model/testdata/v1-binary-mlp.hone")
	if err != nil {
		log.Fatal(err)
	}
	out, err := m.Predict(context.Background(), hone.Row{"tenure": 12, "plan": "pro", "paperless": true, "since": "2020-02-29", "spent": 1.5})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("churn: %v, with probability %.2f\n", out.Value, out.Probability)
	// Output: churn: yes, with probability 0.55
}

func ExampleModel_Predict() {
	m, err := hone.Load("model/testdata/v1-number-linear.hone")
	if err != nil {
		log.Fatal(err)
	}
	// What is left out is missing, as is nil.
	out, err := m.Predict(context.Background(), hone.Row{"tenure": 30, "plan": nil})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("price: %.1f\n", out.Value)
	// Output: price: 5.9
}

func ExampleModel_PredictAll() {
	m, err := hone.Load("model/testdata/v1-category-resnet.hone")
	if err != nil {
		log.Fatal(err)
	}
	all, err := m.PredictAll(context.Background(), []hone.Row{{"tenure": 60, "plan": "pro"}, {"tenure": 3, "plan": "pro"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range all {
		fmt.Println(p.Value)
	}
	// Output:
	// ptrue
	// pfalse
}

func load(t *testing.T, path string) *hone.Model {
	t.Helper()
	m, err := hone.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRowTypes(t *testing.T) {
	m := load(t, binary)
	predict := func(r hone.Row) hone.Prediction {
		t.Helper()
		p, err := m.Predict(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	want := predict(hone.Row{"tenure": 12, "plan": "pro", "paperless": true, "since": "2020-02-29", "spent": nil})
	for _, r := range []hone.Row{
		{"tenure": 12.0, "plan": "pro", "paperless": "yes", "since": time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"tenure": "12", "plan": " pro ", "paperless": true, "since": "2020-02-29", "spent": ""},
		{"tenure": int64(12), "plan": "pro", "paperless": true, "since": "2020-02-29"},
		{"tenure": float32(12), "plan": "pro", "paperless": true, "since": "2020-02-29", "churn": "yes"}, // the target is of no matter
	} {
		if got := predict(r); !reflect.DeepEqual(got, want) {
			t.Errorf("%v is %+v, expected %+v", r, got, want)
		}
	}
	if got := predict(hone.Row{"tenure": 50, "plan": "pro"}); reflect.DeepEqual(got, want) {
		t.Errorf("another row is predicted alike: %+v", got)
	}
	if p := want.Probabilities; len(p) != 2 || p["yes"]+p["no"] != 1 || p[want.Value.(string)] != want.Probability || want.Probability < 0.5 {
		t.Errorf("probabilities %+v", want)
	}
	if got, err := load(t, number).Predict(context.Background(), hone.Row{"tenure": 12}); err != nil || got.Probabilities != nil || got.Probability != 0 || got.Value.(float64) < 0 {
		t.Errorf("a number is %+v, %v", got, err)
	}
	if _, err := m.Predict(context.Background(), hone.Row{}); err != nil {
		t.Errorf("a row of missing values: %v", err)
	}
	if none, err := m.PredictAll(context.Background(), nil); err != nil || len(none) != 0 {
		t.Errorf("no rows: %v, %v", none, err)
	}
}

func TestErrors(t *testing.T) {
	m := load(t, binary)
	for _, c := range []struct {
		row  hone.Row
		want string
	}{
		{hone.Row{"tenur": 12}, `"tenur"`},
		{hone.Row{"tenure": "a year"}, `"tenure"`},
		{hone.Row{"since": "yesterday"}, `"since"`},
		{hone.Row{"paperless": "perhaps"}, `"paperless"`},
		{hone.Row{"plan": []string{"pro"}}, `"plan"`},
	} {
		if p, err := m.Predict(context.Background(), c.row); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, %v, expected an error that names %s", c.row, p, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Predict(ctx, hone.Row{"tenure": 1}); err == nil {
		t.Error("a cancelled context gives no error")
	}
	if _, err := hone.Load("none.hone"); err == nil || !strings.Contains(err.Error(), "none.hone: there is no such file") {
		t.Errorf("no file: %v", err)
	}
	if _, err := hone.Load("hone_test.go"); err == nil || !strings.Contains(err.Error(), "(NAME.hone)") {
		t.Errorf("no bundle: %v", err)
	}
}

// TestConcurrent predicts the same rows alone and together, side by side.
func TestConcurrent(t *testing.T) {
	m := load(t, binary)
	var rows []hone.Row
	for i := range 40 {
		rows = append(rows, hone.Row{"tenure": i, "plan": []any{"pro", "basic", nil}[i%3], "paperless": i%2 == 0})
	}
	all, err := m.PredictAll(context.Background(), rows)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i, r := range rows {
		wait.Go(func() {
			if got, err := m.Predict(context.Background(), r); err != nil || !reflect.DeepEqual(got, all[i]) {
				t.Errorf("row %d alone is %+v, %v, among others %+v", i, got, err, all[i])
			}
		})
	}
	wait.Wait()
}

// TestSeveralOutputs: the prediction is the first output's, and holds the others.
func TestSeveralOutputs(t *testing.T) {
	schema := data.Schema{{Name: "x", Type: data.Number}, {Name: "up", Type: data.Category}, {Name: "y", Type: data.Number}}
	var rows []map[string]any
	for i := range 40 {
		rows = append(rows, map[string]any{"x": float64(i), "up": []string{"no", "yes"}[i/20], "y": 3 * float64(i)})
	}
	table, err := data.FromRecords(schema, rows)
	if err != nil {
		t.Fatal(err)
	}
	in, err := (&feature.NumberOptions{Clip: 10}).Fit(table.Column("x"))
	if err != nil {
		t.Fatal(err)
	}
	up, err := (&feature.BinaryOptions{Threshold: 0.5}).Fit(table.Column("up"))
	if err != nil {
		t.Fatal(err)
	}
	y, err := (&feature.NumberOutputOptions{Loss: "squared_error"}).Fit(table.Column("y"))
	if err != nil {
		t.Fatal(err)
	}
	m := &model.Model{Name: "two", Inputs: []model.Input{{Column: "x", Feature: in}}, Target: "up", Output: up, Others: []model.Output{{Column: "y", Feature: y}}, Network: &model.Linear{}, Schema: schema, State: graph.NewState()}
	if err := m.Compile(); err != nil { // with initial values
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "two.hone")
	if err := m.Save(path, "test"); err != nil {
		t.Fatal(err)
	}
	want, err := m.PredictAll(context.Background(), table.Slice(7, 8))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := hone.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := loaded.Predict(context.Background(), hone.Row{"x": 7})
	if err != nil {
		t.Fatal(err)
	}
	if got.Probabilities["yes"] != want[0].Prob[0] || len(got.Outputs) != 1 || got.Outputs["y"].Value != want[1].Value[0] || got.Outputs["y"].Outputs != nil {
		t.Errorf("%+v, expected %+v and %+v", got, want[0], want[1])
	}
}
