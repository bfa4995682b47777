// Command engine measures hone's engine beside PyTorch (eager and compiled), Keras,
// jax, onnxruntime and numpy: the same data, first weights, order of rows and
// float32 arithmetic, in alternation on one machine.
//
//	go run ./bench/engine setup [keras] [-venv DIR] [-python python3]
//	go run ./bench/engine record [-only M1] [-python FILE]
//	go run ./bench/engine [-only G,M1] [-threads 1,2] [-rounds 9] [-json FILE] [-python FILE]
//
// The first makes a virtual environment with the peers (requirements.txt), or one
// with Keras, whose TensorFlow does not live with them (requirements-keras.txt). The
// second records what PyTorch computes, for the tests (agreement.go). The third
// measures what the machine can do at most, and then each case: that all
// compute the same, how long each takes, and what share of its roofline hone
// reaches. It writes tables in Markdown. Every competitor, hone too, is a process
// of its own that answers requests (worker.go, peers.py, keras.py); a peer that is
// missing, or gives no answer for -patience, is named, and the rest runs. Where the
// processor has AVX-512, hone with AVX2 alone takes part as well.
//
// -python names the interpreter of another environment than setup makes by
// default, or several with commas: the first that has a peer's package runs it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hone-ml/hone/bench/internal/venv"
	"github.com/hone-ml/hone/engine/cpu/kernel"
	"github.com/hone-ml/hone/internal/atomicfile"
)

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

func start(args []string) error {
	if err := kernel.Setup(); err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "worker" {
		return serve(os.Stdin, os.Stdout)
	}
	if len(args) > 1 && args[0] == "setup" && args[1] == "keras" {
		return venv.Command("engine setup", kerasVenv, kerasRequirements, args[2:])
	}
	if len(args) > 0 && args[0] == "setup" {
		return venv.Command("engine", defaultVenv, requirements, args[1:])
	}
	if len(args) > 0 && args[0] == "record" {
		return record(args[1:])
	}
	var o options
	flags := flag.NewFlagSet("engine", flag.ExitOnError)
	flags.StringVar(&o.only, "only", "", "groups of cases, with commas; default all: "+strings.Join(groupNames(), ","))
	flags.StringVar(&o.threads, "threads", "1,2", "numbers of threads, with commas")
	flags.IntVar(&o.rounds, "rounds", 9, "how often all take turns; an interval of 95 % needs 6")
	flags.StringVar(&o.json, "json", "", "also write the results to this file")
	flags.StringVar(&o.python, "python", venv.Python(defaultVenv)+","+venv.Python(kerasVenv), "interpreters that have the peers, with commas")
	flags.DurationVar(&o.patience, "patience", 10*time.Minute, "how long a competitor may take for one answer before it is ended")
	flags.Parse(args)
	if flags.NArg() > 0 {
		return fmt.Errorf("found %q, expected flags or setup", flags.Arg(0))
	}
	return run(o, os.Stdout, os.Stderr)
}

type options struct {
	only, threads, json, python string
	rounds                      int
	patience                    time.Duration
}

func run(o options, stdout, stderr io.Writer) error {
	cases, err := choose(o.only)
	if err != nil {
		return err
	}
	counts, err := numbers(o.threads)
	if err != nil {
		return err
	}
	if o.rounds < 2 {
		return fmt.Errorf("-rounds is %d, expected 2 or more", o.rounds)
	}
	if err := adult().defaultTable(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "hone-engine-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{
		place:  place{dir: dir, pythons: strings.Split(o.python, ","), setup: setupText, patience: o.patience},
		rounds: o.rounds, block: block, progress: stderr, gone: map[string]bool{}, read: map[reading]float64{},
	}
	if err := b.place.files(); err != nil {
		return err
	}
	b.results = results{Rounds: o.rounds, Versions: map[string]string{}}
	_, _, b.Level = interval(make([]float64, o.rounds))
	if err := b.begin(cases, counts); err != nil {
		return err
	}
	for _, name := range groupNames() {
		var group []*Case
		for _, c := range cases {
			if c.Group == name {
				group = append(group, c)
			}
		}
		for _, n := range counts {
			if len(group) > 0 {
				if err := b.group(group, n); err != nil {
					return err
				}
			}
		}
	}
	b.Means = b.means()
	markdown(stdout, &b.results)
	if o.json == "" {
		return nil
	}
	return b.save(o.json)
}

// block is how long a competitor measures at a time, about.
const block = 30 * time.Millisecond

func (r *results) save(path string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, append(raw, '\n'))
}

func groupNames() (names []string) {
	for _, c := range allCases() {
		if !slices.Contains(names, c.Group) {
			names = append(names, c.Group)
		}
	}
	return names
}

// choose returns the cases of the groups in a list with commas, all of an empty
// one.
func choose(list string) ([]*Case, error) {
	all := allCases()
	if list == "" {
		return all, nil
	}
	wanted := strings.Split(list, ",")
	for _, name := range wanted {
		if !slices.Contains(groupNames(), name) {
			return nil, fmt.Errorf("there is no group %q, expected some of %s", name, strings.Join(groupNames(), ", "))
		}
	}
	return slices.DeleteFunc(all, func(c *Case) bool { return !slices.Contains(wanted, c.Group) }), nil
}

// numbers reads thread counts.
func numbers(list string) (counts []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-threads has %q, expected numbers of 1 or more, with commas", text)
		}
		counts = append(counts, n)
	}
	return counts, nil
}
