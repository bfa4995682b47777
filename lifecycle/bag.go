package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/train"
)

// Validate finds bagging that is neither auto nor off nor a number of networks, an
// average that is none, and classes that are to be weighted and sampled.
func (t *Train) Validate() error {
	if n, err := strconv.Atoi(t.Bagging); t.Bagging != "auto" && t.Bagging != "off" && (err != nil || n < 2 || n > model.MaxMembers) {
		return fmt.Errorf("bagging: found %q, expected auto, off or a number of networks from 2 to %d", t.Bagging, model.MaxMembers)
	}
	if share, err := strconv.ParseFloat(t.Average, 64); t.Average != "auto" && !(err == nil && share >= 0 && share <= 1) {
		return fmt.Errorf("average: found %q, expected auto, or a number from 0 to 1", t.Average)
	}
	if t.ClassWeights == balanced && t.ClassSampling.on() {
		return errors.New("class_weights and class_sampling are both given, and each alone makes the classes count as they say: remove one")
	}
	return nil
}

// Tables below so many rows, validation rows included, get so many networks
// where train.bagging is auto. Each network trains on all rows but its fold, by
// which it stops: on a small table the rows that a single one would have to do
// without, and the few by which it would stop, cost more than the time.
const (
	bagEight, bagFive = 1000, 2000
)

// bagging returns the number of networks for so many rows; 0: one by itself.
func (c *Config) bagging(rows int) int {
	if n, err := strconv.Atoi(c.Train.Bagging); err == nil {
		return n
	}
	switch {
	case c.Train.Bagging == "off", len(c.Data.Validation.File) > 0, c.splitSpec().Method == "time":
		return 0 // somebody chose the validation rows, or the past must not learn from the future
	case rows < bagEight:
		return 8
	case rows < bagFive:
		return 5
	}
	return 0
}

// pool makes training rows of the validation rows and divides all of them into
// folds, if they are to be trained on in that way: one network for each fold, which
// trains on the others and stops by it.
func (p *prepared) pool(c *Config) (err error) {
	k := c.bagging(p.train.Rows + p.valid.Rows)
	if k == 0 {
		return nil
	}
	split := c.splitSpec()
	spec := data.FoldSpec{Folds: k, Repeats: 1, Method: split.Method, Column: split.Column}
	all := data.Concat(p.train, p.valid)
	folds, err := data.Folds(all, spec, c.Outputs[0].Name, c.Seed)
	if err != nil {
		return mistake("%s: train.bagging: %d rows to train and validate on cannot be divided for %d networks by %s: set it to a smaller number, or to off", c.doc.Name(), all.Rows, k, split.Method)
	}
	p.train, p.valid, p.bag = all, nil, folds[0]
	return nil
}

// held are the rows that a fit is validated on.
func (p *prepared) held() *data.Table {
	if p.bag != nil {
		return p.train
	}
	return p.valid
}

// rowsOf is 0 for no table.
func rowsOf(t *data.Table) int {
	if t == nil {
		return 0
	}
	return t.Rows
}

// fitModel trains a model's network and, where it is to be chosen, finds the
// threshold of its decisions on the validation rows.
func (r *run) fitModel(ctx context.Context, c *Config, p *prepared, m *model.Model, what string, options func() train.Options, size int) (*fitted, error) {
	fit, err := r.trainAll(ctx, c, p, m, what, options, size)
	if err != nil {
		return nil, err
	}
	chosen, err := fit.chooseThresholds(c, p)
	if p == r.p { // a fold's choice is of no interest
		for _, one := range chosen {
			r.watch(Event{Stage: r.stage, Note: fmt.Sprintf("%s: %s", what, one)})
		}
	}
	return fit, err
}

// trainAll trains a model's network on the training rows, or one for each fold
// of the pooled rows, whose mean is then the model. Its validation predictions are
// for every row those of the network that did not train on it.
func (r *run) trainAll(ctx context.Context, c *Config, p *prepared, m *model.Model, what string, options func() train.Options, size int) (*fitted, error) {
	if p.bag == nil {
		return r.trainModel(ctx, c, p, m, what, options, size)
	}
	var members []*fitted
	var models []*model.Model
	held := make([]outOfFolds, 1+len(m.Others))
	for i, o := range m.Outputs() {
		held[i].by = []*model.Predictions{{Kind: o.Feature.Kind(), Classes: o.Feature.Classes()}}
	}
	for k, f := range p.bag {
		part := *p
		part.train, part.valid, part.bag = p.train.Select(f.Train), p.train.Select(f.Test), nil
		seeded := func() train.Options {
			o := options()
			o.Seed += uint64(k) << 32
			return o
		}
		one := m.With(m.Output, m.Network)
		one.Member = k
		fit, err := r.trainModel(ctx, c, &part, one, fmt.Sprintf("%s, %d of %d", what, k+1, len(p.bag)), seeded, size)
		if err != nil {
			return nil, err
		}
		members, models = append(members, fit), append(models, fit.model)
		for i, h := range fit.held {
			held[i].rows, held[i].truth = append(held[i].rows, f.Test...), append(held[i].truth, h.truth...)
			held[i].by[0].Append(h.by)
		}
	}
	for i := range held {
		held[i].sort()
	}
	bag, err := model.Bag(models)
	if err != nil {
		return nil, err
	}
	// The curves are those of the network in the middle; the time is that of all.
	seconds := 0.0
	for _, f := range members {
		seconds += f.result.Seconds
	}
	best := func(f *fitted) float64 { return f.result.History[f.result.BestEpoch-1].Validation }
	slices.SortStableFunc(members, func(a, b *fitted) int {
		if x, y := best(a), best(b); x != y {
			return map[bool]int{true: -1, false: 1}[x < y]
		}
		return 0
	})
	result := *members[(len(members)-1)/2].result
	result.Seconds = seconds
	all := &fitted{model: bag, result: &result, networks: models}
	for _, h := range held {
		all.held = append(all.held, heldOut{h.by[0], h.truth, p.weights(p.train)})
	}
	return all, nil
}
