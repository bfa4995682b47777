package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/hone-ml/hone/lifecycle"
)

// newView returns the watcher that shows a run on w, which is standard error,
// and the function that ends the display. The latter may be called twice, and
// must be called on every way out, a panic's too, since it gives the terminal
// back.
//
// Format auto is a live view on an interactive terminal and plain lines
// elsewhere; plain is always lines, and json one object per line. The watcher never waits for the
// terminal, except to write a line of the plain and json formats. The live view
// shows the stages that are to come.
func newView(w io.Writer, format string, interactive bool, stages []string) (watch lifecycle.Watcher, finish func()) {
	switch {
	case format == "json":
		return newJSONView(w, time.Now).watch, func() {}
	case format == "auto" && interactive && canRedraw():
		return startLive(w, stages)
	}
	v := newPlainView(w, time.Now)
	return v.watch, v.finish
}

// canRedraw reports whether the terminal can move its cursor and has the
// characters of the live view, which the text console of Linux lacks.
func canRedraw() bool {
	switch os.Getenv("TERM") {
	case "dumb", "linux":
		return false
	case "":
		return runtime.GOOS == "windows"
	}
	return true
}

// wantsColor reports whether the user has not asked for a terminal without
// colour, as no-color.org says.
func wantsColor() bool { return os.Getenv("NO_COLOR") == "" }

// A palette holds the few styles of the view and the summary. All are of the
// terminal's own 16 colours, which its user has made readable on the
// background, light or dark. The zero palette has none.
type palette struct {
	title, faint, good, warn, busy, loss, valid, score lipgloss.Style
}

func newPalette(color bool) palette {
	var p palette
	if !color {
		return p
	}
	plain := lipgloss.NewStyle()
	return palette{
		title: plain.Bold(true),
		faint: plain.Faint(true),
		good:  plain.Foreground(lipgloss.Green),
		warn:  plain.Foreground(lipgloss.Yellow).Bold(true),
		busy:  plain.Foreground(lipgloss.Cyan).Bold(true),
		loss:  plain.Foreground(lipgloss.Cyan),
		valid: plain.Foreground(lipgloss.Magenta),
		score: plain.Foreground(lipgloss.Green),
	}
}

// count writes a number of things: 16,000.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural writes a number of things with their name.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// decimal writes a loss or a score in about four digits.
func decimal(x float64) string {
	switch a := math.Abs(x); {
	case math.IsNaN(x):
		return "–"
	case a < 1e-3 && a > 0, a >= 1e6:
		return strconv.FormatFloat(x, 'g', 4, 64)
	case a >= 1000:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case a >= 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case a >= 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strconv.FormatFloat(x, 'f', 4, 64)
}

// duration writes seconds as one says them.
func duration(seconds float64) string {
	s := int(math.Round(seconds))
	switch {
	case math.IsNaN(seconds) || seconds > 1e9:
		return "–"
	case seconds < 0.0995:
		return fmt.Sprintf("%.0f ms", 1000*max(0, seconds))
	case seconds < 9.95:
		return fmt.Sprintf("%.1f s", seconds)
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %02d min", s/3600, s%3600/60)
}

// hang breaks text at spaces so that it fits width columns, the first line
// after the prefix and the others as far in as the prefix is wide.
func hang(prefix, text string, width int) string {
	in := lipgloss.Width(prefix)
	lines := strings.Split(lipgloss.Wrap(text, max(8, width-in), ""), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return prefix + strings.Join(lines, "\n"+strings.Repeat(" ", in))
}

// cut drops what is beyond width columns.
func cut(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	return lipgloss.NewStyle().MaxWidth(max(1, width)).Render(s)
}

// pad fills s with spaces to width columns.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-lipgloss.Width(s)))
}

// padLeft does so on the left.
func padLeft(s string, width int) string {
	return strings.Repeat(" ", max(0, width-lipgloss.Width(s))) + s
}

// stageWidth is the width of the longest stage's name.
var stageWidth = sync.OnceValue(func() int {
	w := 0
	for _, s := range lifecycle.Stages {
		w = max(w, len(s))
	}
	return w
})
