package main

import (
	"context"
	"io"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/train"
)

// stepPause is the least time between two steps in the json view; there can be
// thousands in a second.
const stepPause = time.Second

// jsonView tells a run as one object per line, as log/slog writes them: time,
// level, msg (what the line is), stage, and the event's own fields. A number
// that JSON lacks is null. Every event has its line, except that of the steps
// one in a second is told.
type jsonView struct {
	handler slog.Handler
	now     func() time.Time
	stepped time.Time
}

func newJSONView(w io.Writer, now func() time.Time) *jsonView {
	return &jsonView{handler: slog.NewJSONHandler(w, nil), now: now}
}

func (v *jsonView) watch(e lifecycle.Event) {
	now := v.now()
	level, msg, fields := slog.LevelInfo, "begin", []slog.Attr(nil)
	switch {
	case e.Note != "":
		msg, fields = "note", []slog.Attr{slog.String("text", e.Note)}
	case e.Warning != "":
		level, msg, fields = slog.LevelWarn, "warning", []slog.Attr{slog.String("text", e.Warning)}
	case e.Training != nil:
		t := e.Training
		msg, fields = "training", []slog.Attr{
			slog.String("what", t.What), slog.Int("rows", t.Rows), slog.Int("parameters", t.Parameters),
			slog.Int("epochs", t.Epochs), slog.String("metric", t.Metric), slog.Int("resumed", t.Resumed),
		}
	case e.Step != nil:
		if now.Sub(v.stepped) < stepPause {
			return
		}
		v.stepped = now
		p := e.Step
		msg, fields = "step", []slog.Attr{
			slog.Int("epoch", p.Epoch), slog.Int("epochs", p.Epochs), slog.Int("step", p.Step), slog.Int("steps", p.Steps),
			finite("loss", p.Loss), finite("rows_per_second", p.RowsPerSecond), finite("learning_rate", p.LearningRate),
		}
	case e.Epoch != nil:
		msg, fields = "epoch", epochFields(e.Epoch)
	case e.Trial != nil:
		msg, fields = "trial", []slog.Attr{slog.Any("trial", e.Trial)}
	case e.Ended != nil:
		msg, fields = "end", []slog.Attr{finite("seconds", e.Ended.Seconds), slog.String("text", e.Ended.Summary)}
	}
	r := slog.NewRecord(now, level, msg, 0)
	r.AddAttrs(slog.String("stage", e.Stage))
	r.AddAttrs(fields...)
	// A log that cannot be written must not end the run.
	_ = v.handler.Handle(context.Background(), r)
}

func epochFields(e *train.Epoch) []slog.Attr {
	fields := []slog.Attr{slog.Int("epoch", e.Epoch), finite("loss", e.Loss)}
	if validated(e) {
		fields = append(fields, finite("validation_loss", e.Validation))
		var scores []any
		for _, name := range scoreNames(e) {
			scores = append(scores, finite(name, e.Scores[name]))
		}
		fields = append(fields, slog.Group("scores", scores...))
	}
	return append(fields, finite("learning_rate", e.LearningRate), finite("seconds", e.Seconds), slog.Bool("best", e.Best))
}

// finite is a number as JSON can hold it.
func finite(key string, x float64) slog.Attr {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return slog.Any(key, nil)
	}
	return slog.Float64(key, x)
}

// validated reports whether validation rows were read after the epoch.
func validated(e *train.Epoch) bool { return e.Scores != nil || e.Validation != 0 }

// scoreNames lists the epoch's scores, always in the same order.
func scoreNames(e *train.Epoch) []string {
	var names []string
	for name := range e.Scores {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
