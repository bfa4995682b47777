package huggingface

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Encoder describes a transformer that reads tokens from both sides, as BERT
// (Devlin et al. 2019): vectors of tokens, places and types are added and
// normalised, then go through blocks of attention and a feed-forward network,
// whose sums are normalised.
type Encoder struct {
	Type       string  `json:"type"`             // model_type
	Vocabulary int     `json:"vocabulary"`       // tokens that have a vector
	Positions  int     `json:"positions"`        // places that have a vector
	First      int     `json:"first,omitempty"`  // the place of the first token
	Types      int     `json:"types,omitempty"`  // vectors of token types; 0: none are added
	Factor     int     `json:"factor,omitempty"` // length of those vectors, if a dense layer leads from it to Width; else 0
	Width      int     `json:"width"`
	Depth      int     `json:"depth"`
	Heads      int     `json:"heads"`
	Hidden     int     `json:"hidden"`     // width within the feed-forward network
	Activation string  `json:"activation"` // there: gelu, gelu_tanh, relu or silu
	Epsilon    float64 `json:"epsilon"`    // of the normalisations
	Dropout    float64 `json:"dropout"`    // in the training that made it
}

// Length is the most tokens that a text can have.
func (e *Encoder) Length() int { return e.Positions - e.First }

// Bounds of a configuration, so that one that is damaged costs no time.
const (
	maxDepth = 1000
	maxSize  = 1 << 24
)

// Check finds numbers that make no sense.
func (e *Encoder) Check() error {
	for name, n := range map[string]int{"vocabulary": e.Vocabulary, "positions": e.Positions, "width": e.Width, "hidden width": e.Hidden} {
		if n < 1 || n > maxSize {
			return fmt.Errorf("the %s is %d, expected 1 to %d", name, n, maxSize)
		}
	}
	_, known := activations[e.Activation]
	switch {
	case e.Depth < 1 || e.Depth > maxDepth:
		return fmt.Errorf("it has %d blocks, expected 1 to %d", e.Depth, maxDepth)
	case e.Heads < 1 || e.Width%e.Heads != 0:
		return fmt.Errorf("%d heads of a width of %d, expected a number that divides it", e.Heads, e.Width)
	case e.First < 0 || e.Length() < 1 || e.Types < 0 || e.Types > maxSize || e.Factor < 0 || e.Factor > maxSize:
		return fmt.Errorf("first place %d of %d, %d types, vectors of %d: at least one is impossible", e.First, e.Positions, e.Types, e.Factor)
	case !(e.Epsilon > 0 && e.Epsilon < 1) || !(e.Dropout >= 0 && e.Dropout < 1):
		return fmt.Errorf("epsilon is %g and dropout %g, expected more than 0 and 0 or more, both below 1", e.Epsilon, e.Dropout)
	case !known && !slices.Contains(slices.Collect(maps.Values(activations)), e.Activation):
		return fmt.Errorf("activation %q is not known, expected one of %s", e.Activation, list(activations))
	}
	return nil
}

// activations are transformers' names and ours.
var activations = map[string]string{
	"gelu": "gelu", "gelu_python": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu_fast": "gelu_tanh",
	"relu": "relu", "silu": "silu", "swish": "silu",
}

// An architecture says how a family of models names its settings and weights.
type architecture struct {
	prefix   string            // what comes before the weights' names where a model has a head
	settings map[string]string // ours to those of config.json
	padded   bool              // places begin behind the id of padding (RoBERTa)
	epsilon  float64           // where no setting has it
	names    map[string]string // parts of an encoder to the weights' names; %d is the block, from 0
}

var (
	bertSettings = map[string]string{
		"vocabulary": "vocab_size", "positions": "max_position_embeddings", "types": "type_vocab_size", "width": "hidden_size",
		"depth": "num_hidden_layers", "heads": "num_attention_heads", "hidden": "intermediate_size", "activation": "hidden_act",
		"epsilon": "layer_norm_eps", "dropout": "hidden_dropout_prob",
	}
	bertNames = map[string]string{
		"tokens":         "embeddings.word_embeddings",
		"positions":      "embeddings.position_embeddings",
		"types":          "embeddings.token_type_embeddings",
		"norm":           "embeddings.LayerNorm",
		"project":        "embeddings_project",
		"query":          "encoder.layer.%d.attention.self.query",
		"key":            "encoder.layer.%d.attention.self.key",
		"value":          "encoder.layer.%d.attention.self.value",
		"joined":         "encoder.layer.%d.attention.output.dense",
		"attention_norm": "encoder.layer.%d.attention.output.LayerNorm",
		"inner":          "encoder.layer.%d.intermediate.dense",
		"outer":          "encoder.layer.%d.output.dense",
		"outer_norm":     "encoder.layer.%d.output.LayerNorm",
	}
	roberta = architecture{prefix: "roberta.", settings: bertSettings, padded: true, names: bertNames}
)

// architectures is the table of what is known, by model_type. MiniLM, E5, BGE, GTE
// and most sentence encoders are of one of these types.
var architectures = map[string]architecture{
	"bert":        {prefix: "bert.", settings: bertSettings, names: bertNames},
	"electra":     {prefix: "electra.", settings: with(bertSettings, "factor", "embedding_size"), names: bertNames},
	"roberta":     roberta,
	"xlm-roberta": roberta,
	"camembert":   roberta,
	"distilbert": {
		prefix: "distilbert.", epsilon: 1e-12,
		settings: map[string]string{
			"vocabulary": "vocab_size", "positions": "max_position_embeddings", "width": "dim", "depth": "n_layers",
			"heads": "n_heads", "hidden": "hidden_dim", "activation": "activation", "dropout": "dropout",
		},
		names: map[string]string{
			"tokens":         "embeddings.word_embeddings",
			"positions":      "embeddings.position_embeddings",
			"norm":           "embeddings.LayerNorm",
			"query":          "transformer.layer.%d.attention.q_lin",
			"key":            "transformer.layer.%d.attention.k_lin",
			"value":          "transformer.layer.%d.attention.v_lin",
			"joined":         "transformer.layer.%d.attention.out_lin",
			"attention_norm": "transformer.layer.%d.sa_layer_norm",
			"inner":          "transformer.layer.%d.ffn.lin1",
			"outer":          "transformer.layer.%d.ffn.lin2",
			"outer_norm":     "transformer.layer.%d.output_layer_norm",
		},
	},
}

func with(m map[string]string, key, value string) map[string]string {
	m = maps.Clone(m)
	m[key] = value
	return m
}

func list[T any](m map[string]T) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// readJSON reads a file of a folder into v; found is false where there is none.
func readJSON(dir, name string, v any) (found bool, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return false, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	return true, nil
}

// readConfig reads config.json.
func readConfig(dir string) (*Encoder, *architecture, error) {
	path := filepath.Join(dir, "config.json")
	var all map[string]any
	found, err := readJSON(dir, "config.json", &all)
	if err != nil {
		return nil, nil, err
	}
	if !found {
		return nil, nil, fmt.Errorf("%s: there is no config.json, expected a folder as transformers' save_pretrained writes it: config.json, model.safetensors and tokenizer.json", dir)
	}
	kind, _ := all["model_type"].(string)
	a, ok := architectures[kind]
	if !ok {
		return nil, nil, fmt.Errorf("%s: model_type is %q, known are encoders of the types %s", path, kind, list(architectures))
	}
	e := &Encoder{Type: kind, Activation: "gelu", Epsilon: 1e-12}
	if a.epsilon > 0 {
		e.Epsilon = a.epsilon
	}
	whole := map[string]*int{
		"vocabulary": &e.Vocabulary, "positions": &e.Positions, "types": &e.Types, "width": &e.Width, "depth": &e.Depth,
		"heads": &e.Heads, "hidden": &e.Hidden, "factor": &e.Factor,
	}
	real := map[string]*float64{"epsilon": &e.Epsilon, "dropout": &e.Dropout}
	for _, ours := range slices.Sorted(maps.Keys(a.settings)) {
		theirs := a.settings[ours]
		value, given := all[theirs]
		n, isNumber := value.(float64)
		switch to := whole[ours]; {
		case to != nil:
			if !isNumber || n != float64(int(n)) {
				return nil, nil, fmt.Errorf("%s: %s is %v, expected a whole number", path, theirs, shown(value))
			}
			*to = int(n)
		case !given || value == nil:
		case ours == "activation":
			name, _ := value.(string)
			if e.Activation, ok = activations[name]; !ok {
				return nil, nil, fmt.Errorf("%s: %s is %v, expected one of %s", path, theirs, shown(value), list(activations))
			}
		case !isNumber:
			return nil, nil, fmt.Errorf("%s: %s is %v, expected a number", path, theirs, shown(value))
		default:
			*real[ours] = n
		}
	}
	if e.Factor == e.Width {
		e.Factor = 0
	}
	if p, ok := all["position_embedding_type"].(string); ok && p != "absolute" {
		return nil, nil, fmt.Errorf("%s: position_embedding_type is %q, known is absolute alone", path, p)
	}
	for _, not := range []string{"is_decoder", "add_cross_attention", "is_encoder_decoder"} {
		if on, _ := all[not].(bool); on {
			return nil, nil, fmt.Errorf("%s: %s is true, expected an encoder, which looks at both sides and at nothing else", path, not)
		}
	}
	if a.padded {
		pad, ok := all["pad_token_id"].(float64)
		if !ok || pad < 0 || pad > maxSize || pad != float64(int(pad)) {
			return nil, nil, fmt.Errorf("%s: pad_token_id is %v, expected the id of padding, behind which places begin", path, shown(all["pad_token_id"]))
		}
		e.First = int(pad) + 1
	}
	if err := e.Check(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, &a, nil
}

func shown(v any) string {
	if v == nil {
		return "missing"
	}
	raw, _ := json.Marshal(v)
	if len(raw) > 60 {
		return string(raw[:60]) + "…"
	}
	return string(raw)
}
