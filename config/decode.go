package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A Union is a mapping whose key type chooses a variant, whose options stand
// beside it: {type: adam, learning_rate: 1e-3}, or adam alone. Its struct may
// have fields of its own in the same mapping.
type Union interface {
	// Variants returns fresh options, a pointer to a struct, by name.
	Variants() map[string]any
	// Variant returns the chosen one, or "" and nil.
	Variant() (name string, options any)
	// SetVariant chooses.
	SetVariant(name string, options any)
	// DefaultVariant is chosen where no type is given; "" is none.
	DefaultVariant() string
}

// A Shorthand is a struct that may be written as one scalar.
type Shorthand interface {
	// ShorthandKey returns the key that the scalar stands for.
	ShorthandKey(isNumber bool) string
}

// A Document is a configuration that was read.
type Document struct {
	Path string // "" if it did not come from a file
	src  []byte
}

// Resolve returns a path that is relative to the configuration's folder as one
// relative to the process.
func (d *Document) Resolve(path string) string {
	if path == "" || filepath.IsAbs(path) || d.Path == "" {
		return path
	}
	return filepath.Join(filepath.Dir(d.Path), path)
}

// Load reads a file into the struct that v points to, with overrides of the
// form a.b=value. Keys that neither gives get their defaults. The error is an
// *Error with all mistakes found.
func Load(path string, sets []string, v any) (*Document, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		what := err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			what = "there is no such file: `hone init DATA --target NAME` writes one"
		} else if info, e := os.Stat(path); e == nil && info.IsDir() {
			what = "it is a folder, expected a YAML file"
		}
		return nil, &Error{Path: path, Mistakes: []Mistake{{Problem: what}}}
	}
	return Parse(path, src, sets, v)
}

// Parse is Load of a file's content.
func Parse(path string, src []byte, sets []string, v any) (*Document, error) {
	r := &reader{path: path, src: src}
	root := r.parse(src)
	if root != nil {
		for _, s := range sets {
			r.override(root, s)
		}
	}
	if root != nil && len(r.mistakes) == 0 {
		r.decode(root, reflect.ValueOf(v).Elem(), "", nil)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return &Document{Path: path, src: src}, nil
}

// Defaults fills the struct that v points to with its defaults.
func Defaults(v any) error {
	r := &reader{}
	r.defaults(reflect.ValueOf(v).Elem(), "")
	return r.err()
}

// reader collects mistakes while a document is read.
type reader struct {
	path     string
	src      []byte
	mistakes []Mistake
}

// field is a key of a struct.
type field struct {
	key   string
	tag   reflect.StructTag
	value reflect.Value
	typ   reflect.Type
}

// fields returns the keys of a struct, embedded ones inlined.
func fields(v reflect.Value) []field {
	var out []field
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		key, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if f.PkgPath != "" || key == "-" {
			continue
		}
		if opts == "inline" {
			out = append(out, fields(v.Field(i))...)
			continue
		}
		if key == "" {
			continue
		}
		out = append(out, field{key, f.Tag, v.Field(i), f.Type})
	}
	return out
}

func asUnion(v reflect.Value) Union {
	if v.Kind() == reflect.Struct && v.CanAddr() {
		if u, ok := v.Addr().Interface().(Union); ok {
			return u
		}
	}
	return nil
}

var durationType = reflect.TypeFor[time.Duration]()

// decode reads n into v. tag is that of v's field.
func (r *reader) decode(n *node, v reflect.Value, path string, tag *reflect.StructTag) {
	if n.kind == null {
		if tag != nil {
			r.setDefault(v, path, *tag)
		} else {
			r.defaults(v, path)
		}
		return
	}
	switch {
	case v.Type() == durationType:
		d, err := time.ParseDuration(n.text)
		if n.kind != scalar || err != nil {
			r.failNode(n, path, "found %s, expected a duration such as 30s or 5m", n.describe())
			return
		}
		v.SetInt(int64(d))
		return
	case v.Kind() == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		r.decode(n, p.Elem(), path, tag)
		v.Set(p)
		return
	case v.Kind() == reflect.Struct:
		r.decodeStruct(n, v, path)
		return
	case v.Kind() == reflect.Slice:
		r.decodeSlice(n, v, path)
		return
	case v.Kind() == reflect.Map:
		r.decodeMap(n, v, path)
		return
	}
	if n.kind != scalar {
		r.failNode(n, path, "found %s, expected %s", n.describe(), kindWords(v.Type()))
		return
	}
	r.decodeScalar(n, v, path)
	if tag != nil {
		r.checkRange(n, v, path, *tag)
	}
}

func (r *reader) decodeScalar(n *node, v reflect.Value, path string) {
	bad := func() { r.failNode(n, path, "found %s, expected %s", n.describe(), kindWords(v.Type())) }
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.text)
	case reflect.Bool:
		switch strings.ToLower(n.text) {
		case "true", "yes", "on":
			v.SetBool(true)
		case "false", "no", "off":
			v.SetBool(false)
		default:
			bad()
		}
	case reflect.Int, reflect.Int64, reflect.Int32:
		x, err := strconv.ParseInt(strings.ReplaceAll(n.text, "_", ""), 10, v.Type().Bits())
		if f, ferr := strconv.ParseFloat(n.text, 64); err != nil && ferr == nil && f == float64(int64(f)) && f < 1e15 && f > -1e15 {
			x, err = int64(f), nil // 1e6 is a whole number too
		}
		if err != nil || n.quoted {
			bad()
			return
		}
		v.SetInt(x)
	case reflect.Uint64:
		x, err := strconv.ParseUint(strings.ReplaceAll(n.text, "_", ""), 10, 64)
		if err != nil || n.quoted {
			bad()
			return
		}
		v.SetUint(x)
	case reflect.Float64:
		x, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64)
		if err != nil || n.quoted || x != x {
			bad()
			return
		}
		v.SetFloat(x)
	default:
		bad()
	}
}

func kindWords(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 30s"
	case t.Kind() == reflect.Struct:
		return "a mapping"
	case t.Kind() == reflect.Map:
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

func (r *reader) checkRange(n *node, v reflect.Value, path string, tag reflect.StructTag) {
	if enum := tag.Get("enum"); enum != "" {
		allowed := strings.Split(enum, ",")
		for _, a := range allowed {
			if n.text == a {
				return
			}
		}
		r.failNode(n, path, "found %s, expected one of %s%s", n.describe(), strings.Join(allowed, ", "), didYouMean(n.text, allowed))
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
	if low, err := strconv.ParseFloat(tag.Get("min"), 64); err == nil && x < low {
		r.failNode(n, path, "found %s, expected %g or more", n.text, low)
	}
	if high, err := strconv.ParseFloat(tag.Get("max"), 64); err == nil && x > high {
		r.failNode(n, path, "found %s, expected %g or less", n.text, high)
	}
}

func (r *reader) decodeSlice(n *node, v reflect.Value, path string) {
	items := n.items
	if n.kind != sequence {
		items = []*node{n} // one element may stand without its list
		if n.kind == mapping && v.Type().Elem().Kind() != reflect.Struct {
			r.failNode(n, path, "found a mapping, expected a list")
			return
		}
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		r.decode(item, out.Index(i), fmt.Sprintf("%s[%d]", path, i), nil)
	}
	v.Set(out)
}

func (r *reader) decodeMap(n *node, v reflect.Value, path string) {
	if n.kind != mapping {
		r.failNode(n, path, "found %s, expected a mapping", n.describe())
		return
	}
	out := reflect.MakeMap(v.Type())
	for _, e := range n.keys {
		item := reflect.New(v.Type().Elem()).Elem()
		r.decode(e.value, item, join(path, e.name), nil)
		out.SetMapIndex(reflect.ValueOf(e.name).Convert(v.Type().Key()), item)
	}
	v.Set(out)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (r *reader) decodeStruct(n *node, v reflect.Value, path string) {
	union := asUnion(v)
	if n.kind == scalar {
		switch s, ok := v.Addr().Interface().(Shorthand); {
		case union != nil:
			n = &node{kind: mapping, pos: n.pos, set: n.set, keys: []*entry{{"type", n.pos, n}}}
		case ok:
			_, err := strconv.ParseFloat(n.text, 64)
			n = &node{kind: mapping, pos: n.pos, set: n.set, keys: []*entry{{s.ShorthandKey(err == nil && !n.quoted), n.pos, n}}}
		}
	}
	if n.kind != mapping {
		r.failNode(n, path, "found %s, expected a mapping", n.describe())
		return
	}
	known := fields(v)
	var options reflect.Value
	if union != nil {
		name, at := union.DefaultVariant(), n.lookup("type")
		if at != nil {
			name = at.value.text
		}
		variants := union.Variants()
		if o, ok := variants[name]; ok {
			options = reflect.ValueOf(o).Elem()
			union.SetVariant(name, o)
			known = append(known, fields(options)...)
		} else if at != nil {
			names := sortedKeys(variants)
			r.failNode(at.value, join(path, "type"), "found %s, expected one of %s%s", at.value.describe(), strings.Join(names, ", "), didYouMean(name, names))
			return
		}
	}
	byKey := map[string]field{}
	var names []string
	for _, f := range known {
		byKey[f.key] = f
		names = append(names, f.key)
	}
	if union != nil {
		names = append(names, "type")
	}
	for _, e := range n.keys {
		f, ok := byKey[e.name]
		switch {
		case ok:
			r.decode(e.value, f.value, join(path, e.name), &f.tag)
		case union != nil && e.name == "type":
		case len(names) == 0 || (len(names) == 1 && names[0] == "type"):
			r.failEntry(e, path, "unknown key %q: no options here", e.name)
		default:
			r.failEntry(e, path, "unknown key %q, expected one of %s%s", e.name, strings.Join(names, ", "), didYouMean(e.name, names))
		}
	}
	for _, f := range known {
		if n.lookup(f.key) == nil {
			if f.tag.Get("required") == "true" {
				r.failNode(n, join(path, f.key), "the key %q is missing: %s", f.key, f.tag.Get("doc"))
			}
			r.setDefault(f.value, join(path, f.key), f.tag)
		}
	}
}

// setDefault gives v the default of its tag, or, being a struct, of its fields.
func (r *reader) setDefault(v reflect.Value, path string, tag reflect.StructTag) {
	text, ok := tag.Lookup("default")
	if !ok {
		r.defaults(v, path)
		return
	}
	sub := &reader{path: path, src: []byte(text)}
	root := &node{kind: mapping}
	sub.override(root, "v="+text)
	if len(root.keys) == 1 {
		sub.decode(root.keys[0].value, v, path, nil)
	}
	for _, m := range sub.mistakes {
		m.Problem = fmt.Sprintf("the default %q of %s: %s", text, path, m.Problem)
		r.mistakes = append(r.mistakes, m)
	}
}

func (r *reader) defaults(v reflect.Value, path string) {
	if v.Kind() != reflect.Struct || v.Type() == durationType {
		return
	}
	for _, f := range fields(v) {
		r.setDefault(f.value, join(path, f.key), f.tag)
	}
	if u := asUnion(v); u != nil {
		if o, ok := u.Variants()[u.DefaultVariant()]; ok {
			u.SetVariant(u.DefaultVariant(), o)
			r.defaults(reflect.ValueOf(o).Elem(), path)
		}
	}
}

func sortedKeys[T any](m map[string]T) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
