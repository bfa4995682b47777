package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/format/safetensors"
)

// fromBundle reads the first pre-trained encoder of a bundle, with what training
// made of it.
func fromBundle(path string) (*Model, error) {
	b, err := bundle.Read(path)
	if err != nil {
		return nil, err
	}
	m, err := takeFrom(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func takeFrom(b *bundle.Bundle) (*Model, error) {
	raw, err := b.Part("features.json")
	if err != nil {
		return nil, err
	}
	type saved struct {
		Type   string          `json:"type"`
		Fitted json.RawMessage `json:"fitted"`
	}
	var features struct {
		Inputs []struct {
			Column  string `json:"column"`
			Feature saved  `json:"feature"`
		} `json:"inputs"`
		Members int `json:"members"`
	}
	if err := json.Unmarshal(raw, &features); err != nil {
		return nil, fmt.Errorf("features.json: %w", err)
	}
	times := map[string]int{}
	for _, in := range features.Inputs {
		name := in.Column // as package model names inputs of one column
		if times[in.Column]++; times[in.Column] > 1 {
			name = fmt.Sprintf("%s/%d", name, times[in.Column])
		}
		var encoder saved
		if in.Feature.Type != "text" || json.Unmarshal(in.Feature.Fitted, &encoder) != nil || encoder.Type != "pretrained" {
			continue
		}
		var fitted struct {
			Model *Model  `json:"model"`
			Rank  int     `json:"rank"`
			Alpha float64 `json:"alpha"`
		}
		if err := json.Unmarshal(encoder.Fitted, &fitted); err != nil {
			return nil, fmt.Errorf("features.json: column %q: %w", in.Column, err)
		}
		if fitted.Model == nil {
			return nil, fmt.Errorf("features.json: column %q: the encoder has no model", in.Column)
		}
		raw, err := b.Part("weights.safetensors")
		if err != nil {
			return nil, err
		}
		f, err := safetensors.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("weights.safetensors: %w", err)
		}
		own := "input/" + name + "/"
		if features.Members > 0 {
			own = "member/0/" + own
		}
		m := fitted.Model
		if m.Values, err = values(f, "frozen/"+name+"/", own); err != nil {
			return nil, fmt.Errorf("weights.safetensors: %w", err)
		}
		if err := m.merge(fitted.Rank, fitted.Alpha); err != nil {
			return nil, fmt.Errorf("weights.safetensors: %w", err)
		}
		return m, m.CheckValues()
	}
	return nil, errors.New("it has no pre-trained encoder of texts, expected a model with an input of encoder: {type: pretrained}")
}

// values returns the tensors under any of some names.
func values(f *safetensors.File, under ...string) (map[string]*tensor.Tensor, error) {
	out := map[string]*tensor.Tensor{}
	for i := range f.Tensors {
		for _, prefix := range under {
			name, ok := strings.CutPrefix(f.Tensors[i].Name, prefix)
			if !ok || !strings.HasPrefix(name, "encoder/") && !strings.HasPrefix(name, "pooled/") {
				continue
			}
			t, err := f.Tensors[i].Tensor()
			if err != nil {
				return nil, err
			}
			out[name] = t
		}
	}
	return out, nil
}

// merge adds corrections of low rank to the weights that they correct.
func (m *Model) merge(rank int, alpha float64) error {
	if rank == 0 {
		return nil
	}
	width := m.Encoder.Width
	if rank < 0 || rank > width {
		return fmt.Errorf("corrections of rank %d, expected 1 to %d", rank, width)
	}
	for i := range m.Encoder.Depth {
		at := fmt.Sprintf("encoder/block_%d/transformer_1/attention_1/", i+1)
		in, query, value, kernel := m.Values[at+"lora_in"], m.Values[at+"lora_query"], m.Values[at+"lora_value"], m.Values[at+"dense_1/kernel"]
		for t, n := range map[*tensor.Tensor]int{in: 2 * width * rank, query: width * rank, value: width * rank, kernel: 3 * width * width} {
			if t == nil || t.DType() != tensor.Float32 || t.Len() != n {
				return fmt.Errorf("the corrections of block %d are not of rank %d", i+1, rank)
			}
		}
		a, w := in.Floats(), kernel.Floats()
		for row := range width {
			for part, b := range [][]float32{query.Floats(), value.Floats()} {
				to := w[row*3*width+2*part*width:][:width]
				for k := range rank {
					f := a[row*2*rank+part*rank+k] * float32(alpha/float64(rank))
					for j := range to {
						to[j] += f * b[k*width+j]
					}
				}
			}
		}
		for _, name := range []string{"lora_in", "lora_query", "lora_value"} {
			delete(m.Values, at+name)
		}
	}
	return nil
}
