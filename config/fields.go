package config

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"time"
)

var (
	durationType    = reflect.TypeFor[time.Duration]()
	stringsType     = reflect.TypeFor[Strings]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// Strings is a list of texts; one alone may be written without the list's
// brackets, and is shown so.
type Strings []string

// A field is an option: a struct's field with a yaml tag.
type field struct {
	name  string
	index []int // as reflect.Value.FieldByIndex takes it
	typ   reflect.Type
	tag   reflect.StructTag
}

func (f field) is(tag string) bool { return f.tag.Get(tag) == "true" }

// defaultNode returns the tree of the default, or nil without one.
func (f field) defaultNode() *node {
	text, ok := f.tag.Lookup("default")
	if !ok {
		return nil
	}
	if f.typ.Kind() == reflect.String {
		return &node{kind: scalar, text: text, quoted: true}
	}
	n, problems := parse([]byte(text))
	if len(problems) > 0 {
		return &node{kind: scalar, text: text, quoted: true} // of the wrong type, which says where
	}
	return n
}

// A layout is what the fields of a struct are for.
type layout struct {
	fields  []field
	key     *field // in an ordered mapping, the key of the element
	variant *field // in a union, the options of the variant
}

// layoutOf returns the layout of a struct, with inlined structs spread out.
func layoutOf(t reflect.Type) layout {
	var l layout
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("yaml")
		name, option, _ := strings.Cut(tag, ",")
		if !ok || name == "-" || !f.IsExported() {
			continue
		}
		own := field{name, []int{i}, f.Type, f.Tag}
		switch {
		case option == "key":
			l.key = &own
		case option == "variant":
			l.variant = &own
		case option == "inline" && f.Type.Kind() == reflect.Struct:
			for _, in := range layoutOf(f.Type).fields {
				in.index = append([]int{i}, in.index...)
				l.fields = append(l.fields, in)
			}
		case name != "":
			l.fields = append(l.fields, own)
		}
	}
	return l
}

// typeField returns the field that names the variant of a union, or nil.
func (l layout) typeField() *field {
	for i, f := range l.fields {
		if f.name == "type" && f.typ.Kind() == reflect.String {
			return &l.fields[i]
		}
	}
	return nil
}

// shorthands returns the fields that take a value that is not a mapping.
func (l layout) shorthands() []field {
	var out []field
	for _, f := range l.fields {
		if f.is("shorthand") {
			out = append(out, f)
		}
	}
	if t := l.typeField(); len(out) == 0 && l.variant != nil && t != nil {
		out = append(out, *t)
	}
	return out
}

// variants returns the fresh options of a union by name, or nil if the
// addressable struct is none.
func variants(v reflect.Value) map[string]reflect.Value {
	m := v.Addr().MethodByName("Variants")
	if !m.IsValid() || m.Type().NumIn() != 0 || m.Type().NumOut() != 1 || m.Type().Out(0).Kind() != reflect.Map || m.Type().Out(0).Key().Kind() != reflect.String {
		return nil
	}
	out := map[string]reflect.Value{}
	for iter := m.Call(nil)[0].MapRange(); iter.Next(); {
		options := iter.Value()
		for options.Kind() == reflect.Interface {
			options = options.Elem()
		}
		if options.Kind() == reflect.Pointer && !options.IsNil() && options.Elem().Kind() == reflect.Struct {
			out[iter.Key().String()] = options
		}
	}
	return out
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// keyed returns the layout of the elements of a list that is written as a
// mapping.
func keyed(t reflect.Type) (layout, bool) {
	if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct {
		return layout{}, false
	}
	l := layoutOf(t.Elem())
	return l, l.key != nil && l.key.typ.Kind() == reflect.String
}

// isText reports whether values of the type are read by UnmarshalText.
func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(unmarshalerType) }

// places returns the paths at which a struct has options of the name, and not
// within lists and maps.
func places(t reflect.Type, name string, depth int) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || depth == 0 {
		return nil
	}
	var out []string
	l := layoutOf(t)
	for _, f := range l.fields {
		if f.name == name {
			out = append(out, name)
		}
		for _, p := range places(f.typ, name, depth-1) {
			out = append(out, f.name+"."+p)
		}
	}
	if l.variant != nil {
		options := variants(reflect.New(t).Elem())
		for _, v := range sortedNames(options) {
			out = append(out, places(options[v].Type(), name, depth-1)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
