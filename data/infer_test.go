package data

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// column reads a column of the values, one a row, beside one of numbers.
func column(t testing.TB, name string, values []string, o Options) (*Column, Field) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "row;%s\n", name)
	for i, v := range values {
		fmt.Fprintf(&b, "%d.5;\"%s\"\n", i, v)
	}
	yes := true
	o.Delimiter, o.Header = ";", &yes
	table, r := mustRead(t, b.String(), o)
	return table.Column(name), r.Schema()[1]
}

// repeat makes n values by a format and the row's number.
func repeat(n int, f func(i int) string) []string {
	v := make([]string, n)
	for i := range v {
		v[i] = f(i)
	}
	return v
}

func TestInferTypes(t *testing.T) {
	names := []string{"Anna", "Bob", "Cleo", "Dan"}
	for name, c := range map[string]struct {
		column string
		values []string
		want   Type
	}{
		"integers":            {values: []string{"1", "-2", "+3", ""}, want: Number},
		"scientific":          {values: []string{"1e5", "-2.5E-3", ".5", "5."}, want: Number},
		"zero and one":        {values: []string{"0", "1", "1"}, want: Number},
		"decimal comma":       {values: []string{"1,5", "2", "-3,25"}, want: Number},
		"both marks":          {values: []string{"1,5", "2.5"}, want: Category},
		"hexadecimal":         {values: []string{"0x10", "0x1p4"}, want: Category},
		"zip codes":           {values: []string{"01234", "98765", "01234"}, want: Category},
		"long numbers":        {values: []string{"4111111111111111", "4111111111111112"}, want: Category},
		"missing only":        {values: []string{"", "NA", "?"}, want: Category},
		"yes and no":          {values: []string{"Yes", "no", "YES", "-"}, want: Boolean},
		"yes only":            {values: []string{"yes", "yes"}, want: Boolean},
		"two pairs":           {values: []string{"yes", "no", "true"}, want: Category},
		"dates":               {values: []string{"2024-01-31", "", "1999-12-01"}, want: Datetime},
		"times":               {values: []string{"2024-01-31T10:00:00Z", "2024-01-31T10:00:00+02:00"}, want: Datetime},
		"impossible date":     {values: []string{"2024-01-31", "2024-02-31"}, want: Category},
		"years":               {values: []string{"2020", "2021"}, want: Number},
		"text with dates":     {values: []string{"2024-01-31", "soon"}, want: Category},
		"names":               {values: repeat(100, func(i int) string { return names[i%4] }), want: Category},
		"unique words":        {values: repeat(100, func(i int) string { return fmt.Sprintf("u%d", i) }), want: Identifier},
		"few unique words":    {values: repeat(10, func(i int) string { return fmt.Sprintf("u%d", i) }), want: Category},
		"sentences":           {values: repeat(100, func(i int) string { return fmt.Sprintf("they said that %d is enough", i) }), want: Text},
		"Chinese sentences":   {values: repeat(100, func(i int) string { return fmt.Sprintf("今天的天气很好我们去公园%d", i) }), want: Text},
		"long labels":         {values: repeat(100, func(i int) string { return fmt.Sprintf("not in the labour force %d", i%5) }), want: Category},
		"row numbers":         {values: repeat(150, func(i int) string { return strconv.Itoa(i + 1) }), want: Identifier},
		"some row numbers":    {values: repeat(150, func(i int) string { return strconv.Itoa((i*37%150)*3/2 + 9) }), want: Identifier},
		"few whole numbers":   {values: repeat(30, func(i int) string { return strconv.Itoa(i + 1) }), want: Number},
		"scattered numbers":   {values: repeat(150, func(i int) string { return strconv.Itoa(i * i * 7) }), want: Number},
		"customer_id":         {column: "customer_id", values: repeat(30, func(i int) string { return strconv.Itoa(i * i * 7) }), want: Identifier},
		"PassengerId":         {column: "PassengerId", values: repeat(30, func(i int) string { return strconv.Itoa(i * i * 7) }), want: Identifier},
		"paid":                {column: "paid", values: repeat(30, func(i int) string { return strconv.Itoa(i * i * 7) }), want: Number},
		"group_id that recur": {column: "group_id", values: repeat(30, func(i int) string { return strconv.Itoa(i % 5) }), want: Number},
	} {
		t.Run(name, func(t *testing.T) {
			if c.column == "" {
				c.column = "x"
			}
			if col, _ := column(t, c.column, c.values, Options{}); col.Type != c.want {
				t.Errorf("the type is %s, want %s", col.Type, c.want)
			}
		})
	}
}

func TestDatetimes(t *testing.T) {
	utc := func(y int, m time.Month, d, h, min, s int) float64 {
		return float64(time.Date(y, m, d, h, min, s, 0, time.UTC).Unix())
	}
	for _, c := range []struct {
		values []string
		layout string
		first  float64
		noted  bool
	}{
		{values: []string{"2024-02-01"}, layout: "2006-01-02", first: utc(2024, 2, 1, 0, 0, 0)},
		{values: []string{"2024-2-1"}, layout: "2006-1-2", first: utc(2024, 2, 1, 0, 0, 0)},
		{values: []string{"2024-02-01 03:04:05.250"}, layout: "2006-01-02 15:04:05", first: utc(2024, 2, 1, 3, 4, 5) + 0.25},
		{values: []string{"2024-02-01T03:04:05+01:00"}, layout: "2006-01-02T15:04:05Z07:00", first: utc(2024, 2, 1, 2, 4, 5)},
		{values: []string{"02/01/2024", "31/01/2024"}, layout: "02/01/2006", first: utc(2024, 1, 2, 0, 0, 0)},
		{values: []string{"02/01/2024", "01/31/2024"}, layout: "01/02/2006", first: utc(2024, 2, 1, 0, 0, 0)},
		{values: []string{"02/01/2024"}, layout: "01/02/2006", first: utc(2024, 2, 1, 0, 0, 0), noted: true},
		{values: []string{"2/1/2024 9:30 PM", "1/31/2024 1:00 AM"}, layout: "1/2/2006 3:04 PM", first: utc(2024, 2, 1, 21, 30, 0)},
		{values: []string{"1.2.2024"}, layout: "2.1.2006", first: utc(2024, 2, 1, 0, 0, 0)},
		{values: []string{"01-Jan-1995"}, layout: "02-Jan-2006", first: utc(1995, 1, 1, 0, 0, 0)},
		{values: []string{"January 2, 2006"}, layout: "January 2, 2006", first: utc(2006, 1, 2, 0, 0, 0)},
		{values: []string{"2024年2月1日"}, layout: "2006年1月2日", first: utc(2024, 2, 1, 0, 0, 0)},
		{values: []string{"1968-12-31"}, layout: "2006-01-02", first: utc(1968, 12, 31, 0, 0, 0)},
	} {
		col, f := column(t, "when", c.values, Options{})
		if col.Type != Datetime || f.Layout != c.layout || col.Numbers[0] != c.first {
			t.Errorf("%q: type %s, layout %q, %v; want %q, %v", c.values, col.Type, f.Layout, col.Numbers, c.layout, c.first)
			continue
		}
		if (f.Note != "") != c.noted {
			t.Errorf("%q: the note is %q", c.values, f.Note)
		}
		if !strings.ContainsAny(c.values[0], ".+") || strings.Count(c.values[0], ".") == 2 {
			if got := col.Text(0); got != c.values[0] {
				t.Errorf("%q is written as %q", c.values[0], got)
			}
		}
	}
	col, f := column(t, "when", []string{"20240201"}, Options{Types: map[string]Type{"when": Datetime}})
	if f.Layout != "20060102" || col.Numbers[0] != utc(2024, 2, 1, 0, 0, 0) {
		t.Errorf("a declared compact date has layout %q and is %v", f.Layout, col.Numbers)
	}
	col, _ = column(t, "when", []string{"1700000000"}, Options{Types: map[string]Type{"when": Datetime}})
	if col.Numbers[0] != 1700000000 || col.Text(0) != "1700000000" {
		t.Errorf("declared Unix seconds are %v, %q", col.Numbers, col.Text(0))
	}
	col, _ = column(t, "when", []string{"02/01/2024"}, Options{Layouts: map[string]string{"when": "02/01/2006"}})
	if col.Type != Datetime || col.Numbers[0] != utc(2024, 1, 2, 0, 0, 0) {
		t.Errorf("with its layout declared the date is %v", col.Numbers)
	}
}

func TestBooleanSpelling(t *testing.T) {
	for _, c := range []struct {
		values []string
		f, t   string
	}{
		{[]string{"Yes", "No", "yes"}, "No", "Yes"},
		{[]string{"TRUE"}, "FALSE", "TRUE"},
		{[]string{"n", "n"}, "n", "y"},
		{[]string{"Off"}, "Off", "On"},
	} {
		col, _ := column(t, "x", c.values, Options{})
		if col.Dict[0] != c.f || col.Dict[1] != c.t {
			t.Errorf("%q: spelled %q, want %q and %q", c.values, col.Dict, c.f, c.t)
		}
	}
	col, _ := column(t, "x", []string{"0", "1", ""}, Options{Types: map[string]Type{"x": Boolean}})
	if col.Codes[0] != 0 || col.Codes[1] != 1 || col.Codes[2] != -1 || col.Text(1) != "1" {
		t.Errorf("0/1 declared boolean is %v of %q", col.Codes, col.Dict)
	}
}

func TestMissingValues(t *testing.T) {
	for _, v := range append([]string{"", "  ", "NA", "N/A", "NaN", "Null", "None", `\N`}, MissingValues...) {
		col, _ := column(t, "x", []string{"1", v, " " + v + " "}, Options{})
		if col.Type != Number || !col.Missing(1) || !col.Missing(2) || col.Text(1) != "" {
			t.Errorf("%q is not missing", v)
		}
	}
	col, f := column(t, "x", []string{"5", "-999", "3"}, Options{MissingValues: []string{"-999"}})
	if !col.Missing(1) || len(f.Missing) != 1 {
		t.Errorf("the declared -999 is %v, the field %+v", col.Numbers, f)
	}
	if col, _ := column(t, "x", []string{"a", "NA"}, Options{MissingValues: []string{"-999"}}); col.Missing(1) {
		t.Error("NA is missing although other spellings were declared")
	}
}

func TestAlmostNumbersAreNoted(t *testing.T) {
	values := repeat(100, strconv.Itoa)
	values[40] = "forty"
	col, f := column(t, "x", values, Options{})
	if col.Type.numeric() || !strings.Contains(f.Note, `99 of 100 values are numbers; the first that is not is "forty" on line 42`) {
		t.Errorf("type %s, note %q", col.Type, f.Note)
	}
}

// Numbers are strconv's to the last bit.
func TestParseNumber(t *testing.T) {
	check := func(s string) error {
		got, kind := parseNumber([]byte(s), '.')
		want, err := strconv.ParseFloat(s, 64)
		switch {
		case kind == isInfinite && (err != nil || math.IsInf(want, 0)):
		case kind == notNumber && (err != nil || strings.ContainsAny(strings.ToLower(s), "xpn_")):
		case (kind == isInteger || kind == isFloat) && err == nil && math.Float64bits(got) == math.Float64bits(want):
		default:
			return fmt.Errorf("%q: %v of kind %d, strconv has %v, %v", s, got, kind, want, err)
		}
		return nil
	}
	for _, s := range []string{"", "-", "+", ".", "e5", "1e", "1e+", "1.5.5", "0", "-0", "00012", "1e400", "1e-400", "123456789012345678901234567890", "0.1", "9007199254740993", "1e22", "1e23", "inf", "-Infinity", "nan", "0x1p3", "1_000", "4.9e-324", "0.000000000000000000000000000001234", "1 2", "٣"} {
		if err := check(s); err != nil {
			t.Error(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.OneOf(rapid.StringMatching(`[+-]?[0-9]{0,25}(\.[0-9]{0,25})?([eE][+-]?[0-9]{1,3})?`),
			rapid.Map(rapid.Float64(), func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) })).Draw(rt, "number")
		if err := check(s); err != nil {
			rt.Fatal(err)
		}
	})
}

// Dates are package time's, whichever way they are read.
func TestParseDate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := rapid.SampledFrom(parsers).Draw(rt, "parser")
		when := time.Unix(rapid.Int64Range(-62_135_596_800, 253_402_300_799).Draw(rt, "seconds"), 0).UTC()
		s := []byte(when.Format(p.layout))
		if rapid.Bool().Draw(rt, "damage") {
			s[rapid.IntRange(0, len(s)-1).Draw(rt, "at")] = byte(rapid.IntRange('-', 'Z').Draw(rt, "byte"))
		}
		got, ok := p.parse(s)
		want, err := time.Parse(p.layout, string(s))
		if ok != (err == nil) || ok && got != float64(want.Unix())+float64(want.Nanosecond())/1e9 {
			rt.Fatalf("%q by %q: %v, %v; package time has %v, %v", s, p.layout, got, ok, want, err)
		}
	})
}

// A number's text reads back as the same number.
func TestNumberText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.Float64().Filter(func(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }).Draw(rt, "v")
		for _, decimal := range []string{"", ","} {
			mark := byte('.')
			if decimal != "" {
				mark = ','
			}
			if got, _ := parseNumber([]byte(formatNumber(v, decimal)), mark); got != v {
				rt.Fatalf("%v is written as %s and read as %v", v, formatNumber(v, decimal), got)
			}
		}
	})
}

func TestSketch(t *testing.T) {
	for _, n := range []int{0, 1, 1000, sketchSize, 300_000} {
		var whole, a, b sketch
		for i := range n {
			h := hashBytes([]byte(strconv.Itoa(i)))
			for range 2 {
				whole.add(h)
			}
			if i%3 == 0 {
				a.add(h)
			} else {
				b.add(h)
			}
		}
		b.merge(&a)
		if whole.count() != b.count() || whole.level != b.level {
			t.Errorf("of %d values the whole counts %d, its parts %d", n, whole.count(), b.count())
		}
		if off := math.Abs(float64(whole.count() - n)); n <= sketchSize && off != 0 || off > 0.04*float64(n) {
			t.Errorf("of %d values %d were counted", n, whole.count())
		}
	}
}
