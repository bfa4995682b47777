package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/embed"
	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/optim"
	"github.com/hone-ml/hone/train"
)

// articles returns rows of two texts, of up to 4 and of up to 120 words, whose
// topic is in both.
func articles(t testing.TB, rows int, seed uint64) *data.Table {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	words := func(topic, n int) string {
		var out []string
		for range n {
			if r.IntN(3) == 0 {
				out = append(out, fmt.Sprintf("%c%d", 'a'+topic, r.IntN(20)))
			} else {
				out = append(out, fmt.Sprint("w", r.IntN(200)))
			}
		}
		return strings.Join(out, " ")
	}
	var records []map[string]any
	for i := range rows {
		topic := r.IntN(2)
		title, body := words(topic, r.IntN(5)), words(topic, 1+r.IntN(1+r.IntN(120)))
		if i%17 == 3 {
			body = ""
		}
		records = append(records, map[string]any{"title": title, "body": body, "seen": float64(i), "topic": []string{"news", "sport"}[topic]})
	}
	table, err := data.FromRecords(data.Schema{{Name: "title", Type: data.Text}, {Name: "body", Type: data.Text}, {Name: "seen", Type: data.Number}, {Name: "topic", Type: data.Category}}, records)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// reader returns an untrained model of articles.
func reader(t testing.TB, rows *data.Table, encoder string, network Network) *Model {
	t.Helper()
	out, err := defaults(t, &feature.BinaryOptions{}).Fit(rows.Column("topic"))
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Name: "topics", Target: "topic", Output: out, Network: network, State: graph.NewState()}
	for _, c := range rows.Columns {
		m.Schema = append(m.Schema, data.Field{Name: c.Name, Type: c.Type})
		var o feature.InputOptions
		switch c.Type {
		case data.Text:
			encoder, tune, _ := strings.Cut(encoder, " ")
			e := feature.TextEncoder{}.Variants()[encoder]
			if p, ok := e.(*feature.PretrainedOptions); ok {
				p.From = "../embed/testdata/sentence"
			}
			defaults(t, e)
			tiny(t, e)
			if p, ok := e.(*feature.PretrainedOptions); ok {
				p.Tune, p.Dropout = tune, 0
			}
			o = &feature.TextOptions{Encoder: feature.TextEncoder{Type: encoder, Options: e}}
		case data.Number:
			o = defaults(t, &feature.NumberOptions{})
		default:
			continue
		}
		f, err := o.Fit(c)
		if err != nil {
			t.Fatal(err)
		}
		m.Inputs = append(m.Inputs, Input{c.Name, f})
	}
	return m
}

// tiny makes an encoder's network one that learns in a moment.
func tiny(t testing.TB, o feature.TextEncoderOptions) {
	t.Helper()
	tokens := func(o *feature.TokenOptions) { o.Dimension, o.MaxLength = 16, 64 }
	switch o := o.(type) {
	case *feature.NGramOptions:
		o.Dimension, o.Characters = 16, nil
	case *feature.TextCNNOptions:
		tokens(&o.TokenOptions)
		o.Filters = 16
	case *feature.TextTransformerOptions:
		tokens(&o.TokenOptions)
	case *feature.TextGRUOptions:
		tokens(&o.TokenOptions)
		o.Units, o.Layers = 16, 2
	case *feature.TextLSTMOptions:
		tokens(&o.TokenOptions)
		o.Units, o.Bidirectional = 16, false
	}
}

// learnTexts trains a model of sequences.
func learnTexts(t testing.TB, m *Model, rows *data.Table, epochs int) *train.Result {
	t.Helper()
	batches := func(training bool) *train.Stream {
		x, sources, err := m.EncodeStreamed(rows, training)
		if err != nil {
			t.Fatal(err)
		}
		y, _, err := m.AllTargets(rows)
		if err != nil {
			t.Fatal(err)
		}
		b, err := train.NewStream(append(x, y...), sources, nil, 16, training, 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		return b
	}
	r, err := train.Run(t.Context(), m.Task(), m.State, batches(true), batches(false), train.Options{Epochs: epochs, Optimizer: optim.Adam(5e-3)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTextsKeepToThemselves: whatever is beside a row in a table, its prediction has
// the same bits, also after save and load; with several texts and a number, of each
// encoder.
func TestTextsKeepToThemselves(t *testing.T) {
	rows := articles(t, 150, 1)
	encoders := []string{"pretrained none", "pretrained last_n", "pretrained lora"}
	for encoder := range (feature.TextEncoder{}).Variants() {
		if encoder == "pretrained" {
			encoder += " all"
		}
		encoders = append(encoders, encoder)
	}
	for _, encoder := range encoders {
		m := reader(t, rows, encoder, defaults(t, &MLP{}))
		r := learnTexts(t, m, rows, 6)
		first, last := r.History[0].Validation, r.History[5].Validation
		if !(last < 0.9*first) {
			t.Errorf("%s: the loss went from %g to %g", encoder, first, last)
		}
		all := predict(t, m, rows)
		path := filepath.Join(t.TempDir(), "m.hone")
		if err := m.Save(path, "test"); err != nil {
			t.Fatal(err)
		}
		again, _, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows.Rows {
			if one := predict(t, again, rows.Slice(i, i+1)); !sameBits(one, all.Select([]int{i})) {
				t.Errorf("%s: row %d by itself is predicted %v, in the table %v", encoder, i, one.Prob, all.Prob[i])
			}
		}
		if some := predict(t, again, rows.Slice(37, 90)); some.Prob[3] != all.Prob[40] {
			t.Errorf("%s: a part of the table is predicted otherwise", encoder)
		}
		// The linear baseline reads them too.
		if l := learnTexts(t, m.With(m.Output, &Linear{}), rows, 3); !(l.History[2].Validation < l.History[0].Validation) {
			t.Errorf("%s: the linear model does not learn", encoder)
		}
	}
}

// TestEncoderOfBundle: a bundle's encoder makes the vectors that training left it
// with, whatever of it was trained.
func TestEncoderOfBundle(t *testing.T) {
	rows := articles(t, 60, 1)
	texts := []string{"my card", "", "the café is closed, the café"}
	e, err := embed.Load("../embed/testdata/sentence")
	if err != nil {
		t.Fatal(err)
	}
	before, err := e.Embed(texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, tune := range []string{"none", "all", "last_n", "lora"} {
		m := reader(t, rows, "pretrained "+tune, &Linear{})
		m.Network = &MLP{Activation: "relu"}
		learnTexts(t, m, rows, 2)
		path := filepath.Join(t.TempDir(), "m.hone")
		if err := m.Save(path, "test"); err != nil {
			t.Fatal(err)
		}
		e, err := embed.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Embed(texts)
		if err != nil {
			t.Fatal(err)
		}
		want := before
		if tune != "none" {
			want = throughNetwork(t, m, texts)
		}
		moved := 0.0
		for i := range got {
			for k := range got[i] {
				if d := math.Abs(float64(got[i][k] - want[i][k])); d > 1e-5 {
					t.Fatalf("%s: text %d differs by %g", tune, i, d)
				}
				moved = max(moved, math.Abs(float64(got[i][k]-before[i][k])))
			}
		}
		if (moved > 1e-4) != (tune != "none") {
			t.Errorf("%s: vectors moved by %g", tune, moved)
		}
	}
	m := reader(t, rows, "ngrams", &Linear{})
	learnTexts(t, m, rows, 1)
	path := filepath.Join(t.TempDir(), "m.hone")
	if err := m.Save(path, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := embed.Load(path); err == nil || !strings.Contains(err.Error(), "no pre-trained encoder") {
		t.Errorf("a bundle without an encoder: %v", err)
	}
}

// throughNetwork returns the vectors of texts as the network has them.
func throughNetwork(t *testing.T, m *Model, texts []string) [][]float32 {
	t.Helper()
	f := m.Inputs[0].Feature.(*feature.Text).FittedText.(*feature.Pretrained)
	b := graph.New("vectors")
	c := &nn.Context{B: b, State: m.State}
	ids, lengths := b.Input("ids", tensor.Int32, graph.Rows, graph.N(f.Model.Length)), b.Input("lengths", tensor.Int32, graph.Rows)
	c = c.Sub("input/" + m.Inputs[0].Column)
	c.Lengths = lengths
	b.Output("vectors", f.Encode(c, []*graph.Node{ids}, false))
	p, err := b.Program()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := cpu.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Sequences(texts)
	if err != nil {
		t.Fatal(err)
	}
	x := tensor.New(tensor.Int32, len(texts), f.Model.Length)
	for i := range texts {
		s.Fill(0, i, x, i)
	}
	out := []*tensor.Tensor{tensor.Zeros(0)}
	if err := exe.Run([]*tensor.Tensor{x, s.Lengths()}, out); err != nil {
		t.Fatal(err)
	}
	width := f.Model.Width()
	var rows [][]float32
	for i := range texts {
		row := slices.Clone(out[0].Floats()[i*width:][:width])
		for k := range row {
			row[k] /= float32(math.Sqrt(float64(width))) // by which the feature scales vectors of length 1
		}
		rows = append(rows, row)
	}
	return rows
}
