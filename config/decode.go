package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
)

// Decode fills the struct that v points to from the document, and with
// defaults. The error, an *[Error], lists everything that is wrong.
func (d *Document) Decode(v any) error {
	s, err := target(v)
	if err != nil {
		return err
	}
	dec := decoder{root: s.Type(), problems: append([]Problem(nil), d.problems...)}
	dec.structure("", d.root.at, d.root, s)
	for i := range dec.problems {
		dec.problems[i] = d.locate(dec.problems[i])
	}
	return newError(dec.problems)
}

// Defaults sets the zero options of the struct that v points to to their
// defaults. Options that are required stay as they are.
func Defaults(v any) error {
	s, err := target(v)
	if err != nil {
		return err
	}
	dec := decoder{root: s.Type(), lenient: true}
	dec.structure("", place{}, nil, s)
	return newError(dec.problems)
}

func target(v any) (reflect.Value, error) {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return reflect.Value{}, fmt.Errorf("config: found %T, expected a pointer to a struct", v)
	}
	return p.Elem(), nil
}

type decoder struct {
	root     reflect.Type
	lenient  bool // what is required may be missing
	problems []Problem
}

func (d *decoder) problem(path string, at place, hint, format string, args ...any) {
	d.problems = append(d.problems, Problem{Line: at.line, Column: at.column, length: at.length, Flag: at.flag,
		Key: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// mismatch reports a value of the wrong type.
func (d *decoder) mismatch(path string, n *node, want string) {
	hint := ""
	switch low := strings.ToLower(n.text); {
	case n.kind == scalar && want == "true or false" && (low == "yes" || low == "on"):
		hint = "did you mean true?"
	case n.kind == scalar && want == "true or false" && (low == "no" || low == "off"):
		hint = "did you mean false?"
	case n.kind == null && n.text != "" && want == "text":
		hint = `quote it if it is text: "` + n.text + `"`
	}
	d.problem(path, n.at, hint, "found %s, expected %s", describe(n), want)
}

// value fills v, whose field has the tag, from a node that is there.
func (d *decoder) value(path string, n *node, v reflect.Value, tag reflect.StructTag) {
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		if n.isNull() {
			v.SetZero()
			return
		}
		p := reflect.New(t.Elem())
		d.value(path, n, p.Elem(), tag)
		v.Set(p)
		return
	}
	if isText(t) {
		if n.kind != scalar {
			d.mismatch(path, n, "text")
		} else if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.text)); err != nil {
			d.problem(path, n.at, "", "found %s: %v", describe(n), err)
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		d.structure(path, n.at, n, v)
	case reflect.Slice:
		d.slice(path, n, v, tag)
	case reflect.Map:
		d.mapping(path, n, v, tag)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			d.problem(path, n.at, "", "options of type %s cannot be read", t)
		} else if x := anything(n); x == nil {
			v.SetZero()
		} else {
			v.Set(reflect.ValueOf(x))
		}
	default:
		d.scalar(path, n, v, tag)
	}
}

func (d *decoder) scalar(path string, n *node, v reflect.Value, tag reflect.StructTag) {
	_, hasEnum := tag.Lookup("enum")
	if n.kind != scalar || n.short != nil || !setScalar(v, n) {
		want := expected(v.Type())
		if hasEnum {
			want, _ = bounds(reflect.ValueOf(""), tag)
		}
		if n.kind == scalar && !n.quoted && v.Kind() != reflect.Bool && v.Type() != durationType {
			if i, ok := parseInt(n.text); ok && (i >= 0 || v.CanInt()) && !v.CanFloat() {
				d.problem(path, n.at, "", "found %s, which is too large", clip(n.text))
				return
			}
		}
		d.mismatch(path, n, want)
		return
	}
	if want, names := bounds(v, tag); want != "" {
		found := describe(n)
		switch {
		case hasEnum:
			found = quote(n.text)
		case v.Type() == durationType:
			found = clip(n.text)
		}
		d.problem(path, n.at, didYouMean(n.text, names), "found %s, expected %s", found, want)
	}
}

func (d *decoder) slice(path string, n *node, v reflect.Value, tag reflect.StructTag) {
	if l, ok := keyed(v.Type()); ok {
		if n.kind != mapping && !n.isNull() {
			d.mismatch(path, n, "a mapping")
			return
		}
		out := reflect.MakeSlice(v.Type(), len(n.entries), len(n.entries))
		for i, e := range n.entries {
			item := out.Index(i)
			item.FieldByIndex(l.key.index).SetString(e.key)
			d.structure(join(path, e.key), e.at, e.value, item)
		}
		v.Set(out)
		return
	}
	if n.isNull() {
		v.SetZero()
		return
	}
	if v.Type() == stringsType && n.kind == scalar {
		v.Set(reflect.ValueOf(Strings{n.text}))
		return
	}
	if n.kind != sequence {
		hint := ""
		if n.kind == scalar {
			hint = "write [" + clip(n.text) + "]"
		}
		d.problem(path, n.at, hint, "found %s, expected %s", describe(n), expected(v.Type()))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.value(fmt.Sprintf("%s[%d]", path, i), item, out.Index(i), tag)
	}
	v.Set(out)
}

func (d *decoder) mapping(path string, n *node, v reflect.Value, tag reflect.StructTag) {
	if n.isNull() {
		v.SetZero()
		return
	}
	if n.kind != mapping || n.short != nil {
		d.mismatch(path, n, "a mapping")
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.entries))
	for _, e := range n.entries {
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, e.key), e.value, value, tag)
		out.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), value)
	}
	v.Set(out)
}

// anything returns the Go value of a node where no type is expected.
func anything(n *node) any {
	switch n.kind {
	case scalar:
		if n.quoted {
			return n.text
		}
		return plain(n.text)
	case sequence:
		out := make([]any, len(n.items))
		for i, v := range n.items {
			out[i] = anything(v)
		}
		return out
	case mapping:
		out := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			out[e.key] = anything(e.value)
		}
		return out
	}
	return nil
}

// A slot is an option and where its value goes.
type slot struct {
	field
	value reflect.Value
	done  bool
}

func slotsOf(l layout, v reflect.Value) []*slot {
	var out []*slot
	for _, f := range l.fields {
		out = append(out, &slot{field: f, value: v.FieldByIndex(f.index)})
	}
	return out
}

func find(slots []*slot, name string) *slot {
	for _, s := range slots {
		if s.name == name {
			return s
		}
	}
	return nil
}

// structure fills a struct from a node, or from nothing; at is where the
// struct would be.
func (d *decoder) structure(path string, at place, n *node, v reflect.Value) {
	before := len(d.problems)
	if isText(v.Type()) {
		if n != nil {
			d.value(path, n, v, "")
		}
		return
	}
	l := layoutOf(v.Type())
	slots := slotsOf(l, v)

	short := n
	switch {
	case n.isNull() || n.kind == mapping && n.short == nil:
		short = nil
	case n.kind == mapping:
		short = n.short
	}
	if short != nil && !d.shorthand(path, short, l, slots) {
		return
	}
	known := true // all keys that there can be
	var options map[string]reflect.Value
	if l.variant != nil {
		options = variants(v)
		known = d.variant(path, at, n, v, l, &slots, options)
	}
	if n != nil {
		for _, e := range n.entries {
			s := find(slots, e.key)
			switch {
			case s == nil && known:
				d.unknown(path, e, slots, options)
			case s != nil && !(s.done && s.name == "type" && l.variant != nil):
				d.slot(path, e.at, e.value, s)
			}
		}
	}
	for _, s := range slots {
		d.fill(path, at, s)
	}
	if len(d.problems) == before && !d.lenient {
		if c, ok := v.Addr().Interface().(interface{ Validate() error }); ok {
			if err := c.Validate(); err != nil {
				d.problem(path, at, "", "%v", err)
			}
		}
		if l.variant != nil {
			d.validateVariant(path, at, v.FieldByIndex(l.variant.index))
		}
	}
}

func (d *decoder) validateVariant(path string, at place, options reflect.Value) {
	if options.Kind() != reflect.Interface || options.IsNil() {
		return
	}
	if c, ok := options.Interface().(interface{ Validate() error }); ok {
		if err := c.Validate(); err != nil {
			d.problem(path, at, "", "%v", err)
		}
	}
}

// slot sets an option from its node.
func (d *decoder) slot(path string, at place, n *node, s *slot) {
	s.done = true
	if n.isNull() {
		switch k := s.typ.Kind(); {
		case s.is("required"):
			d.problem(join(path, s.name), at, "", "found %s, expected %s", describe(n), expected(s.typ))
			return
		case k == reflect.Struct || k == reflect.Map || k == reflect.Slice:
			s.done = false // as if it were left out, and it may only hold comments
			return
		}
	}
	d.value(join(path, s.name), n, s.value, s.tag)
}

// fill sets an option that the document leaves out.
func (d *decoder) fill(path string, at place, s *slot) {
	at.length = 1
	if s.done {
		return
	}
	if s.is("required") && !d.lenient && s.value.IsZero() {
		d.problem(path, at, "", "missing key %q, expected %s", s.name, note(s.field))
		return
	}
	if n := s.defaultNode(); n != nil && s.value.IsZero() {
		n.stamp(at)
		before := len(d.problems)
		d.value(join(path, s.name), n, s.value, s.tag)
		for i := before; i < len(d.problems); i++ {
			d.problems[i].Message = "the default is wrong: " + d.problems[i].Message
		}
	} else if n == nil && s.typ.Kind() == reflect.Struct {
		d.structure(join(path, s.name), at, nil, s.value)
	}
}

// note says what an option is, for the one who left it out.
func note(f field) string {
	s := expected(f.typ)
	if enum := f.tag.Get("enum"); enum != "" {
		s = "one of " + strings.ReplaceAll(enum, ",", ", ")
	}
	if doc := f.tag.Get("doc"); doc != "" {
		s += " (" + doc + ")"
	}
	return s
}

// shorthand gives a value that is not a mapping to the field that it is
// meant for, and reports whether there is one.
func (d *decoder) shorthand(path string, n *node, l layout, slots []*slot) bool {
	var wants []string
	for _, f := range l.shorthands() {
		s := find(slots, f.name)
		if accepts(s.typ, n) {
			s.done = true
			if l.variant == nil || s.name != "type" { // variant checks it
				d.value(path, n, s.value, s.tag)
			} else {
				s.value.SetString(n.text)
			}
			return true
		}
		wants = append(wants, expected(f.typ))
	}
	want := "a mapping"
	if len(wants) > 0 {
		want = strings.Join(wants, ", ") + " or a mapping"
	}
	d.mismatch(path, n, want)
	return false
}

// variant finds the variant of a union, creates its options and adds their
// slots. It reports whether the variant is known.
func (d *decoder) variant(path string, at place, n *node, v reflect.Value, l layout, slots *[]*slot, options map[string]reflect.Value) bool {
	typeField := l.typeField()
	if typeField == nil || len(options) == 0 {
		d.problem(path, at, "", "the union %s lacks a field of type or variants", v.Type())
		return false
	}
	s := find(*slots, "type")
	keep := !v.FieldByIndex(l.variant.index).IsZero()
	where, names := at, sortedNames(options)
	if s.done {
		where, keep = n.at, false
		if n.short != nil {
			where = n.short.at
		}
	}
	if e := n.find("type"); e != nil {
		s.done, where, keep = true, e.value.at, false
		if e.value.kind != scalar {
			d.problem(join(path, "type"), e.value.at, "", "found %s, expected one of %s", describe(e.value), strings.Join(names, ", "))
			return false
		}
		s.value.SetString(e.value.text)
	}
	if !s.done {
		if s.value.String() == "" {
			s.value.SetString(s.tag.Get("default"))
		}
		s.done = s.value.String() != "" || s.tag.Get("required") == "false"
	}
	name := s.value.String()
	switch {
	case !s.done:
		s.done, at.length = true, 1
		d.problem(path, at, "", "missing key \"type\", expected one of %s", strings.Join(names, ", "))
		return false
	case name == "" && s.tag.Get("required") == "false":
		return true
	case !options[name].IsValid():
		d.problem(join(path, "type"), where, didYouMean(name, names), "found %q, expected one of %s", clip(name), strings.Join(names, ", "))
		return false
	}
	holder := v.FieldByIndex(l.variant.index)
	if !keep {
		if !options[name].Type().AssignableTo(holder.Type()) {
			d.problem(path, at, "", "the variant %s is no %s", options[name].Type(), holder.Type())
			return false
		}
		holder.Set(options[name])
	}
	chosen := holder
	for chosen.Kind() == reflect.Interface || chosen.Kind() == reflect.Pointer {
		chosen = chosen.Elem()
	}
	if chosen.Kind() == reflect.Struct && chosen.CanSet() {
		*slots = append(*slots, slotsOf(layoutOf(chosen.Type()), chosen)...)
	}
	return true
}

// unknown reports a key that no slot takes.
func (d *decoder) unknown(path string, e entry, slots []*slot, options map[string]reflect.Value) {
	var names []string
	for _, s := range slots {
		names = append(names, s.name)
	}
	hint := didYouMean(e.key, names)
	if hint == "" {
		var types []string
		for _, name := range sortedNames(options) {
			for _, f := range layoutOf(options[name].Type().Elem()).fields {
				if f.name == e.key {
					types = append(types, name)
				}
			}
		}
		if len(types) > 0 {
			hint = "it belongs to type " + strings.Join(types, ", ")
		} else if elsewhere := places(d.root, e.key, 4); len(elsewhere) > 0 {
			hint = "it belongs at " + strings.Join(elsewhere[:min(2, len(elsewhere))], " or ")
		}
	}
	message := fmt.Sprintf("unknown key %q", clip(e.key))
	switch {
	case hint != "":
	case len(names) == 0:
		message += ", expected none"
	default:
		message += ", expected one of " + strings.Join(names, ", ")
	}
	d.problem(path, e.at, hint, "%s", message)
}
