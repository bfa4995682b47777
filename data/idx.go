package data

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// idxFile is the images of the MNIST family: a file of images named …-images-idx3-ubyte
// and, beside it, one of labels named …-labels-idx1-ubyte, plain or compressed by
// gzip. (LeCun, Cortes and Burges, "The MNIST database of handwritten digits".)
type idxFile struct {
	*part
	labels                []byte // nil where there is no such file
	rows                  int
	height, width, planes int
}

const (
	idxRows  = 1024 // of a block
	idxLimit = 1 << 24
)

// isIDX recognises a file of images by its name.
func isIDX(path string) bool {
	name := strings.ToLower(filepath.Base(strings.TrimSuffix(path, ".gz")))
	return strings.HasSuffix(name, "images-idx3-ubyte") || strings.HasSuffix(name, "images.idx3-ubyte") || strings.HasSuffix(name, "images-idx4-ubyte")
}

// idxLabels returns the file of labels beside a file of images, "" where there is
// none.
func idxLabels(path string) string {
	dir, name := filepath.Split(path)
	at := strings.LastIndex(strings.ToLower(name), "images")
	stem := strings.TrimSuffix(name[at+len("images"):], ".gz")
	for _, end := range []string{"", ".gz"} {
		for _, dims := range []string{"idx1", "idx3"} {
			p := dir + name[:at] + "labels" + strings.Replace(strings.Replace(stem, "idx3", dims, 1), "idx4", dims, 1) + end
			if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
				return p
			}
		}
	}
	return ""
}

// idxParts finds the training and the test images in a folder.
func idxParts(dir string) (d Division, ok bool) {
	for _, name := range list(dir) {
		switch p := filepath.Join(dir, name); {
		case !isIDX(name):
		case strings.HasPrefix(name, "train"):
			d.Source = p
		case strings.HasPrefix(name, "t10k"), strings.HasPrefix(name, "test"):
			d.Test = p
		case strings.HasPrefix(name, "val"):
			d.Validation = p
		}
	}
	return d, d.Source != ""
}

// header reads the magic number, 2049 for labels and 2051 for images, and the
// dimensions.
func (d *idxFile) header(r io.Reader, path string) (dims []int, err error) {
	bad := func(what string) error {
		return &Error{Path: path, Problem: what + ", expected an IDX file of bytes", Remedy: "copy or download the file again"}
	}
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, bad("it ends early")
	}
	if head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] < 1 || head[3] > 4 {
		return nil, bad(fmt.Sprintf("it begins with the bytes % x", head))
	}
	for range head[3] {
		var n [4]byte
		if _, err := io.ReadFull(r, n[:]); err != nil {
			return nil, bad("it ends early")
		}
		v := binary.BigEndian.Uint32(n[:])
		if v > 1<<30 {
			return nil, bad(fmt.Sprintf("a dimension is %d", v))
		}
		dims = append(dims, int(v))
	}
	return dims, nil
}

func (d *idxFile) stream(path string) (*source, *bufio.Reader, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, nil, err
	}
	s, err := newSource(path, f, &Options{MaxExpansion: d.options.MaxExpansion}) // bytes, whatever the options say of text
	if err != nil {
		return nil, nil, err
	}
	return s, bufio.NewReaderSize(s, 1<<16), nil
}

func openIDX(p *part, _ []byte, _ bool) (decoder, error) {
	d := &idxFile{part: p}
	s, r, err := d.stream(p.path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	dims, err := d.header(r, p.path)
	if err != nil {
		return nil, err
	}
	switch {
	case len(dims) == 3:
		dims = append(dims, 1)
	case len(dims) != 4 || dims[3] != 1 && dims[3] != 3:
		return nil, &Error{Path: p.path, Problem: fmt.Sprintf("holds numbers of dimensions %v, expected images: [rows height width], or [rows height width 3]", dims)}
	}
	d.rows, d.height, d.width, d.planes = dims[0], dims[1], dims[2], dims[3]
	if d.height < 1 || d.width < 1 || d.height > 1<<15 || d.width > 1<<15 || d.height*d.width > idxLimit {
		return nil, &Error{Path: p.path, Problem: fmt.Sprintf("its images are %d by %d, expected 1 to %d places", d.height, d.width, idxLimit)}
	}
	p.compression = s.compression
	p.names, p.types, p.header = []string{imageColumn, labelColumn}, map[string]Type{imageColumn: Image, labelColumn: Category}, true
	if labels := idxLabels(p.path); labels != "" {
		s, r, err := d.stream(labels)
		if err != nil {
			return nil, err
		}
		defer s.Close()
		dims, err := d.header(r, labels)
		if err != nil {
			return nil, err
		}
		if len(dims) != 1 || dims[0] != d.rows {
			return nil, &Error{Path: labels, Problem: fmt.Sprintf("holds numbers of dimensions %v, and %s %d images, expected a label for each", dims, p.path, d.rows), Remedy: "copy or download the files again"}
		}
		if d.labels, err = io.ReadAll(io.LimitReader(r, int64(d.rows))); err != nil || len(d.labels) < d.rows {
			return nil, &Error{Path: labels, Problem: fmt.Sprintf("ends after %d of %d labels", len(d.labels), d.rows), Remedy: "copy or download the file again"}
		}
	}
	return d, nil
}

type idxPass struct {
	d   *idxFile
	src *source
	r   *bufio.Reader
	at  int
}

func (d *idxFile) pass() (pass, error) {
	s, r, err := d.stream(d.path)
	if err != nil {
		return nil, err
	}
	if _, err := d.header(r, d.path); err != nil {
		s.Close()
		return nil, err
	}
	return &idxPass{d: d, src: s, r: r}, nil
}

func (p *idxPass) next() (*block, error) {
	d, lo := p.d, p.at
	if lo == d.rows {
		return nil, io.EOF
	}
	size := d.height * d.width * d.planes
	p.at = min(lo+max(1, min(idxRows, (16<<20)/size)), d.rows)
	pixels := make([]byte, (p.at-lo)*size)
	if n, err := io.ReadFull(p.r, pixels); err != nil {
		return nil, &Error{Path: d.path, Row: lo + n/size + 1, Problem: fmt.Sprintf("the file ends early or is damaged (%v): it should hold %d images", err, d.rows), Remedy: "copy or download the file again"}
	}
	return &block{line: lo + 1, numbered: true, content: pixels}, nil
}

func (p *idxPass) release(*block) {}
func (p *idxPass) Close() error   { return p.src.Close() }

func (d *idxFile) each(sc *scanner, b *block, row func() error) error {
	pixels := b.content.([]byte)
	size := d.height * d.width * d.planes
	var image []byte
	for i := range len(pixels) / size {
		image = portable(image[:0], d.width, d.height, d.planes, pixels[i*size:(i+1)*size])
		label := ""
		if d.labels != nil {
			label = strconv.Itoa(int(d.labels[b.line-1+i]))
		}
		sc.imageRow(i, imageBytes, image, label)
		if err := row(); err != nil {
			return err
		}
	}
	return nil
}
