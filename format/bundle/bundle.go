package bundle

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Version is the version of the format that Write writes. Read reads it and
// every earlier one.
const Version = 1

const manifestName = "manifest.json"

// Limits on what is written and read. A part that is stored as it is takes no
// more memory than the archive has bytes; these bound what compressed parts
// expand to.
const (
	maxParts     = 1000
	maxName      = 200
	maxManifest  = 1 << 20
	maxExpanded  = 256 << 20 // one compressed part
	maxTotal     = 1 << 30   // all compressed parts together
	maxRatio     = 200       // of a part beyond smallPart; text reaches about 20
	smallPart    = 1 << 20
	storedBeyond = maxExpanded / 4 // larger contents are not compressed
)

// stored are the endings of parts that do not compress, and load faster as
// they are.
var stored = []string{".safetensors", ".onnx", ".gguf", ".png", ".jpg", ".gz", ".zst", ".parquet"}

// A Part is one file of a bundle.
type Part struct {
	Name    string
	Content []byte
	Write   func(io.Writer) error // instead of Content, for a part that need not be in memory
}

// method returns how a part is kept in the archive.
func (p *Part) method() uint16 {
	if len(p.Content) > storedBeyond || slices.ContainsFunc(stored, func(end string) bool { return strings.HasSuffix(p.Name, end) }) {
		return zip.Store
	}
	return zip.Deflate
}

// manifest is manifest.json.
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

func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\:\x00") {
		return fmt.Errorf("part %.*q has a name that could leave its folder", maxName, name)
	}
	if len(name) > maxName {
		return fmt.Errorf("part %.*q… has a name of %d bytes, at most %d are allowed", 40, name, len(name), maxName)
	}
	return nil
}

// checkSizes holds the archive's headers against the limits and its length.
// They are claims: what a part really holds is counted when it is read.
func checkSizes(headers []*zip.FileHeader, archive int64) error {
	var packed, expanded uint64 // neither overflows: each term is at most the archive, or maxExpanded
	for _, h := range headers {
		from, to := h.CompressedSize64, h.UncompressedSize64
		packed += min(from, uint64(archive)+1)
		switch {
		case packed > uint64(archive):
			return fmt.Errorf("part %s claims %d bytes of an archive of %d", h.Name, from, archive)
		case h.Method == zip.Store && from != to:
			return fmt.Errorf("part %s is stored as it is and claims both %d and %d bytes", h.Name, from, to)
		case h.Method == zip.Store:
			continue
		case h.Method != zip.Deflate:
			return fmt.Errorf("part %s is compressed by method %d, only deflate is read", h.Name, h.Method)
		case to > maxExpanded:
			return fmt.Errorf("part %s claims to expand to %d bytes, at most %d are allowed", h.Name, to, maxExpanded)
		case to > smallPart && to/maxRatio > from:
			return fmt.Errorf("part %s claims to expand from %d to %d bytes, which no honest part does", h.Name, from, to)
		}
		if expanded += to; expanded > maxTotal {
			return fmt.Errorf("the parts up to %s claim to expand to %d bytes, at most %d are allowed together", h.Name, expanded, maxTotal)
		}
	}
	return nil
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
