package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hone-ml/hone/bench/internal/public"
)

//go:embed peers.py
var script []byte

//go:embed requirements.txt
var requirements []byte

const defaultVenv = "bench/.venv"

// setup makes the virtual environment of the peers.
func setup(python, venv string) error {
	list, err := os.CreateTemp("", "hone-requirements-*.txt")
	if err != nil {
		return err
	}
	defer os.Remove(list.Name())
	_, err = list.Write(requirements)
	if err := errors.Join(err, list.Close()); err != nil {
		return err
	}
	for _, args := range [][]string{
		{python, "-m", "venv", venv},
		{pythonOf(venv), "-m", "pip", "install", "-r", list.Name()},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%v: %w", args, err)
		}
	}
	return nil
}

func pythonOf(venv string) string { return filepath.Join(venv, "bin", "python") }

// A missing peer is one that is not installed.
type missing struct{ packaged, venv string }

func (m *missing) Error() string {
	command := "go run ./bench/tables setup"
	if m.venv != defaultVenv {
		command += " -venv " + m.venv
	}
	return fmt.Sprintf("%s is not installed; %s installs it", m.packaged, command)
}

// peers runs peers.py.
type peers struct {
	venv, python string
	script, dir  string
	kept         string // folder of predictions: SET/MODEL.csv, of seed 0
}

// newPeers writes the script into dir, where the peers' own files end too. Their
// predictions are kept beside the file of their results, if there is one.
func newPeers(venv, dir, results string) (*peers, error) {
	python, err := filepath.Abs(pythonOf(venv))
	if err != nil {
		return nil, err
	}
	p := &peers{venv: venv, python: python, script: filepath.Join(dir, "peers.py"), dir: dir, kept: filepath.Join(dir, "predictions")}
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

// missingCode is the exit code of peers.py where a package is missing.
const missingCode = 3

// run fits one peer. Where it is not installed the error is a *missing.
func (p *peers) run(s public.Set, m model, data string, seed, threads int) (record, error) {
	if _, err := os.Stat(p.python); err != nil {
		return record{}, &missing{m.packaged, p.venv}
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
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == missingCode {
		return record{}, &missing{m.packaged, p.venv}
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
