package model

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/nn/optim"
)

// TestNetworks trains every kind of network and output a little, and reads it
// back from a bundle to the same bits.
func TestNetworks(t *testing.T) {
	rows, other := table(t, 200, 1), table(t, 50, 2)
	for _, name := range slices.Sorted(maps.Keys(someNetworks())) {
		for _, target := range []string{"churn", "product", "price"} {
			t.Run(name+"/"+target, func(t *testing.T) {
				network := someNetworks()[name]
				m := fitted(t, rows, target, network)
				r := learn(t, m, rows, 8)
				if first, last := r.History[0].Loss, r.History[7].Loss; !(last < first) {
					t.Errorf("the loss went from %v to %v", first, last)
				}
				path := filepath.Join(t.TempDir(), "m.hone")
				if err := m.Save(path, "test"); err != nil {
					t.Fatal(err)
				}
				loaded, b, err := Load(path)
				if err != nil {
					t.Fatal(err)
				}
				if b.Writer != "test" || !slices.Equal(b.Names(), []string{featuresPart, weightsPart}) {
					t.Errorf("the bundle is by %s and holds %v", b.Writer, b.Names())
				}
				if loaded.Name != m.Name || loaded.Target != target || loaded.Network.Type() != network.Type() || loaded.Parameters() != m.Parameters() || loaded.Parameters() != m.State.Parameters() {
					t.Errorf("came back as %+v with %d parameters, expected %d", loaded, loaded.Parameters(), m.Parameters())
				}
				want := predict(t, m, other)
				if got := predict(t, loaded, other); !sameBits(got, want) {
					t.Errorf("the loaded model predicts otherwise")
				}
				if want.Rows() != 50 {
					t.Errorf("%d predictions of 50 rows", want.Rows())
				}
				// And it can be trained on, from where it was.
				if again := learn(t, loaded, rows, 1); !(again.History[0].Loss < 1.3*r.History[7].Loss+0.05) {
					t.Errorf("training on begins at a loss of %v, it had come to %v", again.History[0].Loss, r.History[7].Loss)
				}
			})
		}
	}
}

// TestBatchIndependence: a row's prediction is the same alone, in a large
// table, and in another order.
func TestBatchIndependence(t *testing.T) {
	rows := table(t, 5000, 3)
	for _, target := range []string{"churn", "product", "price"} {
		m := fitted(t, rows, target, &MLP{Widths: []int{33, 17}, Activation: "silu", Norm: "batch"})
		learn(t, m, rows.Slice(0, 300), 1)
		all := predict(t, m, rows)
		k := 1
		if all.Kind == metric.Multiclass {
			k = len(all.Classes)
		}
		at := func(p *Predictions, row int) *Predictions {
			q := &Predictions{Kind: p.Kind, Classes: p.Classes}
			if p.Kind == metric.Regression {
				q.Value = p.Value[row : row+1]
			} else {
				q.Prob, q.Class = p.Prob[row*k:(row+1)*k], p.Class[row:row+1]
			}
			return q
		}
		for _, i := range []int{0, 1, 7, blockRows - 1, blockRows, 4999} {
			if one := predict(t, m, rows.Slice(i, i+1)); !sameBits(one, at(all, i)) {
				t.Errorf("%s: row %d alone is %+v, among others %+v", target, i, one, at(all, i))
			}
		}
		var back []int
		for i := range rows.Rows {
			back = append(back, rows.Rows-1-i)
		}
		reversed := predict(t, m, rows.Select(back))
		for i := range rows.Rows {
			if !sameBits(at(reversed, rows.Rows-1-i), at(all, i)) {
				t.Fatalf("%s: row %d differs in another order", target, i)
			}
		}
		for _, n := range []int{2, 3, 5, 64, 257} {
			for lo := 0; lo < 600; lo += n {
				part := predict(t, m, rows.Slice(lo, lo+n))
				for i := range n {
					if !sameBits(at(part, i), at(all, lo+i)) {
						t.Fatalf("%s: row %d differs in a table of %d", target, lo+i, n)
					}
				}
			}
		}
		if none := predict(t, m, rows.Slice(0, 0)); none.Rows() != 0 {
			t.Errorf("%s: %d predictions of no rows", target, none.Rows())
		}
	}
}

func TestConcurrentPredict(t *testing.T) {
	rows := table(t, 300, 4)
	m := fitted(t, rows, "product", &MLP{Widths: []int{16}, Activation: "relu", Norm: "batch"})
	learn(t, m, rows, 1)
	fresh := fitted(t, rows, "product", m.Network)
	fresh.State = m.State // compiled by whoever predicts first
	want := predict(t, m, rows)
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			for i := range 20 {
				lo := (g*37 + i*11) % 250
				got, err := fresh.Predict(context.Background(), rows.Slice(lo, lo+1+i))
				if err != nil {
					t.Error(err)
					return
				}
				if !slices.Equal(got.Class, want.Class[lo:lo+1+i]) {
					t.Errorf("rows from %d are predicted otherwise beside others", lo)
				}
			}
		})
	}
	wait.Wait()
}

func TestPredictErrors(t *testing.T) {
	rows := table(t, 100, 5)
	m := fitted(t, rows, "churn", &Linear{})
	learn(t, m, rows, 1)
	// A column that is missing at prediction time.
	short := &data.Table{Rows: rows.Rows, Columns: slices.DeleteFunc(slices.Clone(rows.Columns), func(c *data.Column) bool { return c.Name == "plan" })}
	if _, err := m.Predict(context.Background(), short); err == nil || !strings.Contains(err.Error(), `no column "plan"`) {
		t.Errorf("a missing column: %v", err)
	}
	// One of another type.
	wrong := &data.Table{Rows: rows.Rows, Columns: slices.Clone(rows.Columns)}
	for i, c := range wrong.Columns {
		if c.Name == "tenure" {
			other := *rows.Column("plan")
			other.Name = "tenure"
			wrong.Columns[i] = &other
		}
	}
	if _, err := m.Predict(context.Background(), wrong); err == nil || !strings.Contains(err.Error(), `column "tenure" holds category values`) {
		t.Errorf("a column of another type: %v", err)
	}
	// Only the target.
	if _, _, err := m.Targets(short.Slice(0, 3)); err != nil {
		t.Error(err)
	}
	none := &data.Table{Rows: rows.Rows, Columns: slices.DeleteFunc(slices.Clone(rows.Columns), func(c *data.Column) bool { return c.Name == "churn" })}
	if _, _, err := m.Targets(none); err == nil || !strings.Contains(err.Error(), `no column "churn", the target`) {
		t.Errorf("no target: %v", err)
	}
	predict(t, m, none) // and none is needed to predict
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Predict(ctx, rows); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	empty := &Model{Output: m.Output, Network: &Linear{}, State: m.State}
	if _, err := empty.Predict(context.Background(), rows); err == nil || !strings.Contains(err.Error(), "no inputs") {
		t.Errorf("no inputs: %v", err)
	}
}

func TestPredictions(t *testing.T) {
	binary := &Predictions{Kind: metric.Binary, Classes: []string{"no", "yes"}, Prob: []float64{0.25, 0.75}, Class: []int{0, 1}}
	multi := &Predictions{Kind: metric.Multiclass, Classes: []string{"a", "b", "c"}, Prob: []float64{0.25, 0.5, 0.25, 0.125, 0.25, 0.625}, Class: []int{1, 2}}
	number := &Predictions{Kind: metric.Regression, Value: []float64{3, 4}}
	for _, c := range []struct {
		p          *Predictions
		confidence []float64
		first      []float64
		pred       []float64
	}{
		{binary, []float64{0.75, 0.75}, []float64{0.75, 0.25}, []float64{0, 1}},
		{multi, []float64{0.5, 0.625}, []float64{0.25, 0.5, 0.25}, []float64{1, 2}},
		{number, nil, nil, []float64{3, 4}},
	} {
		for i, want := range c.confidence {
			if got := c.p.Confidence(i); got != want {
				t.Errorf("%v: confidence in row %d is %v, expected %v", c.p.Kind, i, got, want)
			}
		}
		for k, want := range c.first {
			if got := c.p.ClassProbability(0, k); got != want {
				t.Errorf("%v: probability of class %d is %v, expected %v", c.p.Kind, k, got, want)
			}
		}
		s := c.p.Sample([]float64{0, 1})
		if s.Kind != c.p.Kind || !slices.Equal(s.Pred, c.pred) || !slices.Equal(s.Prob, c.p.Prob) || !slices.Equal(s.Target, []float64{0, 1}) {
			t.Errorf("%v: sample %+v", c.p.Kind, s)
		}
		joined := &Predictions{Kind: c.p.Kind, Classes: c.p.Classes}
		joined.Append(c.p)
		joined.Append(c.p)
		if c.p.Rows() != 2 || joined.Rows() != 4 || len(joined.Prob) != 2*len(c.p.Prob) {
			t.Errorf("%v: joined %+v", c.p.Kind, joined)
		}
	}
}

func TestDecode(t *testing.T) {
	m := &Model{Output: &feature.Binary{Negative: "no", Positive: "yes", Threshold: 0.75}}
	if got := m.Decode([]float32{0.7, 0.75, 1}).Class; !slices.Equal(got, []int{0, 1, 1}) {
		t.Errorf("classes %v at a threshold of ¾", got)
	}
	m.Output = &feature.CategoryOutput{Names: []string{"a", "b", "c"}}
	if got := m.Decode([]float32{0.25, 0.25, 0.5, 0.5, 0.5, 0}).Class; !slices.Equal(got, []int{2, 0}) {
		t.Errorf("classes %v, expected the most probable, the first of equals", got)
	}
}

func TestDescribeAndWith(t *testing.T) {
	rows := table(t, 100, 6)
	m := fitted(t, rows, "churn", defaults(t, &MLP{}))
	program, state, err := m.Describe()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.State.Variables()) != 0 || len(program.Outputs) != 1 {
		t.Error("describing a model changed it")
	}
	learn(t, m, rows, 1)
	if m.Parameters() != state.Parameters() {
		t.Errorf("%d parameters were described, there are %d", state.Parameters(), m.Parameters())
	}
	for _, v := range optim.ModelVariables(m.State) {
		if strings.HasPrefix(v.Name, "optim/") {
			t.Errorf("%s is among the weights", v.Name)
		}
	}
	linear := m.With(m.Output, &Linear{})
	if learn(t, linear, rows, 1); linear.Parameters() >= m.Parameters() || len(linear.Inputs) != len(m.Inputs) {
		t.Errorf("the linear model has %d parameters", linear.Parameters())
	}
	var names []string
	for _, f := range m.InputSchema() {
		names = append(names, f.Name)
	}
	if !slices.Equal(names, []string{"tenure", "plan", "paperless", "since", "spent"}) {
		t.Errorf("the inputs are %v", names)
	}
	wide := fitted(t, rows, "churn", &MLP{Widths: []int{60000, 60000}, Activation: "relu"})
	if _, _, err := wide.Describe(); err == nil || !strings.Contains(err.Error(), "use smaller layers") {
		t.Errorf("a network of an impossible size: %v", err)
	}
}

func TestNetworkTypes(t *testing.T) {
	for name, n := range Networks() {
		if n.Type() != name {
			t.Errorf("%s calls itself %s", name, n.Type())
		}
		if err := config.Defaults(n); err != nil {
			t.Error(err)
		}
		if n.Plain() != (name == "linear") {
			t.Errorf("%s: plain inputs: %v", name, n.Plain())
		}
	}
	if _, err := newNetwork("transformer"); err == nil || !strings.Contains(err.Error(), "[linear mlp resnet tabm]") {
		t.Errorf("an unknown network: %v", err)
	}
	rows := table(t, 50, 7)
	if _, _, err := fitted(t, rows, "churn", &MLP{Widths: []int{4}, Activation: "rleu"}).Describe(); err == nil || !strings.Contains(err.Error(), "rleu") {
		t.Errorf("an unknown activation: %v", err)
	}
}
