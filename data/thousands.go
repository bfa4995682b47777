package data

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// numberStyle is a way to write numbers: the decimal mark, and what parts
// thousands, 0 for nothing.
type numberStyle struct{ decimal, thousands byte }

// numberStyles are those that are recognised beside plain numbers. A value that fits
// several, such as $1,234, is of the first that every value of its column fits.
var numberStyles = [...]numberStyle{{'.', ','}, {',', '.'}, {'.', ' '}, {',', ' '}, {'.', '\''}, {',', '\''}, {'.', 0}, {',', 0}} // those without thousands last

// thousandsNames are the values of data.thousands.
var thousandsNames = map[string]byte{",": ',', "comma": ',', ".": '.', "point": '.', " ": ' ', "space": ' ', "'": '\'', "apostrophe": '\'', "none": 0}

// currencies are codes that stand before or after an amount as a sign does.
var currencies = []string{"EUR", "USD", "GBP", "CHF", "JPY"}

// alike writes marks that look alike in one way: the spaces that do not break, the
// typographic apostrophe and the minus sign.
var alikeMarks = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ", "\u2019", "'", "\u2212", "-")

// undress takes a currency or a percent sign off a number, and returns both; false
// where what is left does not begin with a digit.
func undress(v []byte) (sign, body string, ok bool) {
	const longest = 40
	if len(v) == 0 || len(v) > longest {
		return "", "", false
	}
	// Most values that are no numbers are text, and are told at their ends.
	end := v[len(v)-1]
	switch c := v[0]; {
	case isDigit(c) && isDigit(end) && bytes.IndexByte(v, ':') >= 0, isDigit(c) && bytes.IndexByte(v, '-') >= 0:
		return "", "", false // a time, a date, a code
	case c >= 'A' && len(v) > 3 && slices.Contains(currencies, string(v[:3])):
	case c >= 'A' && c < 0x80, c < 0x80 && !isDigit(c) && strings.IndexByte("-+$.(", c) < 0, end >= 'a' && end < 0x80:
		return "", "", false
	}
	s := string(v)
	if strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) >= 0 {
		s = strings.TrimSpace(alikeMarks.Replace(s))
	}
	minus := ""
	if inner, ok := strings.CutPrefix(s, "("); ok { // as accountants write what is below 0
		if s, ok = strings.CutSuffix(inner, ")"); !ok {
			return "", "", false
		}
		minus = "-"
	}
	take := func() {
		if s != "" && (s[0] == '-' || s[0] == '+') && minus == "" {
			minus, s = s[:1], strings.TrimSpace(s[1:])
		}
	}
	take()
	for _, c := range currencies {
		if rest, found := strings.CutPrefix(s, c); found {
			sign, s = c, rest
		} else if rest, found := strings.CutSuffix(s, c); found && sign == "" {
			sign, s = c, rest
		}
	}
	if r, n := utf8.DecodeRuneInString(s); sign == "" && unicode.Is(unicode.Sc, r) {
		sign, s = s[:n], s[n:]
	} else if r, n := utf8.DecodeLastRuneInString(s); sign == "" && (r == '%' || unicode.Is(unicode.Sc, r)) {
		sign, s = s[len(s)-n:], s[:len(s)-n]
	}
	s = strings.TrimSpace(s)
	take()
	return sign, minus + s, s != "" && (s[0]-'0' <= 9 || s[0] == '.' && len(s) > 1)
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// plain returns a number without what parts its thousands, which must be whole
// groups of three digits.
func (n numberStyle) plain(body string) (plain string, grouped, ok bool) {
	digits := strings.TrimLeft(body, "-+")
	whole, fraction, pointed := strings.Cut(digits, string(rune(n.decimal)))
	groups := []string{whole}
	if n.thousands != 0 {
		groups = strings.Split(whole, string(rune(n.thousands)))
	}
	if len(groups) > 1 && n.thousands != ',' && body[0] == '+' {
		return "", false, false // a telephone number
	}
	for i, g := range groups {
		if strings.Trim(g, "0123456789") != "" || i == 0 && len(g) > 1 && g[0] == '0' || i > 0 && len(g) != 3 || len(groups) > 1 && (i == 0 && (len(g) > 3 || g == "" || g[0] == '0')) {
			return "", false, false
		}
	}
	if strings.Trim(fraction, "0123456789") != "" || whole == "" && fraction == "" {
		return "", false, false
	}
	plain = body[:len(body)-len(digits)] + strings.Join(groups, "")
	if pointed {
		plain += "." + fraction
	}
	return plain, len(groups) > 1, true
}

// dressing is what one pass learns of the values of a column that are no plain
// numbers but may be numbers in another style.
type dressing struct {
	styled   [len(numberStyles)]int // that a style reads
	pointed  [len(numberStyles)]int // of them with a decimal mark
	grouped  [len(numberStyles)]int // and with thousands apart
	any      int                    // that some style reads
	signed   int                    // with a currency or percent sign
	sign     string
	signs    bool // several different ones
	few, lot int  // digits of a value, least and most
	// points asks whether numbers with a point may be thousands, and parted counts
	// those that may: 2.301.
	points bool
	parted int
	// semicolons says that the file is divided at these, so that one mark before
	// three digits is taken as it is where the comma is the decimal mark.
	semicolons bool
	want       string // of data.thousands
	number     bool   // the type is declared
}

// see learns from n equal values that are not plain numbers.
func (d *dressing) see(v []byte, n int) {
	sign, body, ok := undress(v)
	if !ok {
		return
	}
	read := false
	for k, style := range numberStyles {
		_, grouped, ok := style.plain(body)
		if !ok {
			continue
		}
		read = true
		if grouped {
			d.grouped[k] += n
		}
		d.styled[k] += n
		if strings.IndexByte(body, style.decimal) >= 0 {
			d.pointed[k] += n
		}
	}
	if !read {
		return
	}
	d.any += n
	digits := 0
	for i := range len(body) {
		if body[i]-'0' <= 9 {
			digits++
		}
	}
	if d.lot == 0 {
		d.few = digits
	}
	d.few, d.lot = min(d.few, digits), max(d.lot, digits)
	if sign != "" {
		d.signed += n
		d.signs = d.signs || d.sign != "" && d.sign != sign
		d.sign = sign
	}
}

// seePoint learns from n equal numbers with a decimal point.
func (d *dressing) seePoint(v []byte, n int) {
	if v[0] == '-' || v[0] == '+' {
		v = v[1:]
	}
	// It has one point, and an exponent at the end if it has one.
	if k := len(v) - 4; k > 0 && k <= 3 && v[k] == '.' && v[0] != '0' && isDigit(v[k+1]) && isDigit(v[k+2]) && isDigit(v[k+3]) {
		d.parted += n
	}
}

func (d *dressing) merge(e *dressing) {
	for k := range d.styled {
		d.styled[k] += e.styled[k]
		d.pointed[k] += e.pointed[k]
		d.grouped[k] += e.grouped[k]
	}
	d.any += e.any
	d.signed += e.signed
	d.parted += e.parted
	d.signs = d.signs || e.signs || d.sign != "" && e.sign != "" && d.sign != e.sign
	if d.sign == "" {
		d.sign = e.sign
	}
	if e.lot > 0 {
		if d.lot == 0 {
			d.few = e.few
		}
		d.few, d.lot = min(d.few, e.few), max(d.lot, e.lot)
	}
}

// dressed returns how many values are numbers in a style other than the plain one.
func (s *statistics) dressed() int { return s.dressing.any }

// style returns the style in which all values are numbers, where they are not all
// plain ones; -1 for none. Where data.thousands names what parts thousands, it is
// that which most values fit.
func (s *statistics) style() int {
	d := &s.dressing
	best, most := -1, -1
	for k, style := range numberStyles {
		fit := s.integers + d.styled[k]
		switch {
		case style.decimal == '.':
			fit += s.floats
		case style.thousands == '.':
			fit += d.parted
		}
		if d.want != "" {
			if style.thousands == thousandsNames[d.want] && fit > most {
				best, most = k, fit
			}
			continue
		}
		percent := d.sign == "%" && d.signed < s.values
		apart := d.grouped[k]
		if style.thousands == '.' {
			apart += d.parted
		}
		if style.thousands != 0 && apart == 0 || fit != s.values || d.styled[k] == 0 || s.padded > 0 || s.long > 0 || d.signs || percent || style.thousands != ',' && s.codes(k) || k == len(numberStyles)-1 && s.lists() {
			continue
		}
		// $1,234 in a file that is divided at semicolons has a decimal comma, and
		// $3.459 in another a decimal point.
		if style.thousands == ',' && d.semicolons && d.styled[len(numberStyles)-1]+s.integers == s.values ||
			style.thousands == '.' && !d.semicolons && d.styled[len(numberStyles)-2]+d.parted+s.integers == s.values {
			continue
		}
		return k
	}
	return best
}

// codes says that a style's values have as many digits each, without a sign or a
// fraction: telephone numbers, addresses of computers.
func (s *statistics) codes(k int) bool {
	d := &s.dressing
	return d.signed == 0 && d.pointed[k] == 0 && d.styled[k] == s.values && d.few == d.lot
}

// lists says that commas may be those of lists, as in 1,2 in a file divided at commas.
func (s *statistics) lists() bool {
	d := &s.dressing
	return !s.european && d.signed < s.values && !d.number
}

// refused says why a column of which most values are numbers in some style is not
// read as numbers; "" where nobody would think so.
func (s *statistics) refused(name string) string {
	d := &s.dressing
	comma := len(numberStyles) - 1
	switch {
	case slices.ContainsFunc([]int{1, 2, 3}, s.codes): // by points or spaces
		return ""
	case s.lists() && d.signed == 0 && d.styled[comma]+s.integers == s.values:
		return fmt.Sprintf("set data.types to {%s: number} if the comma is a decimal mark", name)
	}
	return "they are not all written in one way: correct them, or see data.thousands, for them to be read as numbers"
}

// threes says whether every comma of a column has three digits behind it, as those
// that part thousands have.
func (s *statistics) threes() bool {
	d := &s.dressing
	return d.styled[0] > 0 && d.grouped[0] == d.styled[0] && s.integers+s.floats+d.styled[0] == s.values // the style of 1,234.5 is the first
}

// wear fills in how the numbers of a field are written, in a style.
func (s *statistics) wear(f *Field, k int, place func(int) string) {
	style := numberStyles[k]
	if style.decimal == ',' {
		f.Decimal = ","
	}
	if style.thousands != 0 {
		f.Thousands = string(rune(style.thousands))
	}
	f.Sign = s.dressing.sign
	if s.firstText > 0 {
		var parts []string
		if f.Sign != "" {
			parts = append(parts, fmt.Sprintf("%q is taken off", f.Sign))
		}
		if style.thousands != 0 {
			parts = append(parts, fmt.Sprintf("%q parts thousands", f.Thousands))
		}
		if style.decimal == ',' {
			parts = append(parts, "the comma is the decimal mark")
		}
		if parts == nil { // as it would be read anyway
			return
		}
		f.Note = fmt.Sprintf("%s, as in %s on %s", strings.Join(parts, ", "), quoteText(s.textValue), place(s.firstText))
	}
}

// partThousands takes the points of a column for what parts its thousands, where
// each of them has three digits behind it and another column of the file has
// decimal commas.
func partThousands(schema Schema, stats []*statistics) {
	commas := false
	for j, f := range schema {
		commas = commas || f.Decimal == "," && !stats[j].threes()
	}
	if !commas {
		return
	}
	for j := range schema {
		f, s := &schema[j], stats[j]
		if f.Type != Number || f.Decimal != "" || s.dressing.want != "" || s.dressing.parted == 0 || s.dressing.parted != s.floats || s.floats+s.integers != s.values || s.integers > 0 && math.Max(s.high, -s.low) >= 1000 {
			continue
		}
		f.Decimal, f.Thousands = ",", "."
		f.Note = fmt.Sprintf("the points part thousands, since there are three digits after each and other columns have decimal commas; set data.thousands to {%s: none} if they are decimal points", f.Name)
	}
}

// example shows how the numbers of a field are written, where that is not plainly.
func (f *Field) example() string {
	if f.Thousands == "" && f.Sign == "" {
		return ""
	}
	decimal := "."
	if f.Decimal != "" {
		decimal = f.Decimal
	}
	s := "1" + f.Thousands + "234" + decimal + "5"
	switch {
	case f.Sign == "%":
		s += " %"
	case f.Sign != "":
		s = f.Sign + " " + s
	}
	return " such as " + s
}

// undressed reads a number in the style of a field.
func (b *builder) undressed(v []byte) (float64, numberKind) {
	sign, body, ok := undress(v)
	if !ok || sign != "" && sign != b.field.Sign {
		return 0, notNumber
	}
	style := numberStyle{decimal: b.decimal}
	if b.field.Thousands != "" {
		style.thousands = b.field.Thousands[0]
	}
	plain, _, ok := style.plain(body)
	if !ok {
		return 0, notNumber
	}
	return parseNumber([]byte(plain), '.')
}
