package data

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/hone-ml/hone/internal/nearest"
)

// source gives a file's text as UTF-8, decompressed and without a byte-order
// mark.
type source struct {
	io.Reader
	file        io.Closer
	free        func() // memory of the decompressor
	compression string
	encoding    string
	start       int64 // bytes before the first character
}

func (s *source) Close() error {
	if s.free != nil {
		s.free()
	}
	return s.file.Close()
}

// encodings are those that can be declared; nil needs no decoding.
var encodings = map[string]encoding.Encoding{
	"utf-8":        nil,
	"utf-16le":     unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"utf-16be":     unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	"windows-1252": charmap.Windows1252,
	"iso-8859-1":   charmap.ISO8859_1,
	"gb18030":      simplifiedchinese.GB18030,
}

var encodingAliases = map[string]string{
	"": "", "utf8": "utf-8", "utf16": "utf-16", "utf16le": "utf-16le", "utf16be": "utf-16be",
	"cp1252": "windows-1252", "latin1": "iso-8859-1", "latin-1": "iso-8859-1", "gbk": "gb18030", "gb2312": "gb18030",
}

// foreign are the beginnings of files that are often mistaken for tables of text.
var foreign = []struct{ magic, name, remedy string }{
	{"PK\x03\x04", "a zip archive or an Excel workbook, compressed once more", "decompress it"},
	{"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"},
	{"PAR1", "a Parquet file, compressed as a whole", "decompress it; Parquet compresses its columns itself"},
	{"BZh", "compressed by bzip2", "decompress it, or compress it by gzip"},
	{"\xfd7zXZ", "compressed by xz", "decompress it, or compress it by gzip"},
	{"\x89PNG", "a PNG image", "give a CSV or TSV file"},
	{"%PDF", "a PDF document", "give a CSV or TSV file"},
	{"SQLite format 3\x00", "an SQLite database", "write the table out as CSV"},
	{"\x1f\x8b", "compressed twice", "decompress it once"},
	{"\x28\xb5\x2f\xfd", "compressed twice", "decompress it once"},
}

// openFile opens path after looking for the mistakes that a path can have.
func openFile(path string) (io.ReadCloser, error) {
	path, _ = npzPart(path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, notFound(path)
	case err != nil:
		return nil, &Error{Path: path, Problem: "cannot be read: " + cause(err)}
	case info.IsDir():
		e := &Error{Path: path, Problem: "is a folder, expected a CSV or TSV file", Remedy: "name a file in it"}
		for _, name := range list(path) {
			if n := strings.TrimSuffix(strings.ToLower(name), ".gz"); strings.HasSuffix(n, ".csv") || strings.HasSuffix(n, ".tsv") {
				e.Remedy += ", such as " + filepath.Join(path, name)
				break
			}
		}
		return nil, e
	case !info.Mode().IsRegular():
		return nil, &Error{Path: path, Problem: "is not a regular file, and a table is read more than once", Remedy: "write it to a file first"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &Error{Path: path, Problem: "cannot be read: " + cause(err)}
	}
	return f, nil
}

func cause(err error) string {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// notFound says what is there instead.
func notFound(path string) error {
	e := &Error{Path: path, Problem: "no such file"}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		e.Problem = fmt.Sprintf("no such file, and no folder %s", dir)
		e.Remedy = "check the path; it is relative to where it is written or typed"
	} else if n := nearest.Name(filepath.Base(path), list(dir)); n != "" {
		e.Remedy = fmt.Sprintf("did you mean %s?", filepath.Join(dir, n))
	} else {
		e.Remedy = fmt.Sprintf("nothing in the folder %s has a name like it", dir)
	}
	return e
}

func list(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// newSource recognises compression and encoding of an opened file.
func newSource(path string, f io.ReadCloser, o *Options) (_ *source, err error) {
	s := &source{file: f}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	in := &counter{r: f}
	br := bufio.NewReaderSize(in, 1<<16)
	head, err := br.Peek(4)
	if len(head) == 0 {
		if err == io.EOF {
			return nil, emptyError(path)
		}
		return nil, &Error{Path: path, Problem: "cannot be read: " + cause(err)}
	}
	for _, c := range compressions {
		if !bytes.HasPrefix(head, []byte(c.magic)) {
			continue
		}
		limit := o.MaxExpansion
		if limit == 0 {
			limit = defaultMaxExpansion
		}
		s.compression = c.name
		z, free, err := c.open(br)
		if err != nil {
			return nil, inflateError(path, c.name, err, 0)
		}
		s.free = free
		br = bufio.NewReaderSize(&inflater{z: z, name: c.name, in: in, path: path, limit: int64(limit)}, 1<<16)
		break
	}
	head, err = br.Peek(16)
	if len(head) == 0 {
		if err == io.EOF {
			return nil, emptyError(path)
		}
		return nil, err
	}
	for _, k := range foreign {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return nil, &Error{Path: path, Problem: "is " + k.name + ", expected a CSV or TSV file", Remedy: k.remedy}
		}
	}
	name, ok := encodingAliases[strings.ToLower(o.Encoding)]
	if !ok {
		name = strings.ToLower(o.Encoding)
	}
	mark := ""
	for _, m := range []struct{ bytes, encoding string }{{"\xef\xbb\xbf", "utf-8"}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"}} {
		if bytes.HasPrefix(head, []byte(m.bytes)) {
			mark = m.encoding
			if name == "" || name == "utf-16" && m.encoding != "utf-8" {
				name = m.encoding
			}
			if name == m.encoding {
				s.start = int64(len(m.bytes))
			}
		}
	}
	switch name {
	case "":
		name = "utf-8"
	case "utf-16":
		return nil, &Error{Path: path, Problem: "has no byte-order mark to say which UTF-16 it is", Remedy: "set data.encoding to utf-16le or utf-16be"}
	}
	e, ok := encodings[name]
	if !ok {
		return nil, &Error{Path: path, Problem: fmt.Sprintf("data.encoding is %q, expected one of utf-8, utf-16, utf-16le, utf-16be, windows-1252, iso-8859-1, gb18030", o.Encoding)}
	}
	if mark != "" && mark != name {
		return nil, &Error{Path: path, Problem: fmt.Sprintf("begins with the byte-order mark of %s, but data.encoding says %s", mark, name), Remedy: "remove data.encoding"}
	}
	s.encoding = name
	if _, err := br.Discard(int(s.start)); err != nil {
		return nil, err
	}
	if _, err := br.Peek(1); err == io.EOF {
		return nil, emptyError(path)
	}
	s.Reader = br
	if e != nil {
		s.Reader = e.NewDecoder().Reader(br)
	}
	return s, nil
}

func emptyError(path string) error {
	return &Error{Path: path, Problem: "is empty, expected a header and rows", Remedy: "check how the file was made or copied"}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// compressions are those that are undone in reading.
var compressions = []struct {
	name, magic string
	open        func(r io.Reader) (z io.Reader, free func(), err error)
}{
	{"gzip", "\x1f\x8b", func(r io.Reader) (io.Reader, func(), error) {
		z, err := gzip.NewReader(r)
		return z, nil, err
	}},
	{"zstd", "\x28\xb5\x2f\xfd", func(r io.Reader) (io.Reader, func(), error) {
		// A window of 128 MiB is what zstd itself reads without being told to.
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}},
}

// inflater reads compressed data, refuses bombs and explains damage.
type inflater struct {
	z     io.Reader
	name  string
	in    *counter
	path  string
	limit int64
	n     int64
}

func (f *inflater) Read(p []byte) (int, error) {
	n, err := f.z.Read(p)
	f.n += int64(n)
	if f.n > 64<<20 && f.n/f.limit > f.in.n {
		return 0, &Error{Path: f.path,
			Problem: fmt.Sprintf("decompresses to more than %d times its size (%d bytes read, %d MiB so far), expected at most %d times", f.limit, f.in.n, f.n>>20, f.limit),
			Remedy:  "raise data.max_expansion if the file can be trusted"}
	}
	if err != nil && err != io.EOF {
		err = inflateError(f.path, f.name, err, f.n)
	}
	return n, err
}

func inflateError(path, name string, err error, at int64) error {
	e := &Error{Path: path, Remedy: "copy or download the file again"}
	switch _, notRead := errors.AsType[*os.PathError](err); {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		e.Problem = fmt.Sprintf("the %s data ends too early, after %d bytes of text: the file is cut off", name, at)
	case notRead:
		e.Problem, e.Remedy = "cannot be read: "+cause(err), ""
	case errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded):
		e.Problem, e.Remedy = "the zstd data asks for a window of more than 128 MiB to be decompressed", "compress it again without --long and --ultra"
	default:
		e.Problem = fmt.Sprintf("the %s data is damaged, %d bytes of text into it (%v)", name, at, err)
	}
	return e
}

// Fingerprint is the SHA-256 of the content of files, or of patterns of files as
// in [Open], in hexadecimal: of one file what sha256sum says, of several that of
// their sums in order. Names and times do not enter into it.
func Fingerprint(paths ...string) (string, error) {
	paths, err := expand(paths)
	if err != nil {
		return "", err
	}
	all := sha256.New()
	var sum []byte
	for _, path := range paths {
		if sum, err = sourceSum(path); err != nil {
			return "", err
		}
		all.Write(sum)
	}
	if len(paths) != 1 {
		sum = all.Sum(nil)
	}
	return hex.EncodeToString(sum), nil
}

// sourceSum is the sum of all that is read of a path: of a folder the sums and
// names of its images, and what stands in files beside it.
func sourceSum(path string) ([]byte, error) {
	switch file, _ := npzPart(path); {
	case isFolder(path):
		list, err := folderImages(path)
		if err != nil {
			return nil, err
		}
		all := sha256.New()
		for _, name := range list {
			sum, err := fileSum(filepath.Join(path, name))
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(all, "%s\n%x\n", filepath.ToSlash(name), sum)
		}
		return all.Sum(nil), nil
	case isIDX(path):
		all := sha256.New()
		for _, p := range []string{path, idxLabels(path)} {
			if p == "" {
				continue
			}
			sum, err := fileSum(p)
			if err != nil {
				return nil, err
			}
			all.Write(sum)
		}
		return all.Sum(nil), nil
	default:
		return fileSum(file)
	}
}

// sums are those of files that were hashed, by path, size and time of the last
// change. Of one that changed a moment ago nothing is kept: it may change once more
// within the same tick of the clock.
var sums sync.Map

func fileSum(path string) ([]byte, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	key := ""
	if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > 2*time.Second {
		if abs, err := filepath.Abs(path); err == nil {
			key = fmt.Sprintf("%s\n%d %d", abs, info.Size(), info.ModTime().UnixNano())
		}
	}
	if sum, ok := sums.Load(key); ok {
		return sum.([]byte), nil
	}
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, 1<<20)); err != nil {
		return nil, &Error{Path: path, Problem: "cannot be read: " + cause(err)}
	}
	sum := h.Sum(nil)
	if key != "" {
		sums.Store(key, sum)
	}
	return sum, nil
}
