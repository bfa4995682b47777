package huggingface

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/safetensors"
	"github.com/hone-ml/hone/format/tokenizer"
	"github.com/hone-ml/hone/text"
)

// A Folder is what a folder holds.
type Folder struct {
	Encoder   Encoder
	Weights   *Weights
	Ignored   []string // tensors that no encoder needs, as of a head
	Tokenizer *text.Tokenizer
	Pooling   Pooling
	Dense     []Dense // what comes behind the pooling
	Prompt    string  // that every text begins with
	Query     string  // that a text begins with that searches; Prompt where the folder says nothing of it
	Passage   string  // that a text begins with that is searched; likewise
}

// Pooling says how one vector is made of those of a text's tokens.
type Pooling struct {
	Modes     []string `json:"modes"` // of cls, mean, max; several stand beside each other
	Normalize bool     `json:"normalize,omitempty"`
}

// Dense is a dense layer behind the pooling.
type Dense struct {
	Affine
	Activation string // of activations, tanh, or "linear"
}

// module is a line of modules.json.
type module struct {
	Path string `json:"path"`
	Type string `json:"type"`
}

// poolings are the modes of pooling in 1_Pooling/config.json.
var poolings = map[string]string{"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean", "pooling_mode_max_tokens": "max"}

// Read reads a folder.
func Read(dir string) (*Folder, error) {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such folder, expected one with config.json, model.safetensors and tokenizer.json", dir)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file, expected a folder with config.json, model.safetensors and tokenizer.json", dir)
	}
	f := &Folder{Pooling: Pooling{Modes: []string{"mean"}}}
	home, length, err := f.modules(dir)
	if err != nil {
		return nil, err
	}
	e, a, err := readConfig(home)
	if err != nil {
		return nil, err
	}
	f.Encoder = *e
	if f.Tokenizer, err = readTokenizer(home, dir, length, e); err != nil {
		return nil, err
	}
	if f.Weights, f.Ignored, err = readWeights(home, a, e); err != nil {
		return nil, err
	}
	width := e.Width * len(f.Pooling.Modes)
	for i := range f.Dense {
		if n := f.Dense[i].Kernel.Shape()[0]; n != width {
			return nil, fmt.Errorf("%s: the dense layer %d of modules.json takes vectors of %d, what comes before it makes %d", dir, i+1, n, width)
		}
		width = f.Dense[i].Kernel.Shape()[1]
	}
	return f, nil
}

// modules reads what sentence-transformers adds to a folder: it returns where the
// encoder lies, and how many tokens a text may have, 0 if it does not say.
func (f *Folder) modules(dir string) (home string, length int, err error) {
	var all []module
	found, err := readJSON(dir, "modules.json", &all)
	if err != nil || !found {
		return dir, 0, err
	}
	var of struct {
		Prompts map[string]string `json:"prompts"`
		Default string            `json:"default_prompt_name"`
	}
	if _, err := readJSON(dir, "config_sentence_transformers.json", &of); err != nil {
		return "", 0, err
	}
	f.Prompt, f.Pooling.Modes = of.Prompts[of.Default], nil
	prompt := func(names ...string) string { // as encode_query and encode_document choose it
		for _, name := range names {
			if p, ok := of.Prompts[name]; ok {
				return p
			}
		}
		return f.Prompt
	}
	f.Query, f.Passage = prompt("query"), prompt("document", "passage", "corpus")
	for _, m := range all {
		if m.Path != "" && !filepath.IsLocal(m.Path) {
			return "", 0, fmt.Errorf("%s: the path %q leaves the folder", filepath.Join(dir, "modules.json"), m.Path)
		}
		at := filepath.Join(dir, m.Path)
		kind := m.Type[strings.LastIndex(m.Type, ".")+1:]
		switch {
		case kind == "Transformer" && home == "":
			home = at
			var s struct {
				Length int `json:"max_seq_length"`
			}
			if _, err := readJSON(at, "sentence_bert_config.json", &s); err != nil {
				return "", 0, err
			}
			length = s.Length
		case kind == "Pooling" && home != "" && f.Pooling.Modes == nil:
			if f.Pooling.Modes, err = readPooling(at); err != nil {
				return "", 0, err
			}
		case kind == "Dense" && f.Pooling.Modes != nil && !f.Pooling.Normalize:
			d, err := readDense(at)
			if err != nil {
				return "", 0, err
			}
			f.Dense = append(f.Dense, d)
		case kind == "Normalize" && f.Pooling.Modes != nil:
			f.Pooling.Normalize = true
		case kind == "Dropout":
		default:
			return "", 0, fmt.Errorf("%s: module %q at this place is not known, expected Transformer, Pooling, then any of Dense, and Normalize", filepath.Join(dir, "modules.json"), m.Type)
		}
	}
	if f.Pooling.Modes == nil {
		return "", 0, fmt.Errorf("%s: it names no Transformer and Pooling", filepath.Join(dir, "modules.json"))
	}
	return home, length, nil
}

func readPooling(dir string) (modes []string, err error) {
	path := filepath.Join(dir, "config.json")
	var all map[string]any
	if found, err := readJSON(dir, "config.json", &all); err != nil || !found {
		return nil, errors.Join(err, fmt.Errorf("%s: it cannot be read, expected the mode of pooling", path))
	}
	refuse := func(mode string) error {
		return fmt.Errorf("%s: the pooling %s is not known, expected cls, mean or max", path, mode)
	}
	// Newer files name the modes, older ones have a switch for each.
	switch named := all["pooling_mode"].(type) {
	case string:
		modes = strings.Split(named, "+")
	case []any:
		for _, m := range named {
			modes = append(modes, fmt.Sprint(m))
		}
	}
	for _, m := range modes {
		if m != "cls" && m != "mean" && m != "max" {
			return nil, refuse(m)
		}
	}
	if modes == nil {
		for _, key := range []string{"pooling_mode_cls_token", "pooling_mode_max_tokens", "pooling_mode_mean_tokens"} { // the order in which they stand beside each other
			if on, _ := all[key].(bool); on {
				modes = append(modes, poolings[key])
			}
		}
		for key, v := range all {
			if on, _ := v.(bool); on && strings.HasPrefix(key, "pooling_mode_") && poolings[key] == "" {
				return nil, refuse(key)
			}
		}
	}
	if len(modes) == 0 || len(modes) > 3 {
		return nil, refuse(fmt.Sprintf("of %d modes", len(modes)))
	}
	return modes, nil
}

func readDense(dir string) (d Dense, err error) {
	path := filepath.Join(dir, "config.json")
	var c struct {
		In         int    `json:"in_features"`
		Out        int    `json:"out_features"`
		Bias       bool   `json:"bias"`
		Activation string `json:"activation_function"`
	}
	if found, err := readJSON(dir, "config.json", &c); err != nil || !found {
		return d, errors.Join(err, fmt.Errorf("%s: it cannot be read, expected a dense layer", path))
	}
	known := map[string]string{"Identity": "linear", "Tanh": "tanh", "ReLU": "relu", "GELU": "gelu", "SiLU": "silu"}
	name := c.Activation[strings.LastIndex(c.Activation, ".")+1:]
	if d.Activation = known[name]; d.Activation == "" {
		return d, fmt.Errorf("%s: activation_function %q is not known, expected one of %s", path, c.Activation, list(known))
	}
	file, err := safetensors.ReadFile(filepath.Join(dir, wholeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return d, noWeights(dir)
	} else if err != nil {
		return d, err
	}
	r := &reader{dir: dir, tensors: map[string]*found{}}
	for i := range file.Tensors {
		r.tensors[file.Tensors[i].Name] = &found{&file.Tensors[i], filepath.Join(dir, wholeFile), false}
	}
	d.Kernel = turned(r.take("linear.weight", c.Out, c.In))
	switch {
	case c.Bias:
		d.Affine.Bias = r.take("linear.bias", c.Out)
	case d.Kernel != nil: // so many there are
		d.Affine.Bias = tensor.Zeros(c.Out)
	}
	_, err = r.finish()
	return d, err
}

// readTokenizer reads the tokenizer, which cuts texts to what the encoder reads
// and pads nothing. sentence-transformers may have it beside modules.json.
func readTokenizer(dir, root string, length int, e *Encoder) (*text.Tokenizer, error) {
	var of struct {
		Lowercase *bool   `json:"do_lower_case"`
		Length    float64 `json:"model_max_length"`
	}
	if _, err := readJSON(dir, "tokenizer_config.json", &of); err != nil {
		return nil, err
	}
	var t *text.Tokenizer
	for _, path := range []string{filepath.Join(dir, "tokenizer.json"), filepath.Join(root, "tokenizer.json"), filepath.Join(dir, "vocab.txt")} {
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if filepath.Base(path) == "vocab.txt" {
			t, err = tokenizer.ParseVocab(raw, of.Lowercase == nil || *of.Lowercase)
		} else {
			t, err = tokenizer.Parse(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if t.Size() > e.Vocabulary {
			return nil, fmt.Errorf("%s: it has ids up to %d, the weights have vectors for %d tokens (vocab_size of config.json): the tokenizer belongs to another model", path, t.Size()-1, e.Vocabulary)
		}
		break
	}
	if t == nil {
		var there []string
		for _, name := range []string{"vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				there = append(there, name)
			}
		}
		if there != nil {
			return nil, fmt.Errorf("%s: the tokenizer is in %s, expected tokenizer.json or vocab.txt; make it where transformers is installed: python -c \"from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('%s').save_pretrained('%s')\"", dir, strings.Join(there, ", "), dir, dir)
		}
		return nil, fmt.Errorf("%s: there is no tokenizer.json and no vocab.txt", dir)
	}
	if length <= 0 && of.Length > 0 && of.Length < float64(e.Length()) {
		length = int(of.Length)
	}
	if length <= 0 || length > e.Length() {
		length = e.Length()
	}
	return Cut(t, length)
}

// Cut returns the tokenizer with texts cut to a number of tokens, special ones
// included, and without padding.
func Cut(t *text.Tokenizer, length int) (*text.Tokenizer, error) {
	s := t.Spec()
	s.Padding = nil
	s.Truncation = &text.Truncation{Direction: "Right", MaxLength: length, Strategy: "LongestFirst"}
	s.Added = slices.Clone(s.Added)
	return text.New(s)
}
