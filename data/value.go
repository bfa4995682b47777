package data

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// numberKind is what a number's spelling says.
type numberKind uint8

const (
	notNumber  numberKind = iota
	isInteger             // digits only, perhaps with a sign
	isFloat               // with a fraction or an exponent
	isInfinite            // spelled as infinity, or too large
)

var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseNumber reads a plain or scientific number exactly as strconv.ParseFloat
// does, without hexadecimal, underscores and NaN.
func parseNumber(b []byte, decimal byte) (float64, numberKind) {
	return scanNumber(b, decimal, true)
}

// scanNumber is parseNumber that leaves a value out (NaN) if it takes long to
// compute and the caller does not want it.
func scanNumber(b []byte, decimal byte, want bool) (float64, numberKind) {
	i, n := 0, len(b)
	if n == 0 {
		return 0, notNumber
	}
	negative := false
	if b[0] == '-' || b[0] == '+' {
		negative = b[0] == '-'
		i++
	}
	var mantissa uint64
	digits, scale := 0, 0 // digits that count, power of ten
	first := i
	for ; i < n && b[i]-'0' <= 9; i++ {
		if mantissa != 0 || b[i] != '0' {
			digits++
		}
		mantissa = mantissa*10 + uint64(b[i]-'0')
	}
	any := i > first
	kind := isInteger
	if i < n && b[i] == decimal {
		kind = isFloat
		i++
		point := i
		for ; i < n && b[i]-'0' <= 9; i++ {
			if mantissa != 0 || b[i] != '0' {
				digits++
			}
			mantissa = mantissa*10 + uint64(b[i]-'0')
		}
		any = any || i > point
		scale = point - i
	}
	if !any {
		if s := string(b[first:]); strings.EqualFold(s, "inf") || strings.EqualFold(s, "infinity") {
			return 0, isInfinite
		}
		return 0, notNumber
	}
	if i < n && (b[i] == 'e' || b[i] == 'E') {
		kind = isFloat
		i++
		minus := false
		if i < n && (b[i] == '-' || b[i] == '+') {
			minus = b[i] == '-'
			i++
		}
		start, exp := i, 0
		for ; i < n && b[i]-'0' <= 9; i++ {
			exp = min(exp*10+int(b[i]-'0'), 1<<20)
		}
		if i == start {
			return 0, notNumber
		}
		if minus {
			exp = -exp
		}
		scale += exp
	}
	if i < n {
		return 0, notNumber
	}
	// Both the mantissa and the power of ten are exact here, so that one
	// operation rounds once.
	if digits <= 19 && mantissa < 1<<53 && scale >= -22 && scale <= 22 {
		v := float64(mantissa)
		if scale < 0 {
			v /= powers[-scale]
		} else {
			v *= powers[scale]
		}
		if negative {
			v = -v
		}
		return v, kind
	}
	if digits <= 19 && scale >= -27 && scale < 0 {
		if v, ok := divide(mantissa, -scale); ok {
			if negative {
				v = -v
			}
			return v, kind
		}
	}
	if !want && digits+max(scale, -scale) < 300 {
		return math.NaN(), kind
	}
	if decimal != '.' {
		c := append([]byte(nil), b...)
		for k := range c {
			if c[k] == decimal {
				c[k] = '.'
			}
		}
		b = c
	}
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, isInfinite
	}
	return v, kind
}

// fives are the powers of five below 2^63.
var fives = func() (f [28]uint64) {
	f[0] = 1
	for i := 1; i < len(f); i++ {
		f[i] = 5 * f[i-1]
	}
	return f
}()

// divide returns m / 10^k rounded to the nearest, ties to even. The quotient by
// 5^k is taken to 64 bits or more, of which the last says whether anything was
// left; the power of two is exact.
func divide(m uint64, k int) (float64, bool) {
	if m == 0 || k >= len(fives) {
		return 0, false
	}
	d := fives[k]
	left := bits.LeadingZeros64(m)
	up := bits.LeadingZeros64(d)
	// Normalised so that the quotient has 63 or 64 bits: m·2^left / (d·2^up).
	m, d = m<<left, d<<up
	q, rest := bits.Div64(m>>1, m<<63, d)
	exp := up - left - 63 - k
	// A quotient of 64 bits keeps 53 and rounds on the rest.
	if q>>63 == 0 {
		// 63 bits; one more comes from the remainder.
		var bit uint64
		if rest >= d-rest {
			bit = 1
			rest -= d - rest
		} else {
			rest += rest
		}
		q = q<<1 | bit
		exp--
	}
	const cut = 11
	low := q & (1<<cut - 1)
	q >>= cut
	if half := uint64(1) << (cut - 1); low > half || low == half && (rest != 0 || q&1 == 1) {
		q++
	}
	// Neither is near the ends of the range: the power of two is written down.
	return float64(q) * math.Float64frombits(uint64(exp+cut+1023)<<52), true
}

// booleans are the spellings of false and true, in lower case.
var booleans = [][2]string{{"false", "true"}, {"no", "yes"}, {"n", "y"}, {"f", "t"}, {"off", "on"}}

// equalFold says whether b is s, which is in lower case, in any case.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lower(b[i]) != s[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c-'A' <= 'Z'-'A' {
		c += 'a' - 'A'
	}
	return c
}

// missingSet recognises the spellings of a missing value.
type missingSet struct {
	values  map[string]bool
	lengths [256]uint64 // by first byte in lower case, one bit a length
	numbers bool        // some spelling is a number
}

func newMissingSet(values []string) *missingSet {
	m := &missingSet{values: map[string]bool{}}
	for _, v := range values {
		v = strings.ToLower(strings.TrimSpace(v))
		if v != "" {
			m.values[v] = true
			m.lengths[v[0]] |= 1 << min(len(v), 63)
			_, kind := parseNumber([]byte(v), '.')
			m.numbers = m.numbers || kind != notNumber
		}
	}
	return m
}

var defaultMissing = newMissingSet(MissingValues)

// has says whether b, without spaces around it, is missing. It is safe for use
// by several goroutines.
func (m *missingSet) has(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if m.lengths[lower(b[0])]&(1<<min(len(b), 63)) == 0 {
		return false
	}
	var folded [64]byte
	if len(b) > len(folded) {
		return m.values[strings.ToLower(string(b))]
	}
	for i, c := range b {
		if c >= 0x80 {
			return m.values[strings.ToLower(string(b))]
		}
		folded[i] = lower(c)
	}
	return m.values[string(folded[:len(b)])]
}

// builder collects one column's values.
type builder struct {
	field   Field
	missing *missingSet
	decimal byte
	date    *dateParser
	f, t    string // booleans in lower case
	column  *Column
	dict    dictionary
	text    []byte
	ends    []int
	// files says that an image may be a path, relative to base: the values are of
	// files, not of a request.
	files bool
	base  string
}

func newBuilder(f Field, missing *missingSet) *builder {
	b := &builder{field: f, missing: missing, decimal: '.', f: strings.ToLower(f.False), t: strings.ToLower(f.True)}
	if f.Missing != nil {
		b.missing = newMissingSet(f.Missing)
	}
	if f.Type == Datetime {
		b.date = newDateParser(f.Layout)
	}
	if f.Decimal != "" {
		b.decimal = f.Decimal[0]
	}
	b.reset(0, nil)
	return b
}

// reset begins a new column, in the memory of spare where that is not nil.
func (b *builder) reset(reserve int, spare *Column) {
	b.column = &Column{Name: b.field.Name, Type: b.field.Type, Layout: b.field.Layout, Decimal: b.field.Decimal}
	switch {
	case spare != nil:
		b.column.Numbers, b.column.Codes = spare.Numbers[:0], spare.Codes[:0]
	case b.field.Type.numeric():
		b.column.Numbers = make([]float64, 0, reserve)
	default:
		b.column.Codes = make([]int32, 0, reserve)
	}
	if b.field.Type == Boolean {
		b.column.Dict = []string{b.field.False, b.field.True}
	}
	b.dict.reset()
	b.text, b.ends = b.text[:0], b.ends[:0]
}

// take returns the column and starts a new one; see reset.
func (b *builder) take(spare *Column) *Column {
	c := b.column
	switch b.field.Type {
	case Category:
		c.Dict = b.dict.strings(0)
	case Identifier, Text, Image, Set:
		c.Dict = b.texts().appendTo(make([]string, 0, len(b.ends)))
	}
	b.reset(c.Len()+c.Len()/8, spare)
	return c
}

// joinedText is values in one string, and where each ends. The garbage collector does
// not look through it as it does through as many strings.
type joinedText struct {
	all  string
	ends []int
}

// texts returns a copy of the values of identifiers or text.
func (b *builder) texts() joinedText { return joinedText{string(b.text), slices.Clone(b.ends)} }

func (t joinedText) appendTo(list []string) []string {
	start := 0
	for _, end := range t.ends {
		list = append(list, t.all[start:end])
		start = end
	}
	return list
}

// add appends a field's value; an error says what the value should have been.
func (b *builder) add(raw []byte) error {
	v := trim(raw)
	c := b.column
	if len(v) == 0 && b.field.EmptySet {
		b.keep([]byte(EmptySet))
		return nil
	}
	if b.missing.has(v) {
		b.skip()
		return nil
	}
	switch b.field.Type {
	case Number:
		x, kind := parseNumber(v, b.decimal)
		if kind == notNumber { // perhaps (7), which needs no mark of the field's
			x, kind = b.undressed(v)
		}
		switch kind {
		case notNumber:
			return b.wrong(v, "a number"+b.field.example(), "correct it, add it to data.missing_values if it means that the value is missing, or set the column's type in data.types")
		case isInfinite:
			return b.wrong(v, "a finite number", "correct it, or add it to data.missing_values to treat it as missing")
		}
		c.Numbers = append(c.Numbers, x)
	case Datetime:
		x, ok := b.date.parse(v)
		if !ok {
			return b.wrong(v, "a date and time written as "+b.field.Layout, "correct it, add it to data.missing_values if it means that the value is missing, or set the column's layout in data.layouts")
		}
		c.Numbers = append(c.Numbers, x)
	case Boolean:
		switch {
		case equalFold(v, b.t):
			c.Codes = append(c.Codes, 1)
		case equalFold(v, b.f):
			c.Codes = append(c.Codes, 0)
		default:
			return b.wrong(v, fmt.Sprintf("%q or %q", b.field.False, b.field.True), "correct it, add it to data.missing_values if it means that the value is missing, or set the column's type to category in data.types")
		}
	case Category:
		k, _ := b.dict.index(v)
		c.Codes = append(c.Codes, int32(k))
	case Image:
		return b.addImage(raw, v)
	default:
		b.keep(raw)
	}
	return nil
}

func (b *builder) wrong(v []byte, expected, remedy string) error {
	return &Error{Column: b.field.Name, Problem: fmt.Sprintf("found %s, expected %s", quoteText(string(v)), expected), Remedy: remedy}
}
