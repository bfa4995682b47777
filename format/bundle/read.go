package bundle

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
)

// A Bundle is a bundle in memory, whole and checked.
type Bundle struct {
	Writer  string // the version of hone that wrote it
	Version int
	parts   map[string][]byte
}

// Part returns the content of a part, which the caller must not change, or an
// error that names it.
func (b *Bundle) Part(name string) ([]byte, error) {
	content, ok := b.parts[name]
	if !ok {
		return nil, fmt.Errorf("the bundle has no part %s", name)
	}
	return content, nil
}

// Names returns the names of the parts in order.
func (b *Bundle) Names() []string { return slices.Sorted(maps.Keys(b.parts)) }

// What to do about a bundle that is refused.
const (
	copyAgain = "copy or train the bundle again"
	distrust  = "hone does not write such a bundle: do not use it"
	givePath  = "give the path of a bundle (NAME.hone), as `hone run` prints it"
)

// Read reads and checks a bundle. What is wrong with it is an *Error.
func Read(path string) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &Error{path, "there is no such file", givePath}
		}
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err // the path is said already
		}
		return nil, &Error{path, "it cannot be read: " + err.Error(), "see who may read it"}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &Error{path, "it is a folder, expected a bundle", givePath}
	}
	b, err := ReadFrom(f, info.Size())
	var e *Error
	if errors.As(err, &e) {
		e.Path = path
	}
	return b, err
}

// ReadFrom reads and checks a bundle of size bytes, such as one that is
// embedded in a program.
func ReadFrom(r io.ReaderAt, size int64) (*Bundle, error) {
	bad := func(remedy, format string, args ...any) (*Bundle, error) {
		return nil, &Error{"bundle", fmt.Sprintf(format, args...), remedy}
	}
	z, err := zip.NewReader(r, size)
	switch {
	case size == 0:
		return bad(copyAgain, "it is empty")
	case errors.Is(err, zip.ErrFormat) && !startsLikeZip(r):
		return bad(givePath, "it is not a bundle")
	case errors.Is(err, zip.ErrFormat):
		return bad(copyAgain, "it is damaged, or was cut short at %d bytes", size)
	case err != nil:
		return bad(copyAgain, "it is no bundle, or a damaged one (%v)", err)
	case len(z.File) > maxParts:
		return bad(distrust, "it has %d parts, at most %d are allowed", len(z.File), maxParts)
	}
	files := map[string]*zip.File{}
	var headers []*zip.FileHeader
	for _, f := range z.File {
		if err := checkName(f.Name); err != nil {
			return bad(distrust, "%v", err)
		}
		if files[f.Name] != nil {
			return bad(distrust, "part %s stands in it twice", f.Name)
		}
		files[f.Name] = f
		headers = append(headers, &f.FileHeader)
	}
	mf := files[manifestName]
	if mf == nil {
		return bad(givePath, "it is a zip archive without a %s, not a bundle", manifestName)
	}
	if mf.UncompressedSize64 > maxManifest {
		return bad(distrust, "its %s claims %d bytes, at most %d are allowed", manifestName, mf.UncompressedSize64, maxManifest)
	}
	raw, err := content(mf)
	if err != nil {
		return bad(copyAgain, "%v", err)
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil || m.Format != "hone" || m.Version < 1 {
		return bad(givePath, "its %s is not one of a bundle", manifestName)
	}
	if m.Version > Version {
		return bad(fmt.Sprintf("use hone %s, which wrote it, or a newer one", m.Writer), "it has format version %d, this program reads up to %d", m.Version, Version)
	}
	// After the version, since a later format may allow more.
	if err := checkSizes(headers, size); err != nil {
		return bad(distrust, "%v", err)
	}
	for _, f := range z.File {
		if _, listed := m.Parts[f.Name]; !listed && f != mf {
			return bad(copyAgain, "part %s is not listed in %s: it was added later", f.Name, manifestName)
		}
	}
	b := &Bundle{Writer: m.Writer, Version: m.Version, parts: map[string][]byte{}}
	for _, name := range slices.Sorted(maps.Keys(m.Parts)) {
		info, f := m.Parts[name], files[name]
		if f == nil {
			return bad(copyAgain, "part %s is missing", name)
		}
		if f.UncompressedSize64 != uint64(info.Size) {
			return bad(copyAgain, "part %s has %d bytes, expected %d", name, f.UncompressedSize64, info.Size)
		}
		data, err := content(f)
		if err != nil {
			return bad(copyAgain, "%v", err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != info.SHA256 {
			return bad(copyAgain, "part %s is not what was written: its SHA-256 differs", name)
		}
		b.parts[name] = data
	}
	return b, nil
}

// startsLikeZip tells half a bundle from a file of another kind.
func startsLikeZip(r io.ReaderAt) bool {
	var b [4]byte
	_, err := r.ReadAt(b[:], 0)
	return err == nil && string(b[:]) == "PK\x03\x04"
}

// content returns what a part holds, whose size has been checked. It holds
// exactly what it claims, or that is an error.
func content(f *zip.File) ([]byte, error) {
	if f.UncompressedSize64 > math.MaxInt {
		return nil, fmt.Errorf("part %s has %d bytes, more than this machine can address", f.Name, f.UncompressedSize64)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("part %s is damaged: %w", f.Name, err)
	}
	defer r.Close()
	data := make([]byte, f.UncompressedSize64)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("part %s is damaged: %w", f.Name, err)
	}
	if _, err := io.ReadFull(r, make([]byte, 1)); err != io.EOF { // the checksum is compared at the end
		if errors.Is(err, zip.ErrChecksum) {
			return nil, fmt.Errorf("part %s is damaged: its checksum differs", f.Name)
		}
		return nil, fmt.Errorf("part %s is damaged, or longer than the %d bytes it claims", f.Name, f.UncompressedSize64)
	}
	return data, nil
}
