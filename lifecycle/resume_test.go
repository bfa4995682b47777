package lifecycle

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/store"
)

// The test binary is also a program that carries out a run and kills itself.
const (
	childConfig = "HONE_TEST_CHILD"       // configuration to run
	childEvents = "HONE_TEST_KILL_AFTER"  // events, and then microseconds: 40,700
	childBundle = "HONE_TEST_KILL_BUNDLE" // set: between bundle and register
	childTrains = "HONE_TEST_KILL_IN"     // the training in whose second epoch
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childConfig); path != "" {
		child(path)
	}
	os.Exit(m.Run())
}

// killSelf is kill -9: nothing is cleaned up.
func killSelf() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		p.Kill()
	}
}

func child(path string) {
	c, err := LoadConfig(path, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var after, micro int
	fmt.Sscanf(os.Getenv(childEvents), "%d,%d", &after, &micro)
	events, training := 0, ""
	s, err := Run(context.Background(), c, func(e Event) {
		if events++; after > 0 && events == after {
			time.AfterFunc(time.Duration(micro)*time.Microsecond, killSelf)
		}
		if e.Training != nil {
			training = e.Training.What
		}
		if e.Step != nil && e.Step.Epoch == 2 && training == os.Getenv(childTrains) {
			killSelf()
			select {}
		}
		if e.Stage == StagePublish && e.Ended == nil && os.Getenv(childBundle) != "" {
			killAtRegister(c)
		}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(s)
	os.Exit(0)
}

// killAtRegister kills this process when all files of a run are written, which
// cannot be entered meanwhile: another connection holds the register.
func killAtRegister(c *Config) {
	dir := home(c.doc.Dir())
	db, err := sql.Open("sqlite", filepath.Join(dir, "runs.db"))
	if err == nil {
		db.SetMaxOpenConns(1)
		_, err = db.Exec("BEGIN IMMEDIATE")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	go func() {
		for ; ; time.Sleep(time.Millisecond) {
			if found, _ := filepath.Glob(filepath.Join(dir, "runs", "*", "report.html")); found != nil {
				killSelf()
			}
		}
	}()
}

// resumable writes data and configuration of a run with all that has a memory:
// dropout, moments, accumulated gradients, a plateau schedule, two candidates.
func resumable(tb testing.TB) (dir, text string) {
	dir = tb.TempDir()
	shoppers(600, 11).only("age", "income", "color", "spend").write(tb, dir, "rows.csv")
	text = `
name: shop
data: {source: rows.csv}
outputs: [spend]
network: {type: mlp, widths: [16], dropout: 0.2, norm: batch}
train: {bagging: off, epochs: 5, batch_size: 64, accumulate: 3, schedule: {type: reduce_on_plateau, patience: 0, warm_up: 1}, early_stopping: {patience: 3}}
evaluate: {bootstrap: 20}
`
	return dir, text
}

// uninterrupted returns the bundle of a run that nothing disturbs, as bytes,
// and the number of its events.
func uninterrupted(tb testing.TB, text string, from string) (bytes string, events int) {
	dir := tb.TempDir()
	writeFile(tb, dir, "rows.csv", mustRead(tb, filepath.Join(from, "rows.csv")))
	s, w := mustRun(tb, configure(tb, dir, text))
	return mustRead(tb, s.Bundle), len(w.events)
}

// registered returns the runs of a folder, the newest first.
func registered(tb testing.TB, dir string) []store.Run {
	tb.Helper()
	s, err := OpenRuns(dir)
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Close()
	runs, err := s.List(0)
	if err != nil {
		tb.Fatal(err)
	}
	return runs
}

func checkpoints(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, ".hone", "runs", "*", "*.checkpoint*"))
	more, _ := filepath.Glob(filepath.Join(dir, ".hone", "runs", "*", ".*.tmp-*"))
	return append(found, more...)
}

func TestKilledAtAnyMoment(t *testing.T) {
	dir, text := resumable(t)
	want, events := uninterrupted(t, text, dir)
	path := writeFile(t, dir, "hone.yaml", text)
	homeDir := filepath.Join(t.TempDir(), "home")
	t.Setenv("HONE_HOME", homeDir)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	kills, atTheEnd := 0, false
	var out []byte
	for attempt := 1; ; attempt++ {
		if attempt > 40 {
			t.Fatalf("seed %d: still not done", seed)
		}
		// Few events at first, more later, so that it gets on; between two of
		// them a checkpoint may just be written.
		after := 3 + r.IntN(events/6+attempt*events/20)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childConfig+"="+path, fmt.Sprintf("%s=%d,%d", childEvents, after, r.IntN(3000)))
		var errText strings.Builder
		cmd.Stderr = &errText
		var err error
		if out, err = cmd.Output(); err == nil {
			break
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Exited() {
			t.Fatalf("seed %d: attempt %d: %v: %s", seed, attempt, err, errText.String())
		}
		kills++
		// Between its last entry in the register and its end a run is done: the same
		// command would start another.
		if runs := registered(t, dir); len(runs) > 0 && runs[0].Status == store.Done {
			out, atTheEnd = runs[0].Result, true
			break
		}
	}
	t.Logf("killed %d times (seed %d)", kills, seed)
	if kills == 0 {
		t.Error("nothing was killed")
	}
	var s Summary
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got := mustRead(t, filepath.Join(dir, "shop.hone")); got != want {
		t.Errorf("seed %d: after %d kills the bundle differs from that of an uninterrupted run", seed, kills)
	}
	runs := registered(t, dir)
	if len(runs) != 1 || runs[0].Status != store.Done || runs[0].ID != s.Run || !strings.HasPrefix(runs[0].Dir, homeDir) {
		t.Errorf("register: %+v", runs)
	}
	if left, _ := os.ReadDir(runs[0].Dir); len(left) != 4 && !atTheEnd { // config, lock, bundle, report
		t.Errorf("left in the run's folder: %v", left)
	}
}

func TestKilledBetweenBundleAndRegister(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	want, _ := uninterrupted(t, text, dir)
	c := configure(t, dir, text)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childConfig+"="+filepath.Join(dir, "hone.yaml"), childBundle+"=1", "HONE_HOME=")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("it was not killed: %s", out)
	}
	runs := registered(t, dir)
	if len(runs) != 1 || runs[0].Status != store.Running || StatusOf(runs[0]) != "killed" {
		t.Fatalf("register: %+v", runs)
	}
	s, w := mustRun(t, c)
	for _, e := range w.events {
		if e.Step != nil {
			t.Fatalf("trained again: %+v", e.Step)
		}
	}
	if !s.Resumed || s.Run != runs[0].ID || mustRead(t, s.Bundle) != want {
		t.Error("the run was not finished as it would have been")
	}
	if runs := registered(t, dir); len(runs) != 1 || runs[0].Status != store.Done {
		t.Errorf("register: %+v", runs)
	}
}

// stopAt returns a watcher that cancels at an event.
func stopAt(at func(Event) bool) (context.Context, *told) {
	ctx, cancel := context.WithCancel(context.Background())
	return ctx, &told{stop: func(e Event) {
		if at(e) {
			cancel()
		}
	}}
}

func TestStoppedAndContinued(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	want, _ := uninterrupted(t, text, dir)
	what := "" // is being trained
	moments := []func(Event) bool{
		func(e Event) bool { return e.Stage == StagePrepare && e.Ended != nil },
		func(e Event) bool { return e.Step != nil && e.Step.Epoch == 1 && e.Step.Step == 2 },
		func(e Event) bool { return e.Step != nil && e.Step.Epoch == 2 && e.Step.Step == e.Step.Steps }, // before it is validated
		func(e Event) bool { return e.Step != nil && e.Step.Epoch == 4 && e.Step.Step == 5 },
		func(e Event) bool {
			return strings.Contains(what, "log") && e.Step != nil && e.Step.Epoch == 2 && e.Step.Step == 4
		},
		func(e Event) bool {
			return strings.Contains(what, "log") && e.Step != nil && e.Step.Epoch == 3 && e.Step.Step == e.Step.Steps
		},
		func(e Event) bool { return e.Stage == StageBaseline && e.Step != nil && e.Step.Epoch == 3 },
		func(e Event) bool { return e.Stage == StageEvaluate },
		func(e Event) bool { return e.Stage == StagePublish },
	}
	id := ""
	for i, at := range moments {
		ctx, w := stopAt(func(e Event) bool {
			if e.Training != nil {
				what = e.Training.What
			}
			return at(e)
		})
		_, err := Run(ctx, configure(t, dir, text), w.watch)
		if !IsStopped(err) {
			t.Fatalf("moment %d: %v", i, err)
		}
		runs := registered(t, dir)
		if len(runs) != 1 || runs[0].Status != store.Stopped || (id != "" && runs[0].ID != id) {
			t.Fatalf("moment %d: register %+v", i, runs)
		}
		if id = runs[0].ID; i > 0 && !strings.Contains(w.notes(), "going on with the unfinished run "+id) {
			t.Errorf("moment %d: notes %q", i, w.notes())
		}
	}
	s, _ := mustRun(t, configure(t, dir, text))
	if got := mustRead(t, s.Bundle); got != want {
		t.Error("after stops the bundle differs from that of an uninterrupted run")
	}
	if !s.Resumed || s.Run != id || len(checkpoints(dir)) != 0 {
		t.Errorf("resumed %t, run %s of %s, checkpoints %v", s.Resumed, s.Run, id, checkpoints(dir))
	}
	// A finished run is not touched; the same command begins another.
	before := mustRead(t, s.Report)
	again, _ := mustRun(t, configure(t, dir, text))
	if again.Resumed || again.Run == s.Run || mustRead(t, s.Report) != before || mustRead(t, again.Bundle) != want {
		t.Errorf("the second run: %+v", again)
	}
	if runs := registered(t, dir); len(runs) != 2 || runs[0].Status != store.Done || runs[1].Status != store.Done {
		t.Errorf("register: %+v", runs)
	}
}

func TestSecondProcessOnTheSameRun(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	var second error
	w := &told{}
	w.stop = func(e Event) {
		if e.Epoch != nil && e.Epoch.Epoch == 2 && second == nil {
			_, second = Run(context.Background(), configure(t, dir, text), nil)
			runs := registered(t, dir)
			if len(runs) != 1 || StatusOf(runs[0]) != store.Running {
				t.Errorf("register: %+v", runs)
			}
			st, err := OpenRuns(dir)
			if err != nil {
				t.Error(err)
				return
			}
			defer st.Close()
			if err := RemoveRun(st, runs[0]); err == nil {
				t.Error("a run that goes on was removed")
			}
		}
	}
	s, err := Run(context.Background(), configure(t, dir, text), w.watch)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, second, "going on already", s.Run, "process "+strconv.Itoa(os.Getpid()))
	runs := registered(t, dir)
	if len(runs) != 1 || runs[0].Status != store.Done {
		t.Fatalf("register: %+v", runs)
	}
	st, err := OpenRuns(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := RemoveRun(st, runs[0]); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(runs[0].Dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there still: %v", err)
	}
	if _, err := os.Stat(s.Bundle); err != nil {
		t.Errorf("the bundle beside the configuration is gone: %v", err)
	}
}

func TestChangedRunStartsAnew(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	stopped := func(sets ...string) (string, *told) {
		t.Helper()
		ctx, w := stopAt(func(e Event) bool { return e.Epoch != nil && e.Epoch.Epoch == 2 })
		if _, err := Run(ctx, configure(t, dir, text, sets...), w.watch); !IsStopped(err) {
			t.Fatal(err)
		}
		return registered(t, dir)[0].ID, w
	}
	first, w := stopped()
	if n := w.notes(); strings.Contains(n, "unfinished") {
		t.Errorf("notes: %s", n)
	}
	time.Sleep(time.Millisecond) // ids begin with the time
	second, w := stopped("seed=1")
	if n := w.notes(); second == first || !strings.Contains(n, "the unfinished run "+first+" had another configuration, other data or another program: starting anew") {
		t.Errorf("notes: %s", n)
	}
	// Back to the first configuration: its run goes on, though it is not the newest.
	if _, w := stopped(); !strings.Contains(w.notes(), "going on with the unfinished run "+first) {
		t.Errorf("notes: %s", w.notes())
	}
	rows := mustRead(t, filepath.Join(dir, "rows.csv"))
	writeFile(t, dir, "rows.csv", strings.Replace(rows, "red", "blue", 1))
	third, w := stopped()
	if n := w.notes(); third == first || third == second || !strings.Contains(n, "the unfinished run "+second+" had another") {
		t.Errorf("notes: %s", n)
	}
	// One whose folder was deleted is not gone on with.
	writeFile(t, dir, "rows.csv", rows)
	if err := os.RemoveAll(filepath.Join(dir, ".hone", "runs", first)); err != nil {
		t.Fatal(err)
	}
	s, _ := mustRun(t, configure(t, dir, text))
	if s.Resumed {
		t.Error("resumed a run whose folder is gone")
	}
}

// A damaged checkpoint costs time and is told; the result is the same.
func TestDamagedCheckpoint(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	want, _ := uninterrupted(t, text, dir)
	for name, damage := range map[string]func([]byte) []byte{
		"one byte":  func(b []byte) []byte { b[len(b)-100] ^= 1; return b },
		"truncated": func(b []byte) []byte { return b[:len(b)/2] },
		"empty":     func(b []byte) []byte { return nil },
		"garbage":   func(b []byte) []byte { return []byte(strings.Repeat("garbage ", 100)) },
	} {
		ctx, w := stopAt(func(e Event) bool { return e.Stage == StageBaseline && e.Epoch != nil && e.Epoch.Epoch == 2 })
		if _, err := Run(ctx, configure(t, dir, text), w.watch); !IsStopped(err) {
			t.Fatal(err)
		}
		files := checkpoints(dir)
		if len(files) != 3 {
			t.Fatalf("checkpoints: %v", files)
		}
		for _, f := range files {
			if err := os.WriteFile(f, damage([]byte(mustRead(t, f))), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		s, w := mustRun(t, configure(t, dir, text))
		if n := strings.Count(w.notes(), "trained anew"); n != 3 || !strings.Contains(w.notes(), "warning: the checkpoint of the linear baseline") {
			t.Errorf("%s: notes\n%s", name, w.notes())
		}
		if !s.Resumed || mustRead(t, s.Bundle) != want {
			t.Errorf("%s: the bundle differs from that of an undisturbed run", name)
		}
	}
}

func TestSameBitsOnAnyNumberOfThreads(t *testing.T) {
	t.Parallel()
	before := cpu.Threads()
	defer cpu.SetThreads(before)
	dir := t.TempDir()
	shoppers(900, 12).only("age", "income", "color", "member", "since", "team", "level").write(t, dir, "rows.csv")
	want := ""
	for threads := 1; threads <= 3; threads++ {
		cpu.SetThreads(threads)
		s, _ := mustRun(t, configure(t, dir, `{data: {source: rows.csv}, outputs: [level], network: {widths: [96, 64]}, train: {bagging: off, epochs: 2, batch_size: 256}, evaluate: {bootstrap: 20}}`))
		got := mustRead(t, s.Bundle)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d threads give other bits than one", threads)
		}
	}
}

func TestFailedRunIsRegistered(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	_, err := Run(context.Background(), configure(t, dir, text, "train.optimizer={type: sgd, learning_rate: 1e30}", "train.schedule=constant", "data.validation=0.2"), nil)
	wantError(t, err, "diverged", "learning rate")
	runs := registered(t, dir)
	if len(runs) != 1 || runs[0].Status != store.Failed || !strings.Contains(runs[0].Error, "diverged") {
		t.Errorf("register: %+v", runs)
	}
	if s, _ := mustRun(t, configure(t, dir, text)); s.Resumed {
		t.Error("a failed run was gone on with")
	}
}

// TestMovedProject: a project that is moved after a run was stopped goes on there.
func TestMovedProject(t *testing.T) {
	t.Parallel()
	dir, text := resumable(t)
	want, _ := uninterrupted(t, text, dir)
	ctx, w := stopAt(func(e Event) bool { return e.Step != nil && e.Step.Epoch == 3 })
	if _, err := Run(ctx, configure(t, dir, text), w.watch); !IsStopped(err) {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	s, w := mustRun(t, configure(t, moved, text))
	if tr := w.trainings()[0]; !s.Resumed || tr.Resumed == 0 {
		t.Errorf("resumed %v, after %d epochs", s.Resumed, tr.Resumed)
	}
	if mustRead(t, s.Bundle) != want || filepath.Dir(s.Bundle) != moved {
		t.Errorf("the bundle %s differs from that of an uninterrupted run", s.Bundle)
	}
	if runs, err := os.ReadDir(filepath.Join(moved, ".hone", "runs")); err != nil || len(runs) != 1 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}
