package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	maxSize  = 1 << 20
	maxDepth = 64
)

type kind int

const (
	null kind = iota
	scalar
	sequence
	mapping
)

// A node is a value of the document with its place. The library's tree is
// turned into this one so that overrides can be worked in.
type node struct {
	kind    kind
	text    string // of a scalar, as written; of null, how it is spelled
	quoted  bool   // so a scalar is text
	at      place
	items   []*node
	entries []entry
	short   *node // a shorthand that an override added keys to
}

type entry struct {
	key   string
	at    place
	value *node
}

// A place is where something stands: a line of the file, or an override.
type place struct {
	line, column, length int
	flag                 string
}

// find returns the entry of a mapping with the key, or nil.
func (n *node) find(key string) *entry {
	if n == nil {
		return nil
	}
	for i := range n.entries {
		if n.entries[i].key == key {
			return &n.entries[i]
		}
	}
	return nil
}

// isNull reports whether a key stands without a value.
func (n *node) isNull() bool { return n == nil || n.kind == null }

// parse returns the tree of one document. The problems that it returns beside
// a tree leave the rest readable; without a tree there is exactly one.
func parse(src []byte) (root *node, problems []Problem) {
	fail := func(at place, message, hint string) (*node, []Problem) {
		return nil, []Problem{{Line: at.line, Column: at.column, Message: message, Hint: hint, length: at.length}}
	}
	if len(src) > maxSize {
		return fail(place{}, fmt.Sprintf("found %d bytes, expected at most %d", len(src), maxSize), "is this a configuration file?")
	}
	if at, message := foreign(src); message != "" {
		return fail(at, message, "save the file as UTF-8 text with ordinary line ends")
	}
	defer func() {
		// The parser is foreign code; whatever it trips over is bad input.
		if r := recover(); r != nil {
			root, problems = fail(place{}, fmt.Sprintf("found something that the YAML parser cannot read (%v)", r), "")
		}
	}()
	tokens := lexer.Tokenize(strings.TrimPrefix(string(src), "\ufeff"))
	if at, message, hint := refuse(tokens); message != "" {
		return fail(at, message, hint)
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var e interface {
			GetMessage() string
			GetToken() *token.Token
		}
		if !errors.As(err, &e) || e.GetToken() == nil {
			return fail(place{}, err.Error(), "")
		}
		message, hint := explain(e.GetMessage(), e.GetToken())
		return fail(tokenPlace(e.GetToken()), message, hint)
	}
	c := converter{}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			return fail(c.node(doc.Body, place{}, 0).at, "found a second document, expected one", "remove the --- line or everything after it")
		}
		root = c.node(doc.Body, place{line: 1, column: 1}, 0)
	}
	if root == nil {
		root = &node{at: place{line: 1, column: 1}}
	}
	return root, c.problems
}

// foreign looks for what cannot be in YAML text.
func foreign(src []byte) (at place, message string) {
	line, column := 1, 1
	for len(src) > 0 {
		r, n := utf8.DecodeRune(src)
		switch {
		case r == utf8.RuneError && n == 1:
			return place{line, column, 1, ""}, fmt.Sprintf("found byte 0x%02x, which is not UTF-8", src[0])
		case r == '\r' && !bytes.HasPrefix(src, []byte("\r\n")):
			return place{line, column, 1, ""}, "found a carriage return without a line feed"
		case unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' && r != '\u0085':
			return place{line, column, 1, ""}, fmt.Sprintf("found control character %U", r)
		case r == '\n':
			line, column = line+1, 0
		}
		src, column = src[n:], column+1
	}
	return place{}, ""
}

// refuse looks for features of YAML that a configuration is better without,
// and for depth that would exhaust the parser's stack.
func refuse(tokens token.Tokens) (at place, message, hint string) {
	depth, line, entries := 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return tokenPlace(t), "found " + strings.TrimSpace(t.Value) + ": anchors, aliases and merge keys are not supported", "write the value out, or quote it if it is text"
		case token.TagType:
			return tokenPlace(t), "found " + t.Value + ": tags are not supported", "quote it if it is text"
		case token.DirectiveType:
			return tokenPlace(t), "found %: directives are not supported", "remove the line, or quote it if it is text"
		case token.MappingKeyType:
			return tokenPlace(t), "found ?: complex keys are not supported", `write "key: value"`
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType:
			if t.Position.Line != line {
				line, entries = t.Position.Line, 0
			}
			entries++
		}
		if max(depth, entries) > maxDepth {
			return tokenPlace(t), fmt.Sprintf("found more than %d levels of nesting", maxDepth), ""
		}
	}
	return place{}, "", ""
}

// explain puts the parser's messages into words that say what to do.
func explain(message string, t *token.Token) (string, string) {
	switch {
	case strings.Contains(message, `'	'`) || strings.Contains(message, "tab character"):
		return "found a tab, expected spaces", "indent with spaces"
	case strings.HasPrefix(message, "mapping value is not allowed"):
		return "found a key within a value, expected one value", `quote a value that contains ": ", and look at the next line's indentation`
	case strings.HasSuffix(message, " must be specified"):
		return fmt.Sprintf("found %s, expected %s", quote(t.Value), strings.TrimSuffix(message, " must be specified")), ""
	case strings.Contains(message, "reserved character"):
		return message, "quote a value that begins with it"
	case strings.Contains(message, "value is not allowed in this context"), strings.Contains(message, "non-map value"):
		return fmt.Sprintf("found %s, expected a key of the mapping above", quote(t.Value)), "look at the indentation"
	}
	return message, ""
}

func tokenPlace(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{line: 1, column: 1}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(t.Origin), "\n")
	return place{line: t.Position.Line, column: t.Position.Column, length: utf8.RuneCountInString(first)}
}

// A converter turns the library's tree into ours.
type converter struct{ problems []Problem }

// node converts n; where is the place to use if it has none of its own.
func (c *converter) node(n ast.Node, where place, depth int) *node {
	if depth > maxDepth {
		c.problem(where, fmt.Sprintf("found more than %d levels of nesting", maxDepth), "")
		return &node{at: where}
	}
	if n == nil {
		return &node{at: where}
	}
	at := tokenPlace(n.GetToken())
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.mapping(n.Values, n.IsFlowStyle, at, depth)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{n}, false, at, depth)
	case *ast.SequenceNode:
		out := &node{kind: sequence, at: at}
		for _, v := range n.Values {
			out.items = append(out.items, c.node(v, at, depth+1))
		}
		return out
	case *ast.NullNode:
		if n.Token.Type == token.ImplicitNullType {
			return &node{at: where}
		}
		return &node{text: n.Token.Value, at: at}
	case *ast.StringNode:
		quoted := n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
		return &node{kind: scalar, text: n.Value, quoted: quoted, at: at}
	case *ast.LiteralNode:
		return &node{kind: scalar, text: n.Value.Value, quoted: true, at: at}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return &node{kind: scalar, text: n.GetToken().Value, at: at}
	}
	c.problem(at, "found "+strings.ToLower(n.Type().String())+", expected a value", "")
	return &node{at: at}
}

func (c *converter) mapping(values []*ast.MappingValueNode, flow bool, at place, depth int) *node {
	out := &node{kind: mapping, at: at}
	for i, v := range values {
		keyPlace := tokenPlace(v.Key.GetToken())
		if i == 0 && !flow {
			out.at = keyPlace
		}
		key := v.Key.GetToken().Value
		if first := out.find(key); first != nil {
			c.problem(keyPlace, fmt.Sprintf("found key %q twice, first on line %d", key, first.at.line), "keep one of them")
			continue
		}
		out.entries = append(out.entries, entry{key, keyPlace, c.node(v.Value, keyPlace, depth+1)})
	}
	return out
}

func (c *converter) problem(at place, message, hint string) {
	c.problems = append(c.problems, Problem{Line: at.line, Column: at.column, Message: message, Hint: hint, length: at.length})
}
