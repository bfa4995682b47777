package feature

import (
	"math"

	"github.com/hone-ml/hone/internal/splitmix"
)

// Augment says how a training image is changed each time that it is seen. What is
// drawn follows from the seed, the epoch and the row.
type Augment struct {
	Flip   string  `yaml:"flip" default:"auto" enum:"auto,none,horizontal,vertical,both" doc:"mirrored half of the times; auto: horizontal for colour images, none for grey ones, among which writing is frequent"`
	Shift  float64 `yaml:"shift" default:"0.125" min:"0" max:"0.5" doc:"moved up to this share of the size in each direction, what comes in being mirrored"`
	Rotate float64 `yaml:"rotate" default:"0" min:"0" max:"180" doc:"turned up to so many degrees to either side"`
	Zoom   float64 `yaml:"zoom" default:"0" min:"0" max:"0.5" doc:"enlarged or made smaller up to this share"`
	Colour float64 `yaml:"colour" default:"0" min:"0" max:"1" doc:"brightness, contrast and saturation changed up to this share"`
	Cutout float64 `yaml:"cutout" default:"0" min:"0" max:"1" doc:"side of a square that is blotted out, as a share of the size"`
}

// settle decides what is left to the images.
func (a *Augment) settle(channels int) {
	if a.Flip == "auto" || a.Flip == "" {
		if a.Flip = "none"; channels == 3 {
			a.Flip = "horizontal"
		}
	}
}

// any says whether anything is changed.
func (a *Augment) any() bool {
	return a.Flip != "none" || a.Shift > 0 || a.Rotate > 0 || a.Zoom > 0 || a.Colour > 0 || a.Cutout > 0
}

// mirrored brings a place beyond 0 to n-1 back, as a mirror at the border would.
func mirrored(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	if i %= period; i < 0 {
		i += period
	}
	if i >= n {
		i = period - i
	}
	return i
}

// change writes changed pixels as the network reads them. All numbers are drawn
// whether they are used or not, so that one option does not change another's.
func (f *Image) change(dst []float32, pix []uint8, key uint64) {
	a, d, n, channels := &f.augment, splitmix.Draws(key), f.Size, f.Channels
	flipX, flipY := d.Float() < 0.5, d.Float() < 0.5
	flipX = flipX && (a.Flip == "horizontal" || a.Flip == "both")
	flipY = flipY && (a.Flip == "vertical" || a.Flip == "both")
	most := math.Floor(a.Shift*float64(n) + 0.5)
	dx, dy := int(math.Round(d.Around(most))), int(math.Round(d.Around(most)))
	angle, zoom := d.Around(a.Rotate)*math.Pi/180, 1+d.Around(a.Zoom)
	bright, contrast, saturation := 1+d.Around(a.Colour), 1+d.Around(a.Colour), 1+d.Around(a.Colour)
	cutX, cutY := int(d.Float()*float64(n)), int(d.Float()*float64(n))

	if a.Rotate == 0 && a.Zoom == 0 && a.Colour == 0 {
		// Bytes to bytes, and from these by a table.
		moved := make([]uint8, len(pix))
		for y := range n {
			sy := mirrored(y+dy, n)
			if flipY {
				sy = n - 1 - sy
			}
			for x := range n {
				sx := mirrored(x+dx, n)
				if flipX {
					sx = n - 1 - sx
				}
				for c := range channels {
					moved[(y*n+x)*channels+c] = pix[(sy*n+sx)*channels+c]
				}
			}
		}
		f.scale(dst, moved)
	} else {
		f.warp(dst, pix, flipX, flipY, float64(dx), float64(dy), angle, zoom)
		f.recolour(dst, bright, contrast, saturation)
	}
	if side := int(a.Cutout*float64(n) + 0.5); side > 0 {
		for y := max(0, cutY-side/2); y < min(n, cutY-side/2+side); y++ {
			for x := max(0, cutX-side/2); x < min(n, cutX-side/2+side); x++ {
				clear(dst[(y*n+x)*channels : (y*n+x+1)*channels])
			}
		}
	}
}

// warp writes bytes (0 to 255) that are moved, turned and enlarged, between pixels
// by linear interpolation. Products are rounded before they are added, on every
// machine.
func (f *Image) warp(dst []float32, pix []uint8, flipX, flipY bool, dx, dy, angle, zoom float64) {
	n, channels := f.Size, f.Channels
	middle := float64(n-1) / 2
	sin, cos := math.Sin(angle)/zoom, math.Cos(angle)/zoom
	for y := range n {
		for x := range n {
			rx, ry := float64(x)-middle, float64(y)-middle
			sx := float64(cos*rx) - float64(sin*ry) + middle + dx
			sy := float64(sin*rx) + float64(cos*ry) + middle + dy
			x0, y0 := math.Floor(sx), math.Floor(sy)
			fx, fy := sx-x0, sy-y0
			at := func(x, y int) int {
				if x = mirrored(x, n); flipX {
					x = n - 1 - x
				}
				if y = mirrored(y, n); flipY {
					y = n - 1 - y
				}
				return (y*n + x) * channels
			}
			i, j, k, l := at(int(x0), int(y0)), at(int(x0)+1, int(y0)), at(int(x0), int(y0)+1), at(int(x0)+1, int(y0)+1)
			for c := range channels {
				above := float64((1-fx)*float64(pix[i+c])) + float64(fx*float64(pix[j+c]))
				below := float64((1-fx)*float64(pix[k+c])) + float64(fx*float64(pix[l+c]))
				dst[(y*n+x)*channels+c] = float32(float64((1-fy)*above) + float64(fy*below))
			}
		}
	}
}

// recolour changes brightness, then contrast around the mean, then saturation, and
// scales what comes of it.
func (f *Image) recolour(dst []float32, bright, contrast, saturation float64) {
	mean := 0.0
	for _, v := range dst {
		mean += float64(v)
	}
	mean *= bright / float64(len(dst))
	for at := 0; at < len(dst); at += f.Channels {
		grey := 0.0
		var v [3]float64
		for c := range f.Channels {
			v[c] = mean + float64(contrast*(float64(bright*float64(dst[at+c]))-mean))
			grey += v[c]
		}
		grey /= float64(f.Channels)
		for c := range f.Channels {
			x := v[c]
			if f.Channels == 3 {
				x = grey + float64(saturation*(x-grey))
			}
			dst[at+c] = float32((min(max(x, 0), 255) - f.Means[c]) / f.Deviations[c])
		}
	}
}
