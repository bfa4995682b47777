package data

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// statistics is what one pass learns about a column. Merging those of a file's
// parts gives those of the file, in whatever order.
type statistics struct {
	european  bool // a comma may be a decimal comma
	values    int  // not missing
	numbers   int  // with a decimal point
	commas    int  // numbers with a decimal comma, or without a fraction
	dressing  dressing
	integers  int
	padded    int // whole numbers with a leading zero
	long      int // whole numbers with more than 15 digits
	low, high float64
	distinct  sketch // of all values, until one is a number with a fraction
	floats    int
	pairs     [5][2]int    // how many are the boolean's false and true
	spelling  [5][2]string // as first met
	spelled   [5][2]int    // the place of that
	untested  bool         // no value yet, so that no layout is ruled out
	layouts   []uint8      // that read every value
	words     float64
	runes     int
	firstText int // place of the first value that is not a number
	textValue string
	images    int // given as such
	pictures  int // that look like paths of images
}

func newStatistics(european bool) *statistics {
	return &statistics{european: european, low: math.Inf(1), high: math.Inf(-1), untested: true}
}

// add learns from n equal values without spaces around them. A worker meets the
// places in their order; the place is asked for few of them.
func (s *statistics) add(v []byte, n int, place func() int) {
	if v[0] == 0 || bytes.HasPrefix(v, []byte(dataURL)) {
		s.values += n
		s.images += n
		return
	}
	x, kind := scanNumber(v, '.', false)
	if kind != notNumber {
		s.addNumber(v, x, kind, n)
		return
	}
	s.values += n
	if s.european {
		if _, k := parseNumber(v, ','); k != notNumber {
			s.commas += n
		}
	}
	if s.firstText == 0 {
		s.firstText, s.textValue = place(), string(v)
	}
	s.describe(v, n, place)
	s.distinct.see(v)
}

// addNumber learns from n equal numbers.
func (s *statistics) addNumber(v []byte, x float64, kind numberKind, n int) {
	s.values += n
	s.numbers += n
	// Numbers with a fraction are never identifiers or categories, so that
	// nobody asks how many are distinct.
	if kind == isFloat {
		if s.dressing.points {
			s.dressing.seePoint(v, n)
		}
		s.floats += n
		return
	}
	if kind == isInfinite {
		s.floats += n
		s.distinct.see(v)
		return
	}
	s.integers += n
	digits := len(v)
	first := v[0]
	if first == '-' || first == '+' {
		digits--
		first = v[1]
	}
	if first == '0' && digits > 1 {
		s.padded += n
	}
	if digits > 15 {
		s.long += n
	} else {
		s.low, s.high = min(s.low, x), max(s.high, x)
	}
	s.distinct.see(v)
}

// describe learns from n equal values that are not numbers.
func (s *statistics) describe(v []byte, n int, place func() int) {
	s.dressing.see(v, n)
	if namedLikeImage(string(v)) {
		s.pictures += n
	}
	if len(v) <= 5 {
		for p, pair := range booleans {
			for side, spelling := range pair {
				if equalFold(v, spelling) {
					s.pairs[p][side] += n
					if s.spelled[p][side] == 0 {
						s.spelled[p][side], s.spelling[p][side] = place(), string(v)
					}
				}
			}
		}
	}
	if s.untested {
		s.untested = false
		s.layouts = matchLayouts(string(v))
	} else if len(s.layouts) > 0 {
		passed := -1
		s.layouts = slices.DeleteFunc(s.layouts, func(l uint8) bool {
			if passed >= 0 && strict[l] == passed {
				return false
			}
			_, ok := parsers[l].parse(v)
			if ok {
				passed = int(l)
			}
			return !ok
		})
	}
	inWord := false
	words := 0.0
	for _, r := range string(v) {
		s.runes += n
		switch {
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			inWord = false
		case r >= 0x2e80: // Chinese and its neighbours do not divide words by spaces
			words += 0.5
			inWord = false
		case !inWord:
			words++
			inWord = true
		}
	}
	s.words += words * float64(n)
}

func (s *statistics) merge(t *statistics) {
	if t.values == 0 {
		return
	}
	s.values += t.values
	s.numbers += t.numbers
	s.commas += t.commas
	s.dressing.merge(&t.dressing)
	s.integers += t.integers
	s.padded += t.padded
	s.long += t.long
	s.floats += t.floats
	s.low, s.high = min(s.low, t.low), max(s.high, t.high)
	s.distinct.merge(&t.distinct)
	for p := range s.pairs {
		for side := range s.pairs[p] {
			s.pairs[p][side] += t.pairs[p][side]
			if l := t.spelled[p][side]; l > 0 && (s.spelled[p][side] == 0 || l < s.spelled[p][side]) {
				s.spelled[p][side], s.spelling[p][side] = l, t.spelling[p][side]
			}
		}
	}
	switch {
	case t.untested:
	case s.untested:
		s.untested, s.layouts = false, t.layouts
	default:
		s.layouts = slices.DeleteFunc(s.layouts, func(l uint8) bool { return !slices.Contains(t.layouts, l) })
	}
	s.words += t.words
	s.images += t.images
	s.pictures += t.pictures
	s.runes += t.runes
	if t.firstText > 0 && (s.firstText == 0 || t.firstText < s.firstText) {
		s.firstText, s.textValue = t.firstText, t.textValue
	}
}

// unique says whether all values are distinct, as far as the sketch can tell.
func (s *statistics) unique() bool {
	n := s.distinct.count()
	return n == s.values || s.distinct.level > 0 && float64(n) >= 0.95*float64(s.values)
}

// infer decides the column's type; want is the declared one, "" for none.
func (s *statistics) infer(name string, want Type, layout string, place func(int) string) (Field, error) {
	if want == "" && s.dressing.want != "" && s.dressing.want != "none" {
		want = Number
	}
	s.dressing.number = want == Number
	f := Field{Name: name, Type: want, Layout: layout}
	if want == "" {
		if f.Type = s.guess(name); layout != "" {
			f.Type = Datetime
		}
	}
	switch f.Type {
	case Number:
		plain := s.integers + max(s.floats, s.commas)
		switch k := s.style(); {
		case k >= 0 && (plain < s.values || s.dressing.want != "" || !s.dressing.semicolons && s.threes()):
			s.wear(&f, k, place)
		case s.commas > s.floats:
			if f.Decimal = ","; s.threes() {
				f.Note = fmt.Sprintf("the comma is taken for the decimal mark, though three digits follow each; set data.thousands to {%s: comma} if it parts thousands", name)
			}
		}
	case Boolean:
		best, most := 0, -1
		for p := range booleans {
			if n := s.pairs[p][0] + s.pairs[p][1]; n > most {
				best, most = p, n
			}
		}
		f.False, f.True = booleans[best][0], booleans[best][1]
		if s.integers > most {
			f.False, f.True = "0", "1"
			break
		}
		for side, to := range []*string{&f.False, &f.True} {
			if v := s.spelling[best][side]; v != "" {
				*to = v
			}
		}
		// Where only one of the two occurs, the other is spelled alike.
		if s.spelling[best][0] == "" && f.True != "" {
			f.False = likeCase(f.False, f.True)
		} else if s.spelling[best][1] == "" {
			f.True = likeCase(f.True, f.False)
		}
	case Datetime:
		if layout != "" {
			break
		}
		switch {
		case s.numbers < s.values && len(s.layouts) > 0:
			f.Layout = layouts[s.layouts[0]]
			if d := dayFirst(f.Layout); d != "" && slices.ContainsFunc(s.layouts, func(l uint8) bool { return layouts[l] == d }) {
				f.Note = fmt.Sprintf("no value tells the day from the month; read as month first (%s), set data.layouts to {%s: %q} if the day comes first", f.Layout, name, d)
			}
		case s.values == 0:
			f.Layout = layouts[0]
		case s.integers == s.values && s.low >= 19000101 && s.high <= 21991231:
			f.Layout = "20060102"
		case s.numbers == s.values && s.low > -1e11 && s.high < 1e11:
			f.Layout = unixLayout
		default:
			return f, &Error{Column: name, Problem: fmt.Sprintf("no layout reads all its values as dates (one is %s)", quoteText(s.example())), Remedy: "set its layout in data.layouts, or another type in data.types"}
		}
	case Category, Text, Identifier:
		n := s.integers + max(s.floats, s.commas)
		switch {
		case want != "" || s.values == 0:
		case n < s.values && 10*n >= 9*s.values:
			f.Note = fmt.Sprintf("%d of %d values are numbers; the first that is not is %s on %s: add it to data.missing_values if it means that the value is missing", n, s.values, quoteText(s.textValue), place(s.firstText))
		case s.dressed() > 0 && 10*(n+s.dressed()) >= 9*s.values:
			if why := s.refused(name); why != "" {
				f.Note = fmt.Sprintf("%d of %d values may be numbers with thousands separators, a decimal comma, a currency or a percent sign, such as %s on %s: %s", s.dressed(), s.values, quoteText(s.textValue), place(s.firstText), why)
			}
		}
	}
	return f, nil
}

func (s *statistics) example() string {
	if s.textValue != "" {
		return s.textValue
	}
	return formatNumber(s.low, "")
}

// likeCase writes a boolean's spelling as its counterpart is written.
func likeCase(v, like string) string {
	switch {
	case like == strings.ToUpper(like):
		return strings.ToUpper(v)
	case like[:1] == strings.ToUpper(like[:1]):
		return strings.ToUpper(v[:1]) + v[1:]
	}
	return v
}

// guess infers the type by the rules in the package documentation.
func (s *statistics) guess(name string) Type {
	n := s.values
	if n == 0 {
		return Category
	}
	if s.images+s.pictures == n {
		return Image
	}
	if s.padded == 0 && s.long == 0 && s.integers+max(s.floats, s.commas) == n {
		if s.integers == n && s.unique() {
			dense := s.values >= 100 && float64(s.values) >= 0.5*(s.high-s.low+1)
			if dense || namedLikeIdentifier(name) && n >= 20 {
				return Identifier
			}
		}
		return Number
	}
	for _, p := range s.pairs {
		if p[0]+p[1] == n {
			return Boolean
		}
	}
	if s.numbers == 0 && len(s.layouts) > 0 {
		return Datetime
	}
	if s.style() >= 0 {
		return Number
	}
	distinct := float64(min(s.distinct.count(), n)) / float64(n)
	words := s.words / float64(n)
	switch {
	case n < 20:
		if words >= 4 && distinct > 0.5 {
			return Text
		}
		return Category
	case words >= 3 && distinct >= 0.5, words >= 8 && distinct >= 0.1:
		return Text
	case distinct >= 0.9:
		return Identifier
	}
	return Category
}

// namedLikeIdentifier recognises id, customer_id, customerID, uuid, row key, …
func namedLikeIdentifier(name string) bool {
	fold := strings.ToLower(name)
	for _, w := range []string{"id", "uuid", "guid", "idx", "index", "rowid", "key"} {
		rest, ok := strings.CutSuffix(fold, w)
		if !ok {
			continue
		}
		if rest == "" {
			return true
		}
		before, _ := utf8.DecodeLastRuneInString(name[:len(name)-len(w)])
		switch first := name[len(name)-len(w)]; {
		case strings.ContainsRune("_-. #", before):
			return true
		case first >= 'A' && first <= 'Z' && before >= 'a' && before <= 'z':
			return true
		}
	}
	return false
}
