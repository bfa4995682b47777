package public

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Hone is the command, built from this tree.
type Hone struct {
	Version string
	Threads int // that a step may use; 0: as many as there are processors
	path    string
}

// Build makes the command in the folder dir.
func Build(dir string) (*Hone, error) {
	h := &Hone{path: filepath.Join(dir, "hone")}
	if out, err := exec.Command("go", "build", "-o", h.path, "github.com/hone-ml/hone/cmd/hone").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot build hone: %w\n%s", err, out)
	}
	version, _, err := h.call("--version")
	h.Version = strings.TrimSpace(string(version))
	return h, err
}

// call runs the command; it returns its standard output, and the most memory
// that it had, in MB, 0 where the system does not tell.
func (h *Hone) call(args ...string) ([]byte, float64, error) {
	cmd := exec.Command(h.path, args...)
	if h.Threads > 0 {
		cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", h.Threads))
	}
	var text bytes.Buffer
	cmd.Stderr = &text
	out, err := cmd.Output()
	if err != nil {
		return nil, 0, fmt.Errorf("hone %s: %w\n%s", strings.Join(args, " "), err, text.String())
	}
	return out, PeakMB(cmd.ProcessState), nil
}

// Init lets hone look at a file and write a configuration into dir, which it
// makes. Without a test file every row is the run's own to divide.
func (h *Hone) Init(dir, train, test, target string) (config string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	config = filepath.Join(dir, "hone.yaml")
	args := []string{"init", train, "--target", target, "-o", config}
	if test != "" {
		args = append(args, "--test", test)
	}
	_, _, err = h.call(args...)
	return config, err
}

// Summary is what measurements read of `hone run --json`.
type Summary struct {
	Test      map[string]Value            `json:"test"`
	Baselines map[string]map[string]Value `json:"baselines"`
	Seconds   float64                     `json:"seconds"`
	LatencyMS float64                     `json:"latency_ms"`
	Bundle    string                      `json:"bundle"` // its path
}

// A Value is one metric, of which the interval is left out.
type Value struct {
	Value float64 `json:"value"`
}

// Run carries out `hone run` with a seed and other overrides, and reads its
// --json into got.
func (h *Hone) Run(config string, seed int, overrides []string, got any) (peakMB float64, err error) {
	args := []string{"run", config, "--json", "--log-format", "plain", "--set", fmt.Sprintf("seed=%d", seed)}
	for _, o := range overrides {
		args = append(args, "--set", o)
	}
	out, peakMB, err := h.call(args...)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(out, got); err != nil {
		return 0, fmt.Errorf("hone run --json: %w", err)
	}
	return peakMB, nil
}

// Compare carries out `hone compare` of bundles and files of predictions on a
// file of rows, and reads its --json into got.
func (h *Hone) Compare(data, target string, models []string, got any) error {
	out, _, err := h.call(append([]string{"compare", "--data", data, "--target", target, "--json"}, models...)...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, got); err != nil {
		return fmt.Errorf("hone compare --json: %w", err)
	}
	return nil
}
