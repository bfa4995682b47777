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
	u := asUnion(v)
	if u == nil {
		return properties(fields(v), nil)
	}
	// One alternative for each variant, and the name alone.
	variants := u.Variants()
	names := sortedKeys(variants)
	var any []object
	for _, name := range names {
		o := reflect.ValueOf(variants[name]).Elem()
		choice := object{"const": name}
		if name == u.DefaultVariant() {
			choice["default"] = name
		}
		p := properties(append(fields(v), fields(o)...), object{"type": choice})
		if name != u.DefaultVariant() {
			required, _ := p["required"].([]string)
			p["required"] = append(required, "type")
		}
		any = append(any, p)
	}
	if u.DefaultVariant() == "" { // the type may be left out
		any = append(any, properties(fields(v), nil))
	}
	return object{"anyOf": append(any, object{"enum": names})}
}

func properties(fs []field, more object) object {
	props := object{}
	for k, p := range more {
		props[k] = p
	}
	var required []string
	for _, f := range fs {
		p := valueSchema(f.value, f.typ)
		if doc := f.tag.Get("doc"); doc != "" {
			p["description"] = doc
		}
		if text, ok := f.tag.Lookup("default"); ok {
			p["default"] = defaultValue(text)
		}
		if enum := f.tag.Get("enum"); enum != "" {
			p["enum"] = strings.Split(enum, ",")
		}
		for _, bound := range []string{"min", "max"} {
			if x, err := strconv.ParseFloat(f.tag.Get(bound), 64); err == nil {
				p[bound+"imum"] = x
			}
		}
		if f.tag.Get("required") == "true" {
			required = append(required, f.key)
		}
		props[f.key] = p
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
		s := structSchema(v)
		if _, ok := v.Addr().Interface().(Shorthand); ok {
			return object{"anyOf": []object{s, {"type": []string{"string", "number"}}}}
		}
		return s
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
