package data

import (
	"fmt"
	"math"
	"slices"
)

// imageSample is how many images of each table are looked at.
const imageSample = 2000

// unreadable finds images that cannot be read.
func (k *checker) unreadable(v *view) []Finding {
	c := k.table.Column(v.Name) // of which the view has the digests
	bad := BadImages(c)
	if len(bad) == 0 {
		return nil
	}
	n, first := c.Len(), bad[0]
	return []Finding{{
		Column: v.Name, Kind: FindingUnreadable, Severity: SeverityWarning,
		Evidence: map[string]float64{"rows": float64(len(bad))},
		Message:  fmt.Sprintf("cannot be read in %d of %d rows, as in row %d (%s): %v", len(bad), n, first.Row+1, c.Picture(first.Row).Name(), first.Err),
		Remedy:   "replace these images: a run sets their rows aside, and stops where there are many",
	}}
}

// imageDrift compares how bright, rich in contrast, sharp and large the images of
// both tables are: another camera, another scanner, another exposure.
func (k *checker) imageDrift(v *view) []Finding {
	if k.Against == nil || v.other == nil || v.other.Type != Image {
		return nil
	}
	here, there := ImageMeasures(k.table.Column(v.Name)), ImageMeasures(k.Against.Column(v.Name))
	var found []Finding
	for i, m := range here {
		w := newView(&Column{Name: v.Name, Type: Number, Numbers: some(m.Numbers)})
		w.other = &Column{Name: v.Name, Type: Number, Numbers: some(there[i].Numbers)}
		for _, f := range k.drift(w) {
			f.Message = m.Name + imageUnits[m.Name] + " " + f.Message
			found = append(found, f)
		}
	}
	return found
}

// some are the numbers of the rows that were measured.
func some(numbers []float64) []float64 {
	var out []float64
	for i := 0; i < len(numbers); i += imageStep(len(numbers)) {
		out = append(out, numbers[i])
	}
	return out
}

func imageStep(n int) int { return n/imageSample + 1 }

var imageUnits = map[string]string{"brightness": " (0 to 255)", "contrast": " (0 to 255)", "sharpness": " (0 to 255)", "width": " (pixels)", "height": " (pixels)"}

// ImageMeasures returns numbers that describe the images of a column: brightness
// (the mean of the pixels), contrast (their standard deviation), sharpness (the
// root mean square of what a pixel differs from the mean of its four neighbours),
// width and height. Those of images that cannot be read are NaN, and of a column
// of more than 2,000 so are those of all but about as many, evenly spread: nothing
// is told from them that a sample would not show.
func ImageMeasures(c *Column) []*Column {
	names := []string{"brightness", "contrast", "sharpness", "width", "height"}
	out := make([]*Column, len(names))
	for i, name := range names {
		out[i] = &Column{Name: name, Type: Number, Numbers: slices.Repeat([]float64{math.NaN()}, c.Len())}
	}
	step := imageStep(c.Len())
	parallel((c.Len()+step-1)/step, func(k int) {
		i := k * step
		if c.Missing(i) {
			return
		}
		p, err := c.Picture(i).Decode()
		if err != nil {
			return
		}
		for j, v := range p.measures() {
			out[j].Numbers[i] = v
		}
	})
	return out
}

// measures are those of [ImageMeasures].
func (p *Pixels) measures() [5]float64 {
	sum, square := 0.0, 0.0
	for _, x := range p.Pix {
		sum += float64(x)
		square += float64(x) * float64(x)
	}
	n := float64(len(p.Pix))
	m := sum / n
	edges, inner := 0.0, 0.0
	row := p.Width * p.Channels
	for y := 1; y < p.Height-1; y++ {
		for i := y*row + p.Channels; i < (y+1)*row-p.Channels; i++ {
			d := float64(p.Pix[i]) - float64(int(p.Pix[i-p.Channels])+int(p.Pix[i+p.Channels])+int(p.Pix[i-row])+int(p.Pix[i+row]))/4
			edges += float64(d * d)
			inner++
		}
	}
	return [5]float64{m, math.Sqrt(max(0, square/n-float64(m*m))), math.Sqrt(edges / max(1, inner)), float64(p.Width), float64(p.Height)}
}
