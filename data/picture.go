package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strconv"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// Pixels is a decoded image: Height rows of Width places of Channels bytes each, 1
// for grey or 3 for red, green and blue.
type Pixels struct {
	Width, Height, Channels int
	Pix                     []uint8
}

// maxPixels bounds the places of an image, as its header tells them before
// anything is unpacked: a file of a few bytes may claim to be of any size.
const maxPixels = 64 << 20

// imageFormats are those that are read, by what their files begin with.
var imageFormats = []struct {
	name, magic string
	config      func(b []byte) (image.Config, error)
	decode      func(b []byte) (image.Image, error)
}{
	{"PNG", "\x89PNG\r\n\x1a\n", func(b []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(b)) }, func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) }},
	{"JPEG", "\xff\xd8", func(b []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(b)) }, func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) }},
	{"GIF", "GIF8", func(b []byte) (image.Config, error) { return gif.DecodeConfig(bytes.NewReader(b)) }, func(b []byte) (image.Image, error) { return gif.Decode(bytes.NewReader(b)) }},
	{"WebP", "RIFF", func(b []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(b)) }, func(b []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(b)) }},
	{"BMP", "BM", func(b []byte) (image.Config, error) { return bmp.DecodeConfig(bytes.NewReader(b)) }, func(b []byte) (image.Image, error) { return bmp.Decode(bytes.NewReader(b)) }},
}

// imageFormat names the format of a file's content, "" for none that is read.
func imageFormat(b []byte) string {
	if isPortable(b) {
		return "PNM"
	}
	for _, f := range imageFormats {
		if bytes.HasPrefix(b, []byte(f.magic)) && (f.name != "WebP" || len(b) >= 12 && string(b[8:12]) == "WEBP") {
			return f.name
		}
	}
	return ""
}

// Decode returns the image's pixels, upright as its EXIF data says, with what is
// transparent on white and 16 bits rounded to 8. An error says what is wrong with
// the image, and that it is set aside is for the caller.
func (m Picture) Decode() (*Pixels, error) {
	content, err := m.Content()
	if err != nil {
		return nil, err
	}
	return DecodeImage(content)
}

// DecodeImage decodes an image's file: PNG, JPEG, GIF (of which the first frame),
// WebP or BMP, whatever its name says. Its size is looked at before anything is
// unpacked.
func DecodeImage(content []byte) (p *Pixels, err error) {
	if len(content) == 0 {
		return nil, fmt.Errorf("the file is empty")
	}
	if isPortable(content) {
		return decodePortable(content)
	}
	name := imageFormat(content)
	if name == "" {
		return nil, fmt.Errorf("the file begins with % x, expected a PNG, JPEG, GIF, WebP or BMP image", content[:min(len(content), 8)])
	}
	defer func() { // a decoder's mistake is the file's
		if v := recover(); v != nil {
			p, err = nil, fmt.Errorf("the %s image is damaged (%v)", name, v)
		}
	}()
	for _, f := range imageFormats {
		if f.name != name {
			continue
		}
		c, err := f.config(content)
		if err != nil {
			return nil, damagedImage(name, err)
		}
		if c.Width < 1 || c.Height < 1 || int64(c.Width)*int64(c.Height) > maxPixels {
			return nil, fmt.Errorf("the %s image is %d by %d, expected 1 to %d million pixels: make it smaller", name, c.Width, c.Height, maxPixels>>20)
		}
		img, err := f.decode(content)
		if err != nil {
			return nil, damagedImage(name, err)
		}
		if b := img.Bounds(); b.Empty() { // a GIF's frame, whatever the size of the whole
			return nil, damagedImage(name, fmt.Errorf("its first frame is %d by %d", b.Dx(), b.Dy()))
		}
		return pixelsOf(img).turned(orientation(content)), nil
	}
	return nil, fmt.Errorf("no decoder for %s", name)
}

func damagedImage(name string, err error) error {
	what := err.Error()
	if what == "unexpected EOF" || what == "EOF" {
		what = "it ends early"
	}
	return fmt.Errorf("the %s image is damaged (%s)", name, what)
}

// pixelsOf converts an image; grey ones have one channel.
func pixelsOf(img image.Image) *Pixels {
	b := img.Bounds()
	p := &Pixels{Width: b.Dx(), Height: b.Dy(), Channels: 3}
	n := p.Width * p.Height
	// byte8 rounds 16 bits to 8.
	byte8 := func(v uint32) uint8 { return uint8((v*255 + 32767) / 65535) }
	switch m := img.(type) {
	case *image.Gray:
		p.Channels, p.Pix = 1, make([]uint8, 0, n)
		for y := range p.Height {
			p.Pix = append(p.Pix, m.Pix[y*m.Stride:][:p.Width]...)
		}
		return p
	case *image.Gray16:
		p.Channels, p.Pix = 1, make([]uint8, 0, n)
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				p.Pix = append(p.Pix, byte8(uint32(m.Gray16At(x, y).Y)))
			}
		}
		return p
	case *image.YCbCr:
		p.Pix = make([]uint8, 0, 3*n)
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				i, c := m.YOffset(x, y), m.COffset(x, y)
				r, g, bl := color.YCbCrToRGB(m.Y[i], m.Cb[c], m.Cr[c])
				p.Pix = append(p.Pix, r, g, bl)
			}
		}
		return p
	}
	p.Pix = make([]uint8, 0, 3*n)
	grey := false
	if m, ok := img.(*image.Paletted); ok {
		grey = true
		for _, c := range m.Palette {
			r, g, b, a := c.RGBA()
			grey = grey && (a == 0 || r == g && g == b)
		}
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, a := img.At(x, y).RGBA() // already times a
			p.Pix = append(p.Pix, byte8(r+65535-a), byte8(g+65535-a), byte8(bl+65535-a))
		}
	}
	if grey {
		return p.Grey()
	}
	return p
}

// Grey returns the image in one channel: its luma, as Pillow weighs it (ITU-R
// 601-2).
func (p *Pixels) Grey() *Pixels {
	if p.Channels == 1 {
		return p
	}
	q := &Pixels{p.Width, p.Height, 1, make([]uint8, p.Width*p.Height)}
	for i := range q.Pix {
		r, g, b := uint32(p.Pix[3*i]), uint32(p.Pix[3*i+1]), uint32(p.Pix[3*i+2])
		q.Pix[i] = uint8((r*19595 + g*38470 + b*7471 + 0x8000) >> 16)
	}
	return q
}

// Colour returns the image in three channels.
func (p *Pixels) Colour() *Pixels {
	if p.Channels == 3 {
		return p
	}
	q := &Pixels{p.Width, p.Height, 3, make([]uint8, 3*p.Width*p.Height)}
	for i, v := range p.Pix {
		q.Pix[3*i], q.Pix[3*i+1], q.Pix[3*i+2] = v, v, v
	}
	return q
}

// turned returns the image as an EXIF orientation says that it is to be seen: 1
// is upright, 2 to 4 are flipped or upside down, 5 to 8 lie on a side.
func (p *Pixels) turned(orientation int) *Pixels {
	if orientation < 2 || orientation > 8 {
		return p
	}
	q := &Pixels{p.Width, p.Height, p.Channels, make([]uint8, len(p.Pix))}
	if orientation > 4 {
		q.Width, q.Height = p.Height, p.Width
	}
	for y := range q.Height {
		for x := range q.Width {
			fx, fy := x, y // where the place comes from
			switch orientation {
			case 2:
				fx = p.Width - 1 - x
			case 3:
				fx, fy = p.Width-1-x, p.Height-1-y
			case 4:
				fy = p.Height - 1 - y
			case 5:
				fx, fy = y, x
			case 6:
				fx, fy = y, p.Height-1-x
			case 7:
				fx, fy = p.Width-1-y, p.Height-1-x
			case 8:
				fx, fy = p.Width-1-y, x
			}
			copy(q.Pix[(y*q.Width+x)*q.Channels:][:q.Channels], p.Pix[(fy*p.Width+fx)*p.Channels:])
		}
	}
	return q
}

// orientation finds the EXIF orientation in a file of JPEG, PNG or WebP, 1 where
// there is none.
func orientation(b []byte) int {
	switch imageFormat(b) {
	case "JPEG":
		for at := 2; at+4 <= len(b) && b[at] == 0xff; {
			marker, n := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
			if marker == 0xff {
				at++
				continue
			}
			if marker == 0xda || n < 2 || at+2+n > len(b) {
				return 1
			}
			if s := b[at+4 : at+2+n]; marker == 0xe1 && bytes.HasPrefix(s, []byte("Exif\x00\x00")) {
				return tiffOrientation(s[6:])
			}
			at += 2 + n
		}
	case "PNG":
		for at := 8; at+12 <= len(b); {
			n := int(binary.BigEndian.Uint32(b[at:]))
			if n < 0 || n > len(b)-at-12 {
				return 1
			}
			if string(b[at+4:at+8]) == "eXIf" {
				return tiffOrientation(b[at+8 : at+8+n])
			}
			at += 12 + n
		}
	case "WebP":
		for at := 12; at+8 <= len(b); {
			n := int(binary.LittleEndian.Uint32(b[at+4:]))
			if n < 0 || n > len(b)-at-8 {
				return 1
			}
			if string(b[at:at+4]) == "EXIF" {
				return tiffOrientation(bytes.TrimPrefix(b[at+8:at+8+n], []byte("Exif\x00\x00")))
			}
			at += 8 + n + n&1
		}
	}
	return 1
}

// tiffOrientation reads tag 274 of the first directory.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 1
	}
	n := uint64(order.Uint16(b[at:]))
	for k := range n {
		e := at + 2 + 12*k
		if e+12 > uint64(len(b)) {
			return 1
		}
		if order.Uint16(b[e:]) == 274 {
			return int(order.Uint16(b[e+8:]))
		}
	}
	return 1
}

// isPortable recognises a grey or colour map of bytes (PGM, PPM) as [portable]
// writes it.
func isPortable(b []byte) bool {
	return len(b) > 3 && b[0] == 'P' && (b[1] == '5' || b[1] == '6') && b[2] == '\n'
}

func decodePortable(b []byte) (*Pixels, error) {
	p := &Pixels{Channels: 1}
	if b[1] == '6' {
		p.Channels = 3
	}
	rest := b[3:]
	var numbers [3]int
	for i := range numbers {
		end := bytes.IndexAny(rest[:min(len(rest), 12)], " \n")
		if end < 0 {
			return nil, fmt.Errorf("the PNM image is damaged (its header ends early)")
		}
		n, err := strconv.Atoi(string(rest[:end]))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("the PNM image is damaged (its header has %q)", rest[:end])
		}
		numbers[i], rest = n, rest[end+1:]
	}
	p.Width, p.Height = numbers[0], numbers[1]
	if int64(p.Width)*int64(p.Height) > maxPixels || numbers[2] != 255 || len(rest) != p.Width*p.Height*p.Channels {
		return nil, fmt.Errorf("the PNM image is damaged (%d by %d of values to %d in %d bytes)", p.Width, p.Height, numbers[2], len(rest))
	}
	p.Pix = rest
	return p, nil
}
