package config

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

var durationType = reflect.TypeFor[time.Duration]()

// A field is an option: a struct's field with a yaml tag.
type field struct {
	name  string
	value reflect.Value
	tag   reflect.StructTag
}

func (f field) is(tag string) bool { return f.tag.Get(tag) == "true" }

// A layout is what the fields of a struct are for.
type layout struct {
	fields  []field
	variant reflect.Value // in a union, the field that holds the variant's options
}

// layoutOf returns the layout of an addressable struct, with inlined structs
// spread out.
func layoutOf(v reflect.Value) layout {
	var l layout
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("yaml")
		name, option, _ := strings.Cut(tag, ",")
		if !ok || name == "-" || !f.IsExported() {
			continue
		}
		switch {
		case option == "variant":
			l.variant = v.Field(i)
		case option == "inline" && f.Type.Kind() == reflect.Struct:
			l.fields = append(l.fields, layoutOf(v.Field(i)).fields...)
		case name != "":
			l.fields = append(l.fields, field{name, v.Field(i), f.Tag})
		}
	}
	return l
}

// find returns the field of a name, or nil.
func (l layout) find(name string) *field {
	for i := range l.fields {
		if l.fields[i].name == name {
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
	if t := l.find("type"); len(out) == 0 && l.variant.IsValid() && t != nil {
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

// chosen returns the options that a union holds, as an addressable struct, or
// the zero Value.
func chosen(l layout) reflect.Value {
	if !l.variant.IsValid() || l.variant.IsNil() {
		return reflect.Value{}
	}
	return l.variant.Elem().Elem()
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
