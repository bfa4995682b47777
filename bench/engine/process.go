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
	"time"

	"github.com/hone-ml/hone/bench/internal/public"
	"github.com/hone-ml/hone/bench/internal/venv"
)

//go:embed peers.py
var script []byte

//go:embed requirements.txt
var requirements []byte

const (
	defaultVenv = "bench/.venv-engine"
	setupText   = "go run ./bench/engine setup"

	honeName = "hone"
	avx2Name = "hone (AVX2)" // hone without AVX-512, where the processor has it
)

// A place is where competitors come from.
type place struct {
	dir     string   // for the script and the peers' own files
	pythons []string // the first that has a peer's package runs it
	setup   string   // the command that installs what is missing
	// patience is how long a peer's answer may take; who takes longer is ended.
	patience time.Duration
}

// files writes the peers' scripts.
func (p *place) files() error {
	return errors.Join(
		os.WriteFile(filepath.Join(p.dir, "peers.py"), script, 0o644),
		os.WriteFile(filepath.Join(p.dir, "keras.py"), kerasScript, 0o644),
	)
}

// packages are what PyPI calls the peers, where it is not their own name.
var packages = map[string]string{compiledName: "torch", torchDenseName: "torch", onnxName: "onnxruntime with onnx", kerasName: "tensorflow with keras", kerasBatchName: "tensorflow with keras"}

// A competitor is a process that answers requests.
type competitor struct {
	name     string
	version  string
	patience time.Duration
	cmd      *exec.Cmd
	in       io.WriteCloser
	out      *bufio.Reader
	said     bytes.Buffer // on standard error
	ended    error        // not nil: it is of no use any more
}

// start starts a competitor on so many threads. Where it is not installed the
// error is a *venv.Missing.
func (p *place) start(name string, threads int) (*competitor, error) {
	if name == honeName || name == avx2Name {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		var environment []string
		if name == avx2Name {
			environment = []string{"HONE_CPU=avx2"}
		}
		return launch(name, threads, 0, environment, self, "worker")
	}
	script, setup := "peers.py", p.setup
	if isKeras(name) {
		script, setup = "keras.py", p.setup+" keras"
	}
	var err error
	for _, python := range p.pythons {
		if _, gone := os.Stat(python); gone != nil {
			continue
		}
		var c *competitor
		if c, err = launch(name, threads, p.patience, nil, python, filepath.Join(p.dir, script), name, fmt.Sprint(threads)); err == nil {
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
	return nil, &venv.Missing{Package: packaged, Command: setup}
}

// launch starts a program that answers within patience, if that is not 0.
func launch(name string, threads int, patience time.Duration, environment []string, program string, args ...string) (*competitor, error) {
	c := &competitor{name: name, patience: patience, cmd: exec.Command(program, args...)}
	c.cmd.Env = append(append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", threads)), environment...)
	c.cmd.Stderr = &c.said
	c.cmd.WaitDelay = time.Second // processes that it started may keep its pipes open
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
	if c.ended != nil {
		return reply{}, c.ended
	}
	if _, err := c.in.Write(append(line, '\n')); err != nil {
		return reply{}, c.gone(err)
	}
	return c.answer()
}

// answer waits for a line.
func (c *competitor) answer() (r reply, err error) {
	type read struct {
		line []byte
		err  error
	}
	lines := make(chan read, 1)
	go func() {
		line, err := c.out.ReadBytes('\n')
		lines <- read{line, err}
	}()
	var got read
	if c.patience > 0 {
		late := time.NewTimer(c.patience)
		defer late.Stop()
		select {
		case got = <-lines:
		case <-late.C:
			return r, c.gone(fmt.Errorf("it gave no answer within %v and was ended", c.patience))
		}
	} else {
		got = <-lines
	}
	if got.err != nil {
		return r, c.gone(got.err)
	}
	if err := json.Unmarshal(got.line, &r); err != nil {
		return r, fmt.Errorf("%s: expected an answer in JSON, found %q: %w", c.name, got.line, err)
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s", c.name, r.Error)
	}
	return r, nil
}

// gone is of a process that ended by itself, or is ended for a reason.
func (c *competitor) gone(reason error) error {
	hung := !errors.Is(reason, io.EOF)
	if hung {
		c.cmd.Process.Kill()
	}
	ended := errors.Join(c.in.Close(), c.cmd.Wait())
	if ended == nil || hung {
		ended = reason
	}
	c.ended = fmt.Errorf("%s: %w: %s", c.name, ended, lastLine(c.said.Bytes()))
	if len(c.said.Bytes()) == 0 {
		c.ended = fmt.Errorf("%s: %w", c.name, ended)
	}
	return c.ended
}

// end ends the process and returns the most memory that it had, in MB.
func (c *competitor) end() (peakMB float64) {
	if c.ended != nil {
		return 0
	}
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
		for _, p := range c.competing() {
			if !slices.Contains(names, p) {
				names = append(names, p)
			}
		}
	}
	return names
}
