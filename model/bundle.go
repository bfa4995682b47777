package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/format/safetensors"
	"github.com/hone-ml/hone/nn/optim"
)

// The parts of a bundle that are the model. Others (config.yaml,
// metrics.json, model_card.md) tell of it.
const (
	featuresPart = "features.json"
	weightsPart  = "weights.safetensors"
)

// savedModel is features.json.
type savedModel struct {
	Name    string          `json:"name"`
	Inputs  []savedColumn   `json:"inputs"`
	Output  *savedColumn    `json:"output,omitempty"`  // the only one, or
	Outputs []savedColumn   `json:"outputs,omitempty"` // all of several
	Network json.RawMessage `json:"network"`
	Type    string          `json:"network_type"`
	Schema  data.Schema     `json:"schema"`
	Clean   json.RawMessage `json:"clean,omitempty"`
	Weight  string          `json:"weight,omitempty"`
	Members int             `json:"members,omitempty"`

	Abstain map[string]*Abstention `json:"abstain,omitempty"`
}

type savedColumn struct {
	Column  string          `json:"column"`
	Feature json.RawMessage `json:"feature"`
}

// Parts returns the parts of the bundle that make up the model.
func (m *Model) Parts() ([]bundle.Part, error) {
	s := savedModel{Name: m.Name, Type: m.Network.Type(), Schema: m.Schema, Weight: m.Weight, Members: m.Members, Abstain: m.Abstain}
	for _, in := range m.Inputs {
		raw, err := feature.Marshal(in.Feature)
		if err != nil {
			return nil, err
		}
		s.Inputs = append(s.Inputs, savedColumn{in.Column, raw})
	}
	for _, o := range m.Outputs() {
		raw, err := feature.Marshal(o.Feature)
		if err != nil {
			return nil, err
		}
		s.Outputs = append(s.Outputs, savedColumn{o.Column, raw})
	}
	if len(s.Outputs) == 1 {
		s.Output, s.Outputs = &s.Outputs[0], nil
	}
	var err error
	if s.Network, err = json.Marshal(m.Network); err != nil {
		return nil, err
	}
	if s.Clean, err = data.MarshalSteps(m.Clean); err != nil {
		return nil, err
	}
	features, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	var weights safetensors.File
	for _, v := range optim.ModelVariables(m.State) {
		weights.Tensors = append(weights.Tensors, safetensors.FromTensor(v.Name, v.Value))
	}
	for i, in := range m.Inputs {
		if f, ok := in.Feature.(feature.Weighted); ok {
			for name, t := range f.Weights() {
				weights.Tensors = append(weights.Tensors, safetensors.FromTensor(m.frozen(i)+name, t))
			}
		}
	}
	var w bytes.Buffer
	if err := weights.Write(&w); err != nil {
		return nil, err
	}
	parts := []bundle.Part{{Name: featuresPart, Content: append(features, '\n')}, {Name: weightsPart, Content: w.Bytes()}}
	calibration, err := m.calibrationContent()
	if calibration != nil {
		parts = append(parts, bundle.Part{Name: calibrationPart, Content: calibration})
	}
	return parts, err
}

// Save writes a bundle of the model and further parts.
func (m *Model) Save(path, writer string, more ...bundle.Part) error {
	parts, err := m.Parts()
	if err != nil {
		return err
	}
	return bundle.Write(path, writer, append(parts, more...))
}

// Load reads a bundle and makes the model ready to predict.
func Load(path string) (*Model, *bundle.Bundle, error) {
	b, err := bundle.Read(path)
	if err != nil {
		return nil, nil, err
	}
	m, err := FromBundle(b)
	if err != nil {
		return nil, nil, &bundle.Error{Path: path, Problem: err.Error(), Remedy: "train the model again, or use the version of hone that wrote it (" + b.Writer + ")"}
	}
	return m, b, nil
}

// FromBundle makes the model of an open bundle ready to predict.
func FromBundle(b *bundle.Bundle) (*Model, error) {
	features, err := b.Part(featuresPart)
	if err != nil {
		return nil, err
	}
	weights, err := b.Part(weightsPart)
	if err != nil {
		return nil, err
	}
	m, err := fromParts(features, weights)
	if err != nil || !slices.Contains(b.Names(), calibrationPart) {
		return m, err
	}
	calibration, err := b.Part(calibrationPart)
	if err != nil {
		return nil, err
	}
	if err := m.takeCalibration(calibration); err != nil {
		return nil, fmt.Errorf("%s: %w", calibrationPart, err)
	}
	return m, nil
}

func fromParts(features, tensors []byte) (*Model, error) {
	var s savedModel
	if err := json.Unmarshal(features, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", featuresPart, err)
	}
	if s.Members < 0 || s.Members > MaxMembers {
		return nil, fmt.Errorf("%s: it has %d members, at most %d are possible", featuresPart, s.Members, MaxMembers)
	}
	m := &Model{Name: s.Name, Schema: s.Schema, Weight: s.Weight, State: graph.NewState(), Members: s.Members, Abstain: s.Abstain}
	for _, in := range s.Inputs {
		f, err := feature.UnmarshalInput(in.Feature)
		if err != nil {
			return nil, fmt.Errorf("%s: column %q: %w", featuresPart, in.Column, err)
		}
		if s.Schema.Field(in.Column) == nil {
			return nil, fmt.Errorf("%s: input %q is not in the schema", featuresPart, in.Column)
		}
		m.Inputs = append(m.Inputs, Input{in.Column, f})
	}
	var err error
	outputs := s.Outputs
	switch {
	case s.Output != nil && outputs != nil:
		return nil, fmt.Errorf("%s: output and outputs are both given, expected one of them", featuresPart)
	case s.Output != nil:
		outputs = []savedColumn{*s.Output}
	case len(outputs) == 0:
		return nil, fmt.Errorf("%s: it has no output", featuresPart)
	}
	for i, o := range outputs {
		f, err := feature.UnmarshalOutput(o.Feature)
		if err != nil {
			return nil, fmt.Errorf("%s: column %q: %w", featuresPart, o.Column, err)
		}
		if i == 0 {
			m.Target, m.Output = o.Column, f
		} else {
			m.Others = append(m.Others, Output{o.Column, f})
		}
	}
	if err := errors.Join(m.check(), m.checkAbstain()); err != nil {
		return nil, fmt.Errorf("%s: %w", featuresPart, err)
	}
	if m.Network, err = newNetwork(s.Type); err != nil {
		return nil, fmt.Errorf("%s: %w", featuresPart, err)
	}
	if err := json.Unmarshal(s.Network, m.Network); err != nil {
		return nil, fmt.Errorf("%s: network: %w", featuresPart, err)
	}
	if m.Clean, err = data.UnmarshalSteps(s.Clean, s.Schema); err != nil {
		return nil, fmt.Errorf("%s: clean: %w", featuresPart, err)
	}
	weights, err := safetensors.Parse(tensors)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", weightsPart, err)
	}
	if v, ok := m.Network.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return nil, fmt.Errorf("%s: network: %w", featuresPart, err)
		}
	}
	if err := m.takeFrozen(weights); err != nil {
		return nil, fmt.Errorf("%s: %w", weightsPart, err)
	}
	if err := m.take(weights); err != nil {
		return nil, fmt.Errorf("%s: %w", weightsPart, err)
	}
	return m, m.Compile()
}

// frozen is what the names of the weights begin with that are an input's own.
func (m *Model) frozen(i int) string { return "frozen/" + m.inputName(i) + "/" }

// takeFrozen gives inputs their weights, which it takes out of the file.
func (m *Model) takeFrozen(f *safetensors.File) error {
	for i, in := range m.Inputs {
		w, ok := in.Feature.(feature.Weighted)
		if !ok {
			continue
		}
		var values map[string]*tensor.Tensor
		var rest []safetensors.Entry
		for _, e := range f.Tensors {
			name, own := strings.CutPrefix(e.Name, m.frozen(i))
			// Of the inputs letter and letter/2, it is of that with the longer name.
			for k := range m.Inputs {
				own = own && !(len(m.frozen(k)) > len(m.frozen(i)) && strings.HasPrefix(e.Name, m.frozen(k)))
			}
			if !own {
				rest = append(rest, e)
				continue
			}
			t, err := e.Tensor()
			if err != nil {
				return err
			}
			if values == nil {
				values = map[string]*tensor.Tensor{}
			}
			values[name] = t
		}
		if err := w.SetWeights(values); err != nil {
			return fmt.Errorf("input %q: %w", in.Column, err)
		}
		f.Tensors = rest
	}
	return nil
}

// take makes the tensors of a file the model's variables, after it has held
// them against what the network needs.
func (m *Model) take(f *safetensors.File) error {
	_, needed, err := m.Describe()
	if err != nil {
		return err
	}
	for _, e := range f.Tensors {
		if needed.Lookup(e.Name) == nil {
			return fmt.Errorf("it holds %q, which the network does not use", e.Name)
		}
	}
	var missing []string
	for _, v := range needed.Variables() {
		e := f.Lookup(v.Name)
		if e == nil {
			missing = append(missing, v.Name)
			continue
		}
		t, err := e.Tensor()
		if err != nil {
			return err
		}
		if !tensor.SameShape(t.Shape(), v.Value.Shape()) || t.DType() != v.Value.DType() {
			return fmt.Errorf("tensor %q is %v, the network needs %v", v.Name, t, v.Value)
		}
		if _, err := m.State.Add(v.Name, t, v.Trainable); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("it lacks %s, which the network needs", strings.Join(missing, ", "))
	}
	return nil
}
