package data

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// TestNumberStyles: what all values of a column agree on is how they are read.
func TestNumberStyles(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []string // in a file divided at semicolons where one has a comma, else at commas
		o      Options
		want   []float64 // nil: no number
		note   string
	}{
		{"thousands", []string{"1,234", "2,500"}, Options{}, []float64{1234, 2500}, `"," parts thousands, as in "1,234" on line 2`},
		{"money", []string{"$1,234.50", "-$7", "$0.99"}, Options{}, []float64{1234.5, -7, 0.99}, `"$" is taken off, "," parts thousands`},
		{"money, some bare", []string{"$1,234.50", "12", "3.5"}, Options{}, []float64{1234.5, 12, 3.5}, `"$"`},
		{"euros behind", []string{"1 234,50 €", "12,00 €", "999,99 €"}, Options{}, []float64{1234.5, 12, 999.99}, `"€" is taken off, " " parts thousands, the comma is the decimal mark`},
		{"spaces that do not break", []string{"1\u00a0234,5", "12\u202f000,25", "7"}, Options{}, []float64{1234.5, 12000.25, 7}, "parts thousands"},
		{"a code", []string{"EUR 1.234,50", "EUR 2.000.000", "EUR 3"}, Options{}, []float64{1234.5, 2e6, 3}, `"EUR" is taken off, "." parts thousands`},
		{"Swiss", []string{"1'234.50", "12’000", "7"}, Options{}, []float64{1234.5, 12000, 7}, `"'" parts thousands`},
		{"German", []string{"2.301,50", "2.301", "12", "1.000.000,25"}, Options{Delimiter: ";"}, []float64{2301.5, 2301, 12, 1000000.25}, `"." parts thousands, the comma is the decimal mark`},
		{"below zero, in brackets", []string{"(1,234.50)", "$(7)", "$12"}, Options{}, nil, ""},
		{"below zero, bare", []string{"(1,234.50)", "7", "(12)"}, Options{}, []float64{-1234.5, 7, -12}, "parts thousands"},
		{"below zero, in brackets, small", []string{"(7)", "12", "(3.5)"}, Options{}, []float64{-7, 12, -3.5}, ""},
		{"below zero, in brackets, decimal commas", []string{"(1,5)", "2,25"}, Options{Delimiter: ";"}, []float64{-1.5, 2.25}, ""},
		{"a typographic minus alone", []string{"\u22125", "6"}, Options{}, []float64{-5, 6}, ""},
		{"below zero, with a currency", []string{"($1,234.50)", "$7"}, Options{}, []float64{-1234.5, 7}, `"$"`},
		{"a bracket that stays open", []string{"(1,234.50", "7"}, Options{}, nil, ""},
		{"percent", []string{"12 %", "3.5%", "-1%"}, Options{}, []float64{12, 3.5, -1}, `"%" is taken off`},
		{"a typographic minus", []string{"\u22121,234", "5,000", "6"}, Options{}, []float64{-1234, 5000, 6}, "parts thousands"},
		{"ambiguous, with semicolons", []string{"1,234 €", "2,500 €"}, Options{Delimiter: ";"}, []float64{1.234, 2.5}, "the comma is the decimal mark"},
		{"decimal commas alone", []string{"1,5", "2,25"}, Options{Delimiter: ";"}, []float64{1.5, 2.25}, ""},

		{"two currencies", []string{"$5", "€6"}, Options{}, nil, "not all written in one way"},
		{"some percent", []string{"5%", "6"}, Options{}, nil, "not all written in one way"},
		{"groups of two", []string{"1,23,456", "12,34"}, Options{}, nil, ""},
		{"telephone", []string{"555 123 456", "555 987 654"}, Options{}, nil, ""},
		{"three decimals, with a sign", []string{"$3.459", "$3.559", "$2"}, Options{}, []float64{3.459, 3.559, 2}, `"$" is taken off, as in`},
		{"three decimals of percents", []string{"12.345%", "9.876%"}, Options{Delimiter: "\t"}, []float64{12.345, 9.876}, `"%" is taken off, as in`},
		{"thousands with a sign, at semicolons", []string{"2.301 €", "5 €"}, Options{Delimiter: ";"}, []float64{2301, 5}, `"." parts thousands`},
		{"money, at tabs", []string{"$1,234", "$5"}, Options{Delimiter: "\t"}, []float64{1234, 5}, `"," parts thousands`},
		{"thousands, at tabs", []string{"1,234", "500"}, Options{Delimiter: "\t"}, []float64{1234, 500}, `"," parts thousands`},
		{"decimal commas, at tabs", []string{"1,234", "0,5"}, Options{Delimiter: "\t"}, []float64{1.234, 0.5}, ""},
		{"telephone, with and without a country", []string{"+48 600 123 456", "600 123 457"}, Options{}, nil, ""},
		{"addresses", []string{"192.168.100.101", "192.168.100.102"}, Options{}, nil, ""},
		{"a list, or decimal commas", []string{"1,2", "3,15"}, Options{}, nil, "{a: number} if the comma is a decimal mark"},
		{"decimal commas, declared", []string{"1,2", "3,15"}, Options{Types: map[string]Type{"a": Number}}, []float64{1.2, 3.15}, "decimal mark"},
		{"leading zeros", []string{"012,345", "1,234"}, Options{}, nil, ""},
		{"two styles", []string{"1.234,5", "1,234.5"}, Options{}, nil, "data.thousands"},
		{"points that part no thousands", []string{"2.301,50", "1.5"}, Options{Delimiter: ";"}, nil, "data.thousands"},
		{"codes with letters", []string{"EUR 1", "EUX 2"}, Options{}, nil, ""},
		{"dates", []string{"12.01.2020", "13.02.2021"}, Options{}, nil, ""},

		{"declared", []string{"2.301", "1.500"}, Options{Thousands: map[string]string{"a": "point"}}, []float64{2301, 1500}, ""},
		{"declared, by its sign", []string{"2.301,5", "1.500"}, Options{Thousands: map[string]string{"a": "."}}, []float64{2301.5, 1500}, ""},
		{"declared, telephone", []string{"555 123 456", "555 987 654"}, Options{Thousands: map[string]string{"a": "space"}}, []float64{555123456, 555987654}, ""},
		{"declared none", []string{"1,234", "2,500"}, Options{Thousands: map[string]string{"a": "none"}, Types: map[string]Type{"a": Number}}, []float64{1.234, 2.5}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			delimiter := ","
			if tt.o.Delimiter != "" {
				delimiter = tt.o.Delimiter
			}
			text := "a" + delimiter + "b\n"
			for i, v := range tt.values {
				text += "\"" + v + "\"" + delimiter + strconv.Itoa(i) + "\n"
			}
			table, r := mustRead(t, text, tt.o)
			c, f := table.Column("a"), r.Schema()[0]
			if tt.want == nil {
				if c.Type == Number {
					t.Fatalf("read as %v", c.Numbers)
				}
			} else if !reflect.DeepEqual(c.Numbers, tt.want) {
				t.Fatalf("read as %s %v (%+v), expected %v", c.Type, c.Numbers, f, tt.want)
			}
			if !strings.Contains(f.Note, tt.note) || tt.note == "" && strings.Contains(f.Note, "thousands") && tt.want != nil && tt.o.Thousands == nil {
				t.Errorf("the note is %q, expected %q", f.Note, tt.note)
			}
			// By the schema that was found, as a model reads rows.
			if tt.want != nil {
				if again, _ := mustRead(t, text, Options{Delimiter: tt.o.Delimiter, Schema: r.Schema()}); !reflect.DeepEqual(again.Column("a").Numbers, tt.want) {
					t.Errorf("by the schema: %v", again.Column("a").Numbers)
				}
			}
		})
	}
}

// TestPointsOfAnotherColumn: where the file has decimal commas, points before three
// digits in every value of a column part thousands.
func TestPointsOfAnotherColumn(t *testing.T) {
	table, r := mustRead(t, "sales;price\n2.301;1,5\n1.500;2,25\n950;3\n", Options{})
	if c := table.Column("sales"); !reflect.DeepEqual(c.Numbers, []float64{2301, 1500, 950}) || !strings.Contains(r.Schema()[0].Note, "data.thousands to {sales: none}") {
		t.Errorf("%v, %q", c.Numbers, r.Schema()[0].Note)
	}
	for _, text := range []string{
		"sales;price\n2.301;1.5\n1.500;2.25\n",         // no decimal comma anywhere
		"sales;price\n2.301;1,5\n1.500;2,25\n1.5;3\n",  // not three digits
		"sales;price\n2.301;1,5\n1.500;2,25\n1950;3\n", // a thousand without a point
		"sales;price\n2.301;1,500\n1.500;2,250\n",      // commas that may part thousands themselves
		"sales;price\n2.301;1,5\n0.500;2,25\n",         // no thousands begin with 0
	} {
		table, _ := mustRead(t, text, Options{})
		if c := table.Column("sales"); c.Numbers[0] != 2.301 {
			t.Errorf("%q: %v", text, c.Numbers)
		}
	}
	if table, _ = mustRead(t, "sales;price\n2.301;1,5\n1.500;2,25\n", Options{Thousands: map[string]string{"sales": "none"}}); table.Column("sales").Numbers[0] != 2.301 {
		t.Errorf("declared none: %v", table.Column("sales").Numbers)
	}
}

// TestStylesLateInTheFile: a style that shows after many rows, in whichever part of
// the file, is read as one that shows at once.
func TestStylesLateInTheFile(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, style := range []struct{ plain, dressed, delimiter string }{{"%d", "$%d,250.50", ","}, {"%d", "%d.250,50", ";"}, {"%d.125", "%d.250,50", ";"}} {
		var b strings.Builder
		var want []float64
		b.WriteString("x" + style.delimiter + "y\n")
		for i := range 60_000 {
			v := 1 + r.IntN(900)
			text, x := fmt.Sprintf(style.plain, v), float64(v)
			if style.plain != "%d" {
				x = float64(v)*1000 + 125
			}
			if i > 30_000 && i%7 == 0 {
				text, x = fmt.Sprintf(style.dressed, v), float64(v)*1000+250.5
			}
			want = append(want, x)
			b.WriteString("\"" + text + "\"" + style.delimiter + "1\n")
		}
		table, rd := mustRead(t, b.String(), Options{})
		if c := table.Column("x"); c.Type != Number || !reflect.DeepEqual(c.Numbers, want) {
			t.Errorf("%s and %s: %s, %+v", style.plain, style.dressed, c.Type, rd.Schema()[0])
		}
	}
}

func TestThousandsMistakes(t *testing.T) {
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{Thousands: map[string]string{"a": "dot"}}, `"dot", expected comma, point, space, apostrophe or none`},
		{Options{Thousands: map[string]string{"c": "point"}}, "no such column"},
		{Options{Thousands: map[string]string{"a": "point"}, Types: map[string]Type{"a": Category}}, "data.thousands is of numbers"},
		{Options{Thousands: map[string]string{"a": "point"}}, `line 3, column "a": found "1.5", expected a number such as 1.234,5`},
	} {
		_, _, err := Read(writeText(t, "a;b\n2.301;1\n1.5;2\n"), tt.o)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, expected %q", tt.o, err, tt.want)
		}
	}
}

func writeText(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCommasOfThree: in text that is not divided at semicolons, commas before three
// digits part thousands; otherwise they are decimal, and told.
func TestCommasOfThree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	if err := os.WriteFile(path, []byte(`{"a": "39,571", "b": "1,5"}
{"a": "123", "b": "2,25"}
{"a": "1,234", "b": "3"}
`), 0o644); err != nil {
		t.Fatal(err)
	}
	table, schema, err := Read(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Column("a").Numbers; !reflect.DeepEqual(got, []float64{39571, 123, 1234}) || !strings.Contains(schema[0].Note, "parts thousands") {
		t.Errorf("%v, %q", got, schema[0].Note)
	}
	if got := table.Column("b").Numbers; !reflect.DeepEqual(got, []float64{1.5, 2.25, 3}) || schema[1].Note != "" {
		t.Errorf("%v, %q", got, schema[1].Note)
	}
	table, r := mustRead(t, "a;b\n1,234;1\n5;2\n2,500;3\n", Options{})
	if got := table.Column("a").Numbers; !reflect.DeepEqual(got, []float64{1.234, 5, 2.5}) || !strings.Contains(r.Schema()[0].Note, "{a: comma} if it parts thousands") {
		t.Errorf("%v, %q", got, r.Schema()[0].Note)
	}
	if table, _ = mustRead(t, "a;b\n1,234;1\n5;2\n2,500;3\n", Options{Thousands: map[string]string{"a": "comma"}}); table.Column("a").Numbers[0] != 1234 {
		t.Errorf("declared: %v", table.Column("a").Numbers)
	}
}
