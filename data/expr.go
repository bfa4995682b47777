package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Expr is an expression over the columns of a table, such as
//
//	age >= 18 and plan in ("basic", "pro") and not email is missing
//
// The grammar, from the loosest to the tightest:
//
//	or          a or b
//	and         a and b
//	not         not a
//	comparison  a == b (or =), !=, <, <=, >, >=; a in (1, 2), a not in ("x");
//	            a is missing, a is not missing
//	sum         a + b, a - b
//	product     a * b, a / b
//	sign        -a
//
// and parentheses. What stands at the end is a number (18, 0.5, 1e-3), text in
// single or double quotes, in which the quote is doubled to stand for itself, true,
// false, or a column: its bare name if that is of letters, digits, _ and . and
// begins with no digit, else in backquotes (`capital-gain`). Words of the language
// are understood in any case; a column named like one needs backquotes.
//
// Numbers are compared with numbers. A date is compared with a date, or with text
// in the column's layout or as 2006-01-02. Other text is equal to text or not,
// letter for letter. A boolean is a condition by itself, or equal to one of its
// spellings.
//
// A comparison with a missing value is neither true nor false but unknown, and so
// are `not` of it, and `and` and `or` where the other side does not decide (the
// three-valued logic of Kleene, as in SQL). Arithmetic with a missing value is
// missing, as is a division by zero.
//
// The zero value is no expression.
type Expr struct {
	text string
	root *term
}

// term is a node of the tree.
type term struct {
	op     string  // "number", "text", "truth", "column", or the operator
	at     int     // the character it begins at, from 1
	args   []*term // of an operator
	text   string  // of text, or the column's name
	number float64 // of a number; 1 for true
}

const (
	longestExpr = 10_000 // bytes
	deepestExpr = 100    // levels
)

// ParseExpr reads an expression. Errors tell the place in characters from 1, as
// "column 14: expected …".
func ParseExpr(text string) (Expr, error) {
	if len(text) > longestExpr {
		return Expr{}, fmt.Errorf("the expression has %d bytes, expected at most %d", len(text), longestExpr)
	}
	tokens, err := scanExpr(text)
	if err != nil {
		return Expr{}, err
	}
	p := exprParser{tokens: tokens}
	root, err := p.or(0)
	if err != nil {
		return Expr{}, err
	}
	if t := p.peek(); t.kind != endToken {
		return Expr{}, t.unexpected("an operator or the end" + t.advice())
	}
	return Expr{text, root}, nil
}

// String returns the text that was parsed.
func (e Expr) String() string { return e.text }

// MarshalText implements encoding.TextMarshaler.
func (e Expr) MarshalText() ([]byte, error) { return []byte(e.text), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *Expr) UnmarshalText(text []byte) (err error) {
	*e, err = ParseExpr(string(text))
	return err
}

// Columns returns the names of the columns that the expression reads, each once.
func (e Expr) Columns() []string {
	var names []string
	var walk func(*term)
	walk = func(t *term) {
		if t == nil {
			return
		}
		if t.op == "column" && !slices.Contains(names, t.text) {
			names = append(names, t.text)
		}
		for _, a := range t.args {
			walk(a)
		}
	}
	walk(e.root)
	return names
}

// QuoteColumn writes a column's name as an expression does.
func QuoteColumn(name string) string {
	bare := name != "" && !isWord(name)
	for i, r := range name {
		bare = bare && nameRune(r, i == 0)
	}
	if bare {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

var exprWords = []string{"and", "or", "not", "in", "is", "missing", "true", "false"}

func isWord(s string) bool { return slices.Contains(exprWords, strings.ToLower(s)) }

func nameRune(r rune, first bool) bool {
	return r == '_' || unicode.IsLetter(r) || !first && (r == '.' || unicode.IsDigit(r) || unicode.Is(unicode.M, r))
}

// exprError is a mistake at a character.
func exprError(at int, format string, args ...any) error {
	return fmt.Errorf("column %d: %s", at, fmt.Sprintf(format, args...))
}

type tokenKind uint8

const (
	endToken    tokenKind = iota
	wordToken             // and, or, …, in lower case
	nameToken             // a column
	numberToken           // 1.5
	textToken             // "x"
	signToken             // == ( …
)

type token struct {
	kind   tokenKind
	at     int
	text   string // what it means
	source string // as it was written
	number float64
}

// is says whether the token is that word or sign.
func (t token) is(text string) bool {
	return (t.kind == wordToken || t.kind == signToken) && t.text == text
}

func (t token) unexpected(expected string) error {
	found := quoteText(t.source)
	if t.kind == endToken {
		found = "the end"
	}
	return exprError(t.at, "expected %s, found %s", expected, found)
}

// advice tells what a token of other languages is called here.
func (t token) advice() string {
	switch t.text {
	case "&&", "&":
		return " (write and)"
	case "||", "|":
		return " (write or)"
	case "!":
		return " (write not)"
	case "%", "^", "**":
		return " (+, -, * and / are understood)"
	}
	return ""
}

// signs are tried in this order, longer ones first. Those that only advice knows
// stand here to be named whole.
var signs = []string{"==", "!=", "<>", "<=", ">=", "&&", "||", "**", "<", ">", "=", "(", ")", "[", "]", ",", "+", "-", "*", "/", "&", "|", "!", "%", "^"}

// scanExpr cuts the text into tokens, of which the last is the end.
func scanExpr(text string) ([]token, error) {
	var tokens []token
	at := 1
	for rest := text; ; {
		r, size := utf8.DecodeRuneInString(rest)
		if size == 0 {
			return append(tokens, token{kind: endToken, at: at}), nil
		}
		t := token{at: at}
		n := size
		switch {
		case r == utf8.RuneError && size == 1:
			return nil, exprError(at, "the text is not UTF-8")
		case unicode.IsSpace(r):
			rest, at = rest[size:], at+1
			continue
		case nameRune(r, true):
			n = len(rest)
			for i, r := range rest {
				if !nameRune(r, i == 0) {
					n = i
					break
				}
			}
			t.kind, t.text = nameToken, rest[:n]
			if isWord(t.text) {
				t.kind, t.text = wordToken, strings.ToLower(t.text)
			}
		case '0' <= r && r <= '9' || r == '.':
			n = numberLength(rest)
			v, kind := parseNumber([]byte(rest[:n]), '.')
			if kind != isInteger && kind != isFloat {
				return nil, exprError(at, "expected a finite number, found %s", quoteText(rest[:n]))
			}
			if after, _ := utf8.DecodeRuneInString(rest[n:]); nameRune(after, true) {
				return nil, exprError(at, "expected an operator after the number %s, found %q; a name that begins with a digit stands in backquotes", quoteText(rest[:n]), after)
			}
			t.kind, t.number, t.text = numberToken, v, rest[:n]
		case r == '"' || r == '\'' || r == '`':
			var ok bool
			if t.text, n, ok = quotedToken(rest); !ok {
				return nil, exprError(at, "expected a closing %c, found the end", r)
			}
			if t.kind = textToken; r == '`' {
				t.kind = nameToken
			}
		default:
			k := slices.IndexFunc(signs, func(s string) bool { return strings.HasPrefix(rest, s) })
			if k < 0 {
				return nil, exprError(at, "found %q, which no expression has", r)
			}
			t.kind, t.text, n = signToken, signs[k], len(signs[k])
		}
		t.source = rest[:n]
		tokens = append(tokens, t)
		at += utf8.RuneCountInString(rest[:n])
		rest = rest[n:]
	}
}

// numberLength returns how many bytes at the beginning may be a number.
func numberLength(s string) int {
	n := 0
	for n < len(s) && (s[n]-'0' <= 9 || s[n] == '.') {
		n++
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		k := n + 1
		if k < len(s) && (s[k] == '+' || s[k] == '-') {
			k++
		}
		if k < len(s) && s[k]-'0' <= 9 {
			for n = k; n < len(s) && s[n]-'0' <= 9; {
				n++
			}
		}
	}
	return n
}

// quotedToken reads what stands in the quotes at the beginning, and returns its
// length with them.
func quotedToken(s string) (text string, n int, ok bool) {
	q := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != q:
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == q:
			b.WriteByte(q)
			i++
		default:
			return b.String(), i + 1, true
		}
	}
	return "", 0, false
}

// exprParser is a parser by recursive descent.
type exprParser struct {
	tokens []token
	next   int
}

func (p *exprParser) peek() token { return p.tokens[p.next] }

func (p *exprParser) take() token {
	t := p.tokens[p.next]
	if t.kind != endToken {
		p.next++
	}
	return t
}

// accept takes the token if it is one of those words or signs.
func (p *exprParser) accept(texts ...string) (token, bool) {
	t := p.peek()
	for _, s := range texts {
		if t.is(s) {
			return p.take(), true
		}
	}
	return t, false
}

// chain reads operands with operators of one level between them, which bind to the
// left.
func (p *exprParser) chain(depth int, operand func(int) (*term, error), operators ...string) (*term, error) {
	left, err := operand(depth)
	for n := 0; err == nil; n++ {
		t, ok := p.accept(operators...)
		if !ok {
			return left, nil
		}
		if n == 1000 { // a tree that leans to one side is as deep as it is long
			return nil, exprError(t.at, "more than 1000 operators in a row")
		}
		var right *term
		if right, err = operand(depth); err == nil {
			left = &term{op: t.text, at: t.at, args: []*term{left, right}}
		}
	}
	return nil, err
}

func (p *exprParser) or(depth int) (*term, error) {
	return p.chain(depth, func(d int) (*term, error) { return p.chain(d, p.not, "and") }, "or")
}

func (p *exprParser) not(depth int) (*term, error) {
	t, ok := p.accept("not")
	if !ok {
		return p.comparison(depth)
	}
	if depth++; depth > deepestExpr {
		return nil, exprError(t.at, "more than %d levels within each other", deepestExpr)
	}
	a, err := p.not(depth)
	return &term{op: "not", at: t.at, args: []*term{a}}, err
}

// spelledOtherwise maps operators to those of the tree.
var spelledOtherwise = map[string]string{"=": "==", "<>": "!="}

func (p *exprParser) comparison(depth int) (*term, error) {
	left, err := p.sum(depth)
	if err != nil {
		return nil, err
	}
	t := p.peek()
	switch {
	case t.is("is"):
		p.take()
		_, negated := p.accept("not")
		if _, ok := p.accept("missing"); !ok {
			return nil, p.peek().unexpected("missing")
		}
		return negate(&term{op: "is missing", at: t.at, args: []*term{left}}, negated), nil
	case t.is("in"), t.is("not"):
		p.take()
		negated := t.is("not")
		if negated {
			if _, ok := p.accept("in"); !ok {
				return nil, p.peek().unexpected("in, as in: not in (1, 2)")
			}
		}
		list, err := p.list()
		return negate(&term{op: "in", at: t.at, args: append([]*term{left}, list...)}, negated), err
	}
	compare := []string{"==", "=", "!=", "<>", "<", "<=", ">", ">="}
	t, ok := p.accept(compare...)
	if !ok {
		return left, nil
	}
	right, err := p.sum(depth)
	if err != nil {
		return nil, err
	}
	if again, ok := p.accept(compare...); ok {
		return nil, exprError(again.at, "found a second comparison %q; join two by and, as in: 0 < x and x < 1", again.source)
	}
	op := t.text
	if s := spelledOtherwise[op]; s != "" {
		op = s
	}
	return &term{op: op, at: t.at, args: []*term{left, right}}, nil
}

func negate(t *term, really bool) *term {
	if really {
		return &term{op: "not", at: t.at, args: []*term{t}}
	}
	return t
}

// list reads the values after in.
func (p *exprParser) list() ([]*term, error) {
	open, ok := p.accept("(", "[")
	if !ok {
		return nil, open.unexpected(`a list such as (1, 2) or ("a", "b")`)
	}
	end := map[string]string{"(": ")", "[": "]"}[open.text]
	var out []*term
	for {
		sign, minus := p.accept("-")
		t := p.take()
		value, ok := literal(t)
		if minus && ok && value.op == "number" {
			value.number, value.at = -value.number, sign.at
		} else if minus || !ok {
			return nil, t.unexpected("a number, text in quotes, true or false")
		}
		out = append(out, value)
		if _, ok := p.accept(end); ok {
			return out, nil
		}
		if _, ok := p.accept(","); !ok {
			return nil, p.peek().unexpected("a comma or " + end)
		}
	}
}

// literal makes a constant of a token.
func literal(t token) (*term, bool) {
	switch {
	case t.kind == numberToken:
		return &term{op: "number", at: t.at, number: t.number}, true
	case t.kind == textToken:
		return &term{op: "text", at: t.at, text: t.text}, true
	case t.is("true"):
		return &term{op: "truth", at: t.at, number: 1}, true
	case t.is("false"):
		return &term{op: "truth", at: t.at}, true
	}
	return nil, false
}

func (p *exprParser) sum(depth int) (*term, error) {
	return p.chain(depth, func(d int) (*term, error) { return p.chain(d, p.sign, "*", "/") }, "+", "-")
}

func (p *exprParser) sign(depth int) (*term, error) {
	t := p.peek()
	switch {
	case t.is("-"):
		p.take()
		if depth++; depth > deepestExpr {
			return nil, exprError(t.at, "more than %d levels within each other", deepestExpr)
		}
		a, err := p.sign(depth)
		if err == nil && a.op == "number" {
			return &term{op: "number", at: t.at, number: -a.number}, nil
		}
		return &term{op: "negative", at: t.at, args: []*term{a}}, err
	case t.is("("):
		p.take()
		if depth++; depth > deepestExpr {
			return nil, exprError(t.at, "more than %d levels within each other", deepestExpr)
		}
		a, err := p.or(depth)
		if err != nil {
			return nil, err
		}
		if _, ok := p.accept(")"); !ok {
			return nil, p.peek().unexpected("an operator or )" + p.peek().advice())
		}
		return a, nil
	case t.kind == nameToken:
		p.take()
		return &term{op: "column", at: t.at, text: t.text}, nil
	}
	if value, ok := literal(t); ok {
		p.take()
		return value, nil
	}
	return nil, t.unexpected("a column, a number, text in quotes or (" + t.advice())
}

// quoteLiteral writes text as an expression does.
func quoteLiteral(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// writeNumber writes a number as an expression does.
func writeNumber(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
