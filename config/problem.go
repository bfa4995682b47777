package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"github.com/hone-ml/hone/internal/nearest"
)

// maxProblems is how many problems an Error lists.
const maxProblems = 10

// A Problem is one thing wrong with a document or an override.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`   // from 1; 0 if it is of no line
	Column  int    `json:"column,omitempty"` // from 1, in characters
	Flag    string `json:"flag,omitempty"`   // the override at fault, --set a.b=c, instead of a line
	Key     string `json:"key,omitempty"`    // path of the value, or of the mapping that a key is unknown to or missing in
	Message string `json:"message"`          // what was found and what was expected
	Hint    string `json:"hint,omitempty"`   // what to do

	source string // the line
	length int    // of what is at fault, in characters
}

// String returns the problem on one line.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.Flag != "":
		fmt.Fprintf(&b, "%s: ", p.Flag)
	case p.Line > 0:
		fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Column)
	case p.File != "":
		fmt.Fprintf(&b, "%s: ", p.File)
	}
	set, _, _ := strings.Cut(strings.TrimPrefix(p.Flag, setFlag), "=")
	if p.Key != "" && (p.Flag == "" || !strings.HasPrefix(set, p.Key)) {
		fmt.Fprintf(&b, "%s: ", p.Key)
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Excerpt returns the source line with a mark under what is at fault, or ""
// if the problem is of no line.
func (p Problem) Excerpt() string {
	if p.Line == 0 || p.Flag != "" {
		return ""
	}
	line := []rune(strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		return r
	}, p.source))
	at := min(p.Column-1, len(line))
	const before, most = 60, 100 // of a long line only the surroundings
	from := 0
	if len(line) > most {
		from = max(0, at-before)
		line = line[:min(len(line), from+most)]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%5d │ %s\n      ╵ ", p.Line, string(line[from:]))
	for _, r := range line[from:at] {
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			b.WriteRune('\u3000') // as wide as what stands above
		} else {
			b.WriteByte(' ')
		}
	}
	n := min(p.length, len(line)-at)
	if n <= 1 {
		b.WriteString("^")
	} else {
		b.WriteString(strings.Repeat("~", n))
	}
	return b.String()
}

// An Error is everything wrong with a document, in the order of its lines.
type Error struct {
	Problems []Problem `json:"problems"`
	More     int       `json:"more,omitempty"` // problems beyond those listed
}

// Error returns the problems, one per line.
func (e *Error) Error() string { return e.text(false) }

// Text returns the problems with the source lines they are in, for people.
func (e *Error) Text() string { return e.text(true) }

func (e *Error) text(excerpts bool) string {
	var parts []string
	for _, p := range e.Problems {
		s := p.String()
		if x := p.Excerpt(); excerpts && x != "" {
			s += "\n" + x
		}
		parts = append(parts, s)
	}
	if e.More > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(parts, "\n")
}

// newError returns nil without problems.
func newError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Flag, b.Flag), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	e := &Error{Problems: problems}
	if len(problems) > maxProblems {
		e.Problems, e.More = problems[:maxProblems], len(problems)-maxProblems
	}
	return e
}

// didYouMean returns the hint with the nearest of some names, or "".
func didYouMean(name string, names []string) string {
	if s := nearest.Name(name, names); s != "" {
		return fmt.Sprintf("did you mean %q?", s)
	}
	return ""
}
