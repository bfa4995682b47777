package config

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Schema returns the JSON Schema (draft 2020-12) of the struct that v points
// to, by which editors complete and check a configuration.
func Schema(v any, title string) ([]byte, error) {
	s := structSchema(reflect.ValueOf(v).Elem())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = title
	return json.MarshalIndent(s, "", "  ")
}

type object = map[string]any

func structSchema(v reflect.Value) object {
	l := layoutOf(v)
	var s object
	if !l.variant.IsValid() {
		s = properties(l.fields, nil)
	} else {
		s = unionSchema(v, l)
	}
	var alternatives []object
	for _, f := range l.shorthands() {
		alternatives = append(alternatives, fieldSchema(f))
	}
	if len(alternatives) > 0 {
		return object{"anyOf": append([]object{s}, alternatives...)}
	}
	return s
}

// unionSchema has one alternative for each variant, and one without type
// where that may be left out.
func unionSchema(v reflect.Value, l layout) object {
	all := variants(v)
	typ := l.find("type")
	first := typ.tag.Get("default")
	var common []field
	for _, f := range l.fields {
		if f.name != "type" {
			common = append(common, f)
		}
	}
	var any []object
	for _, name := range sortedNames(all) {
		p := properties(append(common[:len(common):len(common)], layoutOf(all[name].Elem()).fields...), object{"type": object{"const": name}})
		if name != first {
			required, _ := p["required"].([]string)
			p["required"] = append(required, "type")
		}
		any = append(any, p)
	}
	if first == "" && typ.tag.Get("required") == "false" {
		any = append(any, properties(common, nil))
	}
	if typ.tag.Get("default") != "" || typ.tag.Get("shorthand") != "" {
		typ.tag += ` enum:"` + reflect.StructTag(strings.Join(sortedNames(all), ",")) + `"`
	}
	return object{"anyOf": any}
}

func fieldSchema(f field) object {
	p := valueSchema(f.value, f.value.Type())
	if doc := f.tag.Get("doc"); doc != "" {
		p["description"] = doc
	}
	if text, ok := f.tag.Lookup("default"); ok {
		p["default"] = defaultValue(text)
	}
	if enum := f.tag.Get("enum"); enum != "" {
		p["enum"] = strings.Split(enum, ",")
	}
	for tag, key := range map[string]string{"min": "minimum", "max": "maximum", "above": "exclusiveMinimum", "below": "exclusiveMaximum"} {
		if x, err := strconv.ParseFloat(f.tag.Get(tag), 64); err == nil {
			p[key] = x
		}
	}
	return p
}

func properties(fs []field, more object) object {
	props := object{}
	for k, p := range more {
		props[k] = p
	}
	var required []string
	for _, f := range fs {
		if f.is("required") {
			required = append(required, f.name)
		}
		props[f.name] = fieldSchema(f)
	}
	s := object{"type": "object", "properties": props, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// defaultValue returns the text of a default tag as what it means in JSON.
func defaultValue(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) == nil {
		return v
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return f
	}
	return text
}

func valueSchema(v reflect.Value, t reflect.Type) object {
	switch {
	case t == durationType:
		return object{"type": "string", "pattern": `^([0-9.]+(ns|us|ms|s|m|h))+$`}
	case t.Kind() == reflect.Pointer:
		return valueSchema(reflect.New(t.Elem()).Elem(), t.Elem())
	case t.Kind() == reflect.Struct:
		return structSchema(v)
	case t.Kind() == reflect.Slice:
		item := valueSchema(reflect.New(t.Elem()).Elem(), t.Elem())
		return object{"anyOf": []object{{"type": "array", "items": item}, item}}
	case t.Kind() == reflect.Map:
		return object{"type": "object", "additionalProperties": valueSchema(reflect.New(t.Elem()).Elem(), t.Elem())}
	case t.Kind() == reflect.Bool:
		return object{"type": "boolean"}
	case t.Kind() == reflect.Float64:
		return object{"type": "number"}
	case t.Kind() == reflect.String:
		return object{"type": "string"}
	}
	return object{"type": "integer"}
}
