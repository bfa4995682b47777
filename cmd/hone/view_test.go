package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/train"
)

var updateView = flag.Bool("update-view", false, "write testdata/view anew")

// golden compares got with a file in testdata/view.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "view", name+".txt")
	if *updateView {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -run %s -update-view writes it anew)\ngot:\n%s\nwant:\n%s", path, t.Name(), got, want)
	}
}

// aClock is set by hand.
type aClock struct{ time time.Time }

func newClock() *aClock { return &aClock{time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)} }

func (c *aClock) now() time.Time { return c.time }

// replay tells watch a run, of which an epoch takes as long as told, and calls
// pause after each event.
func replay(clock *aClock, epoch time.Duration, watch lifecycle.Watcher, pause func(lifecycle.Event)) {
	send := func(e lifecycle.Event) {
		watch(e)
		if pause != nil {
			pause(e)
		}
	}
	send(lifecycle.Event{Stage: "prepare"})
	clock.time = clock.time.Add(400 * time.Millisecond)
	send(lifecycle.Event{Stage: "prepare", Note: "customer_id is an identifier: its values are all different, so it is left out of the inputs"})
	send(lifecycle.Event{Stage: "prepare", Warning: "cancelled_on gives the target away"})
	send(lifecycle.Event{Stage: "prepare", Ended: &lifecycle.Ended{Seconds: 0.4, Summary: "16000 rows to learn from, 2000 to validate on, 2000 to test on; 9 inputs"}})
	send(lifecycle.Event{Stage: "train"})
	send(lifecycle.Event{Stage: "train", Training: &lifecycle.Training{What: "network", Rows: 16000, Parameters: 12345, Epochs: 30, Metric: "roc_auc"}})
	for e := 1; e <= 12; e++ {
		x := float64(e)
		for step := 1; step <= 4; step++ {
			clock.time = clock.time.Add(epoch / 4)
			send(lifecycle.Event{Stage: "train", Step: &train.Progress{Epoch: e, Epochs: 30, Step: step, Steps: 4, Loss: 0.3 + 0.4*math.Exp(-x/3), RowsPerSecond: 41234.5, LearningRate: 1e-3}})
		}
		send(lifecycle.Event{Stage: "train", Epoch: &train.Epoch{
			Epoch: e, Loss: 0.3 + 0.4*math.Exp(-x/3), Validation: 0.31 + 0.4*math.Exp(-x/3) + 0.002*x,
			Scores: map[string]float64{"roc_auc": 0.86 - 0.3*math.Exp(-x/3)}, LearningRate: 1e-3, Seconds: epoch.Seconds(), Best: e <= 10,
		}})
	}
	send(lifecycle.Event{Stage: "train", Ended: &lifecycle.Ended{Seconds: 12 * epoch.Seconds(), Summary: "12 epochs, the best was 10"}})
	send(lifecycle.Event{Stage: "publish"})
	send(lifecycle.Event{Stage: "publish", Ended: &lifecycle.Ended{Seconds: 71.6, Summary: "churn.hone"}})
}

func TestPlainView(t *testing.T) {
	for name, epoch := range map[string]time.Duration{"plain": time.Second, "plain-quick": 150 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			var b bytes.Buffer
			v := newPlainView(&b, clock.now)
			replay(clock, epoch, v.watch, nil)
			v.finish()
			golden(t, name, b.String())
		})
	}
}

func TestPlainViewInterrupted(t *testing.T) {
	clock := newClock()
	var b bytes.Buffer
	v := newPlainView(&b, clock.now)
	v.watch(lifecycle.Event{Stage: "train", Training: &lifecycle.Training{What: "network", Rows: 1, Parameters: 1, Epochs: 9, Resumed: 2}})
	for e := 3; e <= 5; e++ {
		v.watch(lifecycle.Event{Stage: "train", Epoch: &train.Epoch{Epoch: e, Loss: math.NaN(), Best: e == 4}})
	}
	v.finish()
	v.finish()
	want := `train     training  network: 1 row, 1 parameter, at most 9 epochs, of which 2 done before
train     epoch     3/9  loss –         0 ms
train     epoch     5/9  loss –         0 ms
train     best      4/9  loss –         0 ms
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestJSONView(t *testing.T) {
	clock := newClock()
	var b bytes.Buffer
	v := newJSONView(&b, clock.now)
	replay(clock, time.Second, v.watch, nil)
	v.watch(lifecycle.Event{Stage: "train", Epoch: &train.Epoch{Epoch: 1, Loss: math.NaN(), Validation: math.Inf(1), Scores: map[string]float64{}}})
	golden(t, "json", b.String())
	for s := bufio.NewScanner(&b); s.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Errorf("%s: %v", s.Text(), err)
		}
	}
}

// TestJSONViewSteps: a thousand steps in a second are one line, or two.
func TestJSONViewSteps(t *testing.T) {
	clock := newClock()
	var b bytes.Buffer
	v := newJSONView(&b, clock.now)
	for range 2500 {
		v.watch(lifecycle.Event{Stage: "train", Step: &train.Progress{}})
		clock.time = clock.time.Add(time.Millisecond)
	}
	if n := strings.Count(b.String(), "\n"); n != 3 {
		t.Errorf("%d lines in 2.5 seconds, want 3", n)
	}
}

// liveAt replays a run to the live view, and stops after so many epochs of
// training, with the current one half done.
func liveAt(epochs, width, height int) *live {
	clock := newClock()
	f := &feed{}
	m := newLive(f, clock.now, false, lifecycle.Stages)
	m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	done, stop := 0, false
	watch := func(e lifecycle.Event) {
		if !stop {
			f.put(e)
			m.Update(tickMsg{})
		}
	}
	replay(clock, time.Second, watch, func(e lifecycle.Event) {
		if e.Epoch != nil {
			done++
		}
		stop = stop || done == epochs && e.Step != nil && e.Step.Epoch == epochs+1 && e.Step.Step == 2
	})
	return m
}

func TestLiveView(t *testing.T) {
	for _, c := range []struct {
		name                  string
		epochs, width, height int
	}{
		{"start-100", 0, 100, 30}, {"middle-40", 7, 40, 30}, {"middle-100", 7, 100, 30}, {"middle-160", 7, 160, 50},
		{"middle-100x12", 7, 100, 12}, {"end-40", 99, 40, 30}, {"end-100", 99, 100, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden(t, "live-"+c.name, liveAt(c.epochs, c.width, c.height).View().Content)
		})
	}
}

func TestLiveViewStopped(t *testing.T) {
	m := liveAt(3, 100, 30)
	m.Update(finishMsg{})
	m.Update(tickMsg{})
	golden(t, "live-stopped", m.View().Content)
}

// TestLiveViewFits: no line is wider than the terminal, nor are there too many
// of them, and nothing panics where it is tiny.
func TestLiveViewFits(t *testing.T) {
	for epochs := range 14 {
		m := liveAt(epochs, 80, 24)
		for _, width := range []int{1, 9, 40, 41, 69, 70, 85, 200} {
			for _, height := range []int{1, 9, 16, 24, 50} {
				m.Update(tea.WindowSizeMsg{Width: width, Height: height})
				frame := m.View().Content
				if h := lipgloss.Height(frame); width >= 40 && height > 15 && h > height {
					t.Fatalf("%d×%d: %d lines:\n%s", width, height, h, frame)
				}
				if w := lipgloss.Width(frame); w >= max(2, width) {
					t.Fatalf("%d×%d: %d columns:\n%s", width, height, w, frame)
				}
			}
		}
	}
}

// writes keeps what was written, and in which pieces.
type writes struct {
	bytes.Buffer
	writes []string
}

func (w *writes) Write(b []byte) (int, error) {
	w.writes = append(w.writes, string(b))
	return w.Buffer.Write(b)
}

// TestLiveViewRuns runs the program itself while events come as fast as they
// can, and looks for what it leaves behind.
func TestLiveViewRuns(t *testing.T) {
	before := runtime.NumGoroutine()
	var b writes
	watch, finish := startLive(&b, lifecycle.Stages)
	clock := newClock()
	replay(clock, time.Second, func(e lifecycle.Event) {
		for range 1000 {
			if e.Step == nil {
				break
			}
			watch(e)
		}
		watch(e)
	}, nil)
	finish()
	finish()
	for _, s := range []string{"customer_id is an identifier", "! cancelled_on", "✓", "best was 10", "churn.hone"} {
		if !strings.Contains(ansiFree(b.String()), s) {
			t.Errorf("%q was not shown:\n%s", s, b.String())
		}
	}
	// Bracketed paste, the other screen, and the cursor's shape.
	for _, mode := range []string{"\x1b[?2004h", "\x1b[?1049h", " q"} {
		if strings.Contains(b.String(), mode) {
			t.Errorf("the terminal's mode %q was changed", mode)
		}
	}
	for _, write := range b.writes {
		if strings.LastIndex(write, "\x1b[?25l") > strings.LastIndex(write, "\x1b[?25h") {
			t.Errorf("a write left the cursor hidden: %q", write)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("goroutines left:\n%s", buf[:runtime.Stack(buf, true)])
		}
	}
}

// ansiFree removes escape sequences.
func ansiFree(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\x1b' {
			for i++; i < len(s) && (s[i] < 'A' || s[i] == '['); i++ {
			}
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func TestNewViewFormats(t *testing.T) {
	for _, c := range []struct {
		format, term string
		interactive  bool
		want         string
	}{
		{"auto", "xterm", false, "prepare   note      hello\n"},
		{"auto", "dumb", true, "prepare   note      hello\n"},
		{"plain", "xterm", true, "prepare   note      hello\n"},
		{"json", "xterm", true, `"msg":"note","stage":"prepare","text":"hello"}` + "\n"},
	} {
		t.Setenv("TERM", c.term)
		var b bytes.Buffer
		watch, finish := newView(&b, c.format, c.interactive, lifecycle.Stages)
		watch(lifecycle.Event{Stage: "prepare", Note: "hello"})
		finish()
		if !strings.HasSuffix(b.String(), c.want) {
			t.Errorf("%+v: got %q", c, b.String())
		}
	}
}

func TestPlot(t *testing.T) {
	line := curve{points: []point{{0, 0}, {1, math.NaN()}, {1, 0}, {3, 2}}}
	for _, c := range []struct {
		curve         curve
		width, height int
		want          string
	}{
		{line, 4, 2, "  ⡠⠊\n⡀⡔⠁ "},
		{curve{points: []point{{1, 5}}}, 3, 1, " ⠄ "},
		{curve{points: []point{{1, 5}, {2, 5}}}, 3, 1, "⠤⠤⠤"},
		{curve{}, 3, 1, "   "},
	} {
		if got := strings.Join(plot(c.width, c.height, c.curve), "\n"); got != c.want {
			t.Errorf("%v: got\n%s\nwant\n%s", c.curve.points, got, c.want)
		}
	}
}

func TestBar(t *testing.T) {
	for done, want := range map[float64]string{0: "────", 0.5: "━━──", 0.6: "━━╸─", 1: "━━━━", 7: "━━━━", -1: "────"} {
		if got := bar(4, done, lipgloss.NewStyle(), lipgloss.NewStyle()); got != want {
			t.Errorf("%g: %q, want %q", done, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range [][2]string{
		{count(0), "0"}, {count(-999), "-999"}, {count(1000), "1,000"}, {count(-1234567), "-1,234,567"},
		{decimal(0), "0.0000"}, {decimal(0.31206), "0.3121"}, {decimal(-12.345), "-12.35"}, {decimal(123.45), "123.5"},
		{decimal(12345.6), "12346"}, {decimal(1.23456e7), "1.235e+07"}, {decimal(1.5e-5), "1.5e-05"}, {decimal(math.NaN()), "–"},
		{duration(0.012), "12 ms"}, {duration(0.4), "0.4 s"}, {duration(12.4), "12 s"}, {duration(59.9), "1 min 00 s"},
		{duration(200), "3 min 20 s"}, {duration(3900), "1 h 05 min"}, {duration(math.Inf(1)), "–"}, {duration(-1), "0 ms"},
		{hang("  ! ", "one two three four", 14), "  ! one two\n    three four"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}

// aSummary is a finished run's.
func aSummary() *lifecycle.Summary {
	iv := func(v, l, h float64) metric.Interval { return metric.Interval{Value: v, Low: l, High: h} }
	return &lifecycle.Summary{
		Bundle: "examples/churn/churn.hone", Report: "examples/churn/.hone/runs/20260304-ab12/report.html", Run: "20260304-ab12",
		Name: "churn", Target: "churned", Task: "binary", Headline: "roc_auc", Seed: 7,
		Test: evaluate.Scores{
			"roc_auc": iv(0.8634, 0.8461, 0.8801), "accuracy": iv(0.82, 0.80, 0.835), "f1": iv(0.6, 0.55, 0.63),
			"log_loss": iv(0.41, 0.39, 0.43), "precision": iv(0.7, 0.6, 0.8),
		},
		Baselines: map[string]evaluate.Scores{
			"linear":  {"roc_auc": iv(0.8412, 0.82, 0.86), "accuracy": iv(0.8, 0.79, 0.81), "f1": iv(0.55, 0.5, 0.6), "log_loss": iv(0.43, 0.4, 0.44)},
			"trivial": {"roc_auc": iv(0.5, 0.5, 0.5), "accuracy": iv(0.73, 0.7, 0.75), "log_loss": iv(0.58, 0.56, 0.6)},
		},
		Rows: evaluate.Rows{Train: 16000, Validation: 2000, Test: 2000}, Parameters: 12345, Epochs: 20, BestEpoch: 12,
		Answers: lifecycle.Answered{
			Good:  []string{"the network is better than a linear model on the same inputs: roc_auc differs by +0.0222 (95 % interval +0.0101 to +0.0343)"},
			Trust: []string{"a sound fit: validation rows lose more than training rows by 3 % of what a model that knows nothing loses"},
			Fails: []string{"contract is monthly and tenure ≤ 3: accuracy 0.612 (0.566 to 0.655) on 231 rows, 0.881 on all others (p < 0.0001)"},
		},
		Seconds: 34.2, LatencyMS: 0.123,
	}
}

func TestSummary(t *testing.T) {
	at := place{program: "hone", opener: "open", path: quote}
	golden(t, "summary", summaryText(aSummary(), newPalette(false), 80, at))
	golden(t, "summary-40", summaryText(aSummary(), newPalette(false), 40, at))

	s := aSummary()
	s.Task, s.Headline, s.Resumed, s.Baselines, s.Answers = "regression", "rmse", true, nil, lifecycle.Answered{}
	s.Test = evaluate.Scores{"rmse": {Value: 51234.5, Low: 50000, High: 52000}, "r2": {Value: 0.71, Low: math.NaN(), High: math.NaN()}}
	s.Bundle = "my model.hone"
	golden(t, "summary-regression", summaryText(s, newPalette(false), 80, at))

	plain, colored := summaryText(s, newPalette(false), 80, at), summaryText(s, newPalette(true), 80, at)
	if strings.Contains(plain, "\x1b") || !strings.Contains(colored, "\x1b[") || ansiFree(colored) != plain {
		t.Errorf("colour changes more than colour:\n%q\n%q", plain, colored)
	}
	var b bytes.Buffer
	printSummary(&b, s, false)
	if !strings.Contains(b.String(), " predict 'my model.hone' new.csv") {
		t.Errorf("no command to go on with:\n%s", b.String())
	}
}

// aChain is one of a trial that was kept and one that failed.
func aChain() *evaluate.Improvement {
	nan := math.NaN()
	return &evaluate.Improvement{
		Metric: "log_loss", Rows: 2000, Folds: 1, Level: 0.0125, Allowed: 4, First: 0.4312, Last: 0.4018, Stopped: "nothing was left to try",
		Trials: []evaluate.Trial{
			{Trial: 1, Finding: evaluate.Finding{Kind: "over-fitting", Sentence: "training rows are predicted better than held-out rows by 14 % of the trivial loss", Evidence: map[string]evaluate.Number{"gap": 0.14}},
				Remedy: "more dropout", Changes: []string{"network.dropout=0.3"}, Metric: "log_loss", Before: 0.4312, After: 0.4018,
				Gain: metric.Interval{Value: 0.0294, Low: 0.0127, High: 0.0461}, Test: metric.TestSignFlip, P: 0.0003, Outcome: evaluate.TrialKept, LatencyMS: 0.043},
			{Trial: 2, Finding: evaluate.Finding{Kind: "learning rate too high", Sentence: "from one epoch to the next, the loss rose on training and on held-out rows in 31 % of 40 epochs"},
				Remedy: "gradients bounded", Changes: []string{"train.clip_norm=1"}, Metric: "log_loss", Before: 0.4018, After: evaluate.Number(nan),
				Gain: metric.Interval{Value: nan, Low: nan, High: nan}, P: evaluate.Number(nan), Outcome: evaluate.TrialFailed, Reason: "training diverged"},
		},
		Changes: []string{"network.dropout=0.3"},
	}
}

func TestTrials(t *testing.T) {
	var lines, objects bytes.Buffer
	plain, js := newPlainView(&lines, time.Now), newJSONView(&objects, func() time.Time { return time.Unix(0, 0).UTC() })
	for i := range aChain().Trials {
		e := lifecycle.Event{Stage: lifecycle.StageOptimise, Trial: &aChain().Trials[i]}
		plain.watch(e)
		js.watch(e)
	}
	s := aSummary()
	s.Improvement = aChain()
	golden(t, "trials", lines.String()+summaryText(s, newPalette(false), 80, place{program: "hone", opener: "open", path: quote}))
	golden(t, "trials-json", objects.String())
}

func TestTyped(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for path, want := range map[string]string{
		"a.hone": "a.hone", "./sub/a.hone": filepath.Join("sub", "a.hone"), filepath.Join(dir, "x", "r.html"): filepath.Join("x", "r.html"),
		filepath.Join(filepath.Dir(dir), "r.html"): filepath.Join(filepath.Dir(dir), "r.html"),
	} {
		if got := typed(dir, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// BenchmarkLive is what a step costs the run, and a frame the machine.
func BenchmarkLive(b *testing.B) {
	b.Run("step", func(b *testing.B) {
		watch, finish := startLive(io.Discard, lifecycle.Stages)
		defer finish()
		e := lifecycle.Event{Stage: "train", Step: &train.Progress{Epoch: 1, Epochs: 2, Steps: 9}}
		for b.Loop() {
			watch(e)
		}
	})
	b.Run("frame", func(b *testing.B) {
		m := liveAt(11, 120, 40)
		m.paint = newPalette(true)
		for b.Loop() {
			_ = m.View()
		}
	})
}
