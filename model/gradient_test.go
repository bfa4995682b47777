package model

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/feature"
)

// midpoints are n points in the middle of as many equal pieces, and their weights.
func midpoints(n int) (at, weight []float64) {
	for i := range n {
		at, weight = append(at, (float64(i)+0.5)/float64(n)), append(weight, 1/float64(n))
	}
	return at, weight
}

// predicted is the probability of a class, or the value.
func predicted(p *Predictions, row, class int) float64 {
	if p.Class == nil {
		return p.Value[row]
	}
	return p.Probability(row, class)
}

// complete checks that the parts of a walk add up to what lies between the ends,
// which are as predicted.
func complete(t *testing.T, what string, m *Model, output int, row, base *data.Table, class, steps int, tolerance float64) *Walk {
	t.Helper()
	p, err := m.Path(output)
	if err != nil {
		t.Fatal(what, err)
	}
	at, weight := midpoints(steps)
	w, err := p.Walk(context.Background(), row, base, class, at, weight)
	if err != nil {
		t.Fatal(what, err)
	}
	for _, end := range []struct {
		rows *data.Table
		got  float64
	}{{row, w.Value}, {base, w.Base}} {
		all, err := m.PredictAll(context.Background(), end.rows)
		if err != nil {
			t.Fatal(err)
		}
		if want := predicted(all[output], 0, class); math.Abs(end.got-want) > 1e-5*max(1, math.Abs(want)) {
			t.Errorf("%s: an end of the path is %v, predicted is %v", what, end.got, want)
		}
	}
	sum, size := 0.0, 0.0
	for _, parts := range w.Parts {
		for _, v := range parts {
			sum, size = sum+v, size+math.Abs(v)
		}
	}
	if gap := math.Abs(sum - (w.Value - w.Base)); !(gap <= tolerance*max(size, math.Abs(w.Value-w.Base))) || size == 0 {
		t.Errorf("%s: the parts add up to %v, between the ends lie %v", what, sum, w.Value-w.Base)
	}
	return w
}

// TestPathIsComplete walks between rows in models of every network, embedding and
// task, of members, bags and several outputs: parts add up to the difference.
func TestPathIsComplete(t *testing.T) {
	rows := table(t, 120, 3)
	for _, embedding := range []string{"none", "piecewise_linear", "periodic"} {
		for name, network := range map[string]Network{
			"mlp": &MLP{Widths: []int{8}, Activation: "relu", Norm: "batch"}, "linear": &Linear{},
			"tabm": &TabM{Members: 4, Widths: []int{8}, Activation: "relu"},
		} {
			for _, target := range []string{"churn", "product", "price"} {
				m := embedded(t, rows, target, network, embedding)
				learn(t, m, rows, 3)
				for class := range max(1, len(m.Output.Classes())) {
					complete(t, fmt.Sprint(embedding, name, target, class), m, 0, rows.Slice(5, 6), rows.Slice(9, 10), class, 2048, 5e-3)
				}
			}
		}
	}
	first := embedded(t, rows, "price", &MLP{Widths: []int{8}, Activation: "relu"}, "none")
	var members []*Model
	for i := range 2 {
		m := first.With(first.Output, first.Network)
		m.Member = i
		learn(t, m, rows, 2)
		members = append(members, m)
	}
	bag, err := Bag(members)
	if err != nil {
		t.Fatal(err)
	}
	complete(t, "bag", bag, 0, rows.Slice(0, 1), rows.Slice(1, 2), 0, 512, 5e-3)
}

// TestPathOfALine: of a linear model on numbers, a part is the weight times how far
// the number lies from the base.
func TestPathOfALine(t *testing.T) {
	rows := table(t, 60, 3)
	out, err := defaults(t, &feature.NumberOutputOptions{Transform: "none"}).Fit(rows.Column("price"))
	if err != nil {
		t.Fatal(err)
	}
	m := fitted(t, rows, "price", &Linear{}).With(out, &Linear{})
	learn(t, m, rows, 2)
	w := complete(t, "line", m, 0, rows.Slice(5, 6), rows.Slice(9, 10), 0, 1, 1e-5)
	spent := slices.IndexFunc(m.Inputs, func(in Input) bool { return in.Column == "spent" })
	// The prediction with this number alone changed tells the weight.
	mixed := rows.Slice(9, 10)
	for i, c := range mixed.Columns {
		if c.Name == "spent" {
			mixed.Columns[i] = rows.Slice(5, 6).Column("spent")
		}
	}
	want := predict(t, m, mixed).Value[0] - predict(t, m, rows.Slice(9, 10)).Value[0]
	if got := w.Parts[spent][0]; math.Abs(got-want) > 1e-5*math.Abs(want) || want == 0 {
		t.Errorf("the part is %v, the weight says %v", got, want)
	}
}

// TestPathOfTextsAndImages: n-grams and pixels have parts of their own.
func TestPathOfTextsAndImages(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var records []map[string]any
	var files [][]byte
	for i := range 60 {
		word := []string{"fine", "awful", "good", "bad"}[r.IntN(4)]
		records = append(records, map[string]any{"text": fmt.Sprintf("a %s thing, number %d", word, i%7), "y": word == "fine" || word == "good"})
		im := image.NewGray(image.Rect(0, 0, 6, 6))
		for k := range im.Pix {
			im.Pix[k] = uint8(r.IntN(256))
		}
		im.SetGray(2, 2, color.Gray{Y: map[bool]uint8{true: 255, false: 0}[records[i]["y"].(bool)]})
		var b bytes.Buffer
		if err := png.Encode(&b, im); err != nil {
			t.Fatal(err)
		}
		files = append(files, b.Bytes())
	}
	rows, err := data.FromRecords(data.Schema{{Name: "text", Type: data.Text}, {Name: "y", Type: data.Boolean, False: "no", True: "yes"}}, records)
	if err != nil {
		t.Fatal(err)
	}
	rows.Columns = append(rows.Columns, data.NewImages("picture", files))
	out, err := defaults(t, &feature.BinaryOptions{}).Fit(rows.Column("y"))
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Name: "m", Target: "y", Output: out, Network: &MLP{Widths: []int{8}, Activation: "relu"}, State: graph.NewState()}
	for _, name := range []string{"text", "picture"} {
		c := rows.Column(name)
		f, err := defaults(t, feature.InputTypes()[feature.InputFor(c.Type)]).Fit(c)
		if err != nil {
			t.Fatal(err)
		}
		m.Inputs = append(m.Inputs, Input{name, f})
	}
	learnTexts(t, m, rows, 4)
	w := complete(t, "text and image", m, 0, rows.Slice(0, 1), rows.Slice(1, 2), 1, 128, 2e-2)
	if len(w.Parts[0]) != len(w.Places[0]) || w.Places[1] != nil || len(w.Parts[1]) != 36 {
		t.Errorf("%d parts of %d n-grams, and %d of 36 pixels", len(w.Parts[0]), len(w.Places[0]), len(w.Parts[1]))
	}
	for i, place := range w.Places[0] {
		if place < 0 && w.Parts[0][i] != 0 {
			t.Errorf("no n-gram has the part %v", w.Parts[0][i])
		}
	}
}

// TestPathIsTheSameOnAnyThreads: bits do not depend on threads, nor errors.
func TestPathIsTheSameOnAnyThreads(t *testing.T) {
	rows := table(t, 60, 3)
	m := embedded(t, rows, "product", &MLP{Widths: []int{8}, Activation: "relu"}, "periodic")
	learn(t, m, rows, 1)
	var want *Walk
	for _, threads := range []int{1, 3} {
		old := runtime.GOMAXPROCS(threads)
		got := complete(t, "threads", m, 0, rows.Slice(5, 6), rows.Slice(9, 10), 1, 100, 1e-2)
		runtime.GOMAXPROCS(old)
		if want == nil {
			want = got
		}
		for i := range got.Parts {
			if !slices.Equal(got.Parts[i], want.Parts[i]) {
				t.Errorf("parts of %s differ by threads", m.Inputs[i].Column)
			}
		}
	}
	if _, err := m.Path(1); err == nil {
		t.Error("an output that is not there has a path")
	}
}

// TestPathIsTheIntegral holds each column's part against the integral of central
// differences of predictions, taken in the columns' own unit.
func TestPathIsTheIntegral(t *testing.T) {
	rows := table(t, 120, 3)
	out, err := defaults(t, &feature.NumberOutputOptions{Transform: "none"}).Fit(rows.Column("price"))
	if err != nil {
		t.Fatal(err)
	}
	network := &MLP{Widths: []int{16}, Activation: "tanh"}
	m := fitted(t, rows, "price", network).With(out, network)
	m.Inputs = slices.DeleteFunc(slices.Clone(m.Inputs), func(in Input) bool { return in.Column != "tenure" && in.Column != "spent" })
	learn(t, m, rows, 20)
	present := func(from int) *data.Table {
		for rows.Column("tenure").Missing(from) {
			from++
		}
		return rows.Slice(from, from+1)
	}
	row, base := present(5), present(20)
	w := complete(t, "integral", m, 0, row, base, 0, 256, 1e-3)
	for i, in := range m.Inputs {
		const steps, share = 256, 1e-2 // of the way, to each side
		a, b := base.Column(in.Column).Numbers[0], row.Column(in.Column).Numbers[0]
		points := &data.Table{Rows: 2 * steps}
		for _, name := range []string{"tenure", "spent"} {
			from, to := base.Column(name).Numbers[0], row.Column(name).Numbers[0]
			c := &data.Column{Name: name, Type: data.Number}
			for k := range steps {
				x := from + (float64(k)+0.5)/steps*(to-from)
				d := 0.0
				if name == in.Column {
					d = share * (b - a)
				}
				c.Numbers = append(c.Numbers, x-d, x+d)
			}
			points.Columns = append(points.Columns, c)
		}
		p := predict(t, m, points)
		want := 0.0
		for k := range steps {
			want += (p.Value[2*k+1] - p.Value[2*k]) / (2 * share) / steps
		}
		if got := w.Parts[i][0]; math.Abs(got-want) > 5e-3*(math.Abs(w.Value-w.Base)+math.Abs(want)) {
			t.Errorf("%s has the part %v, the integral is %v", in.Column, got, want)
		}
	}
}

// TestPathOfEveryEncoder walks between articles of different lengths.
func TestPathOfEveryEncoder(t *testing.T) {
	rows := articles(t, 60, 1)
	for encoder := range (feature.TextEncoder{}).Variants() {
		if encoder == "pretrained" { // it needs a folder, and is one more network of tokens
			continue
		}
		m := reader(t, rows, encoder, defaults(t, &MLP{}))
		learnTexts(t, m, rows, 2)
		for i := range 4 { // row 3 has an empty text
			complete(t, fmt.Sprint(encoder, i), m, 0, rows.Slice(i, i+1), rows.Slice(i+1, i+2), 1, 128, 2e-2)
		}
	}
}

// TestPathOfCorrected: probabilities that validation rows corrected are those that are
// explained, of one network and of a bag.
func TestPathOfCorrected(t *testing.T) {
	rows := table(t, 120, 3)
	curve := calibrate.Curve{X: []float64{0.1, 0.4, 0.7}, Y: []float64{0.05, 0.3, 0.9}}
	for target, maps := range map[string][]*calibrate.Map{
		"churn":   {{Method: calibrate.Temperature, Temperature: 1.7}, {Method: calibrate.Isotonic, Rows: 50, Curves: []calibrate.Curve{curve}}},
		"product": {{Method: calibrate.Temperature, Temperature: 0.6}, {Method: calibrate.Isotonic, Rows: 50, Curves: slices.Repeat([]calibrate.Curve{curve}, 6)}},
	} {
		m := fitted(t, rows, target, &MLP{Widths: []int{8}, Activation: "relu"})
		learn(t, m, rows, 3)
		for _, c := range maps {
			m.Calibration = []Calibration{{Map: c}}
			complete(t, target+c.Method, m, 0, rows.Slice(5, 6), rows.Slice(9, 10), 1, 2048, 5e-3)
		}
		second := m.With(m.Output, m.Network)
		second.Member, second.State = 1, graph.NewState()
		learn(t, second, rows, 2)
		bag, err := Bag([]*Model{m, second})
		if err != nil {
			t.Fatal(err)
		}
		bag.Calibration = []Calibration{{Map: maps[0]}}
		complete(t, target+" in a bag", bag, 0, rows.Slice(5, 6), rows.Slice(9, 10), 0, 512, 5e-3)
	}
}
