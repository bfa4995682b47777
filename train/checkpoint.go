package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/safetensors"
	"github.com/hone-ml/hone/nn/optim"
)

// A checkpoint is a safetensors file: every variable of the state under
// now/NAME, the best model so far under best/NAME, and in the metadata the
// progress, the fingerprint of what must not have changed, and a checksum.
const (
	nowPrefix   = "now/"
	bestPrefix  = "best/"
	progressKey = "hone.train.progress"
	printKey    = "hone.train.fingerprint"
	sumKey      = "hone.train.checksum"
)

// A CheckpointError says that a checkpoint cannot be continued from: it is
// damaged, or belongs to another run. Without the file training starts anew.
type CheckpointError struct {
	Path string
	Err  error
}

func (e *CheckpointError) Error() string {
	return fmt.Sprintf("train: checkpoint %s %v; delete it to start anew", e.Path, e.Err)
}

// Unwrap returns what is wrong.
func (e *CheckpointError) Unwrap() error { return e.Err }

// checksum is of progress and tensors. It is there for damage that leaves the
// file readable: going on from it would end at other bits without a word.
func checksum(f *safetensors.File) string {
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	io.WriteString(h, f.Metadata[progressKey])
	for _, e := range slices.SortedFunc(slices.Values(f.Tensors), func(a, b safetensors.Entry) int { return strings.Compare(a.Name, b.Name) }) {
		io.WriteString(h, e.Name)
		h.Write(e.Data)
	}
	return fmt.Sprintf("%08x", h.Sum32())
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
	for _, v := range optim.ModelVariables(t.state) {
		if best := t.best[v.Name]; best != nil {
			f.Tensors = append(f.Tensors, safetensors.FromTensor(bestPrefix+v.Name, best))
		}
	}
	f.Metadata[sumKey] = checksum(&f)
	if err := f.WriteFile(t.opts.Checkpoint); err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	t.saved = time.Now()
	return nil
}

// resume continues from the checkpoint if there is one of this very run. Any
// other is a *CheckpointError: who calls decides whether to start anew.
func (t *trainer) resume() error {
	path := t.opts.Checkpoint
	if path == "" {
		return nil
	}
	bad := func(format string, args ...any) error { return &CheckpointError{path, fmt.Errorf(format, args...)} }
	f, err := safetensors.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return bad("cannot be read: %w", err)
	}
	if f.Metadata[printKey] != t.opts.Fingerprint {
		return bad("belongs to a run with another configuration, data or version")
	}
	if f.Metadata[sumKey] != checksum(f) {
		return bad("is damaged: its checksum is %s, expected %s", checksum(f), f.Metadata[sumKey])
	}
	var p progress
	if err := json.Unmarshal([]byte(f.Metadata[progressKey]), &p); err != nil {
		return bad("holds no progress: %w", err)
	}
	// All is read and checked before anything changes.
	now, best := map[string]*tensor.Tensor{}, map[string]*tensor.Tensor{}
	for _, e := range f.Tensors {
		into := now
		name, ok := strings.CutPrefix(e.Name, nowPrefix)
		if !ok {
			name, into = strings.TrimPrefix(e.Name, bestPrefix), best
		}
		v := t.state.Lookup(name)
		values, err := e.Tensor()
		if err != nil || v == nil || !tensor.SameShape(v.Value.Shape(), values.Shape()) || v.Value.DType() != values.DType() {
			return bad("holds %s (%s%v), which this network does not have", e.Name, e.DType, e.Shape)
		}
		into[name] = values
	}
	all, model := t.state.Variables(), optim.ModelVariables(t.state)
	if len(now) != len(all) || len(best) > 0 && len(best) != len(model) {
		return bad("holds %d of %d variables, and of the best epoch %d of %d", len(now), len(all), len(best), len(model))
	}
	if m, ok := t.opts.Schedule.(json.Unmarshaler); ok && len(p.Schedule) > 0 {
		if err := m.UnmarshalJSON(p.Schedule); err != nil {
			return bad("holds no schedule: %w", err)
		}
	}
	for _, v := range all {
		copy(v.Value.Raw(), now[v.Name].Raw())
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
