package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// object is a part of a schema.
type object map[string]any

// Schema returns the JSON Schema, draft 2020-12, of the struct that v points
// to, for editors. Mappings with variants are a oneOf: one alternative for
// each variant, told apart by the constant type, and one for shorthands.
func Schema(v any, title string) ([]byte, error) {
	s, err := target(v)
	if err != nil {
		return nil, err
	}
	g := generator{defs: object{}, names: map[reflect.Type]string{}}
	root := g.structure(s.Type(), false)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	if title != "" {
		root["title"] = title
	}
	if len(g.defs) > 0 {
		root["$defs"] = g.defs
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), g.err
}

// A generator collects the definitions of named structs, so that each stands
// once and may contain itself.
type generator struct {
	defs  object
	names map[reflect.Type]string
	err   error
}

// option is the schema of a field, with what its tags say.
func (g *generator) option(f field) object {
	s := g.typ(f.typ, f.tag)
	if doc := f.tag.Get("doc"); doc != "" {
		s["description"] = doc
	}
	if n := f.defaultNode(); n != nil {
		s["default"] = anything(n)
		if t := baseType(f.typ); t == durationType || isText(t) || t.Kind() == reflect.String {
			s["default"] = n.text
		} else if n.kind == scalar && n.quoted {
			g.err = fmt.Errorf("config: the default %q of %s cannot be read", n.text, f.name)
		}
	}
	return s
}

func baseType(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func (g *generator) typ(t reflect.Type, tag reflect.StructTag) object {
	if t.Kind() == reflect.Pointer {
		s := g.typ(t.Elem(), tag)
		if name, ok := s["type"].(string); ok {
			s["type"] = []string{name, "null"}
			return s
		}
		return object{"anyOf": []object{s, {"type": "null"}}}
	}
	switch {
	case t == durationType:
		return object{"type": "string", "pattern": `^[-+]?([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+$`}
	case isText(t):
		return object{"type": []string{"string", "number", "boolean"}}
	}
	s := object{}
	switch t.Kind() {
	case reflect.Bool:
		s["type"] = "boolean"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s["type"] = "integer"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s["type"], s["minimum"] = "integer", 0
	case reflect.Float32, reflect.Float64:
		s["type"] = "number"
	case reflect.String:
		if enum, ok := tag.Lookup("enum"); ok {
			return object{"enum": strings.Split(enum, ",")}
		}
		s["type"] = []string{"string", "number", "boolean"} // taken as written
	case reflect.Slice:
		if _, ok := keyed(t); ok {
			return object{"type": []string{"object", "null"}, "additionalProperties": g.reference(t.Elem())}
		}
		list := object{"type": []string{"array", "null"}, "items": g.typ(t.Elem(), tag)}
		if t == stringsType {
			return object{"anyOf": []object{g.typ(t.Elem(), tag), list}}
		}
		return list
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": g.typ(t.Elem(), tag)}
	case reflect.Struct:
		return g.reference(t)
	}
	for keyword, name := range map[string]string{"minimum": "min", "maximum": "max", "exclusiveMinimum": "above", "exclusiveMaximum": "below"} {
		if text, ok := tag.Lookup(name); ok && s["type"] != nil {
			s[keyword] = bound(text)
		}
	}
	return s
}

// reference returns a reference to the definition of a struct.
func (g *generator) reference(t reflect.Type) object {
	if t.Name() == "" {
		return g.structure(t, true)
	}
	name, ok := g.names[t]
	if !ok {
		name = t.String()
		for i := 2; g.defs[name] != nil; i++ {
			name = fmt.Sprintf("%s%d", t.String(), i)
		}
		g.names[t] = name
		g.defs[name] = object{} // taken, while it is made
		g.defs[name] = g.structure(t, true)
	}
	return object{"$ref": "#/$defs/" + name}
}

// structure is the schema of a struct. A section may be null, since all its
// keys may be commented out.
func (g *generator) structure(t reflect.Type, section bool) object {
	l := layoutOf(t)
	var alternatives []object
	hasNull := section && !needed(t)
	for _, f := range l.shorthands() {
		if l.variant != nil && f.name == "type" {
			continue // below, with the names
		}
		alternatives = append(alternatives, g.typ(f.typ, f.tag))
	}
	if l.variant == nil {
		s := g.properties(l.fields, nil, nil)
		if hasNull && len(alternatives) == 0 {
			s["type"] = []string{"object", "null"}
			return s
		}
		if len(alternatives) == 0 {
			return s
		}
		if hasNull {
			alternatives = append(alternatives, object{"type": "null"})
		}
		return object{"anyOf": append([]object{s}, alternatives...)}
	}

	options := variants(reflect.New(t).Elem())
	typeField := l.typeField()
	if typeField == nil || len(options) == 0 {
		g.err = fmt.Errorf("config: the union %s lacks a field of type or variants", t)
		return object{}
	}
	names := sortedNames(options)
	first := typeField.tag.Get("default")
	// What may be left out is the type of the default variant, or any.
	optional := typeField.tag.Get("required") == "false"
	var choices []object
	for _, name := range names {
		fields := append(append([]field(nil), l.fields...), layoutOf(options[name].Type().Elem()).fields...)
		constant := object{"const": name}
		if doc := typeField.tag.Get("doc"); doc != "" {
			constant["description"] = doc
		}
		var required []string
		if name != first {
			required = []string{"type"}
		}
		choices = append(choices, g.properties(fields, object{"type": constant}, required))
	}
	if first == "" && optional {
		choices = append(choices, g.properties(without(l.fields, "type"), nil, nil))
	}
	for _, f := range l.shorthands() {
		if f.name == "type" {
			choices = append(choices, object{"enum": names})
		}
	}
	choices = append(choices, alternatives...)
	if hasNull && (first != "" || optional) {
		choices = append(choices, object{"type": "null"})
	}
	return object{"oneOf": choices}
}

func without(fields []field, name string) []field {
	var out []field
	for _, f := range fields {
		if f.name != name {
			out = append(out, f)
		}
	}
	return out
}

// properties is the schema of a mapping; special replaces the schema of some.
func (g *generator) properties(fields []field, special object, required []string) object {
	properties := object{}
	for _, f := range fields {
		if s, ok := special[f.name]; ok {
			properties[f.name] = s
			continue
		}
		properties[f.name] = g.option(f)
		if f.is("required") || f.typ.Kind() == reflect.Struct && needed(f.typ) {
			required = append(required, f.name)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// needed reports whether a struct cannot be left out, since an option in it
// is required.
func needed(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || isText(t) {
		return false
	}
	l := layoutOf(t)
	if f := l.typeField(); l.variant != nil && f != nil && f.tag.Get("default") == "" && f.tag.Get("required") != "false" {
		return true
	}
	for _, f := range l.fields {
		if _, ok := f.tag.Lookup("default"); f.is("required") || !ok && f.typ.Kind() == reflect.Struct && needed(f.typ) {
			return true
		}
	}
	return false
}
