package data

import "math"

// Crop returns a part of the image, which lies within it.
func (p *Pixels) Crop(left, top, width, height int) *Pixels {
	q := &Pixels{width, height, p.Channels, make([]uint8, 0, width*height*p.Channels)}
	for y := top; y < top+height; y++ {
		at := (y*p.Width + left) * p.Channels
		q.Pix = append(q.Pix, p.Pix[at:at+width*p.Channels]...)
	}
	return q
}

// Resize returns the image in another size: bilinear, over as many pixels as one
// of the result covers where it becomes smaller, so that nothing is left out. It
// is what Pillow's resize with BILINEAR does, and torchvision's on its images, so
// that pictures prepared with either fit a model that was trained here: integers
// of 22 bits after the point, columns first, then rows, each to the bit. (Pillow
// 13 takes rows first for some sizes, which changes some values by 1 of 255.)
func (p *Pixels) Resize(width, height int) *Pixels {
	across := func(p *Pixels) *Pixels {
		if p.Width == width {
			return p
		}
		q := &Pixels{width, p.Height, p.Channels, make([]uint8, width*p.Height*p.Channels)}
		taps := tapsFor(p.Width, width)
		for y := range p.Height {
			resample(q.Pix[y*width*p.Channels:], p.Pix[y*p.Width*p.Channels:], taps, p.Channels)
		}
		return q
	}
	down := func(p *Pixels) *Pixels {
		if p.Height == height {
			return p
		}
		q := &Pixels{p.Width, height, p.Channels, make([]uint8, p.Width*height*p.Channels)}
		resample(q.Pix, p.Pix, tapsFor(p.Height, height), p.Width*p.Channels)
		return q
	}
	return down(across(p))
}

// tap is what one place of the result is made of.
type tap struct {
	first   int
	weights []int32 // of places from first on
}

const resizeBits = 22

// tapsFor returns the weights of a triangle over n places for m.
func tapsFor(n, m int) []tap {
	scale := float64(n) / float64(m)
	support := max(scale, 1)
	per := 1 / support
	taps := make([]tap, m)
	for i := range taps {
		center := float64((float64(i) + 0.5) * scale)
		lo, hi := max(0, int(center-support+0.5)), min(n, int(center+support+0.5))
		weights, sum := make([]float64, hi-lo), 0.0
		for k := range weights {
			weights[k] = max(0, 1-math.Abs(float64(float64(k+lo)-center+0.5)*per))
			sum += weights[k]
		}
		taps[i].first = lo
		whole := 1 / sum
		for _, w := range weights {
			taps[i].weights = append(taps[i].weights, int32(math.Round(w*whole*(1<<resizeBits))))
		}
	}
	return taps
}

// resample makes places of the result, each of lane bytes, from such places.
func resample(dst, src []uint8, taps []tap, lane int) {
	for i, t := range taps {
		for c := range lane {
			sum := int32(1 << (resizeBits - 1))
			at := t.first*lane + c
			for _, w := range t.weights {
				sum += w * int32(src[at])
				at += lane
			}
			dst[i*lane+c] = uint8(min(max(sum>>resizeBits, 0), 255))
		}
	}
}
