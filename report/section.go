package report

import "html/template"

// section is a part of a page: a heading and blocks of what there is to show.
type section struct {
	ID, Title, Intro string
	Blocks           []block
}

// block is one thing on the page, or a few that belong together. What is empty is
// left out.
type block struct {
	Title    string // a heading of its own
	Intro    string
	Charts   []chart
	Table    *table
	Items    []item
	Pairs    []pair
	Pictures []picture
	Code     string
	Summary  string // what is folded away behind this line; "": nothing
	Open     bool   // whether it is unfolded at first
}

// One is whether one chart stands alone, with its table beside it.
func (b block) One() bool { return len(b.Charts) == 1 }

// Two is whether charts stand in two columns rather than three.
func (b block) Two() bool { return len(b.Charts) == 2 || len(b.Charts) == 4 }

// item is a finding, and what to do about it.
type item struct{ Text, Remedy string }

// pair is a term and what is said of it.
type pair struct {
	Term, Text string
	Small      string
	Code       bool // Text is code
	CodeTerm   bool
}

// picture is a small image with its words.
type picture struct {
	Data    template.URL // data:image/…
	Alt     string
	Caption string
	Small   string
}

// table holds numbers, or words.
type table struct {
	Name  string // what it is a table of, for screen readers
	Head  []string
	Rows  [][]cell
	Words bool // cells are words, which stand to the left
	Names bool // of models: the head is left as it is
}

// cell is one cell of a table.
type cell struct {
	Value  string
	Small  string // beneath it
	Mark   string // a word beside it
	Kind   string // of the mark: better, worse, same
	Strong bool
	Code   bool
}

// row makes plain cells.
func row(values ...string) []cell {
	out := make([]cell, len(values))
	for i, v := range values {
		out[i].Value = v
	}
	return out
}

// sections are the parts of a page in their order, each in a file of its own; one
// that has nothing to show returns nil. To add one is one file and one line.
var sections = []func(reading) *section{
	numbersSection,
	trustSection,
	diagnosisSection,
	errorsSection,
	weakSection,
	slicesSection,
	rowsSection,
	fairnessSection,
	robustSection,
	curvesSection,
	thresholdSection,
	setsSection,
	importanceSection,
	outputsSection,
	foldsSection,
	learningSection,
	improvementSection,
	dataSection,
	madeSection,
}

// sectionsOf are those that a result has something for.
func sectionsOf(r reading) []section {
	var out []section
	for _, make := range sections {
		if s := make(r); s != nil {
			out = append(out, *s)
		}
	}
	return out
}

// chartSection is a section of charts alone; nil without any.
func chartSection(id, title, intro string, charts ...*chart) *section {
	b := block{}
	for _, c := range charts {
		if c != nil {
			b.Charts = append(b.Charts, *c)
		}
	}
	if len(b.Charts) == 0 {
		return nil
	}
	return &section{ID: id, Title: title, Intro: intro, Blocks: []block{b}}
}
