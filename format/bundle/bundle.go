// Package bundle reads and writes the container of a bundle (*.hone): a zip
// archive whose parts are standard files, and a manifest.json with the
// format's version and the size and SHA-256 of every part.
//
// Reading trusts nothing: names, sizes and compression ratios are checked
// before anything is allocated, and every part against its digest, so that a
// truncated or altered bundle is told from a whole one and an archive made to
// exhaust memory is refused. Nothing is ever unpacked to disk. It imports
// internal/atomicfile alone; model imports it.
package bundle

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sort"
	"strings"

	"github.com/hone-ml/hone/internal/atomicfile"
)

// Version is the version of the format that Write writes. Read reads it and
// every earlier one.
const Version = 1

// Limits on what is read. Weights hardly compress, so a part that expands a
// thousandfold is no honest one.
const (
	maxParts     = 1000
	maxPart      = 64 << 30
	maxText      = 256 << 20 // of anything but weights
	maxExpansion = 1000
	manifestName = "manifest.json"
)

// A Part is one file of a bundle.
type Part struct {
	Name    string
	Content []byte
}

type manifest struct {
	Format  string              `json:"format"` // "hone"
	Version int                 `json:"version"`
	Writer  string              `json:"writer"` // the version of hone
	Parts   map[string]partInfo `json:"parts"`
}

type partInfo struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Write writes a bundle in one step. The same parts and writer give the same
// bytes.
func Write(path, writer string, parts []Part) error {
	parts = append([]Part(nil), parts...)
	sort.Slice(parts, func(i, j int) bool { return parts[i].Name < parts[j].Name })
	m := manifest{Format: "hone", Version: Version, Writer: writer, Parts: map[string]partInfo{}}
	for _, p := range parts {
		if err := checkName(p.Name); err != nil {
			return err
		}
		if _, dup := m.Parts[p.Name]; dup {
			return fmt.Errorf("two parts are named %q", p.Name)
		}
		sum := sha256.Sum256(p.Content)
		m.Parts[p.Name] = partInfo{int64(len(p.Content)), hex.EncodeToString(sum[:])}
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, p := range append([]Part{{manifestName, append(raw, '\n')}}, parts...) {
			// No time stamp, so that equal bundles are equal files. Weights are
			// stored as they are: they do not compress and load faster so.
			h := &zip.FileHeader{Name: p.Name, Method: zip.Deflate}
			if strings.HasSuffix(p.Name, ".safetensors") {
				h.Method = zip.Store
			}
			f, err := z.CreateHeader(h)
			if err != nil {
				return err
			}
			if _, err := f.Write(p.Content); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00") {
		return fmt.Errorf("part %q has a name that could leave its folder", name)
	}
	return nil
}

// A Bundle is an open bundle, whole and checked.
type Bundle struct {
	Writer  string // the version of hone that wrote it
	Version int
	parts   map[string][]byte
}

// Part returns the content of a part, or an error that names it.
func (b *Bundle) Part(name string) ([]byte, error) {
	content, ok := b.parts[name]
	if !ok {
		return nil, fmt.Errorf("the bundle has no part %s", name)
	}
	return content, nil
}

// Names returns the names of the parts in order.
func (b *Bundle) Names() []string {
	var names []string
	for n := range b.parts {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// An Error says what is wrong with a bundle.
type Error struct {
	Path    string
	Problem string
	Remedy  string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s; %s", e.Path, e.Problem, e.Remedy) }

// UserError marks the error as the user's to mend.
func (e *Error) UserError() bool { return true }

const copyAgain = "copy or train the bundle again"

// Read reads and checks a bundle.
func Read(path string) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &Error{path, "there is no such file", "give the path of a bundle (NAME.hone), as `hone run` prints it"}
		}
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &Error{path, "it is a folder, expected a bundle", "give the path of a bundle (NAME.hone)"}
	}
	b, err := ReadFrom(f, info.Size())
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			e.Path = path
			return nil, e
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// ReadFrom reads and checks a bundle of size bytes, such as one that is
// embedded in a program.
func ReadFrom(r io.ReaderAt, size int64) (*Bundle, error) {
	bad := func(remedy, format string, args ...any) error {
		return &Error{"bundle", fmt.Sprintf(format, args...), remedy}
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, bad(copyAgain, "it is no bundle, or a truncated one (%v)", err)
	}
	if len(z.File) > maxParts {
		return nil, bad(copyAgain, "it has %d parts, a bundle has at most %d", len(z.File), maxParts)
	}
	files := map[string]*zip.File{}
	for _, f := range z.File {
		if err := checkName(f.Name); err != nil {
			return nil, bad("it was not written by hone: do not use it", "%v", err)
		}
		if files[f.Name] != nil {
			return nil, bad("it was not written by hone: do not use it", "part %s stands in it twice", f.Name)
		}
		files[f.Name] = f
	}
	mf := files[manifestName]
	if mf == nil {
		return nil, bad("give the path of a bundle (NAME.hone)", "it is a zip archive without a %s, not a bundle", manifestName)
	}
	raw, err := content(mf, 16<<20)
	if err != nil {
		return nil, bad(copyAgain, "%v", err)
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil || m.Format != "hone" || m.Version < 1 {
		return nil, bad(copyAgain, "its %s is not a bundle's", manifestName)
	}
	if m.Version > Version {
		return nil, bad("use hone "+m.Writer+" or newer", "it has format version %d, this program reads up to %d", m.Version, Version)
	}
	b := &Bundle{Writer: m.Writer, Version: m.Version, parts: map[string][]byte{}}
	for name := range files {
		if _, listed := m.Parts[name]; !listed && name != manifestName {
			return nil, bad(copyAgain, "part %s is not listed in %s: something was added", name, manifestName)
		}
	}
	names := make([]string, 0, len(m.Parts))
	for name := range m.Parts {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		info, f := m.Parts[name], files[name]
		if f == nil {
			return nil, bad(copyAgain, "part %s is missing", name)
		}
		if f.UncompressedSize64 != uint64(info.Size) {
			return nil, bad(copyAgain, "part %s has %d bytes, expected %d", name, f.UncompressedSize64, info.Size)
		}
		limit := int64(maxText)
		if strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".onnx") {
			limit = maxPart
		}
		data, err := content(f, limit)
		if err != nil {
			return nil, bad(copyAgain, "%v", err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != info.SHA256 {
			return nil, bad(copyAgain, "part %s is not what was written: its SHA-256 differs", name)
		}
		b.parts[name] = data
	}
	return b, nil
}

// content returns what a part holds, or an error where it is larger than the
// limit or than the archive can honestly hold.
func content(f *zip.File, limit int64) ([]byte, error) {
	size := f.UncompressedSize64
	if size > uint64(limit) {
		return nil, fmt.Errorf("part %s claims %d bytes, at most %d are read", f.Name, size, limit)
	}
	if size > 1<<20 && size/maxExpansion > f.CompressedSize64 {
		return nil, fmt.Errorf("part %s claims to expand from %d to %d bytes, as no honest part does", f.Name, f.CompressedSize64, size)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("part %s: %w", f.Name, err)
	}
	defer r.Close()
	var b bytes.Buffer
	b.Grow(int(min(size, f.CompressedSize64*maxExpansion+1<<20)))
	if _, err := io.Copy(&b, io.LimitReader(r, int64(size)+1)); err != nil {
		return nil, fmt.Errorf("part %s is damaged: %w", f.Name, err)
	}
	if uint64(b.Len()) != size {
		return nil, fmt.Errorf("part %s has %d bytes or more, expected %d", f.Name, b.Len(), size)
	}
	return b.Bytes(), nil
}
