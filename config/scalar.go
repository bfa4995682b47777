package config

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The spellings of YAML 1.2's core schema, and _ between the digits of whole
// numbers.
var (
	wholePattern  = regexp.MustCompile(`^[-+]?[0-9]+(_[0-9]+)*$|^0x[0-9a-fA-F]+$|^0o[0-7]+$|^0b[01]+$`)
	numberPattern = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

func parseBool(s string) (value, ok bool) {
	switch s {
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	return false, false
}

func parseFloat(s string) (float64, bool) {
	switch strings.ToLower(s) {
	case ".inf", "+.inf":
		return math.Inf(1), true
	case "-.inf":
		return math.Inf(-1), true
	case ".nan":
		return math.NaN(), true
	}
	if numberPattern.MatchString(s) {
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil
	}
	if i, ok := parseInt(s); ok {
		return float64(i), true
	}
	return 0, false
}

// parseInt reads whole numbers, also as 1e3.
func parseInt(s string) (int64, bool) {
	if !wholePattern.MatchString(s) {
		if f, ok := 0.0, numberPattern.MatchString(s); ok {
			if f, _ = strconv.ParseFloat(s, 64); f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
				return int64(f), true
			}
		}
		return 0, false
	}
	digits, base := integer(s)
	i, err := strconv.ParseInt(digits, base, 64)
	return i, err == nil
}

func parseUint(s string) (uint64, bool) {
	if wholePattern.MatchString(s) {
		digits, base := integer(strings.TrimPrefix(s, "+"))
		u, err := strconv.ParseUint(digits, base, 64)
		return u, err == nil
	}
	i, ok := parseInt(s)
	return uint64(i), ok && i >= 0
}

func integer(s string) (digits string, base int) {
	if len(s) > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'o' || s[1] == 'b') {
		return s, 0
	}
	return strings.ReplaceAll(s, "_", ""), 10
}

func isNullText(s string) bool {
	return s == "" || s == "~" || s == "null" || s == "Null" || s == "NULL"
}

// plain returns what an unquoted scalar means where no type is expected.
func plain(s string) any {
	if isNullText(s) {
		return nil
	}
	if b, ok := parseBool(s); ok {
		return b
	}
	if wholePattern.MatchString(s) {
		if i, ok := parseInt(s); ok {
			return int(i)
		}
	}
	if f, ok := parseFloat(s); ok {
		return f
	}
	return s
}

// describe says what a value is.
func describe(n *node) string {
	switch n.kind {
	case null:
		if n.text != "" {
			return n.text
		}
		return "nothing"
	case sequence:
		return "a list"
	case mapping:
		return "a mapping"
	}
	if n.quoted {
		return "text " + quote(n.text)
	}
	switch plain(n.text).(type) {
	case string:
		return "text " + quote(n.text)
	default:
		return clip(n.text)
	}
}

// quote quotes a text for a message, cut to a length that fits one.
func quote(s string) string { return strconv.Quote(clip(s)) }

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// expected says what a type is read from.
func expected(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == durationType:
		return "a duration such as 30s"
	case isText(t):
		return "text"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number of 0 or more"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice:
		if _, ok := keyed(t); ok {
			return "a mapping"
		}
		if t == stringsType {
			return "text or a list"
		}
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a mapping"
	}
	return "a value"
}

// accepts reports whether a value that is not a mapping can be of the type.
func accepts(t reflect.Type, n *node) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice:
		return n.kind == sequence || t == stringsType && n.kind == scalar
	case reflect.Struct:
		if isText(t) {
			return n.kind == scalar
		}
		for _, f := range layoutOf(t).shorthands() {
			if accepts(f.typ, n) {
				return true
			}
		}
		return false
	case reflect.Interface:
		return true
	}
	if n.kind != scalar {
		return false
	}
	return isText(t) || setScalar(reflect.New(t).Elem(), n)
}

// setScalar sets v to a scalar and reports whether it is of v's kind.
func setScalar(v reflect.Value, n *node) bool {
	s := n.text
	if v.Kind() == reflect.String {
		v.SetString(s) // also numbers, as they are written
		return true
	}
	if v.Type() == durationType {
		d, err := time.ParseDuration(s)
		if err != nil && s != "0" {
			return false
		}
		v.SetInt(int64(d))
		return true
	}
	if n.quoted {
		return false
	}
	switch v.Kind() {
	case reflect.Bool:
		b, ok := parseBool(s)
		v.SetBool(b)
		return ok
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, ok := parseInt(s)
		if !ok || v.OverflowInt(i) {
			return false
		}
		v.SetInt(i)
		return true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		u, ok := parseUint(s)
		if !ok || v.OverflowUint(u) {
			return false
		}
		v.SetUint(u)
		return true
	case reflect.Float32, reflect.Float64:
		f, ok := parseFloat(s)
		v.SetFloat(f)
		return ok
	}
	return false
}

// bounds checks a value against the tags enum, min, max, above and below, and
// returns what was expected instead, or "". The names are those of enum.
func bounds(v reflect.Value, tag reflect.StructTag) (expected string, names []string) {
	if enum, ok := tag.Lookup("enum"); ok && v.Kind() == reflect.String {
		names = strings.Split(enum, ",")
		for _, name := range names {
			if v.String() == name {
				return "", nil
			}
		}
		return "one of " + strings.Join(names, ", "), names
	}
	var x float64
	switch {
	case v.CanInt():
		x = float64(v.Int())
	case v.CanUint():
		x = float64(v.Uint())
	case v.CanFloat():
		x = v.Float()
	default:
		return "", nil
	}
	var words []string
	inside := true
	for _, b := range []struct {
		tag, word string
		ok        func(limit float64) bool
	}{
		{"min", "at least", func(l float64) bool { return x >= l }},
		{"above", "above", func(l float64) bool { return x > l }},
		{"max", "at most", func(l float64) bool { return x <= l }},
		{"below", "below", func(l float64) bool { return x < l }},
	} {
		if text, ok := tag.Lookup(b.tag); ok {
			limit := bound(text)
			words = append(words, b.word+" "+text)
			inside = inside && b.ok(limit)
		}
	}
	if inside {
		return "", nil
	}
	return strings.Join(words, " and "), nil
}

// bound returns the limit in a tag, a number or a duration. A limit that is
// neither refuses every value, so that no test overlooks it.
func bound(text string) float64 {
	if f, ok := parseFloat(text); ok {
		return f
	}
	if d, err := time.ParseDuration(text); err == nil {
		return float64(d)
	}
	return math.NaN()
}

// formatFloat writes a number shortest, and as a float.
func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	case math.IsNaN(f):
		return ".nan"
	case f == math.Trunc(f) && math.Abs(f) < 1e15:
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// formatDuration writes a duration without the zero units at its end.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

var plainPattern = regexp.MustCompile(`^[\pL_./][\pL\pN_./-]*( [\pL\pN_./-]+)*$`)

// Quote returns a text as a YAML scalar, in quotes where it would not be read
// as the same text, by readers of YAML 1.1 too. It fits into either style.
func Quote(s string) string {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", ".inf", ".nan", "...":
		return strconv.Quote(s)
	}
	if text, ok := plain(s).(string); !ok || text != s || !plainPattern.MatchString(s) {
		return quoteYAML(s)
	}
	return s
}

// quoteYAML quotes as Go does, which YAML reads alike but for bytes that are
// no UTF-8; these become U+FFFD.
func quoteYAML(s string) string {
	return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD"))
}

// scalarText returns the YAML of a scalar value, or false if it is none.
func scalarText(v reflect.Value) (string, bool) {
	if v.Type() == durationType {
		return formatDuration(time.Duration(v.Int())), true
	}
	switch {
	case v.Kind() == reflect.String:
		return Quote(v.String()), true
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case v.CanInt(), v.CanUint():
		return fmt.Sprint(v.Interface()), true
	case v.Kind() == reflect.Float32:
		if f := v.Float(); f != math.Trunc(f) {
			return strconv.FormatFloat(f, 'g', -1, 32), true
		}
		return formatFloat(v.Float()), true
	case v.CanFloat():
		return formatFloat(v.Float()), true
	}
	return "", false
}
