package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/train"
)

// epochPause is the least time between two lines of epochs in the plain view.
const epochPause = 500 * time.Millisecond

// plainView tells a run in lines: the stage, what the line is, and its text,
// in columns. Of quick epochs it leaves some out, but never the last one, and
// every training ends with a line of its best.
type plainView struct {
	w        io.Writer
	now      func() time.Time
	training *lifecycle.Training
	stage    string       // of the training
	shown    time.Time    // when an epoch was last written
	skipped  *train.Epoch // the last epoch, where it was left out
	best     *train.Epoch
}

func newPlainView(w io.Writer, now func() time.Time) *plainView {
	return &plainView{w: w, now: now}
}

func (v *plainView) watch(e lifecycle.Event) {
	if e.Training != nil || e.Trial != nil || e.Ended != nil {
		v.finish()
	}
	switch {
	case e.Note != "":
		v.line(e.Stage, "note", e.Note)
	case e.Warning != "":
		v.line(e.Stage, "warning", e.Warning)
	case e.Training != nil:
		v.training, v.stage, v.shown = e.Training, e.Stage, time.Time{}
		v.line(e.Stage, "training", describe(e.Training))
	case e.Step != nil:
	case e.Epoch != nil:
		if e.Epoch.Best {
			v.best = e.Epoch
		}
		if now := v.now(); now.Sub(v.shown) >= epochPause {
			v.shown = now
			v.epoch("epoch", e.Epoch)
		} else {
			v.skipped = e.Epoch
		}
	case e.Trial != nil:
		for _, l := range trialLines(e.Trial) {
			v.line(e.Stage, l[0], l[1])
		}
	case e.Ended != nil:
		v.line(e.Stage, "end", fmt.Sprintf("%s  %s", duration(e.Ended.Seconds), e.Ended.Summary))
	default:
		v.line(e.Stage, "begin", "")
	}
}

// finish ends a training's lines: with its last epoch, if that was left out,
// and its best.
func (v *plainView) finish() {
	if v.skipped != nil {
		v.epoch("epoch", v.skipped)
	}
	if v.best != nil {
		v.epoch("best", v.best)
	}
	v.training, v.skipped, v.best = nil, nil, nil
}

func (v *plainView) epoch(kind string, e *train.Epoch) {
	if kind == "epoch" {
		v.skipped = nil
	}
	var b strings.Builder
	epochs := ""
	if v.training != nil {
		epochs = fmt.Sprint(v.training.Epochs)
	}
	fmt.Fprintf(&b, "%*d/%s  loss %-8s", len(epochs), e.Epoch, epochs, decimal(e.Loss))
	if validated(e) {
		fmt.Fprintf(&b, "  validation %-8s", decimal(e.Validation))
	}
	for _, name := range scoreNames(e) {
		fmt.Fprintf(&b, "  %s %-8s", name, decimal(e.Scores[name]))
	}
	fmt.Fprintf(&b, "  %s", duration(e.Seconds))
	if v.training != nil && e.Seconds > 0 {
		fmt.Fprintf(&b, "  %.0f rows/s", float64(v.training.Rows)/e.Seconds)
	}
	v.line(v.stage, kind, b.String())
}

func (v *plainView) line(stage, kind, text string) {
	fmt.Fprintln(v.w, strings.TrimRight(fmt.Sprintf("%-*s  %-8s  %s", stageWidth(), stage, kind, text), " "))
}

// describe says in a line what is about to be trained.
func describe(t *lifecycle.Training) string {
	s := fmt.Sprintf("%s: %s, %s, at most %s", t.What, plural(t.Rows, "row"), plural(t.Parameters, "parameter"), plural(t.Epochs, "epoch"))
	if t.Resumed > 0 {
		s += fmt.Sprintf(", of which %s done before", count(t.Resumed))
	}
	return s
}

// trialLines tells a trial: what was found, what was tried for it, and what came
// of that.
func trialLines(t *evaluate.Trial) [][2]string {
	return [][2]string{{"finding", t.Problem()}, {"remedy", t.Attempt()}, {"outcome", t.Result()}}
}
