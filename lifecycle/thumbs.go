package lifecycle

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
)

// Sizes of the small images of a report, in pixels of the longer side. Smaller
// images are shown as they are.
const (
	thumbSide    = 128
	thumbQuality = 85
)

// thumbnails are small images of the rows that are told of, by their number in the
// file, from 1; nil where the table, whose rows have these numbers there, from 0 (nil:
// in order), has no column of images.
func thumbnails(t *data.Table, numbers []int, f *evaluate.Failures) (map[int]string, error) {
	at := slices.IndexFunc(t.Columns, func(c *data.Column) bool { return c.Type == data.Image })
	if at < 0 || f == nil {
		return nil, nil
	}
	out := map[int]string{}
	for _, e := range slices.Concat(f.Hardest, f.SureAndWrong) {
		i := e.Row - 1
		if numbers != nil {
			i = slices.Index(numbers, e.Row-1)
		}
		if i < 0 || t.Columns[at].Missing(i) || out[e.Row] != "" {
			continue
		}
		p, err := t.Columns[at].Picture(i).Decode()
		if err != nil {
			return nil, mistake("row %d: %v", e.Row, err)
		}
		if out[e.Row], err = thumbnail(p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// thumbnail is an image as a data URL: PNG where it is small, JPEG beyond.
func thumbnail(p *data.Pixels) (string, error) {
	long := max(p.Width, p.Height)
	if long > thumbSide {
		p = p.Resize(max(1, p.Width*thumbSide/long), max(1, p.Height*thumbSide/long))
	}
	img := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	p = p.Colour()
	for i := range p.Width * p.Height {
		img.SetRGBA(i%p.Width, i/p.Width, color.RGBA{p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2], 255})
	}
	var b bytes.Buffer
	kind, err := "png", error(nil)
	if long > thumbSide/2 {
		kind, err = "jpeg", jpeg.Encode(&b, img, &jpeg.Options{Quality: thumbQuality})
	} else {
		err = png.Encode(&b, img)
	}
	return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(b.Bytes()), err
}
