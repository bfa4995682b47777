package data

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// TextOptions declares that text is written in one way.
type TextOptions struct {
	Columns        []string `yaml:"columns" doc:"of categories or text; default: all of them but the target"`
	Trim           bool     `yaml:"trim" default:"true" doc:"remove space around a value"`
	CollapseSpaces bool     `yaml:"collapse_spaces" default:"false" doc:"make one space of several, and of tabs and line ends"`
	FoldCase       bool     `yaml:"fold_case" default:"false" doc:"remove the difference of upper and lower case"`
	Unicode        string   `yaml:"unicode" default:"none" enum:"none,nfc,nfkc" doc:"nfc: one code for what looks the same, such as é; nfkc: also for forms such as ﬁ and full-width letters"`
}

// Validate finds a step that does nothing.
func (o *TextOptions) Validate() error {
	if !o.Trim && !o.FoldCase && !o.CollapseSpaces && (o.Unicode == "none" || o.Unicode == "") {
		return errors.New("text has nothing to do: set one of trim, collapse_spaces, fold_case and unicode")
	}
	return nil
}

// Fit implements [StepOptions].
func (o *TextOptions) Fit(t *Table, target string) (Step, error) {
	names := o.Columns
	if len(names) == 0 {
		for _, c := range t.Columns {
			if c.Name != target && (c.Type == Category || c.Type == Text) {
				names = append(names, c.Name)
			}
		}
		if len(names) == 0 {
			return nil, errors.New("the data has no column of categories or text: remove the step, or set a column's type in data.types")
		}
	}
	s := &TextStep{Columns: names, Trim: o.Trim, CollapseSpaces: o.CollapseSpaces, FoldCase: o.FoldCase}
	if o.Unicode != "none" {
		s.Unicode = o.Unicode
	}
	return s, s.ready(t)
}

// TextStep is a fitted step of [TextOptions].
type TextStep struct {
	Columns        []string `json:"columns"`
	Trim           bool     `json:"trim,omitempty"`
	CollapseSpaces bool     `json:"collapse_spaces,omitempty"`
	FoldCase       bool     `json:"fold_case,omitempty"`
	Unicode        string   `json:"unicode,omitempty"` // nfc, nfkc or ""
}

// Type implements [Step].
func (*TextStep) Type() string { return "text" }

func (s *TextStep) ready(t *Table) error {
	if s.Unicode != "" && s.Unicode != "nfc" && s.Unicode != "nfkc" {
		return fmt.Errorf("the form %q is none of nfc and nfkc", s.Unicode)
	}
	_, err := named(t, s.Columns, Category, Text, Identifier)
	return err
}

// Apply implements [ValueStep]. A value of which nothing is left is missing.
func (s *TextStep) Apply(t *Table) (*Table, []Changed, error) {
	fold := cases.Fold() // of this call: it has state
	write := func(v string) (string, bool) {
		switch s.Unicode {
		case "nfc":
			v = norm.NFC.String(v)
		case "nfkc":
			v = norm.NFKC.String(v)
		}
		if s.FoldCase && strings.IndexFunc(v, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
			v = strings.ToLower(v) // which is the same, and quicker
		} else if s.FoldCase {
			v = fold.String(v)
		}
		if s.CollapseSpaces {
			v = collapse(v)
		}
		if s.Trim {
			v = strings.TrimSpace(v)
		}
		return v, v != ""
	}
	return t.replaceColumns(s.Columns, func(c *Column) (*Column, Changed, error) {
		if c.scalar() {
			return c, Changed{}, nil
		}
		d, n := c.recode(write)
		if n == 0 {
			return c, Changed{}, nil
		}
		return d, Changed{Count: n, Message: plural(n, "value", "values") + " rewritten"}, nil
	})
}

// collapse makes one space of a run of white space.
func collapse(s string) string {
	words := strings.Fields(s)
	out := strings.Join(words, " ")
	if len(words) == 0 {
		return out
	}
	if !strings.HasPrefix(s, words[0]) {
		out = " " + out
	}
	if !strings.HasSuffix(s, words[len(words)-1]) {
		out += " "
	}
	return out
}
