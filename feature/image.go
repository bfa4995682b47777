package feature

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
)

func init() {
	registerInput("image", inputType{
		columns: []data.Type{data.Image},
		options: func() InputOptions { return &ImageOptions{} },
		fitted:  func() Input { return &Image{} },
	})
}

// ImageOptions are the options of an image input.
type ImageOptions struct {
	Size     int          `yaml:"size" default:"0" min:"0" max:"1024" doc:"height and width that images are brought to; 0: the training images' own where all are square and equal, else their median shorter side, in both cases up to 64"`
	Channels string       `yaml:"channels" default:"auto" enum:"auto,1,3" doc:"1: grey, 3: red, green and blue; auto: 1 where all training images are grey"`
	Frame    string       `yaml:"fit" default:"stretch" enum:"stretch,crop,pad" doc:"what becomes of an image that is not square: stretch: squeezed; crop: its middle; pad: borders of grey"`
	Encoder  ImageEncoder `yaml:"encoder" doc:"the network that reads the image"`
	Augment  Augment      `yaml:"augment" doc:"how training images are changed each time that they are seen"`
}

// Image is a fitted image input: pixels of a size, scaled by the training images'
// mean and deviation of each channel.
type Image struct {
	Size       int          `json:"size"`
	Channels   int          `json:"channels"`
	Frame      string       `json:"fit"`
	Means      []float64    `json:"means"` // of bytes, from 0 to 255
	Deviations []float64    `json:"deviations"`
	Encoder    ImageEncoder `json:"encoder"`

	augment Augment
	stores  []*pixelStore
	mu      *sync.Mutex
}

const (
	autoSize  = 64     // the largest that is chosen where nobody says
	looked    = 10_000 // training images that sizes, channels, means and deviations are of, at most
	storeMost = 1 << 30
)

// Fit implements InputOptions.
func (o *ImageOptions) Fit(c *data.Column) (Input, error) {
	if err := wrongColumn(c, "image", data.Image); err != nil {
		return nil, err
	}
	var rows []int
	for i := range c.Len() {
		if !c.Missing(i) {
			rows = append(rows, i)
		}
	}
	if step := (len(rows) + looked - 1) / looked; step > 1 {
		some := rows[:0]
		for i := 0; i < len(rows); i += step {
			some = append(some, rows[i])
		}
		rows = some
	}
	type seen struct{ w, h, channels int }
	all := make([]seen, len(rows))
	eachRow(len(rows), func(i int) {
		if p, err := c.Picture(rows[i]).Decode(); err == nil {
			all[i] = seen{p.Width, p.Height, p.Channels}
		}
	})
	all = slices.DeleteFunc(all, func(s seen) bool { return s.w == 0 })
	if len(all) == 0 {
		return nil, fmt.Errorf("column %q has no image in the training rows that can be read: leave it out of inputs", c.Name)
	}
	f := &Image{Size: o.Size, Channels: 1, Frame: o.Frame, Encoder: o.Encoder, augment: o.Augment, mu: &sync.Mutex{}}
	var sides []int
	for _, s := range all {
		sides = append(sides, min(s.w, s.h))
		if s.channels == 3 {
			f.Channels = 3
		}
	}
	if n, err := strconv.Atoi(o.Channels); err == nil {
		f.Channels = n
	}
	if f.Size == 0 {
		slices.Sort(sides)
		f.Size = min(sides[len(sides)/2], autoSize)
	}
	f.augment.settle(f.Channels)
	sums := make([][6]float64, len(rows)) // of each channel, and of its squares
	eachRow(len(rows), func(i int) {
		pix, err := f.pixels(c.Picture(rows[i]))
		if err != nil {
			return
		}
		for k, v := range pix {
			ch := k % f.Channels
			sums[i][2*ch] += float64(v)
			sums[i][2*ch+1] += float64(v) * float64(v)
		}
	})
	n := float64(len(all) * f.Size * f.Size)
	for ch := range f.Channels {
		sum, square := 0.0, 0.0
		for _, s := range sums {
			sum, square = sum+s[2*ch], square+s[2*ch+1]
		}
		mean := sum / n
		f.Means = append(f.Means, mean)
		deviation := math.Sqrt(max(0, square/n-float64(mean*mean)))
		if deviation < 1 {
			deviation = 1 // of images of one colour
		}
		f.Deviations = append(f.Deviations, deviation)
	}
	return f, f.valid()
}

// valid checks what was fitted or read.
func (f *Image) valid() error {
	if f.mu == nil {
		f.mu = &sync.Mutex{}
	}
	switch {
	case f.Size < 1 || f.Size > 1024:
		return fmt.Errorf("size is %d, expected 1 to 1024", f.Size)
	case f.Channels != 1 && f.Channels != 3:
		return fmt.Errorf("channels is %d, expected 1 or 3", f.Channels)
	case len(f.Means) != f.Channels || len(f.Deviations) != f.Channels:
		return fmt.Errorf("%d means and %d deviations for %d channels", len(f.Means), len(f.Deviations), f.Channels)
	case f.Encoder.Options == nil:
		return fmt.Errorf("it has no encoder")
	}
	for _, d := range f.Deviations {
		if !(d > 0) {
			return fmt.Errorf("a deviation is %g, expected more than 0", d)
		}
	}
	return f.Encoder.Options.fits(f.Size)
}

// Type implements Input.
func (*Image) Type() string { return "image" }

// Specs implements Input.
func (f *Image) Specs() []Spec {
	return []Spec{{DType: tensor.Float32, Row: []int{f.Size, f.Size, f.Channels}}}
}

// bytes is the number of bytes of an image's pixels.
func (f *Image) bytes() int { return f.Size * f.Size * f.Channels }

// An ImageError says that an image cannot be read.
type ImageError struct {
	Column, Name string
	Row          int // from 1
	Err          error
}

func (e *ImageError) Error() string {
	return fmt.Sprintf("row %d, column %q: %s: %v", e.Row, e.Column, e.Name, e.Err)
}

// Unwrap returns what is wrong.
func (e *ImageError) Unwrap() error { return e.Err }

// UserError marks the error as the user's to mend.
func (*ImageError) UserError() bool { return true }

// pixels decodes an image and brings it to the fitted size and channels.
func (f *Image) pixels(m data.Picture) ([]uint8, error) {
	p, err := m.Decode()
	if err != nil {
		return nil, err
	}
	if f.Channels == 1 {
		p = p.Grey()
	} else {
		p = p.Colour()
	}
	w, h := f.Size, f.Size
	switch {
	case f.Frame == "crop" && p.Width != p.Height:
		n := min(p.Width, p.Height)
		p = p.Crop((p.Width-n)/2, (p.Height-n)/2, n, n)
	case f.Frame == "pad" && p.Width > p.Height:
		h = max(1, (f.Size*p.Height+p.Width/2)/p.Width)
	case f.Frame == "pad" && p.Width < p.Height:
		w = max(1, (f.Size*p.Width+p.Height/2)/p.Height)
	}
	p = p.Resize(w, h)
	if w == f.Size && h == f.Size {
		return p.Pix, nil
	}
	out := make([]uint8, f.bytes())
	for i := range out {
		out[i] = 128
	}
	left, top := (f.Size-w)/2, (f.Size-h)/2
	for y := range h {
		copy(out[((top+y)*f.Size+left)*f.Channels:], p.Pix[y*w*f.Channels:(y+1)*w*f.Channels])
	}
	return out, nil
}

// Seen returns what the network reads of an image, before it is scaled.
func (f *Image) Seen(m data.Picture) (*data.Pixels, error) {
	pix, err := f.pixels(m)
	if err != nil {
		return nil, err
	}
	return &data.Pixels{Width: f.Size, Height: f.Size, Channels: f.Channels, Pix: pix}, nil
}

// pixelStore keeps the pixels of a dictionary of images once they are decoded.
type pixelStore struct {
	dict  []string
	pix   []uint8
	ready []atomic.Uint32 // 0: not yet, 1: being written, 2: there
}

// store returns the one for a column's dictionary; with fresh it is made where
// there is none and it is not too large.
func (f *Image) store(c *data.Column, fresh bool) *pixelStore {
	if len(c.Dict) == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	held := 0
	for _, s := range f.stores {
		if &s.dict[0] == &c.Dict[0] && len(s.dict) == len(c.Dict) {
			return s
		}
		held += len(s.pix)
	}
	if size := len(c.Dict) * f.bytes(); fresh && held+size <= storeMost {
		s := &pixelStore{dict: c.Dict, pix: make([]uint8, size), ready: make([]atomic.Uint32, len(c.Dict))}
		f.stores = append(f.stores, s)
		return s
	}
	return nil
}

// get returns the pixels of a row, nil where it has no image.
func (f *Image) get(c *data.Column, s *pixelStore, row int) ([]uint8, error) {
	code := int(c.Codes[row])
	if code < 0 {
		return nil, nil
	}
	n := f.bytes()
	if s != nil && s.ready[code].Load() == 2 {
		return s.pix[code*n : (code+1)*n], nil
	}
	m := c.Picture(row)
	pix, err := f.pixels(m)
	if err != nil {
		return nil, &ImageError{Column: c.Name, Name: m.Name(), Row: row + 1, Err: err}
	}
	if s != nil && s.ready[code].CompareAndSwap(0, 1) {
		copy(s.pix[code*n:], pix)
		s.ready[code].Store(2)
	}
	return pix, nil
}

// scale writes pixels as the network reads them; those of no image are the mean.
func (f *Image) scale(dst []float32, pix []uint8) {
	if pix == nil {
		clear(dst)
		return
	}
	for ch := range f.Channels {
		var table [256]float32
		for v := range table {
			table[v] = float32((float64(v) - f.Means[ch]) / f.Deviations[ch])
		}
		for i := ch; i < len(dst); i += f.Channels {
			dst[i] = table[pix[i]]
		}
	}
}

// Transform implements Input.
func (f *Image) Transform(c *data.Column, out []*tensor.Tensor) error {
	if err := wrongColumn(c, "image", data.Image); err != nil {
		return err
	}
	s, dst, n := f.store(c, false), out[0].Floats(), f.bytes()
	var mu sync.Mutex
	var first error
	at := c.Len()
	eachRow(c.Len(), func(i int) {
		pix, err := f.get(c, s, i)
		if err != nil {
			mu.Lock()
			if i < at {
				first, at = err, i
			}
			mu.Unlock()
			return
		}
		f.scale(dst[i*n:(i+1)*n], pix)
	})
	return first
}

// Stream implements Streamed.
func (f *Image) Stream(c *data.Column, training bool) (func(row int, key uint64, out *tensor.Tensor, at int) error, error) {
	if err := wrongColumn(c, "image", data.Image); err != nil {
		return nil, err
	}
	s, n := f.store(c, true), f.bytes()
	changed := training && f.augment.any()
	return func(row int, key uint64, out *tensor.Tensor, at int) error {
		pix, err := f.get(c, s, row)
		if err != nil {
			return err
		}
		dst := out.Floats()[at*n : (at+1)*n]
		if pix == nil || !changed {
			f.scale(dst, pix)
			return nil
		}
		f.change(dst, pix, key)
		return nil
	}, nil
}

// Encode implements Input: what the encoder makes of the image; the pixels
// themselves, in squares of a few where they are many, if linear.
func (f *Image) Encode(c *nn.Context, in []*graph.Node, linear bool) *graph.Node {
	x := in[0]
	if !linear {
		return f.Encoder.Options.build(c, x)
	}
	if k := (f.Size + 31) / 32; k > 1 {
		x = nn.AvgPool(k, k).Apply(c, x)
	}
	return nn.Flatten().Apply(c, x)
}

// Describe implements Input.
func (f *Image) Describe() string {
	kind := "grey"
	if f.Channels == 3 {
		kind = "colour"
	}
	return fmt.Sprintf("%d by %d, %s, by a %s", f.Size, f.Size, kind, f.Encoder.Type)
}

// eachRow calls do for rows 0 to n-1, by several goroutines.
func eachRow(n int, do func(i int)) {
	threads := min(n, runtime.GOMAXPROCS(0))
	if threads <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var done sync.WaitGroup
	for range threads {
		done.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	done.Wait()
}
