package data

import (
	"encoding/binary"
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
	iso   bool // begins with 2006-01-02, and only a time may follow
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
	p.iso = layout == "2006-01-02" || len(layout) == 19 && layout[:10] == "2006-01-02" && layout[11:] == "15:04:05"
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
	if p.iso {
		return p.parseISO(b)
	}
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
	return unixSeconds(part[0], part[1], part[2], part[3], part[4], part[5])
}

// parseISO is parseFixed of the commonest layouts, which are looked at eight
// characters at a time.
func (p *dateParser) parseISO(b []byte) (float64, bool) {
	const (
		date, dateMarks = 0x2d30302d30303030, 0xff0000ff00000000 // 0000-00-
		time, timeMarks = 0x30303a30303a3030, 0x0000ff0000ff0000 // 00:00:00
		carry, tops     = 0x7676767676767676, 0x8080808080808080
	)
	t := binary.LittleEndian.Uint64(b) ^ date
	d0, d1 := b[8]-'0', b[9]-'0'
	if t&dateMarks != 0 || (t+carry|t)&tops != 0 || d0 > 9 || d1 > 9 {
		return 0, false
	}
	at := func(t uint64, i int) int { return int(byte(t>>(8*i)))*10 + int(byte(t>>(8*i+8))) }
	y, m, d := 100*at(t, 0)+at(t, 2), at(t, 5), int(d0)*10+int(d1)
	if len(b) == 10 {
		return unixSeconds(y, m, d, 0, 0, 0)
	}
	t = binary.LittleEndian.Uint64(b[11:]) ^ time
	if b[10] != p.layout[10] || t&timeMarks != 0 || (t+carry|t)&tops != 0 {
		return 0, false
	}
	return unixSeconds(y, m, d, at(t, 0), at(t, 3), at(t, 6))
}

// unixSeconds says no where there is no such time.
func unixSeconds(y, m, d, hour, minute, second int) (float64, bool) {
	if m < 1 || m > 12 || d < 1 || d > 28 && d > daysIn(m, y) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	days := 0 // from 1970 to the month's first
	if k := uint(12*(y-firstYear) + m - 1); k < uint(len(firstDays)) {
		days = int(firstDays[k])
	} else {
		days = daysTo(y, m)
	}
	return float64((((days+d-1)*24+hour)*60+minute)*60 + second), true
}

// firstDays are the days from 1970 to the first of the months of the years that
// most dates are of.
var firstDays = func() (days [12 * 200]int32) {
	for k := range days {
		days[k] = int32(daysTo(firstYear+k/12, k%12+1))
	}
	return days
}()

const firstYear = 1900

// daysTo counts the days from 1970 to the first of a month, by years that begin
// in March, so that leap days come last.
func daysTo(y, m int) int {
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + floorDiv(y, 4) - floorDiv(y, 100) + floorDiv(y, 400) + (153*(m-3)+2)/5 - 719468
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
