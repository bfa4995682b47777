package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/hone-ml/hone/bench/internal/public"
	"github.com/hone-ml/hone/bench/internal/venv"
)

//go:embed peers.py
var script []byte

//go:embed requirements.txt
var requirements []byte

const (
	defaultVenv = "bench/.venv-engine"
	honeName    = "hone"
)

// A place is where competitors come from.
type place struct {
	dir     string   // for the script and the peers' own files
	pythons []string // the first that has a peer's package runs it
	setup   string   // the command that installs what is missing
}

// packages are what PyPI calls the peers, where it is not their own name.
var packages = map[string]string{compiledName: "torch", torchDenseName: "torch", onnxName: "onnxruntime with onnx"}

// A competitor is a process that answers requests.
type competitor struct {
	name    string
	version string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	said    bytes.Buffer // on standard error
}

// start starts a competitor on so many threads. Where it is not installed the
// error is a *venv.Missing.
func (p *place) start(name string, threads int) (*competitor, error) {
	if name == honeName {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return launch(name, threads, self, "worker")
	}
	var err error
	for _, python := range p.pythons {
		if _, gone := os.Stat(python); gone != nil {
			continue
		}
		var c *competitor
		if c, err = launch(name, threads, python, filepath.Join(p.dir, "peers.py"), name, fmt.Sprint(threads)); err == nil {
			return c, nil
		}
		if !venv.IsMissing(err) {
			return nil, err
		}
	}
	packaged := packages[name]
	if packaged == "" {
		packaged = name
	}
	return nil, &venv.Missing{Package: packaged, Command: p.setup}
}

func launch(name string, threads int, program string, args ...string) (*competitor, error) {
	c := &competitor{name: name, cmd: exec.Command(program, args...)}
	c.cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", threads))
	c.cmd.Stderr = &c.said
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.in, c.out = in, bufio.NewReader(out)
	first, err := c.answer()
	if err != nil {
		return nil, err
	}
	c.version = first.Version
	return c, nil
}

// ask sends a request and waits for its answer.
func (c *competitor) ask(q request) (reply, error) {
	line, err := json.Marshal(q)
	if err != nil {
		return reply{}, err
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return reply{}, err
	}
	return c.answer()
}

func (c *competitor) answer() (r reply, err error) {
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		// It ended, or is of no use any more.
		ended := errors.Join(c.in.Close(), c.cmd.Wait())
		if ended == nil {
			ended = err
		}
		return r, fmt.Errorf("%s: %w: %s", c.name, ended, lastLine(c.said.Bytes()))
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("%s: expected an answer in JSON, found %q: %w", c.name, line, err)
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s", c.name, r.Error)
	}
	return r, nil
}

// end ends the process and returns the most memory that it had, in MB.
func (c *competitor) end() (peakMB float64) {
	c.in.Close()
	if err := c.cmd.Wait(); err != nil {
		return 0
	}
	return public.PeakMB(c.cmd.ProcessState)
}

// lastLine is the last line that is not empty.
func lastLine(text []byte) []byte {
	text = bytes.TrimSpace(text)
	return text[bytes.LastIndexByte(text, '\n')+1:]
}

// peersOf are those who take part in some of the cases, in the order of their
// first.
func peersOf(cases []*Case) (names []string) {
	for _, c := range cases {
		for _, p := range c.peers {
			if !slices.Contains(names, p) {
				names = append(names, p)
			}
		}
	}
	return names
}
