package config

import (
	"fmt"
	"strings"
)

// A Mistake is one thing that is wrong with a configuration.
type Mistake struct {
	Line, Column int // 0 if it has no place in the file
	Key          string
	Problem      string
	Set          string // the --set argument that it stands in
	Source       string // the line's text
}

// An Error is all that was found wrong with a configuration.
type Error struct {
	Path     string
	Mistakes []Mistake
	More     int // mistakes beyond those listed
}

// maxMistakes is how many are listed.
const maxMistakes = 10

// UserError marks the error as the user's to mend.
func (e *Error) UserError() bool { return true }

// Error lists the mistakes, each with its place, and the line with a caret.
func (e *Error) Error() string {
	var b strings.Builder
	for i, m := range e.Mistakes {
		if i > 0 {
			b.WriteByte('\n')
		}
		switch {
		case m.Set != "":
			fmt.Fprintf(&b, "--set %s: ", m.Set)
		case m.Line > 0:
			fmt.Fprintf(&b, "%s:%d:%d: ", e.Path, m.Line, m.Column)
		case e.Path != "":
			fmt.Fprintf(&b, "%s: ", e.Path)
		}
		if m.Key != "" {
			fmt.Fprintf(&b, "%s: ", m.Key)
		}
		b.WriteString(m.Problem)
		if m.Source != "" {
			fmt.Fprintf(&b, "\n  %4d │ %s\n       │ %s^", m.Line, m.Source, strings.Repeat(" ", max(0, m.Column-1)))
		}
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", e.More)
	}
	return b.String()
}

func (r *reader) err() error {
	if len(r.mistakes) == 0 {
		return nil
	}
	e := &Error{Path: r.path, Mistakes: r.mistakes}
	if len(e.Mistakes) > maxMistakes {
		e.More = len(e.Mistakes) - maxMistakes
		e.Mistakes = e.Mistakes[:maxMistakes]
	}
	return e
}

func (r *reader) fail(pos position, key, format string, args ...any) {
	m := Mistake{Line: pos.line, Column: pos.column, Key: key, Problem: fmt.Sprintf(format, args...)}
	if lines := strings.Split(string(r.src), "\n"); pos.line > 0 && pos.line <= len(lines) {
		// The caret counts characters; the parser's columns do too.
		m.Source = strings.TrimRight(strings.ReplaceAll(lines[pos.line-1], "\t", " "), "\r")
	}
	r.mistakes = append(r.mistakes, m)
}

func (r *reader) failNode(n *node, key, format string, args ...any) {
	r.fail(n.pos, key, format, args...)
	r.mistakes[len(r.mistakes)-1].Set = n.set
}

func (r *reader) failEntry(e *entry, path, format string, args ...any) {
	pos := e.pos
	if e.value.set != "" {
		pos = position{}
	}
	r.fail(pos, path, format, args...)
	r.mistakes[len(r.mistakes)-1].Set = e.value.set
}

// didYouMean returns "; did you mean X?" where a known name is near.
func didYouMean(name string, known []string) string {
	if n := Nearest(name, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// Nearest returns the known name with the fewest edits from name, or "" where
// none is near.
func Nearest(name string, known []string) string {
	best, least := "", len(name)/3+2
	for _, k := range known {
		if d := edits(strings.ToLower(name), strings.ToLower(k)); d < least && d < max(len(k), 2) {
			best, least = k, d
		}
	}
	return best
}

// edits is the Levenshtein distance with neighbours swapped counted as one
// edit (optimal string alignment).
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	var before, last, row []int
	last = make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row = make([]int, len(y)+1)
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
