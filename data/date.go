package data

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// unixLayout is the layout of seconds since 1970, for columns that are declared
// to be datetimes.
const unixLayout = "unix"

// layouts are tried in this order. A stricter one stands before a laxer one, so
// that a time is written as it was read, and month first before day first. Zones
// by name other than UTC are left out: package time does not know their offset.
var layouts = []string{
	"2006-01-02", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04",
	"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05-0700",
	"2006-01-02 15:04:05 UTC", "2006-1-2", "2006-1-2 15:04", "2006-1-2 15:04:05", "2006-01",
	"2006/01/02", "2006/01/02 15:04:05", "2006/01/02 15:04", "2006/1/2", "2006/1/2 15:04:05", "2006/1/2 15:04",
	"01/02/2006", "02/01/2006", "1/2/2006", "2/1/2006",
	"01/02/2006 15:04", "02/01/2006 15:04", "1/2/2006 15:04", "2/1/2006 15:04",
	"01/02/2006 15:04:05", "02/01/2006 15:04:05", "1/2/2006 15:04:05", "2/1/2006 15:04:05",
	"1/2/2006 3:04 PM", "2/1/2006 3:04 PM", "1/2/2006 3:04:05 PM", "2/1/2006 3:04:05 PM",
	"01/02/06", "02/01/06", "1/2/06", "2/1/06", "1/2/06 15:04", "2/1/06 15:04",
	"01-02-2006", "02-01-2006", "1-2-2006", "2-1-2006", "02-01-2006 15:04", "02-01-2006 15:04:05",
	"02.01.2006", "2.1.2006", "02.01.2006 15:04", "02.01.2006 15:04:05", "2.1.2006 15:04", "2.1.2006 15:04:05",
	"02-Jan-2006", "2-Jan-2006", "02-Jan-06", "2-Jan-06", "02 Jan 2006", "2 Jan 2006", "2 January 2006",
	"Jan 2, 2006", "January 2, 2006", "Jan 2 2006", "02/Jan/2006:15:04:05 -0700",
	"Mon, 02 Jan 2006 15:04:05 GMT", "Mon, 02 Jan 2006 15:04:05 -0700", "Mon Jan _2 15:04:05 2006",
	"2006年1月2日", "2006年01月02日", "20060102T150405Z",
}

// dayFirst maps a layout that begins with the month to its twin that begins with
// the day.
func dayFirst(layout string) string {
	for _, p := range [][2]string{{"01/02/", "02/01/"}, {"1/2/", "2/1/"}, {"01-02-", "02-01-"}, {"1-2-", "2-1-"}} {
		if rest, ok := strings.CutPrefix(layout, p[0]); ok {
			return p[1] + rest
		}
	}
	return ""
}

// couldBeDate rules out most values before the layouts are tried.
func couldBeDate(s string) bool {
	if len(s) < 6 || len(s) > 40 {
		return false
	}
	digits, other := 0, 0
	for i := range len(s) {
		if s[i]-'0' <= 9 {
			digits++
		} else {
			other++
		}
	}
	return digits >= 3 && other >= 1
}

// matchLayouts returns the numbers of the layouts that read s.
func matchLayouts(s string) []uint8 {
	if !couldBeDate(s) {
		return nil
	}
	var match []uint8
	for i, p := range parsers {
		if _, ok := p.parse([]byte(s)); ok {
			match = append(match, uint8(i))
		}
	}
	return match
}

// strict holds for every layout the number of that which reads the same with two
// digits for day and month, and so reads nothing that it does not read; -1 if
// there is none.
var strict = func() []int {
	s := make([]int, len(layouts))
	lax := strings.NewReplacer("2006", "2006", "01", "1", "02", "2")
	for i, l := range layouts {
		s[i] = slices.IndexFunc(layouts, func(m string) bool { return m != l && lax.Replace(m) == l })
	}
	return s
}()

// dateParser reads one layout.
type dateParser struct {
	layout string
	// Where the layout is digits at fixed places, at holds those of year, month,
	// day, hour, minute and second, -1 where there is none.
	fixed bool
	at    [6]int
}

// parsers are those of layouts.
var parsers = func() []*dateParser {
	p := make([]*dateParser, len(layouts))
	for i, l := range layouts {
		p[i] = newDateParser(l)
	}
	return p
}()

func newDateParser(layout string) *dateParser {
	p := &dateParser{layout: layout, at: [6]int{-1, -1, -1, -1, -1, -1}}
	for i := 0; i < len(layout); {
		part := -1
		for k, token := range []string{"2006", "01", "02", "15", "04", "05"} {
			if strings.HasPrefix(layout[i:], token) {
				part = k
				p.at[k] = i
				i += len(token)
				break
			}
		}
		if part >= 0 {
			continue
		}
		if strings.IndexByte("-/. :T", layout[i]) < 0 {
			return p
		}
		i++
	}
	p.fixed = p.at[0] >= 0 && p.at[1] >= 0
	return p
}

// parse reads b as Unix seconds.
func (p *dateParser) parse(b []byte) (float64, bool) {
	if p.layout == unixLayout {
		v, k := parseNumber(b, '.')
		return v, k == isInteger || k == isFloat
	}
	if p.fixed && len(b) == len(p.layout) {
		return p.parseFixed(b)
	}
	t, err := time.Parse(p.layout, unsafe.String(unsafe.SliceData(b), len(b)))
	if err != nil {
		return 0, false
	}
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9, true
}

// parseFixed does what time.Parse does, faster.
func (p *dateParser) parseFixed(b []byte) (float64, bool) {
	part := [6]int{0, 1, 1, 0, 0, 0}
	for i := range b {
		if c := p.layout[i]; (c < '0' || c > '9') && b[i] != c {
			return 0, false
		}
	}
	for k, at := range p.at {
		if at < 0 {
			continue
		}
		n, width := 0, 2
		if k == 0 {
			width = 4
		}
		for _, c := range b[at : at+width] {
			if c -= '0'; c > 9 {
				return 0, false
			}
			n = 10*n + int(c)
		}
		part[k] = n
	}
	y, m, d := part[0], part[1], part[2]
	if m < 1 || m > 12 || d < 1 || d > daysIn(m, y) || part[3] > 23 || part[4] > 59 || part[5] > 59 {
		return 0, false
	}
	// Days since 1970 by years that begin in March, so that leap days come last.
	if m <= 2 {
		y--
		m += 12
	}
	days := 365*y + floorDiv(y, 4) - floorDiv(y, 100) + floorDiv(y, 400) + (153*(m-3)+2)/5 + d - 1 - 719468
	return float64(((days*24+part[3])*60+part[4])*60 + part[5]), true
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func daysIn(month, year int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func formatTime(v float64, layout string) string {
	sec := math.Floor(v)
	t := time.Unix(int64(sec), int64(math.Round((v-sec)*1e6))*1e3).UTC()
	if layout == unixLayout {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	if layout == "" {
		layout = time.RFC3339
	}
	return t.Format(layout)
}
