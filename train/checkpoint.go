package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/safetensors"
)

// A checkpoint is a safetensors file: every variable of the state under
// now/NAME, the best model so far under best/NAME, and in the metadata the
// progress and the fingerprint of what must not have changed.
const (
	nowPrefix   = "now/"
	bestPrefix  = "best/"
	progressKey = "hone.train.progress"
	printKey    = "hone.train.fingerprint"
)

// modelVariables are the variables that belong to the network.
func (t *trainer) modelVariables() []*graph.Variable {
	var out []*graph.Variable
	for _, v := range t.state.Variables() {
		if !strings.HasPrefix(v.Name, "optim/") {
			out = append(out, v)
		}
	}
	return out
}

// save writes the checkpoint, replacing the old one in one step, so that a
// kill at any moment leaves one of them whole.
func (t *trainer) save() error {
	if t.opts.Checkpoint == "" {
		return nil
	}
	p := t.progress
	p.Total = t.elapsed()
	if m, ok := t.opts.Schedule.(json.Marshaler); ok {
		raw, err := m.MarshalJSON()
		if err != nil {
			return fmt.Errorf("train: checkpoint: %w", err)
		}
		p.Schedule = raw
	}
	meta, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	f := safetensors.File{Metadata: map[string]string{progressKey: string(meta), printKey: t.opts.Fingerprint}}
	for _, v := range t.state.Variables() {
		f.Tensors = append(f.Tensors, safetensors.FromTensor(nowPrefix+v.Name, v.Value))
	}
	for _, v := range t.modelVariables() {
		if best, ok := t.best[v.Name]; ok {
			b, err := tensor.FromFloats(best, v.Value.Shape()...)
			if err != nil {
				return err
			}
			f.Tensors = append(f.Tensors, safetensors.FromTensor(bestPrefix+v.Name, b))
		}
	}
	if err := f.WriteFile(t.opts.Checkpoint); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	t.saved = time.Now()
	return nil
}

// resume continues from the checkpoint if there is one of this very run.
// Another run's, or one of a program that builds other variables, is an error:
// who calls decides whether to start anew.
func (t *trainer) resume() error {
	path := t.opts.Checkpoint
	if path == "" {
		return nil
	}
	f, err := safetensors.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("train: checkpoint %s cannot be read: %w; delete it to start anew", path, err)
	}
	if f.Metadata[printKey] != t.opts.Fingerprint {
		return fmt.Errorf("train: checkpoint %s belongs to a run with another configuration, data or version; delete it to start anew", path)
	}
	var p progress
	if err := json.Unmarshal([]byte(f.Metadata[progressKey]), &p); err != nil {
		return fmt.Errorf("train: checkpoint %s: progress: %w", path, err)
	}
	best := map[string][]float32{}
	restored := 0
	for _, e := range f.Tensors {
		values, err := e.Tensor()
		if err != nil {
			return fmt.Errorf("train: checkpoint %s: %w", path, err)
		}
		if name, ok := strings.CutPrefix(e.Name, bestPrefix); ok {
			best[name] = values.Floats()
			continue
		}
		v := t.state.Lookup(strings.TrimPrefix(e.Name, nowPrefix))
		if v == nil || !tensor.SameShape(v.Value.Shape(), values.Shape()) || v.Value.DType() != values.DType() {
			return fmt.Errorf("train: checkpoint %s holds %s %v, which this network does not have; delete it to start anew", path, e.Name, values)
		}
		copy(v.Value.Raw(), values.Raw())
		restored++
	}
	if restored != len(t.state.Variables()) {
		return fmt.Errorf("train: checkpoint %s holds %d of %d variables; delete it to start anew", path, restored, len(t.state.Variables()))
	}
	if m, ok := t.opts.Schedule.(json.Unmarshaler); ok && len(p.Schedule) > 0 {
		if err := m.UnmarshalJSON(p.Schedule); err != nil {
			return fmt.Errorf("train: checkpoint %s: schedule: %w", path, err)
		}
	}
	if len(best) > 0 {
		t.best = best
	}
	t.progress = p
	t.before, t.Resumed = p.Total, true
	return nil
}

// RemoveCheckpoint deletes a checkpoint that is not needed any more.
func RemoveCheckpoint(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// PeekEpoch returns the number of epochs that a checkpoint has behind it, and
// whether there is one that can be read.
func PeekEpoch(path string) (int, bool) {
	f, err := safetensors.ReadFile(path)
	if err != nil {
		return 0, false
	}
	var p progress
	if err := json.Unmarshal([]byte(f.Metadata[progressKey]), &p); err != nil {
		return 0, false
	}
	return p.Epoch, true
}
