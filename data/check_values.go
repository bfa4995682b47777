package data

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// What a column's values must show for zeros in it to be taken for missing ones.
// A zero is one of the distribution's values when others lead up to it, as counts
// do and as the few small amounts among large ones do; when the amounts spread over
// orders of magnitude, so that nothing is as plausible an amount as any; and when it
// is what most rows have.
const (
	zeroGap      = 2.0  // from zero to the rest, in steps between the smallest of the rest
	zeroSpread   = 0.8  // standard deviations of the rest's logarithm, at most
	zeroShare    = 0.6  // of the rows, at most
	zeroReach    = 0.1  // of the rest's median, that the smallest of the rest is at least
	zeroDistance = 2.75 // lower standard deviations of the rest that zero is away; or
	zeroWide     = 6.0  // steps that it is away; or
	zeroSpike    = 0.25 // of the rows are zero
	zeroDistinct = 15   // values of the rest, or it is a code
)

// zeros finds a spike at zero that is apart from the rest of a positive number.
func (k *checker) zeros(v *view) []Finding {
	if v.Type != Number || v.Name == k.Target || k.kinds[v.Name] != "" {
		return nil
	}
	all := v.numbers()
	if all.n() == 0 || all.first() != 0 {
		return nil
	}
	n, rest := all.times(0), all.part(1, len(all.values))
	if n < 2 || rest.n() < 30 || float64(n) > zeroShare*float64(all.n()) || len(rest.values) < zeroDistinct {
		return nil
	}
	low := rest.values[:min(6, len(rest.values))]
	step := 0.0
	for i := 1; i < len(low); i++ {
		step = max(step, low[i]-low[i-1])
	}
	median, quarter := rest.quantile(0.5), rest.quantile(0.25)
	const quartiles = 0.6745 // standard deviations from the median to a quartile
	spread := math.Log(rest.quantile(0.75)/quarter) / (2 * quartiles)
	distance := math.Inf(1)
	if median > quarter {
		distance = median / ((median - quarter) / quartiles)
	}
	part := float64(n) / float64(all.n())
	if low[0] < zeroGap*step || low[0] < zeroReach*median || spread >= zeroSpread || distance < zeroDistance && low[0] < zeroWide*step && part < zeroSpike {
		return nil
	}
	return []Finding{asMissing(v, Finding{Kind: FindingZeros,
		Evidence: map[string]float64{"rows": float64(n), "share": part, "smallest": low[0], "median": median, "gap": low[0] / step},
		Message:  fmt.Sprintf("is 0 in %d rows (%s) and otherwise %s to %s: 0 seems to mean that the value is missing", n, share(n, all.n()), formatNumber(low[0], ""), formatNumber(rest.last(), ""))}, 0)}
}

// asMissing completes a finding about a number that seems to mean a missing value.
func asMissing(v *view, f Finding, number float64) Finding {
	f.Column, f.Severity, f.Remedy = v.Name, SeverityWarning, "take it as missing, if that is what it means"
	f.Change.Clean = []DeclaredStep{{"type": "missing", "columns": []string{v.Name}, "values": []string{formatNumber(number, v.Decimal)}}}
	return f
}

// sentinels finds -1, 999 and the like, apart from all other values.
func (k *checker) sentinels(v *view) []Finding {
	if v.Type != Number || v.Name == k.Target || k.kinds[v.Name] != "" {
		return nil
	}
	all := v.numbers()
	var found []Finding
	report := func(value float64, n int, low, high float64) {
		found = append(found, asMissing(v, Finding{Kind: FindingSentinel,
			Evidence: map[string]float64{"value": value, "rows": float64(n), "low": low, "high": high},
			Message: fmt.Sprintf("is %s in %d rows (%s) and otherwise %s to %s: the number seems to mean something else, such as a missing value or a limit", formatNumber(value, ""),
				n, share(n, all.n()), formatNumber(low, ""), formatNumber(high, ""))}, value))
	}
	const atLeast, others = 3, 10 // rows with it, distinct values beside it
	runs := func(rest ordered) (most int, whole bool) {
		whole = true
		for k, v := range rest.values {
			most = max(most, rest.times(k))
			whole = whole && v == math.Trunc(v)
		}
		return most, whole
	}
	if all.n() == 0 {
		return nil
	}
	if high := all.last(); nines(high) && high >= 99 && len(all.values) > others {
		last := len(all.values) - 1
		rest, times := all.part(0, last), all.times(last)
		if times >= atLeast && high-rest.last() >= rest.last()-rest.first() && high >= 2*rest.last() {
			report(high, times, rest.first(), rest.last())
			all = rest
		}
	}
	if low := all.first(); low == -1 || nines(-low) {
		n, rest := all.times(0), all.part(1, len(all.values))
		if n < atLeast || rest.n() == 0 || rest.first() < 0 {
			return found
		}
		most, whole := runs(rest)
		apart := rest.first()-low >= rest.last()-rest.first()
		// The only negative number of a column of whole ones must stand out.
		if len(rest.values) >= others && (low == -1 && (!whole || n > 2*most) || low < -1 && (apart || n > 2*most)) {
			report(low, n, rest.first(), rest.last())
		}
	}
	return found
}

// nines says whether the number is 9, 99, 999 and so on.
func nines(x float64) bool {
	for p := 10.0; p <= 1e9; p *= 10 {
		if x == p-1 {
			return true
		}
	}
	return false
}

// units finds a positive number whose values fall in two groups far apart, of
// which one is the other in a larger unit.
func (k *checker) units(v *view) []Finding {
	if v.Type != Number || v.Name == k.Target || k.kinds[v.Name] != "" {
		return nil
	}
	all := v.numbers()
	if all.n() < 100 || all.first() <= 0 {
		return nil
	}
	cut, widest := 0, 0.0
	for k := 1; k < len(all.values); k++ {
		if gap := all.values[k] / all.values[k-1]; gap > widest {
			cut, widest = k, gap
		}
	}
	low, high := all.part(0, cut), all.part(cut, len(all.values))
	if min(low.n(), high.n()) < max(5, all.n()/200) || widest < 3 {
		return nil
	}
	ratio := high.quantile(0.5) / low.quantile(0.5)
	// Both groups spread by as much, and by less than what is between them.
	spread := func(x ordered) float64 { return math.Log(x.quantile(0.9) / x.quantile(0.1)) }
	a, b := spread(low), spread(high)
	if max(a, b) > 2*min(a, b)+0.2 || math.Log(widest) < 0.3*max(a, b) || min(a, b) < 0.01 {
		return nil
	}
	for _, factor := range []float64{60, 100, 1000, 1e6} {
		if math.Abs(math.Log(ratio/factor)) < 0.25 {
			return []Finding{{Column: v.Name, Kind: FindingUnits, Severity: SeverityWarning,
				Evidence: map[string]float64{"ratio": ratio, "low": float64(low.n()), "high": float64(high.n()), "from": high.first(), "to": low.last()},
				Message:  fmt.Sprintf("falls in two groups, %d values up to %s and %d from %s on, of which one is about %g times the other: it seems to be in two units", low.n(), formatNumber(low.last(), ""), high.n(), formatNumber(high.first(), ""), factor),
				Remedy:   "convert it to one unit, of which the commoner is proposed",
				Change:   Change{Clean: []DeclaredStep{oneUnit(v.Name, low, high, factor)}}}}
		}
	}
	return nil
}

// oneUnit brings the rarer of two groups to the unit of the other.
func oneUnit(name string, low, high ordered, factor float64) DeclaredStep {
	column := QuoteColumn(name)
	// A round number in the middle of what is between them, in logarithms.
	between := math.Sqrt(low.last() * high.first())
	cut, err := strconv.ParseFloat(strconv.FormatFloat(between, 'g', 2, 64), 64)
	if err != nil || cut <= low.last() || cut >= high.first() {
		cut = between
	}
	compare, calculate := " >= ", " / "
	if low.n() < high.n() {
		compare, calculate = " < ", " * "
	}
	return DeclaredStep{"type": "convert", "column": name, "where": column + compare + writeNumber(cut), "value": column + calculate + writeNumber(factor)}
}

// mixed finds columns of numbers or dates that a few other values keep from being
// read so.
func (k *checker) mixed(v *view) []Finding {
	if v.Type != Category && v.Type != Identifier && v.Type != Text || v.Name == k.Target {
		return nil
	}
	for _, kind := range []struct {
		name string
		is   func([]byte) (yes, never bool)
	}{{"numbers", isPlainNumber}, {"dates", v.date()}} {
		if f := v.nearly(kind.name, kind.is); f != nil {
			return []Finding{*f}
		}
	}
	return nil
}

// isPlainNumber says whether a value is a number, and whether it shows that the
// column is none: 007 is a name.
func isPlainNumber(b []byte) (yes, never bool) {
	x, kind := parseNumber(b, '.')
	code := kind == isInteger && (len(b) > 1 && b[0] == '0' || math.Abs(x) >= 1e15)
	return kind == isInteger || kind == isFloat, code
}

// date recognises values in the layout that the first values are in.
func (v *view) date() func([]byte) (yes, never bool) {
	var votes []int
	best := -1
	for _, s := range v.Dict[:min(len(v.Dict), 100)] {
		for _, l := range matchLayouts(strings.TrimSpace(s)) {
			for len(votes) <= int(l) {
				votes = append(votes, 0)
			}
			if votes[l]++; best < 0 || votes[l] > votes[best] {
				best = int(l)
			}
		}
	}
	return func(b []byte) (yes, never bool) {
		if best < 0 {
			return false, true
		}
		_, ok := parsers[best].parse(b)
		return ok, false
	}
}

// nearly reports a column of which nearly all values are of a kind.
func (v *view) nearly(name string, is func([]byte) (yes, never bool)) *Finding {
	counts := v.counts()
	n, spellings, all := 0, 0, 0
	var others []int
	for i, s := range v.Dict {
		if counts[i] == 0 {
			continue
		}
		all += counts[i]
		yes, never := is([]byte(strings.TrimSpace(s)))
		switch {
		case never:
			return nil
		case yes:
			n += counts[i]
			spellings++
		default:
			if others = append(others, i); len(others) > max(5, len(v.Dict)/20) {
				return nil // as the rest could not change
			}
		}
	}
	if len(others) == 0 || spellings < 10 || n < 20 || 10*n < 9*all || len(others) > max(5, spellings/20) {
		return nil
	}
	slices.SortStableFunc(others, func(a, b int) int { return counts[b] - counts[a] })
	var list, missing []string
	for i, o := range others {
		if i < 5 {
			list = append(list, fmt.Sprintf("%s (%d)", quoteText(v.Dict[o]), counts[o]))
		}
		missing = append(missing, strings.TrimSpace(v.Dict[o]))
	}
	if len(others) > 5 {
		list = append(list, fmt.Sprintf("%d more", len(others)-5))
	}
	return &Finding{Column: v.Name, Kind: FindingMixed, Severity: SeverityWarning,
		Evidence: map[string]float64{"of_kind": float64(n), "others": float64(all - n), "spellings": float64(len(others))},
		Message:  fmt.Sprintf("holds %s in %d of %d values; the others are %s", name, n, all, strings.Join(list, ", ")),
		Remedy:   fmt.Sprintf("read these as missing, if that is what they mean, or correct them: the column is then read as %s", name),
		Change:   Change{Missing: map[string][]string{v.Name: missing}}}
}

// reading passes on what inferring the column's type left in doubt.
func (k *checker) reading(v *view) []Finding {
	f := k.Schema.Field(v.Name)
	if f == nil || f.Note == "" || k.mixed(v) != nil {
		return nil
	}
	return []Finding{{Column: v.Name, Kind: FindingReading, Severity: SeverityNote, Evidence: map[string]float64{"values": float64(v.values())},
		Message: "is read as " + string(f.Type) + ": " + f.Note, Remedy: "say otherwise in data.types, data.layouts or data.thousands if that is wrong"}}
}

// rare finds categories that hardly occur, in a column of others that do.
func (k *checker) rare(v *view) []Finding {
	const few, rows, common = 5, 500, 50
	if v.Type != Category || v.values() < rows || k.kinds[v.Name] != "" {
		return nil
	}
	total, n, often := 0, 0, 0
	var list []string
	for i, c := range v.counts() {
		switch {
		case c >= common:
			often++
		case c > 0 && c < few:
			n++
			total += c
			if len(list) < 5 {
				list = append(list, fmt.Sprintf("%s (%d)", quoteText(v.Dict[i]), c))
			}
		}
	}
	// Many rare values among many are what names look like.
	if n == 0 || often < 2 || n > often || total*100 > v.values() {
		return nil
	}
	if n > len(list) {
		list = append(list, fmt.Sprintf("%d more", n-len(list)))
	}
	f := Finding{Column: v.Name, Kind: FindingRare, Severity: SeverityNote, Evidence: map[string]float64{"values": float64(n), "rows": float64(total), "fewer_than": few},
		Message: fmt.Sprintf("has %s in fewer than %d rows: %s", plural(n, "category", "categories"), few, strings.Join(list, ", ")),
		Remedy:  "join them with others if they mean the same; little can be learnt of them"}
	if v.Name == k.Target {
		f.Severity = SeverityWarning
		f.Remedy = "find more rows of them, or join them with others: neither learning nor measuring is possible on so few"
	}
	return []Finding{f}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// spelling finds values that differ only in case, spaces or punctuation, and rare
// ones that are a slip away from a common one.
func (k *checker) spelling(v *view) []Finding {
	const most = 5000 // distinct values; more are names
	if v.Type != Category || len(v.Dict) < 2 || len(v.Dict) > most {
		return nil
	}
	counts := v.counts()
	folded := map[string][]int{}
	var order []string
	for i, s := range v.Dict {
		if counts[i] == 0 {
			continue
		}
		f := foldSpelling(s)
		if folded[f] == nil {
			order = append(order, f)
		}
		folded[f] = append(folded[f], i)
	}
	var groups [][]int
	for _, f := range order {
		if len(folded[f]) > 1 && f != "" {
			groups = append(groups, folded[f])
		}
	}
	sum := func(f string) (n int) {
		for _, i := range folded[f] {
			n += counts[i]
		}
		return n
	}
	if len(order) <= 1000 {
		for _, slip := range order {
			n := sum(slip)
			if utf8.RuneCountInString(slip) < 6 || strings.ContainsFunc(slip, unicode.IsDigit) {
				continue // short values and codes differ by a letter and mean it
			}
			for _, right := range order {
				if n*100 <= sum(right) && slip != right && oneSlip([]rune(slip), []rune(right)) {
					groups = append(groups, slices.Concat(folded[right], folded[slip]))
					break
				}
			}
		}
	}
	if len(groups) == 0 {
		return nil
	}
	rows := 0
	var list []string
	to := map[string]string{}
	for g, group := range groups {
		slices.SortStableFunc(group, func(a, b int) int { return counts[b] - counts[a] })
		var spellings []string
		for i, s := range group {
			if i > 0 {
				rows += counts[s]
				to[v.Dict[s]] = v.Dict[group[0]]
			}
			spellings = append(spellings, fmt.Sprintf("%s (%d)", quoteText(v.Dict[s]), counts[s]))
		}
		if g < 5 {
			list = append(list, strings.Join(spellings[:min(len(spellings), 5)], " and "))
		}
	}
	if len(groups) > 5 {
		list = append(list, fmt.Sprintf("%d more", len(groups)-5))
	}
	return []Finding{{Column: v.Name, Kind: FindingSpelling, Severity: SeverityWarning, Evidence: map[string]float64{"values": float64(len(groups)), "rows": float64(rows)},
		Message: fmt.Sprintf("seems to spell %s in several ways: %s", plural(len(groups), "value", "values"), strings.Join(list, "; ")),
		Remedy:  "spell each in one way: every spelling is a category of its own",
		Change:  Change{Clean: []DeclaredStep{{"type": "map", "column": v.Name, "values": to}}}}}
}

// foldSpelling removes what does not make a difference: case, spaces and hyphens.
// Signs that may, as in A+ and A-, stay.
func foldSpelling(s string) string {
	fields := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return unicode.IsSpace(r) || r == '_' || r == '\u00ad' })
	f := strings.Join(fields, " ")
	var b strings.Builder
	runes := []rune(f)
	for i, r := range runes {
		between := i > 0 && i+1 < len(runes) && unicode.IsLetter(runes[i-1]) && unicode.IsLetter(runes[i+1])
		switch {
		case (r == '-' || r == ' ') && between:
			b.WriteByte(' ')
		case r == '.' && i > 0 && unicode.IsLetter(runes[i-1]) && (i+1 == len(runes) || runes[i+1] == ' '):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// oneSlip says whether one letter more, less or other, or two exchanged, makes a
// into b. First letters are seldom mistaken.
func oneSlip(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a[0] != b[0] {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return len(b) > 6 && slices.Equal(a[i:], b[i+1:]) && unicode.IsLetter(b[i])
	}
	if i == len(a) || !unicode.IsLetter(a[i]) || !unicode.IsLetter(b[i]) {
		return false
	}
	// INLAND and ISLAND are two words; long ones are seldom so near.
	return len(a) >= 8 && slices.Equal(a[i+1:], b[i+1:]) ||
		i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && slices.Equal(a[i+2:], b[i+2:])
}

// encoding finds characters that were lost, and UTF-8 that was read as
// windows-1252 and written again.
func (k *checker) encoding(v *view) []Finding {
	n, lost := 0, 0
	example, meant := "", ""
	look := func(s string, rows int) {
		switch {
		case isASCII(s):
		case strings.ContainsRune(s, utf8.RuneError):
			lost += rows
			if example == "" {
				example = s
			}
		default:
			if m, ok := mojibake(s); ok {
				n += rows
				if example == "" || meant == "" {
					example, meant = s, m
				}
			}
		}
	}
	look(v.Name, 1)
	if !v.Type.numeric() {
		for i, c := range v.counts() {
			if c > 0 {
				look(v.Dict[i], c)
			}
		}
	}
	if n+lost == 0 {
		return nil
	}
	f := Finding{Column: v.Name, Kind: FindingEncoding, Severity: SeverityWarning, Evidence: map[string]float64{"rows": float64(n + lost), "lost": float64(lost)}}
	if n > 0 {
		f.Message = fmt.Sprintf("holds damaged characters in %s, such as %s, which was %s", plural(n+lost, "value", "values"), quoteText(example), quoteText(meant))
		f.Remedy = "write the file again from its origin: UTF-8 was taken for windows-1252 on the way"
	} else {
		f.Message = fmt.Sprintf("holds characters that were lost (U+FFFD) in %s, such as %s", plural(lost, "value", "values"), quoteText(example))
		f.Remedy = "write the file again from its origin, or say in data.encoding what the file is in"
	}
	return []Finding{f}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// mojibake returns what a text was before its UTF-8 was read as windows-1252.
func mojibake(s string) (string, bool) {
	wide := 0
	for _, r := range s {
		if r >= 0x80 {
			wide++
		}
	}
	if wide < 2 {
		return "", false // a character of UTF-8 takes at least two bytes
	}
	var b []byte
	for _, r := range s {
		c, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			if r > 0xff {
				return "", false
			}
			c = byte(r) // five bytes that windows-1252 leaves undefined
		}
		b = append(b, c)
	}
	return string(b), utf8.Valid(b)
}
