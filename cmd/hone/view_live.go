package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/train"
)

// frameTime is the time between two frames of the live view.
const frameTime = 100 * time.Millisecond

// A feed carries events from the run to the display. Steps come by the
// thousand in a second: only the last one is kept.
type feed struct {
	mu    sync.Mutex
	step  *train.Progress
	queue []lifecycle.Event
}

// put never waits but for take, which is a few instructions.
func (f *feed) put(e lifecycle.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Step != nil {
		f.step = e.Step
		return
	}
	if e.Training != nil {
		f.step = nil
	}
	f.queue = append(f.queue, e)
}

// take returns the events since the last call, and the last step of the
// training that they leave going on.
func (f *feed) take() ([]lifecycle.Event, *train.Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	events := f.queue
	f.queue = nil
	return events, f.step
}

// startLive shows the run on the terminal w. It leaves standard input, signals
// and the modes of the terminal alone, so that Ctrl-C reaches the caller and
// nothing need be put right after a kill.
func startLive(w io.Writer, stages []string) (watch lifecycle.Watcher, finish func()) {
	f := &feed{}
	options := []tea.ProgramOption{tea.WithInput(nil), tea.WithoutSignalHandler(), tea.WithFPS(int(time.Second / frameTime))}
	if file, ok := w.(*os.File); ok {
		options = append(options, tea.WithOutput(lineStart{file}))
	} else {
		options = append(options, tea.WithOutput(w), tea.WithWindowSize(80, 24))
	}
	p := tea.NewProgram(newLive(f, time.Now, wantsColor(), stages), options...)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// The display is not worth ending a run for: what it would have said
		// is in the summary and the report.
		_, _ = p.Run()
	}()
	return f.put, sync.OnceFunc(func() {
		p.Send(finishMsg{})
		<-ended
	})
}

// lineStart begins whatever is written in the first column, where the live
// view leaves the cursor but the echo of a typed Ctrl-C moves it on.
type lineStart struct{ *os.File }

func (w lineStart) Write(b []byte) (int, error) {
	n, err := w.File.Write(append([]byte{'\r'}, b...))
	return max(0, n-1), err
}

type (
	tickMsg   struct{}
	finishMsg struct{}
)

// live is the model of the live view: what is known of the run.
type live struct {
	feed          *feed
	clock         func() time.Time
	now           time.Time // of this frame
	width, height int
	paint         palette
	stages        []*stageView
	finishing     bool // this is the last frame's time
	over          bool
}

// stageView is what is known of a stage.
type stageView struct {
	name      string
	began     time.Time
	ended     *lifecycle.Ended
	trainings []*trainingView
}

// trainingView is what is known of a training.
type trainingView struct {
	lifecycle.Training
	step     *train.Progress
	epochs   []train.Epoch
	best     *train.Epoch
	current  []point   // the loss within the current epoch, by epochs
	from     float64   // epochs done when the first step was seen,
	fromTime time.Time // and when that was
}

func newLive(f *feed, clock func() time.Time, color bool, stages []string) *live {
	m := &live{feed: f, clock: clock, now: clock(), width: 80, height: 24, paint: newPalette(color)}
	for _, s := range stages {
		m.stages = append(m.stages, &stageView{name: s})
	}
	return m
}

func (m *live) Init() tea.Cmd { return tick() }

func tick() tea.Cmd { return tea.Tick(frameTime, func(time.Time) tea.Msg { return tickMsg{} }) }

func (m *live) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tickMsg:
		// Only ticks print, and the next one waits until the lines are out: so
		// they keep their order, and none is lost at the end.
		next := tick()
		if m.over = m.finishing; m.over {
			next = tea.Quit
		}
		return m, tea.Sequence(m.refresh(), next)
	case finishMsg:
		m.finishing = true
	}
	return m, nil
}

// refresh takes what is new and returns the command that prints its lines
// above the view.
func (m *live) refresh() tea.Cmd {
	m.now = m.clock()
	events, step := m.feed.take()
	var lines []string
	for _, e := range events {
		switch {
		case e.Note != "":
			lines = append(lines, hang("  "+m.paint.faint.Render("·")+" ", e.Note, m.width-1))
		case e.Warning != "":
			lines = append(lines, hang("  "+m.paint.warn.Render("!")+" ", e.Warning, m.width-1))
		case e.Trial != nil:
			for i, l := range trialLines(e.Trial) {
				lines = append(lines, hang("  "+strings.Repeat("  ", i)+m.paint.faint.Render([]string{"·", "→", "→"}[i])+" ", l[1], m.width-1))
			}
		default:
			m.apply(e)
		}
	}
	if t := m.training(); t != nil && step != nil {
		t.take(step, m.now)
	}
	if lines == nil {
		return nil
	}
	return tea.Println(strings.Join(lines, "\n"))
}

func (m *live) apply(e lifecycle.Event) {
	s := m.stage(e.Stage)
	if s.began.IsZero() {
		s.began = m.now
	}
	switch {
	case e.Training != nil:
		s.trainings = append(s.trainings, &trainingView{Training: *e.Training})
	case e.Epoch != nil && len(s.trainings) > 0:
		t := s.trainings[len(s.trainings)-1]
		t.epochs = append(t.epochs, *e.Epoch)
		t.current = nil
		if e.Epoch.Best {
			t.best = e.Epoch
		}
	case e.Ended != nil:
		s.ended = e.Ended
	}
}

// stage returns the stage of that name; one that is not in the list is added after
// those that have begun.
func (m *live) stage(name string) *stageView {
	for _, s := range m.stages {
		if s.name == name {
			return s
		}
	}
	at := 0
	for at < len(m.stages) && !m.stages[at].began.IsZero() {
		at++
	}
	s := &stageView{name: name}
	m.stages = slices.Insert(m.stages, at, s)
	return s
}

// training returns the training that is going on, or nil.
func (m *live) training() *trainingView {
	for _, s := range m.stages {
		if s.running() && len(s.trainings) > 0 {
			return s.trainings[len(s.trainings)-1]
		}
	}
	return nil
}

func (s *stageView) running() bool { return !s.began.IsZero() && s.ended == nil }

// take notes the last step.
func (t *trainingView) take(p *train.Progress, now time.Time) {
	t.step = p
	if t.fromTime.IsZero() {
		t.from, t.fromTime = t.done(), now
	}
	switch n := len(t.epochs); {
	case n == 0: // every point there is, until there are epochs
		t.current = append(t.current, point{t.done(), p.Loss})
	case t.epochs[n-1].Epoch < p.Epoch && t.inEpoch() >= 0.25: // before, a few batches' noise
		t.current = []point{{t.done(), p.Loss}}
	}
}

// done is the number of epochs done, with the part of the current one.
func (t *trainingView) done() float64 {
	return float64(t.step.Epoch-1) + t.inEpoch()
}

func (t *trainingView) inEpoch() float64 {
	return float64(t.step.Step) / float64(max(1, t.step.Steps))
}

// left estimates the seconds until the last epoch is done; ok is false before
// there is something to go by.
func (t *trainingView) left(now time.Time) (seconds float64, ok bool) {
	spent, done := now.Sub(t.fromTime).Seconds(), t.done()-t.from
	if spent < 1 || done <= 0 {
		return 0, false
	}
	return spent / done * (float64(t.step.Epochs) - t.done()), true
}

func (m *live) View() tea.View {
	v := tea.NewView(m.frame())
	v.DisableBracketedPasteMode = true
	// The cursor stays visible, on the empty line below, so that no way of
	// being killed leaves a terminal without one.
	v.Cursor = tea.NewCursor(0, lipgloss.Height(v.Content)-1)
	// This encodes as 0, the terminal's own shape, for which nothing is sent.
	v.Cursor.Shape, v.Cursor.Blink = -1, false
	return v
}

// frame draws the stages, and the training that is going on.
func (m *live) frame() string {
	var lines []string
	for n, s := range m.stages {
		if m.over && s.began.IsZero() {
			continue // it did not come to this
		}
		lines = append(lines, m.heading(s)...)
		past := max(0, len(s.trainings)-mostTrainings)
		if past > 0 {
			lines = append(lines, m.paint.faint.Render(fmt.Sprintf("    %s before", plural(past, "training"))))
		}
		for i, t := range s.trainings {
			if i < past {
				continue
			}
			if s.running() && !m.over && i == len(s.trainings)-1 {
				const bars = 4 // lines around the curves
				rows := m.height - 1 - len(lines) - bars - (len(m.stages) - n - 1)
				lines = append(lines, m.panel(t, rows)...)
			} else if line := m.outcome(t); line != "" {
				lines = append(lines, line)
			}
		}
	}
	for i, l := range lines {
		lines[i] = cut(strings.TrimRight(l, " "), m.width-1)
	}
	return strings.Join(lines, "\n") + "\n"
}

// mostTrainings is how many of a stage's trainings are shown: a bag or folds have
// many.
const mostTrainings = 4

// narrow is the width below which the view is stacked.
const narrow = 70

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// heading is a stage's line.
func (m *live) heading(s *stageView) []string {
	mark, name, seconds, text := "○", pad(s.name, stageWidth()), "", ""
	switch {
	case s.ended != nil:
		mark, seconds, text = m.paint.good.Render("✓"), duration(s.ended.Seconds), s.ended.Summary
	case s.began.IsZero():
		mark, name = m.paint.faint.Render(mark), m.paint.faint.Render(name)
	case m.over:
		mark, seconds, text = m.paint.warn.Render("■"), duration(m.now.Sub(s.began).Seconds()), "not finished"
	default:
		frame := int(m.now.Sub(s.began)/frameTime) % len(spinner)
		mark, name, seconds = m.paint.busy.Render(spinner[frame]), m.paint.title.Render(name), duration(m.now.Sub(s.began).Seconds())
		if n := len(s.trainings); n > 0 {
			t := s.trainings[n-1]
			text = fmt.Sprintf("%s · %s · %s", t.What, plural(t.Rows, "row"), plural(t.Parameters, "parameter"))
			if t.Resumed > 0 {
				text += fmt.Sprintf(" · going on after epoch %s", count(t.Resumed))
			}
		}
	}
	head := fmt.Sprintf("  %s %s  ", mark, name)
	if seconds != "" {
		head += m.paint.faint.Render(padLeft(seconds, 10)) + "  "
	}
	if m.width < narrow && text != "" {
		return append([]string{head}, strings.Split(hang("    ", text, m.width-1), "\n")...)
	}
	return strings.Split(hang(head, text, m.width-1), "\n")
}

// panel shows a training that is going on: progress and curves, the latter in
// at most so many rows.
func (m *live) panel(t *trainingView, rows int) []string {
	if t.step == nil {
		return nil
	}
	indent, width := "    ", m.width-1-4
	p := t.step
	speed, left := "", ""
	if p.RowsPerSecond > 0 {
		speed = count(int(p.RowsPerSecond)) + " rows/s"
	}
	if s, ok := t.left(m.now); ok {
		left = "at most " + duration(s) + " left"
	}
	all := t.done() / float64(max(1, p.Epochs))
	digits := len(count(p.Epochs))
	labels := [2]string{"epoch " + padLeft(count(p.Epoch), digits), "   of " + padLeft(count(p.Epochs), digits)}
	tails := [2]string{speed, left}
	room := width - lipgloss.Width(labels[0]) - len(" ") - len("  100 %")
	if m.width >= narrow {
		room -= 28
	}
	var lines []string
	for i, done := range [2]float64{t.inEpoch(), all} {
		line := fmt.Sprintf("%s%s %s %4.0f %%", indent, labels[i], bar(min(room, 60), done, m.paint.busy, m.paint.faint), 100*done)
		if m.width >= narrow {
			line += "  " + tails[i]
		}
		lines = append(lines, line)
	}
	if m.width < narrow {
		lines = append(lines, indent+strings.Trim(speed+" · "+left, " ·"))
	}
	for _, l := range m.curves(t, width, rows) {
		lines = append(lines, indent+l)
	}
	return append(lines, "")
}

// series returns the curves of a training.
func (t *trainingView) series() (loss, valid, score []point) {
	for _, e := range t.epochs {
		x := float64(e.Epoch)
		loss = append(loss, point{x, e.Loss})
		if validated(&e) {
			valid = append(valid, point{x, e.Validation})
		}
		if y, ok := e.Scores[t.Metric]; ok {
			score = append(score, point{x, y})
		}
	}
	return append(loss, t.current...), valid, score
}

// curves draws loss and score: side by side where there is room, else each in
// a line.
func (m *live) curves(t *trainingView, width, rows int) []string {
	loss, valid, score := t.series()
	if len(loss) == 0 || rows < 1 {
		return nil
	}
	last := func(ps []point) string {
		if len(ps) == 0 {
			return "–"
		}
		return decimal(ps[len(ps)-1].y)
	}
	best := ""
	if t.best != nil {
		best = fmt.Sprintf("best %s in epoch %s", decimal(t.best.Scores[t.Metric]), count(t.best.Epoch))
	}
	if m.width >= narrow && rows >= 4 {
		half := (width - 4) / 2
		left := append([]string{m.paint.loss.Render("loss "+last(loss)) + "  " + m.paint.valid.Render("validation "+last(valid))},
			m.chart(half, min(rows-1, 5), curve{loss, m.paint.loss}, curve{valid, m.paint.valid})...)
		right := append([]string{m.paint.score.Render(t.Metric+" "+last(score)) + "  " + m.paint.faint.Render(best)},
			m.chart(half, min(rows-1, 5), curve{score, m.paint.score})...)
		if lipgloss.Width(right[0]) > half {
			right[0] = m.paint.score.Render(t.Metric + " " + last(score))
		}
		for i := range left {
			left[i] = pad(cut(left[i], half), half+4) + right[i]
		}
		return append([]string{""}, left...)
	}
	lines := []string{""}
	names := max(len("validation"), len(t.Metric))
	for _, c := range []struct {
		name string
		curve
	}{{"loss", curve{loss, m.paint.loss}}, {"validation", curve{valid, m.paint.valid}}, {t.Metric, curve{score, m.paint.score}}} {
		if len(c.points) > 0 {
			lines = append(lines, fmt.Sprintf("%-*s %8s  %s", names, c.name, last(c.points), plot(max(4, min(40, width-names-11)), 1, c.curve)[0]))
		}
	}
	if best != "" {
		lines = append(lines, m.paint.faint.Render(best))
	}
	return lines[:min(len(lines), rows)]
}

// chart is a plot with its range on the left.
func (m *live) chart(width, height int, curves ...curve) []string {
	lines := make([]string, height)
	lo, hi, ok := bounds(curves)
	if !ok {
		return lines
	}
	const margin = 9
	for i, l := range plot(width-margin, height, curves...) {
		label := ""
		switch {
		case i == 0:
			label = decimal(hi.y)
		case i == height-1 && hi.y > lo.y:
			label = decimal(lo.y)
		}
		lines[i] = m.paint.faint.Render(padLeft(label, margin-2)+" ┤") + l
	}
	return lines
}

// outcome is the line of a training that is over.
func (m *live) outcome(t *trainingView) string {
	if t.best == nil {
		return ""
	}
	_, valid, score := t.series()
	c, name, value := curve{score, m.paint.score}, t.Metric, t.best.Scores[t.Metric]
	if len(score) == 0 {
		c, name, value = curve{valid, m.paint.valid}, "validation loss", t.best.Validation
	}
	line := fmt.Sprintf("    %s  %s %s in epoch %s", t.What, name, decimal(value), count(t.best.Epoch))
	if room := m.width - 1 - lipgloss.Width(line) - 2; room >= 8 && len(t.epochs) > 1 {
		line += "  " + plot(min(room, 24), 1, c)[0]
	}
	return line
}
