package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hone-ml/hone/internal/nearest"
)

// truth is a value of three-valued logic.
type truth int8

const (
	unknown truth = iota - 1
	no
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// bound is an expression, or a part of one, bound to the columns of a table. Which
// of its functions are set is what it is.
type bound struct {
	at     int
	number func(i int) float64 // a number, or with date a time in Unix seconds; NaN is missing
	date   bool
	truth  func(i int) truth
	column *Column // text, a boolean or a date that is a column
	text   *string // text that stands in the expression
}

// kind says what it is, for errors.
func (b *bound) kind() string {
	switch {
	case b.text != nil:
		return "text"
	case b.column != nil && b.truth == nil && b.number == nil:
		return fmt.Sprintf("%s (%s)", quoteText(b.column.Name), b.column.Type)
	case b.date:
		return "a date"
	case b.number != nil:
		return "a number"
	}
	return "a condition"
}

// condition binds an expression that is true or not.
func (e Expr) condition(t *Table) (func(i int) truth, error) {
	b, err := bind(e.root, t)
	if err != nil {
		return nil, err
	}
	if b.truth == nil {
		return nil, exprError(1, "expected a condition such as age >= 18, found %s", b.kind())
	}
	return b.truth, nil
}

// value binds an expression that is a number; NaN is missing.
func (e Expr) value(t *Table) (func(i int) float64, error) {
	b, err := bind(e.root, t)
	if err != nil {
		return nil, err
	}
	if b.number == nil || b.date {
		return nil, exprError(1, "expected a number such as x / 100, found %s", b.kind())
	}
	return b.number, nil
}

func bind(t *term, table *Table) (*bound, error) {
	if t == nil {
		return nil, fmt.Errorf("there is no expression")
	}
	switch t.op {
	case "number":
		v := t.number
		return &bound{at: t.at, number: func(int) float64 { return v }}, nil
	case "text":
		return &bound{at: t.at, text: &t.text}, nil
	case "truth":
		v := truthOf(t.number != 0)
		return &bound{at: t.at, truth: func(int) truth { return v }}, nil
	case "column":
		return bindColumn(t, table)
	}
	args := make([]*bound, len(t.args))
	for k, a := range t.args {
		var err error
		if args[k], err = bind(a, table); err != nil {
			return nil, err
		}
	}
	switch t.op {
	case "or", "and", "not":
		return bindLogic(t, args)
	case "is missing":
		return bindMissing(t, args[0])
	case "in":
		return bindIn(t, args[0], args[1:])
	case "==", "!=", "<", "<=", ">", ">=":
		return bindComparison(t, args[0], args[1])
	}
	return bindArithmetic(t, args)
}

func bindColumn(t *term, table *Table) (*bound, error) {
	c := table.Column(t.text)
	if c == nil {
		names := table.Names()
		hint := ""
		for _, n := range names { // capital-gain, of which capital was read
			if rest, ok := strings.CutPrefix(n, t.text); ok && QuoteColumn(n) != n && rest != "" && !nameRune([]rune(rest)[0], false) {
				hint = "; did you mean " + QuoteColumn(n) + "?"
				break
			}
		}
		if n := nearest.Name(t.text, names); hint == "" && n != "" {
			hint = "; did you mean " + QuoteColumn(n) + "?"
		}
		return nil, exprError(t.at, "there is no column %q%s%s", t.text, has(names), hint)
	}
	b := &bound{at: t.at, column: c}
	switch c.Type {
	case Number, Datetime:
		b.number, b.date = func(i int) float64 { return c.Numbers[i] }, c.Type == Datetime
	case Boolean:
		b.truth = func(i int) truth { return truth(c.Codes[i]) } // -1 is missing, and unknown
	}
	return b, nil
}

func bindLogic(t *term, args []*bound) (*bound, error) {
	for _, a := range args {
		if a.truth == nil {
			return nil, exprError(a.at, "%s joins conditions, found %s", t.op, a.kind())
		}
	}
	a := args[0].truth
	if t.op == "not" {
		return &bound{at: t.at, truth: func(i int) truth {
			if v := a(i); v != unknown {
				return yes - v
			}
			return unknown
		}}, nil
	}
	b, decides := args[1].truth, truthOf(t.op == "or")
	return &bound{at: t.at, truth: func(i int) truth {
		x := a(i)
		if x == decides {
			return x
		}
		if y := b(i); y == decides || x != unknown {
			return y
		}
		return unknown
	}}, nil
}

func bindMissing(t *term, a *bound) (*bound, error) {
	switch {
	case a.column != nil:
		return &bound{at: t.at, truth: func(i int) truth { return truthOf(a.column.Missing(i)) }}, nil
	case a.number != nil:
		return &bound{at: t.at, truth: func(i int) truth { return truthOf(math.IsNaN(a.number(i))) }}, nil
	case a.truth != nil:
		return &bound{at: t.at, truth: func(i int) truth { return truthOf(a.truth(i) == unknown) }}, nil
	}
	return nil, exprError(a.at, "expected a column before is missing, found %s", a.kind())
}

// finite turns what is no number into a missing value.
func finite(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

func bindArithmetic(t *term, args []*bound) (*bound, error) {
	for _, a := range args {
		if a.number == nil || a.date {
			return nil, exprError(a.at, "expected a number to calculate with, found %s", a.kind())
		}
	}
	a := args[0].number
	if t.op == "negative" {
		return &bound{at: t.at, number: func(i int) float64 { return -a(i) }}, nil
	}
	b := args[1].number
	var f func(i int) float64
	switch t.op {
	case "+":
		f = func(i int) float64 { return finite(a(i) + b(i)) }
	case "-":
		f = func(i int) float64 { return finite(a(i) - b(i)) }
	case "*":
		f = func(i int) float64 { return finite(a(i) * b(i)) }
	default:
		f = func(i int) float64 { return finite(a(i) / b(i)) }
	}
	return &bound{at: t.at, number: f}, nil
}

func bindComparison(t *term, a, b *bound) (*bound, error) {
	equality := t.op == "==" || t.op == "!="
	// A constant stands on the right.
	if equality && a.text != nil {
		a, b = b, a
	}
	if equality && b.text != nil {
		in, err := bindIn(t, a, []*bound{b})
		if err != nil || t.op == "==" {
			return in, err
		}
		return bindLogic(&term{op: "not", at: t.at}, []*bound{in})
	}
	var err error
	if a.number != nil && a.date && b.text != nil {
		b, err = dateLiteral(a, b)
	} else if b.number != nil && b.date && a.text != nil {
		a, err = dateLiteral(b, a)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case a.number != nil && b.number != nil && a.date == b.date:
		x, y, op := a.number, b.number, t.op
		return &bound{at: t.at, truth: func(i int) truth { return compare(op, x(i), y(i)) }}, nil
	case a.truth != nil && b.truth != nil && equality:
		x, y, same := a.truth, b.truth, t.op == "=="
		return &bound{at: t.at, truth: func(i int) truth {
			p, q := x(i), y(i)
			if p == unknown || q == unknown {
				return unknown
			}
			return truthOf((p == q) == same)
		}}, nil
	case a.isText() && b.isText() && equality:
		x, y, same := a.column, b.column, t.op == "=="
		return &bound{at: t.at, truth: func(i int) truth {
			if x.Missing(i) || y.Missing(i) {
				return unknown
			}
			return truthOf((x.Text(i) == y.Text(i)) == same)
		}}, nil
	case (a.isText() || a.text != nil) && (b.isText() || b.text != nil):
		return nil, exprError(t.at, "text has no order: ==, != and in compare it, found %s", t.op)
	}
	return nil, mismatch(t.at, a, b)
}

func (b *bound) isText() bool { return b.column != nil && b.number == nil && b.truth == nil }

// mismatch tells what cannot be compared.
func mismatch(at int, a, b *bound) error {
	hint := ""
	switch {
	case a.isText() && b.number != nil || b.isText() && a.number != nil:
		hint = "; put the value in quotes"
	case a.number != nil && !a.date && b.text != nil || b.number != nil && !b.date && a.text != nil:
		hint = "; write the number without quotes"
	case a.date || b.date:
		hint = `; write a date as text, as in "2024-12-31"`
	}
	return exprError(at, "%s cannot be compared with %s%s", a.kind(), b.kind(), hint)
}

func compare(op string, x, y float64) truth {
	if math.IsNaN(x) || math.IsNaN(y) {
		return unknown
	}
	switch op {
	case "==":
		return truthOf(x == y)
	case "!=":
		return truthOf(x != y)
	case "<":
		return truthOf(x < y)
	case "<=":
		return truthOf(x <= y)
	case ">":
		return truthOf(x > y)
	}
	return truthOf(x >= y)
}

// parseDate reads text in a column's layout, or as an ISO date or time.
func parseDate(text, layout string) (float64, bool) {
	text = strings.TrimSpace(text)
	if v, ok := newDateParser(layout).parse([]byte(text)); ok {
		return v, true
	}
	for _, l := range []string{time.DateOnly, time.DateTime, time.RFC3339} {
		if t, err := time.Parse(l, text); err == nil {
			return float64(t.Unix()), true
		}
	}
	return 0, false
}

// dateLiteral makes text a date like that of d.
func dateLiteral(d, text *bound) (*bound, error) {
	layout := time.DateOnly
	if d.column != nil {
		layout = d.column.Layout
	}
	v, ok := parseDate(*text.text, layout)
	if !ok {
		return nil, exprError(text.at, "expected a date written as %s or 2006-01-02, found %s", layout, quoteText(*text.text))
	}
	return &bound{at: text.at, number: func(int) float64 { return v }, date: true}, nil
}

// bindIn binds whether a is one of the values.
func bindIn(t *term, a *bound, values []*bound) (*bound, error) {
	out := &bound{at: t.at}
	switch {
	case a.number != nil:
		set := map[float64]bool{}
		for _, v := range values {
			if a.date && v.text != nil {
				var err error
				if v, err = dateLiteral(a, v); err != nil {
					return nil, err
				}
			}
			if v.number == nil || v.date != a.date {
				return nil, mismatch(v.at, a, v)
			}
			set[v.number(0)] = true
		}
		out.truth = func(i int) truth {
			v := a.number(i)
			if math.IsNaN(v) {
				return unknown
			}
			return truthOf(set[v])
		}
	case a.truth != nil:
		var in [2]bool
		for _, v := range values {
			switch {
			case v.truth != nil:
				in[v.truth(0)] = true
			case v.text != nil && a.column != nil:
				k, ok := spelled(a.column, *v.text)
				if !ok {
					return nil, exprError(v.at, "%q holds %q and %q, found %s", a.column.Name, a.column.Dict[0], a.column.Dict[1], quoteText(*v.text))
				}
				in[k] = true
			default:
				return nil, mismatch(v.at, a, v)
			}
		}
		out.truth = func(i int) truth {
			v := a.truth(i)
			if v == unknown {
				return unknown
			}
			return truthOf(in[v])
		}
	case a.isText():
		set := map[string]bool{}
		for _, v := range values {
			if v.text == nil {
				return nil, mismatch(v.at, a, v)
			}
			set[*v.text] = true
		}
		in := make([]bool, len(a.column.Dict))
		for k, v := range a.column.Dict {
			in[k] = set[v]
			if a.column.Type == Image {
				in[k] = set[Picture{v}.Name()]
			}
		}
		codes := a.column.Codes
		out.truth = func(i int) truth {
			if codes[i] < 0 {
				return unknown
			}
			return truthOf(in[codes[i]])
		}
	default:
		return nil, exprError(a.at, "expected a column before %s, found text", t.op)
	}
	return out, nil
}

// spelled returns which of a boolean's spellings the text is.
func spelled(c *Column, text string) (int32, bool) {
	for k, s := range c.Dict {
		if strings.EqualFold(strings.TrimSpace(text), s) {
			return int32(k), true
		}
	}
	return 0, false
}

// misspelled looks for text that a category is compared with, which it never is,
// and which is nearly one of its values.
func (e Expr) misspelled(table *Table) string {
	hint := ""
	var walk func(*term)
	walk = func(t *term) {
		var c *Column
		for _, a := range t.args {
			walk(a)
			if a.op == "column" && c == nil {
				c = table.Column(a.text)
			}
		}
		for _, a := range t.args {
			if hint != "" || a.op != "text" || c == nil || c.Type != Category || slices.Contains(c.Dict, a.text) {
				continue
			}
			if n := nearest.Name(a.text, c.Dict); n != "" {
				hint = fmt.Sprintf("; %s is never %q, did you mean %q?", QuoteColumn(c.Name), a.text, n)
			}
		}
	}
	walk(e.root)
	return hint
}
