package config

import (
	"fmt"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Show writes the struct that v points to as YAML with every key, defaults
// included, and with comments the doc tags too.
func Show(v any, comments bool) []byte {
	w := &writer{comments: comments}
	w.structure(reflect.ValueOf(v).Elem(), 0)
	return []byte(w.b.String())
}

type writer struct {
	b        strings.Builder
	comments bool
}

func (w *writer) line(indent int, text, doc string) {
	w.b.WriteString(strings.Repeat("  ", indent))
	w.b.WriteString(text)
	if w.comments && doc != "" {
		pad := max(1, 44-2*indent-len([]rune(text)))
		w.b.WriteString(strings.Repeat(" ", pad) + "# " + doc)
	}
	w.b.WriteByte('\n')
}

func (w *writer) structure(v reflect.Value, indent int) {
	l := layoutOf(v)
	known := l.fields
	if options := chosen(l); options.IsValid() {
		known = append(known, layoutOf(options).fields...)
	}
	for _, f := range known {
		doc := f.tag.Get("doc")
		if f.name == "type" && l.variant.IsValid() {
			if f.value.String() == "" {
				continue
			}
			doc = "one of " + strings.Join(sortedNames(variants(v)), ", ")
		}
		w.value(f.name, f.value, doc, indent)
	}
}

func (w *writer) value(key string, v reflect.Value, doc string, indent int) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			w.line(indent, key+": null", doc)
			return
		}
		v = v.Elem()
	}
	switch {
	case v.Type() == durationType || !compound(v.Kind()):
		w.line(indent, key+": "+scalarText(v), doc)
	case v.Kind() == reflect.Struct:
		w.line(indent, key+":", doc)
		w.structure(v, indent+1)
	case v.Len() == 0:
		w.line(indent, key+map[bool]string{true: ": {}", false: ": []"}[v.Kind() == reflect.Map], doc)
	case v.Kind() == reflect.Map:
		w.line(indent, key+":", doc)
		var keys []string
		for _, k := range v.MapKeys() {
			keys = append(keys, k.String())
		}
		sort.Strings(keys)
		for _, k := range keys {
			w.value(Quote(k), v.MapIndex(reflect.ValueOf(k).Convert(v.Type().Key())), "", indent+1)
		}
	case compound(v.Type().Elem().Kind()):
		w.line(indent, key+":", doc)
		for i := range v.Len() {
			item := &writer{}
			item.structure(v.Index(i), 0)
			for j, l := range strings.Split(strings.TrimRight(item.b.String(), "\n"), "\n") {
				w.line(indent+1, map[bool]string{true: "- ", false: "  "}[j == 0]+l, "")
			}
		}
	default:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, scalarText(v.Index(i)))
		}
		w.line(indent, key+": ["+strings.Join(parts, ", ")+"]", doc)
	}
}

func compound(k reflect.Kind) bool {
	return k == reflect.Struct || k == reflect.Slice || k == reflect.Map
}

func scalarText(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "null"
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return Quote(v.String())
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	if v.Type() == durationType {
		return time.Duration(v.Int()).String()
	}
	return fmt.Sprint(v.Interface())
}

var plain = regexp.MustCompile(`^[\pL_./][\pL\pN_./ @+-]*$`)

// Quote returns text as a YAML scalar, in quotes where it needs them.
func Quote(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "~", "y", "n":
		return strconv.Quote(s)
	}
	if _, err := strconv.ParseFloat(s, 64); err != nil && plain.MatchString(s) && strings.TrimSpace(s) == s && s != "." {
		return s
	}
	return strconv.Quote(s)
}
