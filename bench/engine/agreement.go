package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hone-ml/hone/bench/internal/venv"
	"github.com/hone-ml/hone/internal/atomicfile"
)

//go:embed record.py
var recorder []byte

// An agreement is a model that hone must train as PyTorch does, from the same
// first weights and on the same batches. To add one, add a line to agreements, a
// function to record.py unless it has the model, and `go run ./bench/engine record`.
type agreement struct {
	Name string
	// Small is of reduced sizes: its first logits and gradients and its weights after
	// ten steps are compared tensor by tensor, and its losses, on every path.
	Small Case
	// Curve is a model whose losses alone are compared, on the paths that have vector
	// instructions. None: those of Small are enough.
	Curve *Case
}

// agreedSteps is the length of the loss curves.
const agreedSteps = 300

func agreements() []agreement {
	return []agreement{
		{"M1",
			Case{Kind: "train", Widths: []int{20, 32, 16, 1}, Loss: "binary", Rate: 1e-3, Rows: 1000, Batch: 32},
			&Case{Kind: "train", Widths: []int{20, 128, 64, 1}, Loss: "binary", Rate: 1e-3, Rows: 9600, Batch: 32}},
		{"M2",
			Case{Kind: "train", Widths: []int{30, 24, 16, 10}, Loss: "classes", Rate: 1e-3, Rows: 1000, Batch: 128},
			&Case{Kind: "train", Widths: []int{784, 512, 256, 10}, Loss: "classes", Rate: 1e-3, Rows: 4096, Batch: 128}},
		{"M3", Case{Kind: "train", Images: &Images{Height: 10, Width: 10, Channels: 1, Kernel: 3, Filters: []int{4, 6}, Pool: 2}, Widths: []int{54, 16, 10},
			Loss: "classes", Rate: 1e-3, Rows: 500, Batch: 16}, nil},
		{"M4", Case{Kind: "transformer", Transformer: &Transformer{Vocabulary: 50, Length: 12, Width: 16, Heads: 2, Layers: 2, Hidden: 32, Classes: 10},
			Rate: 1e-3, Rows: 500, Batch: 16}, nil},
		{"M5", Case{Kind: "transformer", Transformer: &Transformer{Vocabulary: 50, Length: 16, Width: 16, Heads: 2, Layers: 2, Hidden: 32},
			Rate: 1e-3, Rows: 200, Batch: 8}, nil},
	}
}

// A recording is what PyTorch computed for a case.
type recording struct {
	Origin string `json:"origin"`
	// Inputs is a checksum of the data and the first weights, which hone makes again.
	Inputs    string                    `json:"inputs"`
	Curve     recordedTensor            `json:"curve"`
	Logits    *recordedTensor           `json:"logits,omitempty"`
	Gradients map[string]recordedTensor `json:"gradients,omitempty"`
	After     map[string]recordedTensor `json:"after,omitempty"`
}

// A recordedTensor is computed in float64; Apart is how far PyTorch's float32 is
// from it, as a share of the largest value.
type recordedTensor struct {
	Apart  float64   `json:"apart"`
	Floats []float64 `json:"floats"`
}

// recordingFile is where a recording lies.
func recordingFile(dir, name string, curve bool) string {
	if curve {
		name += "-curve"
	}
	return filepath.Join(dir, name+".json")
}

// record is the command that makes the recordings.
func record(args []string) error {
	flags := flag.NewFlagSet("engine record", flag.ExitOnError)
	only := flags.String("only", "", "models, with commas; default all")
	python := flags.String("python", venv.Python(defaultVenv), "interpreter that has PyTorch")
	dir := flags.String("dir", "bench/engine/testdata", "folder of the recordings")
	flags.Parse(args)
	for _, a := range agreements() {
		if *only != "" && !strings.Contains(","+*only+",", ","+a.Name+",") {
			continue
		}
		for _, c := range []*Case{&a.Small, a.Curve} {
			if c == nil {
				continue
			}
			if err := c.record(*python, recordingFile(*dir, a.Name, c == a.Curve), c != a.Curve); err != nil {
				return fmt.Errorf("%s: %w", a.Name, err)
			}
		}
	}
	return nil
}

func (c *Case) record(python, path string, tensors bool) error {
	dir, err := os.MkdirTemp("", "hone-record-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c.Dir = dir
	sum, err := c.writeSummed()
	if err != nil {
		return err
	}
	_, state, err := c.program()
	if err != nil {
		return err
	}
	shapes := map[string][]int{}
	for _, v := range state.Trainable() {
		shapes[v.Name] = v.Value.Shape()
	}
	request, err := json.Marshal(map[string]any{"case": c, "parameters": shapes, "tensors": tensors, "steps": agreedSteps})
	if err != nil {
		return err
	}
	script := filepath.Join(dir, "record.py")
	if err := os.WriteFile(script, recorder, 0o644); err != nil {
		return err
	}
	cmd := exec.Command(python, script, string(request))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", python, err)
	}
	var r recording
	if err := json.Unmarshal(out, &r); err != nil {
		return err
	}
	r.Inputs = sum
	return atomicfile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(r) })
}

// writeSummed writes the case's files and returns a checksum of them.
func (c *Case) writeSummed() (string, error) {
	if err := c.write(); err != nil {
		return "", err
	}
	files, err := os.ReadDir(c.Dir) // in the order of their names
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(c.Dir, f.Name()))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n", f.Name(), len(raw))
		io.Copy(sum, bytes.NewReader(raw))
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}
