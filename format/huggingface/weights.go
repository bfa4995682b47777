package huggingface

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/safetensors"
)

// Weights are the tensors of an encoder, float32: dense kernels are [in out], as
// hone multiplies them, not [out in] as in the file.
type Weights struct {
	Tokens    *tensor.Tensor // [vocabulary width], or [vocabulary factor]
	Positions *tensor.Tensor // [positions width]
	Types     *tensor.Tensor // [types width]; nil without types
	Norm      Affine
	Project   Affine // [factor width]; zero without a factor
	Blocks    []Block
}

// Block is one block.
type Block struct {
	Query, Key, Value, Joined Affine // of attention; Joined is of what all heads found
	AttentionNorm             Affine
	Inner, Outer              Affine // the feed-forward network
	OuterNorm                 Affine
}

// Affine is a dense layer, or the gain and shift of a normalisation.
type Affine struct{ Kernel, Bias *tensor.Tensor }

const (
	wholeFile = "model.safetensors"
	indexFile = "model.safetensors.index.json"
)

// found is a tensor and the file that it stands in.
type found struct {
	*safetensors.Entry
	file string
	used bool
}

// readTensors reads the weights of a folder by name.
func readTensors(dir string) (map[string]*found, error) {
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	files := []string{wholeFile}
	sharded, err := readJSON(dir, indexFile, &index)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, wholeFile)); err == nil {
		sharded = false
	}
	if sharded {
		files = files[:0]
		for _, f := range index.WeightMap {
			if !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
		slices.Sort(files)
		if len(files) == 0 {
			return nil, fmt.Errorf("%s: weight_map names no file", filepath.Join(dir, indexFile))
		}
	}
	all := map[string]*found{}
	for _, name := range files {
		if name == "" || filepath.Base(name) != name {
			return nil, fmt.Errorf("%s: weight_map names %q, expected files of the same folder", filepath.Join(dir, indexFile), name)
		}
		path := filepath.Join(dir, name)
		f, err := safetensors.ReadFile(path)
		switch {
		case os.IsNotExist(err) && sharded:
			return nil, fmt.Errorf("%s: the shard is missing, which %s names: get the folder again, with all of its %d shards", path, indexFile, len(files))
		case os.IsNotExist(err):
			return nil, noWeights(dir)
		case err != nil:
			return nil, err
		}
		for i := range f.Tensors {
			e := &f.Tensors[i]
			// Checkpoints that were converted from TensorFlow have the old names.
			key := strings.NewReplacer("LayerNorm.gamma", "LayerNorm.weight", "LayerNorm.beta", "LayerNorm.bias").Replace(e.Name)
			if old := all[key]; old != nil {
				return nil, fmt.Errorf("%s: tensor %q stands in %s too", path, e.Name, old.file)
			}
			all[key] = &found{e, path, false}
		}
	}
	return all, nil
}

// noWeights is the error for a folder without safetensors.
func noWeights(dir string) error {
	for _, name := range []string{"pytorch_model.bin", "pytorch_model.bin.index.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf(`%s: the weights are in %s, a pickle, which may run any code when it is read, so hone does not; convert it where transformers is installed: python -c "from transformers import AutoModel; AutoModel.from_pretrained('%s').save_pretrained('%s')"`, dir, name, dir, dir)
		}
	}
	return fmt.Errorf("%s: there is no %s and no %s, expected the weights in one of them", dir, wholeFile, indexFile)
}

// few is how many problems an error names.
const few = 3

// reader takes an encoder's weights out of a folder's tensors.
type reader struct {
	dir     string
	a       *architecture
	prefix  string // of the names in the files
	tensors map[string]*found

	missing, shapes []string
	err             error
}

// readWeights reads and checks the weights of an encoder. Ignored are tensors of a
// head.
func readWeights(dir string, a *architecture, e *Encoder) (w *Weights, ignored []string, err error) {
	r := &reader{dir: dir, a: a}
	if r.tensors, err = readTensors(dir); err != nil {
		return nil, nil, err
	}
	if r.tensors[a.names["tokens"]+".weight"] == nil && r.tensors[a.prefix+a.names["tokens"]+".weight"] != nil {
		r.prefix = a.prefix
	}
	width := e.Width
	if e.Factor > 0 {
		width = e.Factor
	}
	w = &Weights{
		Tokens:    r.table("tokens", e.Vocabulary, width),
		Positions: r.table("positions", e.Positions, width),
		Norm:      r.norm("norm", 0, width),
	}
	if e.Types > 0 {
		w.Types = r.table("types", e.Types, width)
	}
	if e.Factor > 0 {
		w.Project = r.dense("project", 0, width, e.Width)
	}
	for i := range e.Depth {
		w.Blocks = append(w.Blocks, Block{
			Query:         r.dense("query", i, e.Width, e.Width),
			Key:           r.dense("key", i, e.Width, e.Width),
			Value:         r.dense("value", i, e.Width, e.Width),
			Joined:        r.dense("joined", i, e.Width, e.Width),
			AttentionNorm: r.norm("attention_norm", i, e.Width),
			Inner:         r.dense("inner", i, e.Width, e.Hidden),
			Outer:         r.dense("outer", i, e.Hidden, e.Width),
			OuterNorm:     r.norm("outer_norm", i, e.Width),
		})
		if len(r.missing) > 100 { // a configuration of another model
			break
		}
	}
	ignored, err = r.finish()
	return w, ignored, err
}

// finish says what was wrong, and which tensors belong to no part of the encoder.
func (r *reader) finish() (ignored []string, err error) {
	if r.err != nil {
		return nil, r.err
	}
	var extra []string
	for key, t := range r.tensors {
		own, inside := strings.CutPrefix(key, r.prefix)
		switch {
		case t.used || strings.HasSuffix(key, "embeddings.position_ids") || strings.HasSuffix(key, "embeddings.token_type_ids"):
		case inside && (strings.HasPrefix(own, "embeddings.") || strings.HasPrefix(own, "encoder.") || strings.HasPrefix(own, "transformer.")):
			extra = append(extra, fmt.Sprintf("%q (in %s)", t.Name, t.file))
		default:
			ignored = append(ignored, t.Name)
		}
	}
	slices.Sort(extra)
	slices.Sort(ignored)
	problem := ""
	switch {
	case len(r.shapes) > 0:
		problem = "have another shape than config.json asks for: " + some(r.shapes)
	case len(r.missing) > 0 && len(extra) > 0:
		problem = "lack " + some(r.missing) + ", which config.json asks for, and hold " + some(extra)
	case len(r.missing) > 0:
		problem = "lack " + some(r.missing) + ", which config.json asks for"
	case len(extra) > 0:
		problem = "hold " + some(extra) + ", for which config.json has no place"
	default:
		return ignored, nil
	}
	return nil, fmt.Errorf("%s: the weights %s: config.json belongs to other weights, or these are damaged", r.dir, problem)
}

// some lists a few names.
func some(names []string) string {
	if n := len(names) - few; n > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), n)
	}
	return strings.Join(names, ", ")
}

// take returns a tensor of a shape.
func (r *reader) take(name string, shape ...int) *tensor.Tensor {
	if r.err != nil {
		return nil
	}
	t := r.tensors[r.prefix+name]
	if t == nil {
		r.missing = append(r.missing, fmt.Sprintf("%q", r.prefix+name))
		return nil
	}
	t.used = true
	if !slices.Equal(t.Shape, shape) {
		r.shapes = append(r.shapes, fmt.Sprintf("%q is %v, expected %v (in %s)", t.Name, t.Shape, shape, t.file))
		return nil
	}
	out, err := float(t.Entry)
	if err != nil {
		r.err = fmt.Errorf("%s: %w", t.file, err)
	}
	return out
}

func (r *reader) name(part string, block int) string {
	name := r.a.names[part]
	if strings.Contains(name, "%d") {
		name = fmt.Sprintf(name, block)
	}
	return name
}

func (r *reader) table(part string, n, width int) *tensor.Tensor {
	return r.take(r.name(part, 0)+".weight", n, width)
}

func (r *reader) norm(part string, block, width int) Affine {
	name := r.name(part, block)
	return Affine{r.take(name+".weight", width), r.take(name+".bias", width)}
}

func (r *reader) dense(part string, block, in, out int) Affine {
	name := r.name(part, block)
	return Affine{turned(r.take(name+".weight", out, in)), r.take(name+".bias", out)}
}

// float returns an entry of floating point as float32.
func float(e *safetensors.Entry) (*tensor.Tensor, error) {
	var bits func(uint16) float32
	switch e.DType {
	case "BF16":
		bits = func(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
	case "F16":
		bits = half
	case "F32":
		return e.Tensor()
	default:
		return nil, fmt.Errorf("tensor %q is %s, expected floating point: F32, F16 or BF16", e.Name, e.DType)
	}
	t := tensor.Zeros(e.Shape...)
	for i := range t.Floats() {
		t.Floats()[i] = bits(binary.LittleEndian.Uint16(e.Data[2*i:]))
	}
	return t, nil
}

// half returns a number of IEEE 754's binary16.
func half(h uint16) float32 {
	sign, exponent, fraction := float32(1), int(h>>10&31), float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * float32(math.Ldexp(fraction, -24))
	case 31:
		if fraction != 0 {
			return float32(math.NaN())
		}
		return sign * float32(math.Inf(1))
	}
	return sign * float32(math.Ldexp(1024+fraction, exponent-25))
}

// turned returns a matrix with rows and columns exchanged.
func turned(t *tensor.Tensor) *tensor.Tensor {
	if t == nil {
		return nil
	}
	rows, cols := t.Shape()[0], t.Shape()[1]
	out := tensor.Zeros(cols, rows)
	from, to := t.Floats(), out.Floats()
	const block = 32 // rows and columns at a time, for the caches
	for lo := 0; lo < rows; lo += block {
		for left := 0; left < cols; left += block {
			for i := lo; i < min(lo+block, rows); i++ {
				for j := left; j < min(left+block, cols); j++ {
					to[j*rows+i] = from[i*cols+j]
				}
			}
		}
	}
	return out
}
