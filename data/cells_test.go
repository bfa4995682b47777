package data

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The grid finds the fields that the scanner finds, and refuses what that refuses
// or what has another number of fields.
func TestGridIsScanner(t *testing.T) {
	pieces := []string{"a", "bc", "1.5", "", " ", "\t", "\"", "\"\"", ",", ",", ",", ";", "\n", "\n", "\r\n", "\r", "\"x\"", "\"x,\ny\"", "\"a\"\"b\"", strings.Repeat("long ", 20), "é"}
	rapid.Check(t, func(rt *rapid.T) {
		var text strings.Builder
		width := rapid.IntRange(1, 4).Draw(rt, "width")
		for range rapid.IntRange(0, 30).Draw(rt, "rows") {
			for j := range width {
				if j > 0 {
					text.WriteByte(',')
				}
				for range rapid.IntRange(0, 2).Draw(rt, "parts") {
					text.WriteString(rapid.SampledFrom(pieces).Draw(rt, "piece"))
				}
			}
			text.WriteByte('\n')
		}
		data := []byte(text.String())
		if len(data) > 0 && rapid.Bool().Draw(rt, "cut") {
			data = data[:len(data)-1]
		}
		quote := rapid.SampledFrom([]byte{'"', 0}).Draw(rt, "quote")

		var want []string
		sc, rows := scanner{delimiter: ',', quote: quote}, 0
		fine := true
		for pos := 0; ; {
			next, err := sc.next(data, pos)
			if err != nil || next >= 0 && len(sc.fields) != width {
				fine = false
			}
			if !fine || next < 0 {
				break
			}
			rows++
			for _, f := range sc.fields {
				want = append(want, string(sc.value(data, f)))
			}
			pos = next
		}
		var g grid
		var got []string
		gotRows := 0
		for pos := 0; pos < len(data); {
			next, ok := g.fill(data, pos, width, ',', quote)
			if ok != fine {
				rt.Fatalf("%q: the scanner says %v, the grid %v", data, fine, ok)
			}
			if !ok {
				return
			}
			gotRows += g.rows
			for _, c := range g.cells[:g.rows*width] {
				got = append(got, string(g.value(c)))
			}
			pos = next
		}
		if gotRows != rows || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			rt.Fatalf("%q:\n got %d %q\nwant %d %q", data, gotRows, got, rows, want)
		}
	})
}

// What the quick way reads is what the careful one reads, bit for bit.
func TestQuickNumber(t *testing.T) {
	check := func(s string) {
		t.Helper()
		data := []byte("x," + s + ",          ")
		v, kind := quickNumber(data, 2, 2+len(s))
		want, wantKind := parseNumber([]byte(s), '.')
		if kind != notNumber && (kind != wantKind || math.Float64bits(v) != math.Float64bits(want)) {
			t.Fatalf("%q: %v %d, expected %v %d", s, v, kind, want, wantKind)
		}
	}
	for _, s := range []string{"", "-", ".", "1.", ".5", "-.5e3", "1e", "1e+", "1e5", "1E-5", "+7", "-0", "-0.0", "007", "0", "12a", "1.2.3", "1-2",
		"123456789012345", "1234567890123456", "12345678", "123456789", "1234567.12345678", "9007199254740993.5", "0.1234567890123456789", "18446744073709551615.5",
		"99999999999999999999.5", "184467440737095516150.5", "0.000000000000000000001", "1e22", "1e23", "123e22", "1.5e-330", "5e999", "1/2", "1:2", "1,5", "٣"} {
		check(s)
	}
	rapid.Check(t, func(rt *rapid.T) {
		x := rapid.Float64().Draw(rt, "x")
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		format := rapid.SampledFrom([]byte{'f', 'e', 'g'}).Draw(rt, "format")
		check(strconv.FormatFloat(x, format, rapid.IntRange(-1, 20).Draw(rt, "digits"), 64))
		check(strconv.FormatInt(rapid.Int64().Draw(rt, "n"), 10))
		check(fmt.Sprintf("%d.%0*d", rapid.Uint32().Draw(rt, "whole"), rapid.IntRange(1, 12).Draw(rt, "places"), rapid.Uint32().Draw(rt, "fraction")))
	})
}
