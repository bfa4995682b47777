package data

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// npzFile is images and labels in the arrays of a NumPy file (.npz), as of the
// MedMNIST family: train_images [rows height width] or [rows height width 3] of
// bytes, train_labels [rows] or [rows n], and so on; x_train and y_train are
// understood too. The part is named after the path: FILE.npz#train.
// (NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".)
type npzFile struct {
	*part
	file           string
	images, labels string // names of the arrays; labels is "" where there is none
	image          npyHeader
	label          npyHeader
	values         []byte // of the labels
}

// npyHeader describes an array.
type npyHeader struct {
	descr string
	shape []int
}

func isNPZ(path string) bool {
	file, _ := npzPart(path)
	return strings.HasSuffix(strings.ToLower(file), ".npz")
}

// npzPart divides FILE.npz#PART.
func npzPart(path string) (file, part string) {
	if i := strings.LastIndex(strings.ToLower(path), ".npz#"); i >= 0 {
		return path[:i+4], path[i+5:]
	}
	return path, ""
}

// npzArrays lists the arrays of images in a file by the part that they are, and
// the arrays of labels that go with them.
func npzArrays(names []string) (order []string, images, labels map[string]string) {
	images, labels = map[string]string{}, map[string]string{}
	for _, n := range names {
		n = strings.TrimSuffix(n, ".npy")
		for _, p := range []struct {
			into map[string]string
			re   *regexp.Regexp
		}{{images, imageArray}, {labels, labelArray}} {
			if m := p.re.FindStringSubmatch(n); m != nil {
				p.into[strings.ToLower(m[1]+m[2])] = n
			}
		}
	}
	for part := range images {
		order = append(order, part)
	}
	slices.Sort(order)
	return order, images, labels
}

var (
	imageArray = regexp.MustCompile(`(?i)^(?:(\w*?)_?(?:images?|imgs?)|[xX]_?(\w*))$`)
	labelArray = regexp.MustCompile(`(?i)^(?:(\w*?)_?(?:labels?|targets?)|[yY]_?(\w*))$`)
)

// npzParts finds the parts of a file.
func npzParts(file string) (Division, error) {
	d := Division{Source: file}
	z, c, err := openZip(file)
	if err != nil {
		return d, err
	}
	defer c.Close()
	order, _, _ := npzArrays(zipNames(z))
	if len(order) < 2 {
		return d, nil
	}
	find := func(what string) string {
		for _, name := range partNames[what] {
			if slices.Contains(order, name) {
				return file + "#" + name
			}
		}
		return ""
	}
	if train := find("train"); train != "" {
		d = Division{train, find("validation"), find("test")}
	}
	return d, nil
}

func zipNames(z *zip.Reader) (names []string) {
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, ".npy") {
			names = append(names, f.Name)
		}
	}
	return names
}

func openZip(file string) (*zip.Reader, io.Closer, error) {
	f, err := openFile(file)
	if err != nil {
		return nil, nil, err
	}
	r, ok := f.(randomAccess)
	if !ok {
		f.Close()
		return nil, nil, &Error{Path: file, Problem: "cannot be read at random", Remedy: "write it to a file first"}
	}
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, nil, &Error{Path: file, Problem: "cannot be read: " + cause(err)}
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		f.Close()
		return nil, nil, npzDamaged(file, err.Error())
	}
	return z, f, nil
}

func npzDamaged(file, what string) error {
	return &Error{Path: file, Problem: fmt.Sprintf("the NumPy data is damaged (%s)", what), Remedy: "copy or download the file again, or write it anew"}
}

var (
	npyDescr   = regexp.MustCompile(`'descr':\s*'([^']*)'`)
	npyFortran = regexp.MustCompile(`'fortran_order':\s*True`)
	npyShape   = regexp.MustCompile(`'shape':\s*\(([0-9,\s]*)\)`)
)

// npy opens an array.
func (d *npzFile) npy(z *zip.Reader, name string) (h npyHeader, r io.ReadCloser, err error) {
	bad := func(what string) (npyHeader, io.ReadCloser, error) {
		if r != nil {
			r.Close()
		}
		return h, nil, npzDamaged(d.file, name+": "+what)
	}
	for _, f := range z.File {
		if f.Name != name+".npy" {
			continue
		}
		if err := d.expansion(int64(f.CompressedSize64), int64(f.UncompressedSize64)); err != nil {
			return h, nil, err
		}
		if r, err = f.Open(); err != nil {
			return bad(err.Error())
		}
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:6]) != "\x93NUMPY" {
			return bad("it is no array")
		}
		n := 0
		if head[6] == 1 {
			var b [2]byte
			_, err = io.ReadFull(r, b[:])
			n = int(binary.LittleEndian.Uint16(b[:]))
		} else {
			var b [4]byte
			_, err = io.ReadFull(r, b[:])
			n = int(binary.LittleEndian.Uint32(b[:]))
		}
		if err != nil || n > 1<<16 {
			return bad("its header ends early or is too long")
		}
		text := make([]byte, n)
		if _, err := io.ReadFull(r, text); err != nil {
			return bad("it ends early")
		}
		descr, shape := npyDescr.FindSubmatch(text), npyShape.FindSubmatch(text)
		if descr == nil || shape == nil || npyFortran.Match(text) {
			return bad("its header is not one of an array of numbers in the order of rows")
		}
		h.descr = string(descr[1])
		total := 1
		for _, s := range strings.Split(string(shape[1]), ",") {
			if s = strings.TrimSpace(s); s == "" {
				continue
			}
			v, err := strconv.Atoi(s)
			if err != nil || v < 0 || v > 1<<31 || total > 1<<40/max(v, 1) {
				return bad("its shape is (" + string(shape[1]) + ")")
			}
			total *= max(v, 1)
			h.shape = append(h.shape, v)
		}
		return h, r, nil
	}
	return bad("the array is absent")
}

// npyNumbers are the kinds of numbers that labels may be.
var npyNumbers = map[string]func(b []byte) string{
	"u1": func(b []byte) string { return strconv.Itoa(int(b[0])) },
	"i1": func(b []byte) string { return strconv.Itoa(int(int8(b[0]))) },
	"b1": func(b []byte) string { return strconv.Itoa(int(b[0])) },
	"u2": func(b []byte) string { return strconv.Itoa(int(binary.LittleEndian.Uint16(b))) },
	"i2": func(b []byte) string { return strconv.Itoa(int(int16(binary.LittleEndian.Uint16(b)))) },
	"u4": func(b []byte) string { return strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b)), 10) },
	"i4": func(b []byte) string { return strconv.Itoa(int(int32(binary.LittleEndian.Uint32(b)))) },
	"u8": func(b []byte) string { return strconv.FormatUint(binary.LittleEndian.Uint64(b), 10) },
	"i8": func(b []byte) string { return strconv.FormatInt(int64(binary.LittleEndian.Uint64(b)), 10) },
	"f4": func(b []byte) string {
		return string(appendFloat(nil, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 32))
	},
	"f8": func(b []byte) string {
		return string(appendFloat(nil, math.Float64frombits(binary.LittleEndian.Uint64(b)), 64))
	},
}

// number returns how numbers are read and their length.
func (h npyHeader) number() (read func(b []byte) string, size int, ok bool) {
	if len(h.descr) != 3 || h.descr[0] == '>' && h.descr[2] != '1' {
		return nil, 0, false
	}
	read, ok = npyNumbers[h.descr[1:]]
	return read, int(h.descr[2] - '0'), ok
}

func openNPZ(p *part, _ []byte, _ bool) (decoder, error) {
	d := &npzFile{part: p}
	var part string
	d.file, part = npzPart(p.path)
	z, c, err := openZip(d.file)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	order, images, labels := npzArrays(zipNames(z))
	name := func(part string) string { return filepath.Base(d.file) + "#" + part }
	switch {
	case len(order) == 0:
		return nil, &Error{Path: d.file, Problem: "has no arrays of images (train_images, images, x_train, …): it has " + strings.Join(zipNames(z), ", ")}
	case part == "" && len(order) > 1:
		return nil, &Error{Path: d.file, Problem: "has the parts " + strings.Join(order, ", "), Remedy: fmt.Sprintf("name one, such as %s; hone init %s divides them itself", name(order[len(order)-1]), d.file)}
	case part == "":
		part = order[0]
	case images[part] == "":
		return nil, &Error{Path: d.file, Problem: fmt.Sprintf("has no part %q, it has %s", part, strings.Join(order, ", ")), Remedy: "name one of them after #"}
	}
	d.images, d.labels = images[part], labels[part]
	r := io.ReadCloser(nil)
	if d.image, r, err = d.npy(z, d.images); err != nil {
		return nil, err
	}
	r.Close()
	s := d.image.shape
	if len(s) == 3 {
		s = append(s, 1)
	}
	if len(s) != 4 || s[3] != 1 && s[3] != 3 || d.image.descr[1:] != "u1" {
		return nil, &Error{Path: d.file, Problem: fmt.Sprintf("array %s is %s%v, expected bytes (u1) [rows height width] or [rows height width 3]", d.images, d.image.descr, d.image.shape), Remedy: "write it so: grey or red, green and blue from 0 to 255"}
	}
	if d.image.shape = s; s[1] < 1 || s[2] < 1 || s[1] > 1<<15 || s[2] > 1<<15 || s[1]*s[2] > idxLimit {
		return nil, &Error{Path: d.file, Problem: fmt.Sprintf("the images are %d by %d, expected 1 to %d places", s[1], s[2], idxLimit)}
	}
	p.names, p.types, p.header = []string{imageColumn}, map[string]Type{imageColumn: Image}, true
	return d, d.openLabels(z)
}

// openLabels reads the labels, of which there may be several for an image.
func (d *npzFile) openLabels(z *zip.Reader) (err error) {
	if d.labels == "" {
		d.names, d.types[labelColumn] = append(d.names, labelColumn), Category
		return nil
	}
	var r io.ReadCloser
	if d.label, r, err = d.npy(z, d.labels); err != nil {
		return err
	}
	defer r.Close()
	h := &d.label
	if len(h.shape) == 1 {
		h.shape = append(h.shape, 1)
	}
	_, size, ok := h.number()
	if !ok || len(h.shape) != 2 || h.shape[0] != d.image.shape[0] || h.shape[1] < 1 || h.shape[1] > 1000 {
		return &Error{Path: d.file, Problem: fmt.Sprintf("array %s is %s%v, expected numbers for each of %d images: [rows] or [rows n]", d.labels, h.descr, h.shape, d.image.shape[0])}
	}
	n := h.shape[0] * h.shape[1] * size
	if d.values, err = io.ReadAll(io.LimitReader(r, int64(n))); err != nil || len(d.values) < n {
		return npzDamaged(d.file, d.labels+" ends early")
	}
	for k := range h.shape[1] {
		name := labelColumn
		if h.shape[1] > 1 {
			name = fmt.Sprintf("%s_%d", labelColumn, k+1)
		}
		d.names = append(d.names, name)
		if h.descr[1] != 'f' {
			d.types[name] = Category
		}
	}
	return nil
}

type npzPass struct {
	d      *npzFile
	closer io.Closer
	array  io.ReadCloser
	r      *bufio.Reader
	at     int
}

func (d *npzFile) pass() (pass, error) {
	z, c, err := openZip(d.file)
	if err != nil {
		return nil, err
	}
	_, r, err := d.npy(z, d.images)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &npzPass{d: d, closer: c, array: r, r: bufio.NewReaderSize(r, 1<<16)}, nil
}

func (p *npzPass) next() (*block, error) {
	s, lo := p.d.image.shape, p.at
	if lo == s[0] {
		return nil, io.EOF
	}
	size := s[1] * s[2] * s[3]
	p.at = min(lo+max(1, min(idxRows, (16<<20)/size)), s[0])
	pixels := make([]byte, (p.at-lo)*size)
	if _, err := io.ReadFull(p.r, pixels); err != nil {
		return nil, npzDamaged(p.d.file, p.d.images+" "+err.Error())
	}
	return &block{line: lo + 1, numbered: true, content: pixels}, nil
}

func (p *npzPass) release(*block) {}

func (p *npzPass) Close() error {
	p.array.Close()
	return p.closer.Close()
}

func (d *npzFile) each(sc *scanner, b *block, row func() error) error {
	pixels, s := b.content.([]byte), d.image.shape
	size := s[1] * s[2] * s[3]
	read, width, _ := d.label.number()
	var image []byte
	labels := make([]string, len(d.names)-1)
	for i := range len(pixels) / size {
		image = portable(image[:0], s[2], s[1], s[3], pixels[i*size:(i+1)*size])
		for k := range labels {
			if d.values != nil {
				labels[k] = read(d.values[((b.line-1+i)*len(labels)+k)*width:][:width])
			}
		}
		sc.imageRow(i, imageBytes, image, labels...)
		if err := row(); err != nil {
			return err
		}
	}
	return nil
}
