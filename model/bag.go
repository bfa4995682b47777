package model

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hone-ml/hone/calibrate"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/nn/optim"
)

// MaxMembers is the most networks that a bag can hold.
const MaxMembers = 100

// member is what the variables of a bag's network are named under.
func member(i int) string { return fmt.Sprintf("member/%d", i) }

// Bag returns a model that predicts the mean of what trained models predict: of
// the probabilities of classes, or of values in the target's unit (Breiman 1996,
// Bagging predictors). They must have the same inputs, output and network, each of
// which is a single one. Their values are copied.
func Bag(models []*Model) (*Model, error) {
	switch {
	case len(models) == 0:
		return nil, errors.New("model: a bag needs a model or more")
	case len(models) > MaxMembers:
		return nil, fmt.Errorf("model: %d models, at most %d fit into a bag", len(models), MaxMembers)
	}
	first, err := shape(models[0])
	if err != nil {
		return nil, err
	}
	bag := models[0].With(models[0].Output, models[0].Network)
	bag.Members, bag.Member = len(models), 0
	for i, m := range models {
		s, err := shape(m)
		if err != nil {
			return nil, err
		}
		if m.Member != i {
			return nil, fmt.Errorf("model: model %d of a bag was trained as number %d", i+1, m.Member+1)
		}
		if m.Members != 0 || !bytes.Equal(s, first) {
			return nil, fmt.Errorf("model: model %d of a bag has other inputs, another output or another network than the first, or is a bag itself", i+1)
		}
		for _, v := range optim.ModelVariables(m.State) {
			if _, err := bag.State.Add(member(i)+"/"+v.Name, v.Value.Clone(), v.Trainable); err != nil {
				return nil, err
			}
		}
	}
	return bag, nil
}

// shape is what the members of a bag must share, as text.
func shape(m *Model) ([]byte, error) {
	parts, err := m.With(m.Output, m.Network).Parts()
	if err != nil {
		return nil, err
	}
	return parts[0].Content, nil
}

// decodeMean turns the predictions of each member, corrected by a map if there is
// one, into their mean. A map is fitted on what single members say of rows that they
// did not see.
func decodeMean(o feature.Output, members []*tensor.Tensor, corrected *calibrate.Map) *Predictions {
	prob, value := o.Decode(members[0].Floats())
	corrected.Apply(prob, len(o.Classes()))
	for _, t := range members[1:] {
		p, v := o.Decode(t.Floats())
		corrected.Apply(p, len(o.Classes()))
		add(prob, p)
		add(value, v)
	}
	if n := float64(len(members)); n > 1 {
		for _, xs := range [][]float64{prob, value} {
			for i := range xs {
				xs[i] /= n
			}
		}
	}
	return Decide(o, prob, value)
}

func add(to, xs []float64) {
	for i, x := range xs {
		to[i] += x
	}
}
