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

// imageDrift compares how bright and how rich in contrast the images of both
// tables are: another camera, another scanner, another exposure.
func (k *checker) imageDrift(v *view) []Finding {
	if k.Against == nil || v.other == nil || v.other.Type != Image {
		return nil
	}
	here, there := lightOf(k.table.Column(v.Name)), lightOf(k.Against.Column(v.Name))
	var found []Finding
	for i, name := range []string{"brightness", "contrast"} {
		w := newView(&Column{Name: v.Name, Type: Number, Numbers: here[i]})
		w.other = &Column{Name: v.Name, Type: Number, Numbers: there[i]}
		for _, f := range k.drift(w) {
			f.Message = name + " (0 to 255) " + f.Message
			found = append(found, f)
		}
	}
	return found
}

// lightOf returns the mean and the deviation of the pixels of images of a column,
// NaN for those that cannot be read.
func lightOf(c *Column) (light [2][]float64) {
	step := c.Len()/imageSample + 1
	n := (c.Len() + step - 1) / step
	for i := range light {
		light[i] = slices.Repeat([]float64{math.NaN()}, n)
	}
	parallel(n, func(i int) {
		p, err := c.Picture(i * step).Decode()
		if err != nil {
			return
		}
		sum, square := 0.0, 0.0
		for _, x := range p.Pix {
			sum += float64(x)
			square += float64(x) * float64(x)
		}
		m := sum / float64(len(p.Pix))
		light[0][i], light[1][i] = m, math.Sqrt(max(0, square/float64(len(p.Pix))-float64(m*m)))
	})
	return light
}
