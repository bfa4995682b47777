package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A value of an image column is a string in the dictionary: one byte that says
// where the image is, the first 16 bytes of its content's SHA-256, and
//
//	imageFile:  the folder, NUL, and the path relative to it as it was written
//	imageBytes: the content, a file of some format
//
// so that a table holds references or compressed bytes, never pixels, and equal
// images are found without being read again. A cell that begins with NUL is how
// the kinds of sources that hold images give them: imageFile or imageBytes
// follows, and then the path or the content.
const (
	imageFile  = 'f'
	imageBytes = 'b'

	digestLen = 16
	imageHead = 1 + digestLen
)

// maxImageFile bounds an image's file.
const maxImageFile = 256 << 20

// imageEndings are those of files that are taken for images by their name; what
// is in them decides how they are read.
var imageEndings = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp"}

func namedLikeImage(path string) bool {
	for _, end := range imageEndings {
		if n := len(path) - len(end); n > 0 && strings.EqualFold(path[n:], end) {
			return true
		}
	}
	return false
}

const dataURL = "data:image/"

// A Picture is a value of an image column.
type Picture struct{ value string }

// Picture returns value i of an image column. That of a missing value has no
// content.
func (c *Column) Picture(i int) Picture {
	if c.Missing(i) {
		return Picture{}
	}
	return Picture{c.Dict[c.Codes[i]]}
}

// Digest tells contents apart: equal images have equal ones.
func (m Picture) Digest() string {
	if m.value == "" {
		return ""
	}
	return m.value[1:imageHead]
}

// Name is the path as it was written, or for an image that has none what tells it
// from others.
func (m Picture) Name() string {
	if m.value == "" {
		return ""
	}
	if m.value[0] == imageFile {
		_, path, _ := strings.Cut(m.value[imageHead:], "\x00")
		return path
	}
	return "image " + hex.EncodeToString([]byte(m.value[1:7]))
}

// Content returns the image's file.
func (m Picture) Content() ([]byte, error) {
	switch {
	case m.value == "":
		return nil, fmt.Errorf("there is no image")
	case m.value[0] == imageBytes:
		return []byte(m.value[imageHead:]), nil
	}
	dir, path, _ := strings.Cut(m.value[imageHead:], "\x00")
	return readImageFile(resolveImage(dir, path))
}

func resolveImage(dir, path string) string {
	if path = filepath.FromSlash(path); filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// readImageFile reads a regular file of a size that an image may have.
func readImageFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the file cannot be read: %s", cause(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("it is no regular file")
	case info.Size() > maxImageFile:
		return nil, fmt.Errorf("the file has %d MiB, expected at most %d", info.Size()>>20, maxImageFile>>20)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %s", cause(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxImageFile))
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %s", cause(err))
	}
	return content, nil
}

// addImage appends an image. A file that cannot be read is kept as a reference
// all the same: whoever decodes it sets the row aside.
func (b *builder) addImage(raw, v []byte) error {
	switch {
	case b.files && raw[0] == 0 && len(raw) > 1 && raw[1] == imageBytes:
		b.keepImage(imageBytes, raw[2:], raw[2:])
	case b.files && raw[0] == 0 && len(raw) > 1 && raw[1] == imageFile:
		b.keepImageFile("", string(raw[2:])) // a path that needs no base
	case bytes.HasPrefix(v, []byte(dataURL)):
		_, code, found := bytes.Cut(v, []byte(";base64,"))
		if !found {
			return b.wrong(v[:min(len(v), 40)], "data:image/…;base64,…", "send the image's file in base64")
		}
		return b.addBase64(code)
	case b.files:
		b.keepImageFile(b.base, string(v))
	default:
		return b.addBase64(v)
	}
	return nil
}

func (b *builder) addBase64(code []byte) error {
	content := make([]byte, base64.StdEncoding.DecodedLen(len(code)))
	n, err := base64.StdEncoding.Decode(content, code)
	if err != nil || n == 0 {
		return b.wrong(code[:min(len(code), 40)], "an image's file in base64 (PNG, JPEG, GIF, WebP or BMP)", "encode it so")
	}
	b.keepImage(imageBytes, content[:n], content[:n])
	return nil
}

func (b *builder) keepImageFile(base, path string) {
	content, err := readImageFile(resolveImage(base, path))
	if err != nil {
		content = []byte("absent\x00" + path)
	}
	b.keepImage(imageFile, content, []byte(base+"\x00"+path))
}

// keepImage appends a value with the digest of content.
func (b *builder) keepImage(kind byte, content, rest []byte) {
	sum := sha256.Sum256(content)
	b.text = append(b.text, kind)
	b.text = append(b.text, sum[:digestLen]...)
	b.text = append(b.text, rest...)
	b.ends = append(b.ends, len(b.text))
	b.column.Codes = append(b.column.Codes, int32(len(b.ends)-1))
}

// digests returns the column with no more of its images than what tells them
// apart, for all that compares rows.
func (c *Column) digests() *Column {
	if c.Type != Image {
		return c
	}
	d := *c
	d.Dict = make([]string, len(c.Dict))
	for k, v := range c.Dict {
		d.Dict[k] = v[1:imageHead]
	}
	return &d
}

// settleImages looks whether the first of what may be paths of images is there.
func (r *Reader) settleImages(s *statistics) {
	if s.pictures == 0 || s.pictures+s.images != s.values {
		return
	}
	if _, err := os.Stat(resolveImage(r.base(), s.textValue)); err != nil && s.images == 0 {
		s.pictures = 0
	}
}

// base is the folder that paths in the source are relative to.
func (r *Reader) base() string { return filepath.Dir(r.parts[0].path) }

// checkBase finds files of paths that lie in different folders.
func (r *Reader) checkBase() error {
	for _, f := range r.schema {
		for _, p := range r.parts[1:] {
			if f.Type == Image && filepath.Dir(p.path) != r.base() && p.types[f.Name] != Image {
				return &Error{Path: p.path, Column: f.Name, Problem: fmt.Sprintf("holds paths of images, and the file lies in another folder than %s, to which they would be relative", r.parts[0].path), Remedy: "put the files of the source into one folder"}
			}
		}
	}
	return nil
}

// NewImages returns an image column of files' contents; nil is a missing value.
func NewImages(name string, files [][]byte) *Column {
	b := newBuilder(Field{Name: name, Type: Image}, defaultMissing)
	for _, content := range files {
		if content == nil {
			b.skip()
		} else {
			b.keepImage(imageBytes, content, content)
		}
	}
	return b.take(nil)
}

// A BadImage is an image that cannot be read.
type BadImage struct {
	Row int // from 0
	Err error
}

// BadImages decodes all images of a column and returns those that cannot be, by
// row. Missing values are none.
func BadImages(c *Column) []BadImage {
	const chunk = 64
	var mu sync.Mutex
	var bad []BadImage
	n := c.Len()
	parallel((n+chunk-1)/chunk, func(k int) {
		for i := k * chunk; i < min(n, (k+1)*chunk); i++ {
			if c.Missing(i) {
				continue
			}
			if _, err := c.Picture(i).Decode(); err != nil {
				mu.Lock()
				bad = append(bad, BadImage{i, err})
				mu.Unlock()
			}
		}
	})
	slices.SortFunc(bad, func(a, b BadImage) int { return a.Row - b.Row })
	return bad
}
