package main

import (
	"math"
	"strings"

	"charm.land/lipgloss/v2"
)

// A point of a curve: after x epochs the value was y.
type point struct{ x, y float64 }

// A curve is drawn in one style.
type curve struct {
	points []point
	style  lipgloss.Style
}

// bounds returns the range of the curves' finite points; ok is false if there
// are none.
func bounds(curves []curve) (min, max point, ok bool) {
	min, max = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, c := range curves {
		for _, p := range c.points {
			if !p.finite() {
				continue
			}
			min = point{math.Min(min.x, p.x), math.Min(min.y, p.y)}
			max = point{math.Max(max.x, p.x), math.Max(max.y, p.y)}
			ok = true
		}
	}
	return min, max, ok
}

func (p point) finite() bool { return !math.IsNaN(p.y) && !math.IsInf(p.y, 0) }

// braille maps a dot's place in its cell, [row][column], to its bit in the
// characters from U+2800 on.
var braille = [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// plot draws curves over each other, each cell in the style of the last curve
// through it, as lines of braille characters that have 2×4 dots each.
func plot(width, height int, curves ...curve) []string {
	cells := make([]rune, width*height)
	owner := make([]int, width*height)
	dot := func(c, x, y int) {
		i := y/4*width + x/2
		cells[i] |= braille[y%4][x%2]
		owner[i] = c
	}
	lo, hi, ok := bounds(curves)
	// place scales v in [lo,hi] to a dot in [0,n).
	place := func(v, lo, hi float64, n int) int {
		if hi <= lo {
			return (n - 1) / 2
		}
		return int(math.Round((v - lo) / (hi - lo) * float64(n-1)))
	}
	for c := range curves {
		px, py := -1, -1
		for _, p := range curves[c].points {
			if !ok || !p.finite() {
				px = -1
				continue
			}
			x, y := place(p.x, lo.x, hi.x, 2*width), 4*height-1-place(p.y, lo.y, hi.y, 4*height)
			if px < 0 {
				px, py = x, y
			}
			steps := max(1, x-px, y-py, py-y)
			for s := range steps + 1 {
				dot(c, px+(x-px)*s/steps, py+(y-py)*s/steps)
			}
			px, py = x, y
		}
	}
	lines := make([]string, height)
	for r := range lines {
		var b strings.Builder
		for from := r * width; from < (r+1)*width; {
			to := from
			for to < (r+1)*width && owner[to] == owner[from] && (cells[to] == 0) == (cells[from] == 0) {
				to++
			}
			b.WriteString(cellText(cells[from:to], curves, owner[from]))
			from = to
		}
		lines[r] = b.String()
	}
	return lines
}

// cellText draws neighbouring cells that are all empty or all of one curve.
func cellText(cells []rune, curves []curve, owner int) string {
	if cells[0] == 0 {
		return strings.Repeat(" ", len(cells))
	}
	text := make([]rune, len(cells))
	for i, c := range cells {
		text[i] = 0x2800 + c
	}
	return curves[owner].style.Render(string(text))
}

// bar draws how much of something is done.
func bar(width int, done float64, full, rest lipgloss.Style) string {
	if width <= 0 {
		return ""
	}
	if math.IsNaN(done) {
		done = 0
	}
	halves := int(math.Round(math.Max(0, math.Min(1, done)) * float64(2*width)))
	s := strings.Repeat("━", halves/2)
	if halves%2 == 1 {
		s += "╸"
	}
	return full.Render(s) + rest.Render(strings.Repeat("─", width-(halves+1)/2))
}
