package bundle

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hone-ml/hone/internal/atomicfile"
)

// stamp is the time of every part, so that equal bundles are equal files: the
// earliest that a zip can hold.
var stamp = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Write writes a bundle in one step: a kill leaves the old file or the new.
// The writer is the version of hone. The same parts, in any order, and the
// same writer give the same bytes. What Read would refuse is an error here.
func Write(path, writer string, parts []Part) error {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	if len(parts) >= maxParts {
		return fmt.Errorf("bundle %s: %d parts, fewer than %d are allowed", path, len(parts), maxParts)
	}
	for i, p := range parts {
		switch {
		case checkName(p.Name) != nil:
			return fmt.Errorf("bundle %s: %w", path, checkName(p.Name))
		case p.Name == manifestName:
			return fmt.Errorf("bundle %s: the name %s is taken", path, manifestName)
		case i > 0 && parts[i-1].Name == p.Name:
			return fmt.Errorf("bundle %s: two parts are named %s", path, p.Name)
		case p.Content != nil && p.Write != nil:
			return fmt.Errorf("bundle %s: part %s has both a content and a function that writes it", path, p.Name)
		}
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if err := writeArchive(w, writer, parts); err != nil {
			return fmt.Errorf("bundle %s: %w", path, err)
		}
		return nil
	})
}

func writeArchive(w io.Writer, writer string, parts []Part) error {
	z := zip.NewWriter(w)
	m := manifest{Format: "hone", Version: Version, Writer: writer, Parts: map[string]partInfo{}}
	var headers []*zip.FileHeader
	for _, p := range parts {
		h := &zip.FileHeader{Name: p.Name, Method: p.method(), Modified: stamp}
		f, err := z.CreateHeader(h)
		if err != nil {
			return fmt.Errorf("part %s: %w", p.Name, err)
		}
		count := &counter{}
		sum := sha256.New()
		to := io.MultiWriter(f, sum, count)
		if p.Write != nil {
			err = p.Write(to)
		} else {
			_, err = to.Write(p.Content)
		}
		if err != nil {
			return fmt.Errorf("part %s: %w", p.Name, err)
		}
		m.Parts[p.Name] = partInfo{count.n, hex.EncodeToString(sum.Sum(nil))}
		headers = append(headers, h)
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	h := &zip.FileHeader{Name: manifestName, Method: zip.Deflate, Modified: stamp}
	f, err := z.CreateHeader(h) // last, since only now the digests are known
	if err != nil {
		return err
	}
	if _, err := f.Write(append(raw, '\n')); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if len(raw) >= maxManifest {
		return fmt.Errorf("%s has %d bytes, at most %d are allowed", manifestName, len(raw), maxManifest)
	}
	return checkSizes(append(headers, h), math.MaxInt64/2)
}

// counter counts the bytes that are written to it.
type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}
