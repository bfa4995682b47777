package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Decode reads the document into the struct that v points to. What the
// document leaves out gets its default. The error is an *Error with all that
// is wrong.
func (d *Document) Decode(v any) error {
	dec := &decoder{problems: d.problems}
	dec.structure("", d.root, reflect.ValueOf(v).Elem())
	for i := range dec.problems {
		dec.problems[i] = d.locate(dec.problems[i])
	}
	return newError(dec.problems)
}

// Defaults fills the struct that v points to with its defaults.
func Defaults(v any) error {
	dec := &decoder{}
	dec.structure("", &node{kind: mapping}, reflect.ValueOf(v).Elem())
	return newError(dec.problems)
}

// Nearest returns the name that is nearest to another, or "" if none is near.
func Nearest(name string, names []string) string { return nearest(name, names) }

type decoder struct{ problems []Problem }

func (d *decoder) problem(path string, at place, hint, format string, args ...any) {
	d.problems = append(d.problems, Problem{Line: at.line, Column: at.column, Flag: at.flag, Key: path, Message: fmt.Sprintf(format, args...), Hint: hint, length: at.length})
}

// describe says what a node is.
func describe(n *node) string {
	switch n.kind {
	case mapping:
		return "a mapping"
	case sequence:
		return "a list"
	case null:
		return "nothing"
	}
	return quote(n.text)
}

func quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return strconv.Quote(s)
}

// wanted says what a type takes.
func wanted(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 30s or 5m"
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "a mapping"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Uint64:
		return "a whole number of 0 or more"
	}
	return "a whole number"
}

func (d *decoder) mismatch(path string, n *node, t reflect.Type) {
	d.problem(path, n.at, "", "found %s, expected %s", describe(n), wanted(t))
}

// value reads n into v, whose field has the tag.
func (d *decoder) value(path string, n *node, v reflect.Value, tag reflect.StructTag) {
	switch {
	case v.Type() == durationType:
	case v.Kind() == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		d.value(path, n, p.Elem(), tag)
		v.Set(p)
		return
	case v.Kind() == reflect.Struct:
		d.structure(path, n, v)
		return
	case v.Kind() == reflect.Slice:
		d.slice(path, n, v, tag)
		return
	case v.Kind() == reflect.Map:
		d.mapping(path, n, v)
		return
	}
	if n.kind != scalar || !setScalar(n, v) {
		d.mismatch(path, n, v.Type())
		return
	}
	d.bounds(path, n, v, tag)
}

// setScalar reports whether v takes the text of n.
func setScalar(n *node, v reflect.Value) bool {
	text := strings.ReplaceAll(n.text, "_", "")
	switch {
	case v.Type() == durationType:
		x, err := time.ParseDuration(n.text)
		v.SetInt(int64(x))
		return err == nil
	case v.Kind() == reflect.String:
		v.SetString(n.text)
		return true
	case n.quoted:
		return false
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(n.text == "true")
		return n.text == "true" || n.text == "false"
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		v.SetFloat(x)
		return err == nil && x-x == 0 // finite
	case reflect.Uint64:
		x, err := strconv.ParseUint(text, 10, 64)
		v.SetUint(x)
		return err == nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		x, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if f, e := strconv.ParseFloat(text, 64); err != nil && e == nil && f == float64(int64(f)) && f > -1e15 && f < 1e15 {
			x, err = int64(f), nil // 1e6 is a whole number
		}
		if err != nil || v.OverflowInt(x) {
			return false
		}
		v.SetInt(x)
		return true
	}
	return false
}

// bounds checks enum, min, max, above and below.
func (d *decoder) bounds(path string, n *node, v reflect.Value, tag reflect.StructTag) {
	if enum := tag.Get("enum"); enum != "" {
		allowed := strings.Split(enum, ",")
		for _, a := range allowed {
			if n.text == a {
				return
			}
		}
		d.problem(path, n.at, didYouMean(n.text, allowed), "found %s, expected one of %s", describe(n), strings.Join(allowed, ", "))
		return
	}
	var x float64
	switch v.Kind() {
	case reflect.Float64:
		x = v.Float()
	case reflect.Int, reflect.Int32, reflect.Int64:
		x = float64(v.Int())
	case reflect.Uint64:
		x = float64(v.Uint())
	default:
		return
	}
	for _, b := range []struct {
		tag, words string
		ok         func(x, bound float64) bool
	}{
		{"min", "%g or more", func(x, b float64) bool { return x >= b }},
		{"max", "%g or less", func(x, b float64) bool { return x <= b }},
		{"above", "more than %g", func(x, b float64) bool { return x > b }},
		{"below", "less than %g", func(x, b float64) bool { return x < b }},
	} {
		if bound, err := strconv.ParseFloat(tag.Get(b.tag), 64); err == nil && !b.ok(x, bound) {
			d.problem(path, n.at, "", "found %s, expected "+b.words, n.text, bound)
			return
		}
	}
}

// slice reads a list, or one element without its list.
func (d *decoder) slice(path string, n *node, v reflect.Value, tag reflect.StructTag) {
	items := n.items
	if n.kind != sequence {
		if n.kind == null || n.kind == mapping && v.Type().Elem().Kind() != reflect.Struct {
			d.mismatch(path, n, v.Type())
			return
		}
		items = []*node{n}
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		d.value(fmt.Sprintf("%s[%d]", path, i), item, out.Index(i), tag)
	}
	v.Set(out)
}

func (d *decoder) mapping(path string, n *node, v reflect.Value) {
	if n.kind != mapping {
		d.mismatch(path, n, v.Type())
		return
	}
	out := reflect.MakeMap(v.Type())
	for _, e := range n.entries {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, e.key), e.value, item, "")
		out.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), item)
	}
	v.Set(out)
}

// structure reads a mapping, or a shorthand for one, into a struct.
func (d *decoder) structure(path string, n *node, v reflect.Value) {
	l := layoutOf(v)
	if n.kind != mapping || n.short != nil {
		short := n
		if n.kind == mapping {
			short = n.short
		}
		f := takes(l.shorthands(), short)
		if f == nil {
			d.mismatch(path, short, v.Type())
			return
		}
		entries := append([]entry{{f.name, short.at, short}}, n.entries...)
		n = &node{kind: mapping, at: n.at, entries: entries}
	}
	known, ok := d.choose(path, n, v, l)
	if !ok {
		return
	}
	for _, e := range n.entries {
		if e.key == "type" && l.variant.IsValid() {
			continue // chosen already
		}
		f := known.find(e.key)
		if f == nil {
			d.unknown(path, e, known)
			continue
		}
		if e.value.isNull() { // a key alone says nothing: its default
			d.fill(join(path, e.key), n, *f)
			continue
		}
		d.value(join(path, e.key), e.value, f.value, f.tag)
	}
	for _, f := range known.fields {
		if n.find(f.name) == nil && !(f.name == "type" && l.variant.IsValid()) {
			d.fill(join(path, f.name), n, f)
		}
	}
}

// takes returns the first field whose type can hold a value.
func takes(fields []field, n *node) *field {
	for i, f := range fields {
		v := reflect.New(f.value.Type()).Elem()
		if n.kind == scalar && setScalar(n, v) || n.kind == sequence && v.Kind() == reflect.Slice {
			return &fields[i]
		}
	}
	return nil
}

// choose sets the variant of a union and returns the layout with the fields
// of its options.
func (d *decoder) choose(path string, n *node, v reflect.Value, l layout) (layout, bool) {
	if !l.variant.IsValid() {
		return l, true
	}
	all := variants(v)
	names := sortedNames(all)
	typ := l.find("type")
	name := typ.tag.Get("default")
	at := n.at
	if e := n.find("type"); e != nil && !e.value.isNull() {
		name, at = e.value.text, e.value.at
	}
	options, ok := all[name]
	switch {
	case ok:
	case name == "" && typ.tag.Get("required") == "false":
		return l, true
	case name == "":
		d.problem(path, at, "", `found no "type", expected one of %s`, strings.Join(names, ", "))
		return l, false
	default:
		d.problem(join(path, "type"), at, didYouMean(name, names), "found %s, expected one of %s", quote(name), strings.Join(names, ", "))
		return l, false
	}
	typ.value.SetString(name)
	l.variant.Set(options)
	l.fields = append(l.fields, layoutOf(options.Elem()).fields...)
	return l, true
}

func (d *decoder) unknown(path string, e entry, l layout) {
	var names []string
	for _, f := range l.fields {
		names = append(names, f.name)
	}
	at := e.at
	if len(names) == 0 {
		d.problem(path, at, "remove it", "found key %q, expected none", e.key)
		return
	}
	d.problem(path, at, didYouMean(e.key, names), "found unknown key %q, expected one of %s", e.key, strings.Join(names, ", "))
}

// fill gives a field that the document leaves out its default, unless the
// program set it.
func (d *decoder) fill(path string, parent *node, f field) {
	if f.is("required") {
		hint := ""
		if doc := f.tag.Get("doc"); doc != "" {
			hint = "it is the " + doc
		}
		d.problem(path, parent.at, hint, "found no %q, which is needed", f.name)
		return
	}
	if text, ok := f.tag.Lookup("default"); ok {
		if !f.value.IsZero() {
			return
		}
		n := &node{kind: scalar, text: text, quoted: true}
		if f.value.Kind() != reflect.String {
			if parsed, problems := parse([]byte(text)); len(problems) == 0 {
				n = parsed
			}
		}
		d.value(path, n, f.value, f.tag)
		return
	}
	if f.value.Kind() == reflect.Struct && f.value.Type() != durationType {
		d.structure(path, &node{kind: mapping, at: parent.at}, f.value)
	}
}
