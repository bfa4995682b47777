package report

import (
	"math"
	"strconv"
)

// Cells hold their counts up to countedClasses; rows and columns are named up
// to namedClasses. Beyond, the table of mistakes reads better.
const (
	countedClasses = 10
	namedClasses   = 24
)

// confusionChart is the confusion matrix as a heat map by row share.
func confusionChart(r reading) *chart {
	k := len(r.Confusion)
	if k == 0 {
		return nil
	}
	c := &chart{ID: "confusion", Title: r.say("Confusion matrix"),
		Caption: r.say("Each row is a true class and what its rows were taken for.")}
	if k <= countedClasses {
		c.Caption = r.join(c.Caption, r.say("Count, and share of the row."))
	}
	named := k <= namedClasses
	left, top := 20.0, 26.0
	if named {
		for _, name := range r.Classes {
			left = math.Max(left, math.Min(98, textWidth(clean(name))+8))
		}
	}
	left += 18
	cw := (width - left - 2) / float64(k)
	flat := true // column names lie flat if all fit
	for _, name := range r.Classes {
		flat = flat && textWidth(clean(name)) <= cw-4
	}
	if named && !flat && k > 2 {
		top = 86
	} else if named {
		top = 40
	}
	ch := math.Min(math.Max(cw*0.62, 30), 84)
	if k > countedClasses {
		ch = cw
	}
	d := &drawing{w: width, h: top + ch*float64(k) + 6}
	d.text(left, 12, "name", "start", r.say("predicted"))
	d.add(`<text x="0" y="0" class="name" text-anchor="middle" transform="translate(10 %s) rotate(-90)">%s</text>`, px(top+ch*float64(k)/2), escape(r.say("true")))
	correct, total := 0.0, 0.0
	for i, row := range r.Confusion {
		sum := 0.0
		for _, v := range row {
			sum += v
		}
		y := top + ch*float64(i)
		if named {
			d.label(left-8, y+ch/2+4, "tick", "end", r.Classes[i], left-26)
			x := left + cw*(float64(i)+0.5)
			if top == 40 {
				d.label(x, 32, "tick", "middle", r.Classes[i], cw-4)
			} else {
				d.add(`<text x="0" y="0" class="tick" text-anchor="start" transform="translate(%s %s) rotate(-50)">%s</text>`,
					px(x+3), px(top-6), escape(fit(r.Classes[i], 80)))
			}
		}
		for j, v := range row {
			share := 0.0
			if sum > 0 {
				share = v / sum
			}
			dark := share
			if k > countedClasses {
				dark = math.Sqrt(share) // lone mistakes are to be seen among many classes
			}
			class := "miss"
			if i == j {
				class, correct = "hit", correct+v
			}
			total += v
			x := left + cw*float64(j)
			gap := math.Min(2, cw*0.08)
			d.add(`<rect x="%s" y="%s" width="%s" height="%s" rx="%s" class="cell"/>`, px(x), px(y), px(cw-gap), px(ch-gap), px(gap))
			if share > 0 {
				d.add(`<rect x="%s" y="%s" width="%s" height="%s" rx="%s" class="%s" fill-opacity="%s"/>`,
					px(x), px(y), px(cw-gap), px(ch-gap), px(gap), class, strconv.FormatFloat(round(0.06+0.54*dark, 2), 'f', -1, 64))
			}
			if k > countedClasses || v == 0 && k > 4 {
				continue
			}
			mx, my := x+(cw-gap)/2, y+(ch-gap)/2
			switch {
			case ch >= 44:
				d.text(mx, my-1, "count", "middle", count(v))
				d.text(mx, my+15, "share", "middle", percent(share))
			case cw >= 26:
				d.text(mx, my-1, "small", "middle", compact(v))
				d.text(mx, my+10, "tiny", "middle", wholePercent(share))
			default:
				d.text(mx, my+3.5, "tiny", "middle", compact(v))
			}
		}
	}
	if k <= namedClasses {
		c.Table.Name, c.Table.Head = c.Title, []string{r.say("true class")}
		for _, name := range r.Classes {
			c.Table.Head = append(c.Table.Head, r.say("as %s", clean(name)))
		}
		for i, counts := range r.Confusion {
			cells := []string{r.Classes[i]}
			for _, v := range counts {
				cells = append(cells, count(v))
			}
			c.Table.Rows = append(c.Table.Rows, row(cells...))
		}
	}
	c.SVG = d.finish(c.ID, c.Title, r.say("%s of %s test rows lie on the diagonal, decided right.", count(correct), count(total)))
	return c
}

// compact prints a count in at most four or so characters.
func compact(v float64) string {
	switch {
	case v >= 999500:
		return strconv.FormatFloat(round(v/1e6, 2), 'f', -1, 64) + "M"
	case v >= 9995:
		return strconv.FormatFloat(math.Round(v/1000), 'f', -1, 64) + "k"
	}
	return strconv.FormatFloat(round(v, 4), 'f', -1, 64)
}

// bar is one row of a bar chart.
type bar struct {
	name, value string
	share       float64
}

// bars draws one horizontal bar for each item, from 0 to 1.
func bars(class string, items []bar) *drawing {
	const step = 26.0
	d := &drawing{w: width, h: step*float64(len(items)) + 4}
	left, right := 60.0, 0.0
	for _, b := range items {
		left = math.Max(left, math.Min(170, textWidth(clean(b.name))+2))
		right = math.Max(right, textWidth(b.value))
	}
	left += 8
	for i, b := range items {
		y := step * float64(i)
		d.label(left-8, y+16, "tick", "end", b.name, left-8)
		full := width - left - right - 8
		d.add(`<rect x="%s" y="%s" width="%s" height="12" rx="2" class="cell"/>`, px(left), px(y+6), px(full))
		d.add(`<rect x="%s" y="%s" width="%s" height="12" rx="2" class="%s"/>`, px(left), px(y+6), px(math.Max(0, math.Min(1, b.share))*full), class)
		d.text(width, y+16, "tick", "end", b.value)
	}
	return d
}

// stacked draws bars with their names above them, for names that are long.
func stacked(class string, items []bar) *drawing {
	const step = 36.0
	d := &drawing{w: width, h: step * float64(len(items))}
	right := 0.0
	for _, b := range items {
		right = math.Max(right, textWidth(b.value))
	}
	for i, b := range items {
		y := step * float64(i)
		full := width - right - 10
		d.label(0, y+13, "tick", "start", b.name, width)
		d.add(`<rect x="0" y="%s" width="%s" height="9" rx="2" class="cell"/>`, px(y+19), px(full))
		d.add(`<rect x="0" y="%s" width="%s" height="9" rx="2" class="%s"/>`, px(y+19), px(math.Max(0, math.Min(1, b.share))*full), class)
		d.text(width, y+28, "tick", "end", b.value)
	}
	return d
}

// confusedChart lists the most frequent mistakes.
func confusedChart(r reading) *chart {
	if len(r.Confused) == 0 {
		return nil
	}
	c := &chart{ID: "confused", Title: r.say("Most frequent mistakes"), Caption: r.say("True class → what it was taken for, rows, and the share of the true class."),
		Table: table{Name: r.say("Most frequent mistakes"), Head: []string{r.say("true class"), r.say("taken for"), r.say("rows"), r.say("share")}}}
	var items []bar
	for _, m := range r.Confused[:min(7, len(r.Confused))] {
		items = append(items, bar{fit(m.True, 165) + " → " + fit(m.Predicted, 165), count(m.Rows) + " · " + wholePercent(m.Share), m.Share})
	}
	for _, m := range r.Confused {
		c.Table.Rows = append(c.Table.Rows, row(m.True, m.Predicted, count(m.Rows), percent(m.Share)))
	}
	c.SVG = stacked("wrong", items).finish(c.ID, c.Title, r.say("Most often, %s was taken for %s: %s rows.", r.Confused[0].True, r.Confused[0].Predicted, count(r.Confused[0].Rows)))
	return c
}

// perClassChart shows F1 by class, worst first when there are many.
func perClassChart(r reading) *chart {
	if len(r.PerClass) < 3 {
		return nil
	}
	c := &chart{ID: "classes", Title: r.say("Class by class"), Caption: r.say("F1, the harmonic mean of precision and recall."),
		Table: table{Name: r.say("Class by class"), Head: []string{r.say("class"), r.say("rows"), r.say("precision"), r.say("recall"), "F1"}}}
	for _, k := range r.PerClass {
		c.Table.Rows = append(c.Table.Rows, row(k.Class, count(k.Rows), number(k.Precision), number(k.Recall), number(k.F1)))
	}
	shown := worst(r.PerClass, 10)
	if len(shown) < len(r.PerClass) {
		c.Caption = r.join(c.Caption, r.say("The %d weakest of %d classes.", len(shown), len(r.PerClass)))
	}
	var items []bar
	for _, k := range shown {
		items = append(items, bar{k.Class, number(k.F1), k.F1})
	}
	c.SVG = bars("bar", items).finish(c.ID, r.say("F1 by class"), r.say("The weakest class is %s with %s.", shown[0].Class, number(shown[0].F1)))
	return c
}
