package explain

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/feature"
)

// An Image is what the parts of an image add to a prediction.
type Image struct {
	Column string `json:"column"`
	// Method is integrated_gradients, of each pixel as the network reads the image, or
	// occlusion, of square patches: what is lost where one is grey (Zeiler and Fergus
	// 2014, Visualizing and understanding convolutional networks). Those do not add up.
	Method string `json:"method"`
	Width  int    `json:"width"` // in parts
	Height int    `json:"height"`
	// Effects are of the parts, row by row.
	Effects []float64 `json:"effects"`
	// File is where the picture was written to, "" where it was not.
	File string `json:"file,omitempty"`

	shown *data.Pixels // what the parts are of
}

// pixels adds up the channels of each pixel.
func pixels(column string, f *feature.Image, picture data.Picture, parts []float64) (Image, error) {
	shown, err := f.Seen(picture)
	if err != nil {
		return Image{}, err
	}
	im := Image{Column: column, Method: Gradients, Width: shown.Width, Height: shown.Height, shown: shown}
	im.Effects = make([]float64, shown.Width*shown.Height)
	for i, v := range parts {
		im.Effects[i/shown.Channels] += v
	}
	return im, nil
}

const (
	patches  = 8   // on a side
	mostSide = 256 // of an image whose patches are covered
)

// patches covers one part of an image after the other.
func (l *local) patches(ctx context.Context, c *data.Column) error {
	p, err := c.Picture(0).Decode()
	if err != nil {
		return err
	}
	p = p.Colour()
	if side := max(p.Width, p.Height); side > mostSide {
		p = p.Resize(max(1, p.Width*mostSide/side), max(1, p.Height*mostSide/side))
	}
	im := Image{Column: c.Name, Method: Occlusion, Width: min(patches, p.Width), Height: min(patches, p.Height), shown: p}
	var files [][]byte
	encode := func(p *data.Pixels) error {
		out := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
		for i := range p.Width * p.Height {
			copy(out.Pix[4*i:], append(slices.Clone(p.Pix[3*i:3*i+3]), 255))
		}
		var b bytes.Buffer
		if err := png.Encode(&b, out); err != nil {
			return err
		}
		files = append(files, b.Bytes())
		return nil
	}
	if err := encode(p); err != nil {
		return err
	}
	for y := range im.Height {
		for x := range im.Width {
			covered := *p
			covered.Pix = slices.Clone(p.Pix)
			for v := y * p.Height / im.Height; v < (y+1)*p.Height/im.Height; v++ {
				for u := x * p.Width / im.Width; u < (x+1)*p.Width/im.Width; u++ {
					copy(covered.Pix[3*(v*p.Width+u):], []uint8{128, 128, 128})
				}
			}
			if err := encode(&covered); err != nil {
				return err
			}
		}
	}
	values, err := l.changed(ctx, data.NewImages(c.Name, files))
	if err != nil {
		return err
	}
	for _, v := range values[1:] {
		im.Effects = append(im.Effects, values[0]-v)
	}
	l.e.Predictions += len(values)
	l.e.Images = append(l.e.Images, im)
	return nil
}

// shownSide is about how large an image is drawn.
const shownSide = 384

// Draw returns the image in grey, under red where a part adds to the prediction and
// blue where it takes away. The colour is full at the largest effect but for one part
// in a hundred. Nil where the image was not read here.
func (im *Image) Draw() image.Image {
	if im.shown == nil {
		return nil
	}
	p := im.shown.Grey()
	scale := max(1, shownSide/max(p.Width, p.Height))
	sizes := make([]float64, len(im.Effects))
	for i, v := range im.Effects {
		sizes[i] = math.Abs(v)
	}
	slices.Sort(sizes)
	full := max(sizes[(len(sizes)-1)*99/100], 1e-12)
	out := image.NewNRGBA(image.Rect(0, 0, p.Width*scale, p.Height*scale))
	for y := range p.Height * scale {
		for x := range p.Width * scale {
			u, v := x/scale, y/scale
			// Paler than it was, so that colours are seen on black, too.
			grey := 64 + 0.6*float64(p.Pix[v*p.Width+u])
			effect := im.Effects[v*im.Height/p.Height*im.Width+u*im.Width/p.Width] / full
			share := 0.85 * min(1, math.Abs(effect))
			tint := [3]float64{214, 39, 40}
			if effect < 0 {
				tint = [3]float64{31, 119, 180}
			}
			mix := func(c float64) uint8 { return uint8(math.Round(float64((1-share)*grey) + float64(share*c))) }
			out.SetNRGBA(x, y, color.NRGBA{mix(tint[0]), mix(tint[1]), mix(tint[2]), 255})
		}
	}
	return out
}
