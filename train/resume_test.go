package train

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/format/safetensors"
	"github.com/hone-ml/hone/nn/loss"
	"github.com/hone-ml/hone/nn/optim"
)

// resumeCases are runs of the mixed task; each call gives fresh options.
var resumeCases = map[string]func() Options{
	"adam, plateau": func() Options {
		return Options{Epochs: 6, Optimizer: optim.Adam(0.02), Schedule: &optim.ReduceOnPlateau{Gamma: 0.5}}
	},
	"accumulation, warm-up before a plateau": func() Options {
		return Options{Epochs: 4, Optimizer: optim.AdamW(0.02, 0.01), Accumulate: 3, ClipNorm: 1,
			Schedule: &optim.WarmUp{Steps: 4, Then: &optim.ReduceOnPlateau{Gamma: 0.3}}}
	},
	"momentum, cosine, the best of a score": func() Options {
		return Options{Epochs: 5, Optimizer: optim.SGD(0.3, optim.Nesterov(0.9)), Schedule: optim.Cosine{}, L1: 1e-4, L2: 1e-3,
			Restore: true, Monitor: "mean", Higher: true, Score: func(pred [][]float32) (map[string]float64, error) {
				sum := 0.0
				for _, p := range pred[0] {
					sum += float64(p)
				}
				return map[string]float64{"mean": sum / float64(len(pred[0])), "undefined": math.NaN()}, nil
			}}
	},
	"average": func() Options {
		return Options{Epochs: 4, Optimizer: optim.Adam(0.02), Average: 0.6}
	},
	"average, accumulation, the best epoch": func() Options {
		return Options{Epochs: 6, Optimizer: optim.AdamW(0.1, 0.01), Accumulate: 2, Average: 1, Restore: true}
	},
	"early stopping": func() Options {
		return Options{Epochs: 40, Optimizer: optim.Adam(0.1), Patience: 2, Restore: true}
	},
}

// runMixed trains the mixed task, in which 5 steps are an epoch, and cancels
// after a number of batches, if that is above 0.
func runMixed(t testing.TB, o Options, cancelAfter int) (*graph.State, *Result, error) {
	t.Helper()
	return runOn(t, mixedRows(t, 1, 60, 13, true, 0.3), o, cancelAfter)
}

// runOn is runMixed on other rows.
func runOn(t testing.TB, rows *Memory, o Options, cancelAfter int) (*graph.State, *Result, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	state := graph.NewState()
	steps, onStep := 0, o.OnStep
	o.Seed, o.Fingerprint = 3, "mixed"
	o.OnStep = func(p Progress) {
		if steps++; steps == cancelAfter {
			cancel()
		}
		if onStep != nil {
			onStep(p)
		}
	}
	r, err := Run(ctx, mixed{}, state, rows, mixedRows(t, 2, 30, 16, false, 0.3), o)
	return state, r, err
}

// TestResumeAfterEveryBatch interrupts once after each batch, and, for some,
// again and again.
func TestResumeAfterEveryBatch(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(resumeCases)) {
		options := resumeCases[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, want, err := runMixed(t, options(), 0)
			if err != nil {
				t.Fatal(err)
			}
			bits := everything(state)
			batches := 5 * len(want.History)
			path := filepath.Join(t.TempDir(), "run.checkpoint")
			for after := 1; after <= batches; after++ {
				if err := RemoveCheckpoint(path); err != nil {
					t.Fatal(err)
				}
				sessions := 0
				for {
					o := options()
					o.Checkpoint = path
					stop := after
					if sessions > 0 && after > 4 {
						stop = 0 // once is enough
					}
					state, got, err := runMixed(t, o, stop)
					if sessions++; sessions > batches+1 {
						t.Fatalf("after %d: the run does not get on", after)
					}
					if errors.Is(err, ErrStopped) {
						if got.Stopped != "stopped" || got.Resumed != (sessions > 1) {
							t.Fatalf("after %d: %+v", after, got)
						}
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					if got.Resumed != (sessions > 1) || sessions < 2 && after < batches {
						t.Errorf("after %d: resumed is %v in session %d", after, got.Resumed, sessions)
					}
					what := fmt.Sprintf("interrupted after %d of %d batches, %d sessions", after, batches, sessions)
					sameBits(t, what, everything(state), bits)
					sameHistory(t, what, got, want)
					break
				}
				if t.Failed() {
					return
				}
			}
			// A finished run stays as it is.
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			o := options()
			o.Checkpoint, o.OnStep = path, func(Progress) { t.Error("a finished run trains on") }
			state, again, err := runMixed(t, o, 0)
			if err != nil || !again.Resumed {
				t.Fatal(again, err)
			}
			sameBits(t, "once more", everything(state), bits)
			sameHistory(t, "once more", again, want)
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("the checkpoint of a finished run was written again, %v", err)
			}
		})
	}
}

func TestPeekEpoch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.checkpoint")
	if n, ok := PeekEpoch(path); ok || n != 0 {
		t.Errorf("no file: %d epochs, %v", n, ok)
	}
	o := Options{Epochs: 9, Checkpoint: path}
	if _, _, err := runMixed(t, o, 12); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	if n, ok := PeekEpoch(path); !ok || n != 2 {
		t.Errorf("%d epochs, %v, expected 2", n, ok)
	}
}

func TestCheckpointThatDoesNotFit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.checkpoint")
	o := Options{Epochs: 3, Checkpoint: path, Restore: true}
	if _, _, err := runMixed(t, o, 8); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(*safetensors.File)) []byte {
		file, err := safetensors.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f(file)
		file.Metadata[sumKey] = checksum(file)
		other := filepath.Join(t.TempDir(), "other")
		if err := file.WriteFile(other); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(other)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	flipped := slices.Clone(good)
	flipped[len(flipped)-9] ^= 4
	cases := map[string]struct {
		content []byte
		want    string
	}{
		"empty":     {nil, "cannot be read"},
		"garbage":   {[]byte("epoch,loss\n1,0.5\n"), "cannot be read"},
		"extended":  {append(slices.Clone(good), 0), "cannot be read"},
		"flipped":   {flipped, "is damaged: its checksum"},
		"other run": {change(func(f *safetensors.File) { f.Metadata[printKey] = "other" }), "belongs to a run with another configuration, data or version"},
		"progress":  {change(func(f *safetensors.File) { f.Metadata[progressKey] = `{"epoch": "two"}` }), "holds no progress"},
		"missing":   {change(func(f *safetensors.File) { f.Tensors = f.Tensors[:len(f.Tensors)-1] }), "variables, and of the best epoch"},
		"renamed":   {change(func(f *safetensors.File) { f.Tensors[0].Name = "now/other" }), "holds now/other (F32[16]), which this network does not have"},
		"reshaped":  {change(func(f *safetensors.File) { f.Tensors[0].Shape = []int{4, 4} }), "(F32[4 4]), which this network does not have"},
		"retyped":   {change(func(f *safetensors.File) { f.Tensors[0].DType = "I32" }), "(I32[16]), which this network does not have"},
	}
	for n := 1; n < len(good); n += len(good)/23 + 1 {
		cases[fmt.Sprintf("cut at %d", n)] = struct {
			content []byte
			want    string
		}{good[:n], "cannot be read"}
	}
	untouched, _, err := runMixed(t, Options{Epochs: 1, Optimizer: optim.Adam(0)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range cases {
		if err := os.WriteFile(path, c.content, 0o644); err != nil {
			t.Fatal(err)
		}
		state, r, err := runMixed(t, o, 0)
		var bad *CheckpointError
		if !errors.As(err, &bad) || r != nil || bad.Path != path || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || !strings.HasSuffix(err.Error(), "; delete it to start anew") {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(c.content) {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
		// Nothing of it came into the state, with which a new run may begin.
		fresh := values(untouched)
		for name, v := range values(state) {
			if strings.Contains(name, "batch_norm") {
				continue // moved by the run that gave fresh
			}
			if !slices.Equal(v, fresh[name]) {
				t.Errorf("%s: %s is not as it is initialised", c.want, name)
			}
		}
	}
}

// TestFitCheckpoint: Fit finds out by itself that a checkpoint is another
// run's.
func TestFitCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fit.checkpoint")
	mse := loss.MeanSquaredError
	m := New(dense(), mse, optim.Adam(0.1))
	d := linear(20, 0.1)
	base := []Option{Epochs(3), BatchSize(4), Checkpoint(path)}
	first := fit(t, m, d, base...)
	if again := fit(t, m, d, base...); !again.Resumed {
		t.Error("the same run began anew")
	} else {
		sameBits(t, "again", everything(again.State), everything(first.State))
	}
	other := linear(20, 0.1)
	other.Y.Floats()[7]++
	weighted := linear(20, 0.1)
	weighted.Weights = slices.Repeat([]float32{1}, 20)
	for _, c := range []struct {
		name string
		m    *Model
		d    Dataset
		opt  Option
	}{
		{"rows", m, other, Epochs(3)},
		{"weights", m, weighted, Epochs(3)},
		{"epochs", m, d, Epochs(4)},
		{"batch size", m, d, BatchSize(5)},
		{"order", m, d, InOrder()},
		{"validation", m, d, ValidationSplit(0.2)},
		{"seed", m, d, Seed(1)},
		{"schedule", m, d, Schedule(optim.Cosine{})},
		{"clipping", m, d, ClipNorm(1)},
		{"learning rate", New(dense(), mse, optim.Adam(0.2)), d, Epochs(3)},
		{"optimiser", New(dense(), mse, optim.SGD(0.1)), d, Epochs(3)},
	} {
		var bad *CheckpointError
		if _, err := c.m.Fit(context.Background(), c.d, append(base, c.opt)...); !errors.As(err, &bad) {
			t.Errorf("another %s: %v, expected a CheckpointError", c.name, err)
		}
	}
}

// killedRun is the run that TestKill kills, on rows sampled by class.
func killedRun() Options {
	return Options{Epochs: 16, Optimizer: optim.Adam(0.02), Accumulate: 2, Restore: true, CheckpointEvery: time.Nanosecond,
		Schedule: &optim.ReduceOnPlateau{Gamma: 0.5}}
}

// childEnv makes this test binary the program that is killed: it names the
// folder of the checkpoint and the result.
const childEnv = "HONE_TEST_TRAIN_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

// child trains, says each batch, and writes the bits at the end.
func child(dir string) {
	o := killedRun()
	o.Checkpoint = filepath.Join(dir, "run.checkpoint")
	o.OnStep = func(p Progress) { fmt.Println(p.Epoch, p.Step) }
	state, _, err := runOn(&testing.T{}, sampledRows(&testing.T{}), o, 0)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "bits"), bitsOf(state), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func bitsOf(s *graph.State) []byte {
	var b []byte
	all := everything(s)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b = append(b, name...)
		for _, v := range all[name] {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	return b
}

// TestKill kills a process that trains, at random moments, until it is done.
func TestKill(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	state, _, err := runOn(t, sampledRows(t), killedRun(), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := bitsOf(state)
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	kills := 0
	for {
		c := exec.Command(self)
		c.Env = append(os.Environ(), childEnv+"="+dir)
		var stderr strings.Builder
		c.Stderr = &stderr
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// At least two batches, so that the one before is saved and each process
		// gets on; then a moment, which may be within the saving.
		batches := bufio.NewScanner(out)
		for left := 2 + r.IntN(18); left > 0 && batches.Scan(); left-- {
		}
		time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond)
		killed := c.Process.Kill() == nil
		for batches.Scan() { // to the end, so that Wait may close it
		}
		if err := c.Wait(); err == nil {
			break
		} else if !killed || stderr.Len() > 0 {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		if kills++; kills > 60 {
			t.Fatal("the run does not get on")
		}
	}
	if kills < 3 {
		t.Errorf("killed only %d times: nothing is tested", kills)
	}
	got, err := os.ReadFile(filepath.Join(dir, "bits"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("after %d kills the run ended at other bits", kills)
	}
	// What a kill leaves beside the checkpoint is a temporary file at most.
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := f.Name(); name != "bits" && name != "run.checkpoint" && !strings.HasPrefix(name, ".run.checkpoint.tmp-") {
			t.Errorf("found %s", name)
		}
	}
}

// TestCheckpointKeepsWords: variables need not be float32.
func TestCheckpointKeepsWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.checkpoint")
	run := func(count int32, cancelAfter int) (*graph.State, error) {
		state := graph.NewState()
		c, err := tensor.FromInts([]int32{count, -1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := state.Add("count", c, false); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		steps := 0
		_, err = Run(ctx, mixed{}, state, mixedRows(t, 1, 60, 13, true, 0), mixedRows(t, 2, 30, 16, false, 0), Options{
			Epochs: 2, Restore: true, Checkpoint: path,
			OnStep: func(Progress) {
				if steps++; steps == cancelAfter {
					cancel()
				}
			},
		})
		return state, err
	}
	if _, err := run(5, 7); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	state, err := run(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := state.Lookup("count").Value.Ints(); got[0] != 5 || got[1] != -1 {
		t.Errorf("count is %v, expected that of the checkpoint, 5 and −1", got)
	}
}

func TestScheduleTextTellsSchedulesApart(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range []optim.Schedule{
		nil, optim.Cosine{Steps: 1}, optim.Cosine{Steps: 2},
		&optim.ReduceOnPlateau{Gamma: 0.1}, &optim.ReduceOnPlateau{Gamma: 0.2},
		&optim.WarmUp{Steps: 1, Then: optim.Cosine{Steps: 1}}, &optim.WarmUp{Steps: 1, Then: &optim.ReduceOnPlateau{Gamma: 0.1}},
		&optim.WarmUp{Steps: 1, Then: &optim.ReduceOnPlateau{Gamma: 0.2}},
	} {
		text := scheduleText(s)
		if seen[text] || strings.Contains(text, "0x") {
			t.Errorf("%s: seen before, or an address", text)
		}
		seen[text] = true
	}
}
