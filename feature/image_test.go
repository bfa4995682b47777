package feature

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/internal/splitmix"
)

// square is a PNG, the colour of which says where its places are.
func square(t testing.TB, w, h int, grey bool) []byte {
	t.Helper()
	var m image.Image
	if grey {
		g := image.NewGray(image.Rect(0, 0, w, h))
		for i := range g.Pix {
			g.Pix[i] = uint8(i * 255 / len(g.Pix))
		}
		m = g
	} else {
		c := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				c.Set(x, y, color.RGBA{uint8(255 * x / w), uint8(255 * y / h), uint8(x ^ y), 255})
			}
		}
		m = c
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fitImage fits on a column with an encoder of a type and options changed.
func fitImage(t testing.TB, c *data.Column, kind string, change func(*ImageOptions)) *Image {
	t.Helper()
	return fitInput(t, imageOptions(t, kind, change), c).(*Image)
}

func imageOptions(t testing.TB, kind string, change func(*ImageOptions)) *ImageOptions {
	t.Helper()
	return withDefaults(t, func(o *ImageOptions) {
		switch o.Encoder.Type = kind; kind {
		case "cnn":
			o.Encoder.Options = withDefaults[CNN](t, nil)
		case "resnet":
			o.Encoder.Options = withDefaults[ImageResNet](t, nil)
		case "vit":
			o.Encoder.Options = withDefaults[ViT](t, nil)
		}
		if change != nil {
			change(o)
		}
	})
}

func TestImageFits(t *testing.T) {
	grey := data.NewImages("photo", [][]byte{square(t, 12, 12, true), nil, square(t, 12, 12, true)})
	f := fitImage(t, grey, "cnn", nil)
	if f.Size != 12 || f.Channels != 1 || f.augment.Flip != "none" {
		t.Errorf("%+v", f)
	}
	x := transform(t, f, grey)[0]
	sum, squares := 0.0, 0.0
	for _, v := range x.Rows(0, 1).Floats() {
		sum, squares = sum+float64(v), squares+float64(v)*float64(v)
	}
	if n := 144.0; math.Abs(sum/n) > 1e-5 || math.Abs(squares/n-1) > 1e-4 {
		t.Errorf("mean %g, mean square %g, want 0 and 1", sum/n, squares/n)
	}
	for _, v := range x.Rows(1, 2).Floats() {
		if v != 0 {
			t.Fatalf("a missing image is %g, want the mean", v)
		}
	}
	mixed := data.NewImages("photo", [][]byte{square(t, 200, 100, true), square(t, 90, 80, false), square(t, 70, 300, false)})
	if f := fitImage(t, mixed, "cnn", nil); f.Size != 64 || f.Channels != 3 || f.augment.Flip != "horizontal" {
		t.Errorf("%+v", f)
	}
	for _, frame := range []string{"stretch", "crop", "pad"} {
		f := fitImage(t, mixed, "cnn", func(o *ImageOptions) { o.Frame, o.Size, o.Channels = frame, 9, "1" })
		if x := transform(t, f, mixed)[0]; !slices.Equal(x.Shape(), []int{3, 9, 9, 1}) {
			t.Errorf("%s: %v", frame, x)
		}
	}
	if _, err := imageOptions(t, "cnn", nil).Fit(data.NewImages("photo", [][]byte{[]byte("text")})); err == nil {
		t.Error("fitted without an image")
	}
	if _, err := imageOptions(t, "cnn", func(o *ImageOptions) { o.Size = 3 }).Fit(grey); err == nil {
		t.Error("images of 3 by 3 are halved twice")
	}
	if _, err := imageOptions(t, "vit", func(o *ImageOptions) { o.Size = 3 }).Fit(grey); err == nil {
		t.Error("images of 3 by 3 have patches of 4 by 4")
	}
}

func TestImageErrorNamesTheRow(t *testing.T) {
	f := fitImage(t, data.NewImages("photo", [][]byte{square(t, 8, 8, false)}), "cnn", nil)
	c := data.NewImages("photo", [][]byte{square(t, 8, 8, false), []byte("no image"), nil})
	err := f.Transform(c, []*tensor.Tensor{f.Specs()[0].New(3)})
	var bad *ImageError
	if !errors.As(err, &bad) || bad.Row != 2 || bad.Column != "photo" {
		t.Errorf("%v", err)
	}
}

// streamed returns all rows by Stream.
func streamed(t testing.TB, f *Image, c *data.Column, training bool, key uint64) []float32 {
	t.Helper()
	fill, err := f.Stream(c, training)
	if err != nil {
		t.Fatal(err)
	}
	out := f.Specs()[0].New(c.Len())
	for i := range c.Len() {
		if err := fill(i, key+uint64(i), out, i); err != nil {
			t.Fatal(err)
		}
	}
	return out.Floats()
}

func TestImageStreams(t *testing.T) {
	c := data.NewImages("photo", [][]byte{square(t, 16, 16, false), nil, square(t, 20, 20, false)})
	for name, change := range map[string]func(*ImageOptions){
		"moved":  func(o *ImageOptions) { o.Augment.Cutout = 0.25 },
		"turned": func(o *ImageOptions) { o.Augment.Rotate, o.Augment.Zoom, o.Augment.Colour = 15, 0.2, 0.3 },
	} {
		f := fitImage(t, c, "cnn", change)
		want := transform(t, f, c)[0].Floats()
		if got := streamed(t, f, c, false, 1); !slices.Equal(got, want) {
			t.Errorf("%s: what is streamed for validation is not what is transformed", name)
		}
		a, again, b := streamed(t, f, c, true, 1), streamed(t, f, c, true, 1), streamed(t, f, c, true, 100)
		if !slices.Equal(a, again) {
			t.Errorf("%s: the same key gives other pixels", name)
		}
		if slices.Equal(a, b) || slices.Equal(a, want) {
			t.Errorf("%s: nothing is changed in training", name)
		}
		for i, v := range a {
			if math.IsNaN(float64(v)) || math.Abs(float64(v)) > 10 {
				t.Fatalf("%s: element %d is %g", name, i, v)
			}
		}
	}
	// Without a turn, warping and moving are the same.
	f := fitImage(t, c, "cnn", func(o *ImageOptions) { o.Augment.Flip = "both" })
	f.augment.Shift = 0
	pix, err := f.pixels(c.Picture(0))
	if err != nil {
		t.Fatal(err)
	}
	moved, warped := make([]float32, len(pix)), make([]float32, len(pix))
	f.change(moved, pix, 3)
	d := splitmix.Draws(3)
	flipX, flipY := d.Float() < 0.5, d.Float() < 0.5
	f.warp(warped, pix, flipX, flipY, 0, 0, 0, 1)
	f.recolour(warped, 1, 1, 1)
	for i := range moved {
		if math.Abs(float64(moved[i]-warped[i])) > 1e-5 {
			t.Fatalf("element %d is %g moved and %g warped", i, moved[i], warped[i])
		}
	}
}

func TestImageTravels(t *testing.T) {
	c := data.NewImages("photo", [][]byte{square(t, 16, 16, false)})
	for _, kind := range []string{"cnn", "resnet", "vit"} {
		f := fitImage(t, c, kind, nil)
		raw, err := Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		back, err := UnmarshalInput(raw)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Marshal(back)
		if err != nil || !bytes.Equal(raw, again) {
			t.Errorf("%s\n%s\n%v", raw, again, err)
		}
		if !slices.Equal(transform(t, back, c)[0].Floats(), transform(t, f, c)[0].Floats()) {
			t.Error("what was read transforms otherwise")
		}
	}
	for name, text := range map[string]string{
		"size":    `{"size":0,"channels":1,"means":[0],"deviations":[1],"encoder":{"type":"cnn","options":{"widths":[8],"depth":1}}}`,
		"encoder": `{"size":8,"channels":1,"means":[0],"deviations":[1],"encoder":{"type":"gnn","options":{}}}`,
		"means":   `{"size":8,"channels":3,"means":[0],"deviations":[1],"encoder":{"type":"cnn","options":{"widths":[8],"depth":1}}}`,
		"stages":  `{"size":8,"channels":1,"means":[0],"deviations":[1],"encoder":{"type":"cnn","options":{"widths":[1,1,1,1,1,1,1,1,1],"depth":1}}}`,
	} {
		raw, err := json.Marshal(saved{"image", json.RawMessage(text)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := UnmarshalInput(raw); err == nil {
			t.Errorf("%s: read all the same", name)
		}
	}
}

func TestImageEncoders(t *testing.T) {
	c := data.NewImages("photo", [][]byte{square(t, 16, 16, false), square(t, 40, 40, false)})
	for _, kind := range []string{"cnn", "resnet", "vit"} {
		if y, _ := encode(t, fitImage(t, c, kind, nil), c, false); !slices.Equal(y.Shape(), []int{2, 128}) {
			t.Errorf("%s: %v", kind, y)
		}
	}
	f := fitImage(t, c, "cnn", func(o *ImageOptions) { o.Size = 50 })
	if y, _ := encode(t, f, c, true); !slices.Equal(y.Shape(), []int{2, 25 * 25 * 3}) {
		t.Errorf("plain: %v", y)
	}
}
