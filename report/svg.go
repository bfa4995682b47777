package report

import (
	"encoding/xml"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Every chart is drawn on the same small canvas, so that its letters stay
// legible when it is as wide as a phone.
const (
	width  = 360.0
	height = 262.0
)

// chart is a drawing with what a reader who cannot see it needs.
type chart struct {
	ID      string
	Title   string
	Caption string
	SVG     template.HTML
	Table   table // its numbers, folded beneath it
}

// drawing collects SVG elements. Colours come from classes of the page's
// style sheet, so that one drawing serves light, dark and print.
type drawing struct {
	b    strings.Builder
	w, h float64
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

func (d *drawing) text(x, y float64, class, anchor, s string) {
	d.add(`<text x="%s" y="%s" class="%s" text-anchor="%s">%s</text>`, px(x), px(y), class, anchor, escape(s))
}

// label is text that is cut to fit max units, its whole kept as a tooltip.
func (d *drawing) label(x, y float64, class, anchor, s string, max float64) {
	cut := fit(s, max)
	if cut == clean(s) {
		d.text(x, y, class, anchor, s)
		return
	}
	d.add(`<text x="%s" y="%s" class="%s" text-anchor="%s">%s<title>%s</title></text>`,
		px(x), px(y), class, anchor, escape(cut), escape(s))
}

func (d *drawing) line(x1, y1, x2, y2 float64, class string) {
	d.add(`<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s"/>`, px(x1), px(y1), px(x2), px(y2), class)
}

// finish wraps the elements with the title and description that screen
// readers speak.
func (d *drawing) finish(id, title, desc string) template.HTML {
	return template.HTML(fmt.Sprintf(
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>%s</svg>`,
		px(d.w), px(d.h), id, id, id, escape(title), id, escape(desc), d.b.String()))
}

// px prints a coordinate: a tenth of a unit is finer than any screen.
func px(x float64) string {
	return strconv.FormatFloat(math.Round(x*10)/10+0, 'f', -1, 64)
}

// escape makes s safe as XML text and drops what XML cannot hold.
func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(clean(s))); err != nil { // a Builder never fails
		return ""
	}
	return b.String()
}

// clean flattens a user's text onto one line without control characters or
// the marks that reorder the text around them.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Bidi_Control, r), r == 0xFFFE, r == 0xFFFF:
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// cleanLines is clean for text of several lines.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		indent := len(l) - len(strings.TrimLeft(l, " "))
		lines[i] = l[:indent] + clean(l)
	}
	return strings.Join(lines, "\n")
}

// textWidth estimates the width of s at the charts' letter size; there is no
// font to measure with.
func textWidth(s string) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Me, r):
		case r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0xFF00 || r >= 0x1F300):
			w += 12
		case strings.ContainsRune("iljtfr.,:;|!'()[] ", r):
			w += 4.2
		case unicode.IsUpper(r), r == 'm', r == 'w', r == '%', r == '@':
			w += 9.2
		default:
			w += 7.1
		}
	}
	return w
}

// fit cuts s with an ellipsis to at most max units.
func fit(s string, max float64) string {
	s = clean(s)
	if textWidth(s) <= max {
		return s
	}
	runes := []rune(s)
	for len(runes) > 1 && textWidth(string(runes))+10 > max {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimSpace(string(runes)) + "…"
}

// scale maps values onto coordinates.
type scale struct {
	lo, hi   float64 // values
	from, to float64 // coordinates
	log      bool
}

func (s scale) at(v float64) float64 {
	lo, hi := s.lo, s.hi
	if s.log {
		v, lo, hi = math.Log(v), math.Log(lo), math.Log(hi)
	}
	if hi == lo {
		return (s.from + s.to) / 2
	}
	return s.from + (v-lo)/(hi-lo)*(s.to-s.from)
}

// ticks are round values within the scale, about n of them.
func (s scale) ticks(n int) []float64 {
	if s.log {
		return s.logTicks()
	}
	span := s.hi - s.lo
	if !(span > 1e-12*math.Max(math.Abs(s.lo), math.Abs(s.hi))) || math.IsInf(span, 0) {
		return []float64{s.lo} // neighbouring numbers have no round ones between them to count to
	}
	step := math.Pow(10, math.Floor(math.Log10(span/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if span/(step*m) <= float64(n) {
			step *= m
			break
		}
	}
	var out []float64
	for k := math.Ceil(s.lo/step - 1e-9); k*step <= s.hi+step*1e-9; k++ {
		out = append(out, k*step)
	}
	return out
}

func (s scale) logTicks() []float64 {
	var all, tens []float64
	for e := math.Floor(math.Log10(s.lo)); e <= math.Ceil(math.Log10(s.hi)); e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= s.lo*(1-1e-9) && v <= s.hi*(1+1e-9) {
				all = append(all, v)
				if m == 1 {
					tens = append(tens, v)
				}
			}
		}
	}
	if len(all) > 7 && len(tens) > 1 {
		return tens
	}
	return all
}

// tickLabels prints ticks with just the decimals that tell them apart.
func tickLabels(ticks []float64) []string {
	out := make([]string, len(ticks))
	most := 0.0
	for _, t := range ticks {
		most = math.Max(most, math.Abs(t))
	}
	for i, t := range ticks {
		t += 0 // −0 is 0
		switch {
		case t == 0:
			out[i] = "0"
		case most >= 1e6 || most > 0 && most < 1e-3:
			out[i] = strconv.FormatFloat(round(t, 3), 'g', -1, 64)
		case most >= 10000:
			out[i] = strconv.FormatFloat(round(t/1000, 6), 'f', -1, 64) + "k"
		default:
			out[i] = strconv.FormatFloat(round(t, 6), 'f', -1, 64)
		}
		out[i] = strings.Replace(out[i], "-", "−", 1)
	}
	return out
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// extent is the range of all finite values, widened by pad of its span.
func extent(pad float64, values ...[]float64) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, vs := range values {
		for _, v := range vs {
			if finite(v) {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
	}
	if lo > hi {
		return 0, 1, false
	}
	span := hi - lo
	if span == 0 {
		span = math.Max(math.Abs(hi), 1) * 0.1
		pad = math.Max(pad, 0.5)
	}
	return lo - pad*span, hi + pad*span, true
}

// plot is a drawing with two axes.
type plot struct {
	drawing
	x, y scale
}

// axes starts a plot with a quiet grid and named axes.
func axes(xlo, xhi, ylo, yhi float64, logY bool, xName, yName string) *plot {
	p := &plot{}
	p.w, p.h = width, height
	p.y = scale{lo: ylo, hi: yhi, from: height - 40, to: 34, log: logY}
	yt := p.y.ticks(5)
	yl := tickLabels(yt)
	left := 0.0
	for _, l := range yl {
		left = math.Max(left, textWidth(l))
	}
	p.x = scale{lo: xlo, hi: xhi, from: left + 12, to: width - 12}
	for i, t := range yt {
		y := p.y.at(t)
		p.line(p.x.from, y, p.x.to, y, "grid")
		p.text(p.x.from-8, y+4, "tick", "end", yl[i])
	}
	xt := p.x.ticks(6)
	for i, l := range tickLabels(xt) {
		p.text(p.x.at(xt[i]), p.y.from+18, "tick", "middle", l)
	}
	p.line(p.x.from, p.y.from, p.x.to, p.y.from, "axis")
	p.text(p.x.to, height-5, "name", "end", xName)
	p.text(0, 14, "name", "start", yName)
	return p
}

// path draws a line through the finite points, broken where one is missing.
func (p *plot) path(xs, ys []float64, class string) {
	var b strings.Builder
	pen := false
	for i, x := range xs {
		if !finite(ys[i]) {
			pen = false
			continue
		}
		op := "M"
		if pen {
			op = "L"
		}
		b.WriteString(op + px(p.x.at(x)) + " " + px(p.y.at(ys[i])))
		pen = true
	}
	if b.Len() > 0 {
		p.add(`<path d="%s" class="%s"/>`, b.String(), class)
	}
}

func (p *plot) dot(x, y, r float64, class string) {
	p.add(`<circle cx="%s" cy="%s" r="%s" class="%s"/>`, px(p.x.at(x)), px(p.y.at(y)), px(r), class)
}

// legend names the lines, right-aligned above the plot.
func (p *plot) legend(entries ...[2]string) { // class, name
	x := p.x.to
	for i := len(entries) - 1; i >= 0; i-- {
		class, name := entries[i][0], fit(entries[i][1], 130)
		p.text(x, 14, "tick", "end", name)
		x -= textWidth(name) + 6
		p.line(x-16, 10, x, 10, class)
		x -= 28
	}
}
