package config

import (
	"encoding"
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// Show returns what the document was decoded into, v, as YAML in which every
// option stands, with a comment at those that the document or an override
// sets, and with the documentation of each option if docs is true. Options
// that are off until given stand as comments.
func (d *Document) Show(v any, docs bool) ([]byte, error) {
	return marshal(v, shower{doc: d, docs: docs, off: true})
}

// A shower turns Go values into what the writer writes.
type shower struct {
	doc  *Document // nil: no comments at all
	docs bool
	off  bool // options that are off are shown, as comments
}

// Show returns the struct, or pointer to one, as YAML in which every option
// stands, with its documentation if docs is true; without, it is what
// [Marshal] returns. It panics if an option is of a type that no document can
// hold.
func Show(v any, docs bool) []byte {
	b, err := marshal(v, shower{docs: docs, off: docs})
	if err != nil {
		panic(err) // programmer error
	}
	return b
}

func marshal(v any, sh shower) ([]byte, error) {
	s := reflect.Indirect(reflect.ValueOf(v))
	if s.Kind() != reflect.Struct {
		return nil, fmt.Errorf("config: found %T, expected a struct", v)
	}
	var root *node
	if sh.doc != nil {
		root = sh.doc.root
	}
	m, err := sh.structure("", root, s)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return Write(Map(m))
}

// mark says where an entry was set.
func (s *shower) mark(at place) string {
	switch {
	case s.doc == nil:
		return ""
	case at.flag != "":
		return at.flag
	case at.line > 0:
		return fmt.Sprintf("%s:%d", filepath.Base(s.doc.name), at.line)
	}
	return ""
}

func (s *shower) structure(path string, n *node, v reflect.Value) (tall, error) {
	l := layoutOf(v.Type())
	type option struct {
		field
		value reflect.Value
	}
	var options []option
	for _, f := range l.fields {
		options = append(options, option{f, v.FieldByIndex(f.index)})
	}
	if l.variant != nil {
		chosen := v.FieldByIndex(l.variant.index)
		for (chosen.Kind() == reflect.Interface || chosen.Kind() == reflect.Pointer) && !chosen.IsNil() {
			chosen = chosen.Elem()
		}
		if chosen.Kind() == reflect.Struct {
			for _, f := range layoutOf(chosen.Type()).fields {
				options = append(options, option{f, chosen.FieldByIndex(f.index)})
			}
		}
	}
	short, shortKey := n, ""
	if n != nil && n.kind == mapping {
		short = n.short
	}
	if !short.isNull() {
		for _, f := range l.shorthands() {
			if accepts(f.typ, short) {
				shortKey = f.name
				break
			}
		}
	}
	var out tall
	for _, o := range options {
		var child *node
		e := Entry{Key: o.name}
		if found := n.find(o.name); found != nil {
			child = found.value
			e.Line = s.mark(found.at)
		} else if o.name == shortKey {
			child = short
			e.Line = s.mark(short.at)
		}
		value, err := s.value(join(path, o.name), child, o.value)
		if err != nil {
			return nil, err
		}
		e.Value = value
		if s.docs {
			e.Head = documentation(o.field)
		}
		if isOff(o.field, o.value) {
			if !s.off {
				continue
			}
			e.Off, e.Value = true, literal("")
		}
		if t, ok := value.(tall); ok && len(t) > 0 {
			e.Line = "" // its keys tell
		}
		out = append(out, e)
	}
	return out, nil
}

// isOff reports whether an option without default is as good as left out, and
// would perhaps not be read again.
func isOff(f field, v reflect.Value) bool {
	if _, ok := f.tag.Lookup("default"); ok || !v.IsZero() {
		return false
	}
	switch v.Kind() {
	case reflect.Struct:
		return isText(f.typ)
	case reflect.String, reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		return true
	}
	want, _ := bounds(v, f.tag)
	return want != ""
}

func documentation(f field) string {
	doc := f.tag.Get("doc")
	if enum := f.tag.Get("enum"); enum != "" {
		doc = strings.TrimPrefix(doc+"; one of "+strings.ReplaceAll(enum, ",", ", "), "; ")
	}
	return doc
}

func (s *shower) value(path string, n *node, v reflect.Value) (any, error) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return literal("null"), nil
		}
		v = v.Elem()
	}
	if m, ok := textMarshaler(v); ok {
		b, err := m.MarshalText()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if x, err := strconv.ParseFloat(string(b), 64); err == nil && x-x == 0 { // reads back to the same text
			return literal(b), nil
		}
		return literal(Quote(string(b))), nil
	}
	if text, ok := scalarText(v); ok {
		return literal(text), nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return s.structure(path, n, v)
	case reflect.Slice, reflect.Array:
		return s.slice(path, n, v)
	case reflect.Map:
		return s.mapping(path, n, v)
	}
	return nil, fmt.Errorf("%s: a value of type %s cannot be written", path, v.Type())
}

func textMarshaler(v reflect.Value) (encoding.TextMarshaler, bool) {
	if !v.CanAddr() { // the method may want a pointer
		p := reflect.New(v.Type()).Elem()
		p.Set(v)
		v = p
	}
	m, ok := v.Addr().Interface().(encoding.TextMarshaler)
	return m, ok
}

func (s *shower) slice(path string, n *node, v reflect.Value) (any, error) {
	if v.Type() == stringsType && v.Len() == 1 {
		return s.value(path, n, v.Index(0))
	}
	l, ordered := keyed(v.Type())
	var list List
	var dict tall
	for i := range v.Len() {
		item := v.Index(i)
		var e Entry
		var child *node
		if ordered {
			e.Key = item.FieldByIndex(l.key.index).String()
			if found := n.find(e.Key); found != nil {
				child = found.value
			}
		} else if n != nil && n.kind == sequence && i < len(n.items) {
			child = n.items[i]
		}
		value, err := s.value(fmt.Sprintf("%s[%d]", path, i), child, item)
		if err != nil {
			return nil, err
		}
		e.Value = value
		if t, ok := value.(tall); ok && !ordered {
			e.Value = s.short(t)
		}
		list, dict = append(list, e), append(dict, e)
	}
	if ordered {
		return dict, nil
	}
	return list, nil
}

// short lets an element of a list be one line, unless the comments are wanted.
func (s *shower) short(t tall) any {
	if s.docs {
		return t
	}
	m := make(Map, 0, len(t))
	for _, e := range t {
		if e.Off {
			continue
		}
		if inner, ok := e.Value.(tall); ok {
			e.Value = s.short(inner)
		}
		e.Line = ""
		m = append(m, e)
	}
	return m
}

func (s *shower) mapping(path string, n *node, v reflect.Value) (any, error) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%s: a mapping with keys of type %s cannot be written", path, v.Type().Key())
	}
	values := map[string]reflect.Value{}
	for iter := v.MapRange(); iter.Next(); {
		values[iter.Key().String()] = iter.Value()
	}
	out := Map{}
	for _, key := range sortedNames(values) {
		var child *node
		if found := n.find(key); found != nil {
			child = found.value
		}
		value, err := s.value(join(path, key), child, values[key])
		if err != nil {
			return nil, err
		}
		if t, ok := value.(tall); ok {
			value = s.short(t)
		}
		out = append(out, Entry{Key: key, Value: value})
	}
	return out, nil
}
