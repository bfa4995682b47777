package explain

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
)

// Names of methods.
const (
	Auto       = "auto"                 // integrated gradients for a local model of texts or images, else Shapley values
	SHAP       = "shap"                 // of columns, of words; exact where the players are few
	Gradients  = "integrated_gradients" // of everything that the network reads
	Occlusion  = "occlusion"            // of patches of an image: what is lost without each
	exactSHAP  = "exact_shap"
	sampleSHAP = "sampled_shap"
)

// LocalOptions say how rows are explained.
type LocalOptions struct {
	Method string // Auto, SHAP or Gradients
	// Class is the index of the class whose probability is explained; −1: of two
	// classes the positive one, of more the one that the row is predicted to be, of
	// labels the most probable.
	Class int
	// Budget is how many rows are predicted to explain one, about, where that is a
	// choice.
	Budget int
	// Tolerance is by how much integrated gradients may miss the difference that they
	// share out, as a part of it; of several rows to compare with, of its size in the
	// mean.
	Tolerance float64
	Seed      uint64
}

// DefaultLocal returns the options that hone explain starts from.
func DefaultLocal() LocalOptions {
	return LocalOptions{Method: Auto, Class: -1, Budget: 20_000, Tolerance: 0.005}
}

// An Explanation tells why a row is predicted to be what it is: what each column adds
// to Base, the mean prediction of the rows that it is compared with.
type Explanation struct {
	Row        int     `json:"row"`             // from 1
	Class      string  `json:"class,omitempty"` // whose probability it is about
	Prediction float64 `json:"prediction"`
	Base       float64 `json:"base"`
	Method     string  `json:"method"`
	// Predictions is how many rows were predicted, of integrated gradients how many
	// points of the way were looked at.
	Predictions int `json:"predictions"`
	// Gap is by how much the effects miss Prediction − Base, beyond rounding 0 but for
	// integrated gradients. Complete says whether that is within the tolerance.
	Gap      float64  `json:"gap"`
	Complete bool     `json:"complete"`
	Columns  []Effect `json:"columns"` // the largest first
	Texts    []Text   `json:"texts,omitempty"`
	Images   []Image  `json:"images,omitempty"`
}

// An Effect is what a column adds.
type Effect struct {
	Column string  `json:"column"`
	Value  string  `json:"value"` // of the row, as text
	Effect float64 `json:"effect"`
	// Error is the standard error of an effect that was sampled.
	Error *float64 `json:"error,omitempty"`
}

// Local explains row i (from 0) of rows against each row of base, in the mean. Tables
// must hold the columns of the subject; where the subject is a model with cleaning
// steps, both had better be clean already.
func Local(ctx context.Context, s *Subject, rows *data.Table, i int, base *data.Table, o LocalOptions) (*Explanation, error) {
	for _, t := range []*data.Table{rows, base} {
		if err := s.has(t); err != nil {
			return nil, err
		}
	}
	switch {
	case i < 0 || i >= rows.Rows:
		return nil, fmt.Errorf("explain: row %d of %d", i+1, rows.Rows)
	case base.Rows == 0:
		return nil, errors.New("explain: there are no rows to compare with")
	case rows.Cleaned != base.Cleaned:
		return nil, errors.New("explain: one of the tables is clean, the other is not")
	}
	x := &data.Table{Rows: 1, Cleaned: rows.Cleaned}
	against := &data.Table{Rows: base.Rows, Cleaned: base.Cleaned}
	for _, name := range s.Columns { // the others may differ
		x.Columns = append(x.Columns, pick(rows.Column(name), []int{i}))
		against.Columns = append(against.Columns, base.Column(name))
	}
	p, err := s.Predict(ctx, x)
	if err != nil {
		return nil, err
	}
	class := o.Class
	switch {
	case p.Kind == metric.Regression:
		class = 0
	case class >= len(p.Classes):
		return nil, fmt.Errorf("explain: class %d of %d", class+1, len(p.Classes))
	case class < 0 && p.Kind == metric.Binary:
		class = 1
	case class < 0:
		class = 0
		for k := range p.Classes {
			if p.Probability(0, k) > p.Probability(0, class) {
				class = k
			}
		}
	}
	e := &Explanation{Row: i + 1, Prediction: outcome(p, 0, class)}
	if p.Classes != nil {
		e.Class = p.Classes[class]
	}
	b, err := s.Predict(ctx, against)
	if err != nil {
		return nil, err
	}
	reach := 0.0
	for k := range base.Rows {
		v := outcome(b, k, class)
		e.Base += v / float64(base.Rows)
		reach += math.Abs(e.Prediction-v) / float64(base.Rows)
	}
	parts := false // whether there are texts or images
	for _, c := range x.Columns {
		parts = parts || c.Type == data.Text || c.Type == data.Image
	}
	g, differentiable := s.By.(model.Gradienter)
	switch o.Method {
	case Auto, SHAP:
	case Gradients:
		if !differentiable {
			return nil, fmt.Errorf("method %s needs a model that is here: a live endpoint tells predictions and no derivatives; take %s", Gradients, SHAP)
		}
	default:
		return nil, fmt.Errorf("explain: method %q, expected %s, %s or %s", o.Method, Auto, SHAP, Gradients)
	}
	l := &local{Subject: s, x: x, base: against, class: class, reach: reach, o: o, e: e}
	if o.Method == Gradients || o.Method == Auto && parts && differentiable {
		err = l.integrate(ctx, g)
	} else {
		err = l.share(ctx)
	}
	if err != nil {
		return nil, err
	}
	sum := 0.0
	for _, c := range e.Columns {
		sum += c.Effect
	}
	e.Gap = sum - (e.Prediction - e.Base)
	e.Complete = math.Abs(e.Gap) <= l.tolerance()
	slices.SortStableFunc(e.Columns, func(a, b Effect) int {
		switch x, y := math.Abs(a.Effect), math.Abs(b.Effect); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return e, nil
}

// local is one row being explained.
type local struct {
	*Subject
	x, base *data.Table
	class   int
	reach   float64 // how far predictions of the bases are from the row's, in the mean
	o       LocalOptions
	e       *Explanation
}

// tolerance is what effects may miss in all: a part of what they share out, and never
// less than what rounding to 32 bits makes of a prediction.
func (l *local) tolerance() float64 {
	return max(l.o.Tolerance*l.reach, 1e-4*max(math.Abs(l.e.Prediction), math.Abs(l.e.Base)))
}

// share finds the Shapley values of the columns, then of the parts of texts and images.
func (l *local) share(ctx context.Context) error {
	both := data.Concat(l.x, l.base)
	effects := make([]Effect, len(l.x.Columns))
	var players []int // columns in which the row is not as all bases: those have no effect
	for j, c := range both.Columns {
		effects[j] = Effect{Column: c.Name, Value: c.Text(0)}
		for k := 1; k < both.Rows; k++ {
			if value(c, k) != value(c, 0) {
				players = append(players, j)
				break
			}
		}
	}
	g := &game{players: len(players), bases: l.base.Rows, play: func(ctx context.Context, moves []move) ([]float64, error) {
		t := &data.Table{Rows: len(moves), Cleaned: both.Cleaned}
		from := make([]int, len(moves))
		for j, c := range both.Columns {
			at := slices.Index(players, j)
			for i, m := range moves {
				if from[i] = 0; at >= 0 && !m.in[at] {
					from[i] = 1 + m.base
				}
			}
			t.Columns = append(t.Columns, pick(c, from))
		}
		return l.outcomes(ctx, t)
	}}
	found, err := g.solve(ctx, l.o.Budget, l.o.Seed)
	if err != nil {
		return err
	}
	l.e.Method, l.e.Predictions = exactSHAP, found.played
	for k, j := range players {
		effects[j].Effect = found.effect[k]
		if found.err != nil {
			effects[j].Error = &found.err[k]
		}
	}
	if found.err != nil {
		l.e.Method = sampleSHAP
	}
	l.e.Columns = effects
	for j, c := range l.x.Columns {
		if !slices.Contains(players, j) {
			continue
		}
		if err := l.parts(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// parts looks into a text or an image by predicting the row with changes to it.
func (l *local) parts(ctx context.Context, c *data.Column) error {
	switch {
	case c.Missing(0):
		return nil
	case c.Type == data.Text:
		return l.words(ctx, c)
	case c.Type == data.Image:
		return l.patches(ctx, c)
	}
	return nil
}

// outcomes predicts what is explained of every row.
func (l *local) outcomes(ctx context.Context, t *data.Table) ([]float64, error) {
	p, err := l.Predict(ctx, t)
	if err != nil {
		return nil, err
	}
	out := make([]float64, t.Rows)
	for i := range out {
		out[i] = outcome(p, i, l.class)
	}
	return out, nil
}

// changed predicts the row with each of several columns in the place of the one of
// that name.
func (l *local) changed(ctx context.Context, c *data.Column) ([]float64, error) {
	return l.outcomes(ctx, with(times(l.x, 0, c.Len()), c))
}

// integrate finds integrated gradients (Sundararajan, Taly and Yan 2017, Axiomatic
// attribution for deep networks) in the mean over the bases (Erion et al. 2021,
// Improving performance of deep learning models with axiomatic attribution priors).
func (l *local) integrate(ctx context.Context, g model.Gradienter) error {
	m, ok := g.(*model.Model)
	path, err := g.Path(l.Output)
	if err != nil {
		return err
	}
	l.e.Method = Gradients
	for _, c := range l.x.Columns {
		l.e.Columns = append(l.e.Columns, Effect{Column: c.Name, Value: c.Text(0)})
	}
	n := l.base.Rows
	var sum [][]float64
	var places [][]int32
	grams := map[int]map[int32]float64{} // by column
	for k := range n {
		w, points, err := along(ctx, path, l.x, l.base.Slice(k, k+1), l.class, l.tolerance(), max(l.o.Budget/n, 64))
		if err != nil {
			return err
		}
		l.e.Predictions += points
		if sum == nil {
			sum, places = make([][]float64, len(w.Parts)), w.Places
		}
		for j, parts := range w.Parts {
			if sum[j] == nil {
				sum[j] = make([]float64, len(parts))
			}
			if w.Places[j] != nil && grams[j] == nil {
				grams[j] = map[int32]float64{}
			}
			for i, v := range parts {
				sum[j][i] += v / float64(n)
				l.e.Columns[j].Effect += v / float64(n)
				if w.Places[j] != nil && w.Places[j][i] >= 0 {
					grams[j][w.Places[j][i]] += v / float64(n)
				}
			}
		}
	}
	for j, c := range l.x.Columns {
		if c.Missing(0) {
			continue
		}
		var fitted feature.Input
		if ok {
			fitted = m.Inputs[j].Feature
		}
		switch f := fitted.(type) {
		case *feature.Text:
			if bag, ok := f.FittedText.(*feature.NGrams); ok && places[j] != nil {
				read := f.Normalized(c.Text(0))
				l.e.Texts = append(l.e.Texts, spread(c.Name, read, bag.Grams(read), grams[j]))
				continue
			}
		case *feature.Image:
			im, err := pixels(c.Name, f, c.Picture(0), sum[j])
			if err != nil {
				return err
			}
			l.e.Images = append(l.e.Images, im)
			continue
		}
		if err := l.parts(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
