package lifecycle

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/model"
)

// A perturbation is a way to change rows that should change little of what is
// predicted. It leaves the table alone.
type perturbation struct {
	kind, column, words string
	apply               func(t *data.Table) (*data.Table, error)
}

// mostMissing is how many columns are taken away, one at a time.
const mostMissing = 50

// perturbations are those of the columns that a model reads. What they draw
// follows from the seed and the row alone.
func perturbations(m *model.Model, t *data.Table, seed uint64) (list []perturbation, notes []string) {
	var numbers, texts, values, images, all []string
	for _, in := range m.Inputs {
		c := t.Column(in.Column)
		if c == nil {
			continue
		}
		all = append(all, c.Name)
		switch c.Type {
		case data.Number:
			numbers = append(numbers, c.Name)
		case data.Text:
			texts = append(texts, c.Name)
		case data.Category:
			values = append(values, c.Name)
		case data.Image:
			images = append(images, c.Name)
		}
	}
	of := func(kind, words string, columns []string, change func(c *data.Column, r *rand.Rand) (*data.Column, error)) {
		if len(columns) == 0 {
			return
		}
		said := columns[0]
		if len(columns) > 1 {
			said = fmt.Sprintf("%d columns", len(columns))
		}
		list = append(list, perturbation{kind, said, words, func(t *data.Table) (*data.Table, error) {
			return changeColumns(t, columns, func(k int, c *data.Column) (*data.Column, error) {
				return change(c, rand.New(rand.NewPCG(seed, uint64(k)+hashOf(kind+words))))
			})
		}})
	}
	for _, share := range []float64{0.05, 0.1} {
		of("typos", fmt.Sprintf("1 of %g letters mistyped", 1/share), texts, func(c *data.Column, r *rand.Rand) (*data.Column, error) {
			return rewritten(c, func(s string) string { return mistyped(s, share, r) }), nil
		})
	}
	cased := append(slices.Clone(texts), values...)
	of("case", "all in small letters", cased, func(c *data.Column, _ *rand.Rand) (*data.Column, error) { return rewritten(c, strings.ToLower), nil })
	of("case", "all in capitals", cased, func(c *data.Column, _ *rand.Rand) (*data.Column, error) { return rewritten(c, strings.ToUpper), nil })
	for _, part := range []float64{0.1, 0.25, 0.5} {
		of("noise", fmt.Sprintf("normal noise of %g standard deviations", part), numbers, func(c *data.Column, r *rand.Rand) (*data.Column, error) {
			sd := spreadOf(c.Numbers)
			return renumbered(c, func(v float64) float64 { return v + float64(part*sd)*r.NormFloat64() }), nil
		})
	}
	of("shift", "raised by 0.25 standard deviations", numbers, func(c *data.Column, _ *rand.Rand) (*data.Column, error) {
		sd := spreadOf(c.Numbers)
		return renumbered(c, func(v float64) float64 { return v + 0.25*sd }), nil
	})
	of("scale", "made 10 % greater", numbers, func(c *data.Column, _ *rand.Rand) (*data.Column, error) {
		return renumbered(c, func(v float64) float64 { return v * 1.1 }), nil
	})
	pixels := func(kind, words string, change func(p *data.Pixels, r *rand.Rand) *data.Pixels) {
		of(kind, words, images, func(c *data.Column, r *rand.Rand) (*data.Column, error) { return repainted(c, r, change) })
	}
	pixels("brightness", "a fifth brighter", func(p *data.Pixels, _ *rand.Rand) *data.Pixels {
		return mapped(p, func(v float64) float64 { return v * 1.2 })
	})
	pixels("brightness", "a fifth darker", func(p *data.Pixels, _ *rand.Rand) *data.Pixels {
		return mapped(p, func(v float64) float64 { return v * 0.8 })
	})
	pixels("contrast", "a third less contrast", func(p *data.Pixels, _ *rand.Rand) *data.Pixels {
		mean := 0.0
		for _, v := range p.Pix {
			mean += float64(v) / float64(len(p.Pix))
		}
		return mapped(p, func(v float64) float64 { return mean + (v-mean)*2/3 })
	})
	pixels("blur", "blurred: each pixel the mean of nine", func(p *data.Pixels, _ *rand.Rand) *data.Pixels { return blurred(p) })
	pixels("pixel noise", "normal noise of 10 of 255", func(p *data.Pixels, r *rand.Rand) *data.Pixels {
		return mapped(p, func(v float64) float64 { return v + 10*r.NormFloat64() })
	})
	pixels("rotation", "turned by 5 degrees", func(p *data.Pixels, _ *rand.Rand) *data.Pixels { return turnedBy(p, 5) })
	if len(all) < 2 {
		return list, notes // nothing would be left to predict by
	}
	for k, name := range all {
		if t.Column(name).Type == data.Image {
			continue
		}
		if k >= mostMissing {
			notes = append(notes, fmt.Sprintf("of %d columns the first %d were taken away, one at a time", len(all), mostMissing))
			break
		}
		of("missing", "missing in every row", []string{name}, func(c *data.Column, _ *rand.Rand) (*data.Column, error) { return emptied(c), nil })
	}
	return list, notes
}

// changeColumns returns the table with some columns changed, the k-th by k.
func changeColumns(t *data.Table, names []string, change func(k int, c *data.Column) (*data.Column, error)) (*data.Table, error) {
	out := *t
	out.Columns = slices.Clone(t.Columns)
	for k, name := range names {
		at := slices.IndexFunc(out.Columns, func(c *data.Column) bool { return c.Name == name })
		c, err := change(k, out.Columns[at])
		if err != nil {
			return nil, err
		}
		out.Columns[at] = c
	}
	return &out, nil
}

// hashOf is FNV-1a, by which draws of one change do not depend on another's.
func hashOf(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// rewritten changes every value of a text or category, row by row.
func rewritten(c *data.Column, change func(string) string) *data.Column {
	d := *c
	d.Codes, d.Dict = make([]int32, len(c.Codes)), nil
	at := map[string]int32{}
	for i, k := range c.Codes {
		if d.Codes[i] = -1; k < 0 {
			continue
		}
		v := change(c.Dict[k])
		code, known := at[v]
		if !known || c.Type == data.Text {
			code = int32(len(d.Dict))
			d.Dict = append(d.Dict, v)
			at[v] = code
		}
		d.Codes[i] = code
	}
	return &d
}

func renumbered(c *data.Column, change func(float64) float64) *data.Column {
	d := *c
	d.Numbers = make([]float64, len(c.Numbers))
	for i, v := range c.Numbers {
		d.Numbers[i] = change(v)
	}
	return &d
}

func emptied(c *data.Column) *data.Column {
	d := *c
	if c.Numbers != nil {
		d.Numbers = slices.Repeat([]float64{math.NaN()}, len(c.Numbers))
	}
	if c.Codes != nil {
		d.Codes = slices.Repeat([]int32{-1}, len(c.Codes))
	}
	return &d
}

// spreadOf is the standard deviation of the numbers that are not missing.
func spreadOf(numbers []float64) float64 {
	n, mean, square := 0.0, 0.0, 0.0
	for _, v := range numbers {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		n++
		d := v - mean
		mean += d / n
		square += d * (v - mean)
	}
	return math.Sqrt(square / max(1, n))
}

// keyboard has the rows of an English keyboard; a letter's neighbours stand beside
// it, above and below.
var keyboard = []string{"qwertyuiop", "asdfghjkl", "zxcvbnm"}

// neighbours are the keys around a letter's, nil for what is on no key.
func neighbours(r rune) []rune {
	for y, row := range keyboard {
		x := strings.IndexRune(row, r)
		if x < 0 {
			continue
		}
		var out []rune
		for _, d := range [][2]int{{0, -1}, {0, 1}, {-1, 0}, {-1, 1}, {1, -1}, {1, 0}} {
			if b := y + d[0]; b >= 0 && b < len(keyboard) {
				if a := x + d[1]; a >= 0 && a < len(keyboard[b]) {
					out = append(out, rune(keyboard[b][a]))
				}
			}
		}
		return out
	}
	return nil
}

// mistyped changes a share of the letters as hands do: a neighbouring key, two
// letters the wrong way round, one left out, or one doubled.
func mistyped(s string, share float64, r *rand.Rand) string {
	in := []rune(s)
	out := make([]rune, 0, len(in)+4)
	for i := 0; i < len(in); i++ {
		c := in[i]
		if !unicode.IsLetter(c) || r.Float64() >= share {
			out = append(out, c)
			continue
		}
		near := neighbours(unicode.ToLower(c))
		switch how := r.IntN(4); {
		case how == 0 && near != nil:
			key := near[r.IntN(len(near))]
			if unicode.IsUpper(c) {
				key = unicode.ToUpper(key)
			}
			out = append(out, key)
		case how <= 1 && i+1 < len(in) && unicode.IsLetter(in[i+1]):
			out = append(out, in[i+1], c)
			i++
		case how <= 2 && len(in) > 1:
		default:
			out = append(out, c, c)
		}
	}
	return string(out)
}

// repainted changes the images of a column. Those that cannot be read stay as they
// are.
func repainted(c *data.Column, r *rand.Rand, change func(p *data.Pixels, r *rand.Rand) *data.Pixels) (*data.Column, error) {
	files := make([][]byte, c.Len())
	for i := range files {
		if c.Missing(i) {
			continue
		}
		content, err := c.Picture(i).Content()
		if err != nil {
			return nil, err
		}
		if p, err := data.DecodeImage(content); err == nil {
			if content, err = encoded(change(p, r)); err != nil {
				return nil, err
			}
		}
		files[i] = content
	}
	return data.NewImages(c.Name, files), nil
}

// encoded is an image as PNG, which loses nothing.
func encoded(p *data.Pixels) ([]byte, error) {
	var m image.Image
	if p.Channels == 1 {
		m = &image.Gray{Pix: p.Pix, Stride: p.Width, Rect: image.Rect(0, 0, p.Width, p.Height)}
	} else {
		c := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
		for i := range p.Width * p.Height {
			copy(c.Pix[4*i:], p.Pix[3*i:3*i+3])
			c.Pix[4*i+3] = 255
		}
		m = c
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	err := e.Encode(&b, m)
	return b.Bytes(), err
}

// mapped changes every pixel by itself.
func mapped(p *data.Pixels, change func(float64) float64) *data.Pixels {
	q := &data.Pixels{Width: p.Width, Height: p.Height, Channels: p.Channels, Pix: make([]uint8, len(p.Pix))}
	for i, v := range p.Pix {
		q.Pix[i] = uint8(math.Round(min(255, max(0, change(float64(v))))))
	}
	return q
}

// blurred makes each pixel the mean of the nine around it; the border is repeated.
func blurred(p *data.Pixels) *data.Pixels {
	q := &data.Pixels{Width: p.Width, Height: p.Height, Channels: p.Channels, Pix: make([]uint8, len(p.Pix))}
	for y := range p.Height {
		for x := range p.Width {
			for c := range p.Channels {
				sum := 0
				for dy := -1; dy <= 1; dy++ {
					for dx := -1; dx <= 1; dx++ {
						a, b := min(p.Width-1, max(0, x+dx)), min(p.Height-1, max(0, y+dy))
						sum += int(p.Pix[(b*p.Width+a)*p.Channels+c])
					}
				}
				q.Pix[(y*p.Width+x)*p.Channels+c] = uint8((sum + 4) / 9)
			}
		}
	}
	return q
}

// turnedBy turns an image around its middle, between pixels by linear
// interpolation; the border is repeated.
func turnedBy(p *data.Pixels, degrees float64) *data.Pixels {
	q := &data.Pixels{Width: p.Width, Height: p.Height, Channels: p.Channels, Pix: make([]uint8, len(p.Pix))}
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	mx, my := float64(p.Width-1)/2, float64(p.Height-1)/2
	for y := range p.Height {
		for x := range p.Width {
			rx, ry := float64(x)-mx, float64(y)-my
			sx := min(2*mx, max(0, float64(cos*rx)-float64(sin*ry)+mx))
			sy := min(2*my, max(0, float64(sin*rx)+float64(cos*ry)+my))
			x0, y0 := int(sx), int(sy)
			x1, y1 := min(p.Width-1, x0+1), min(p.Height-1, y0+1)
			fx, fy := sx-float64(x0), sy-float64(y0)
			for c := range p.Channels {
				at := func(x, y int) float64 { return float64(p.Pix[(y*p.Width+x)*p.Channels+c]) }
				above := float64((1-fx)*at(x0, y0)) + float64(fx*at(x1, y0))
				below := float64((1-fx)*at(x0, y1)) + float64(fx*at(x1, y1))
				q.Pix[(y*p.Width+x)*p.Channels+c] = uint8(math.Round(float64((1-fy)*above) + float64(fy*below)))
			}
		}
	}
	return q
}
