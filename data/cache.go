package data

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/hone-ml/hone/internal/atomicfile"
)

// A cache file holds one table as it is in memory, so that it is mapped and not
// read again:
//
//	magic, length and SHA-256 of the header (48 bytes)
//	header: JSON, with the place of every section
//	sections, at multiples of 64 bytes: float64 or int32 of a column, and of its
//	dictionary the ends of the values (uint64) and their text
//
// in the byte order of the machine, which the magic tells. Everything has a
// CRC-32C. A file that is not exactly as it should be is as good as none. Its name
// is made of what was asked for (the options, the schema, the program) and of the
// source's fingerprint: the first finds out quickly that there is none.
const (
	cacheMagic  = uint64(0x31_65_6c_62_61_74_68_00) // "\0htable1"
	cacheSuffix = ".table"
	cacheHead   = 48
	cacheAlign  = 64
)

// What is cached, and how much of it.
type cacheLimits struct {
	least int64 // bytes of a source; smaller ones are read quickly enough
	most  int64 // bytes of all cache files together, beyond which the oldest go
}

var cacheDefaults = cacheLimits{32 << 20, 20 << 30}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type section struct {
	At  int64  `json:"at"`
	Len int64  `json:"len"` // bytes
	Sum uint32 `json:"sum"`
}

type cachedColumn struct {
	Name    string  `json:"name"`
	Type    Type    `json:"type"`
	Layout  string  `json:"layout,omitempty"`
	Decimal string  `json:"decimal,omitempty"`
	Values  section `json:"values"`
	Ends    section `json:"ends"`
	Text    section `json:"text"`
}

type cacheHeader struct {
	Key     string         `json:"key"`
	Rows    int            `json:"rows"`
	Size    int64          `json:"size"` // of the file
	Schema  Schema         `json:"schema"`
	Columns []cachedColumn `json:"columns"`
}

// readCached is ReadFiles by way of the cache. Where that cannot be written, the
// source is simply read again the next time.
func readCached(paths []string, o Options, limits cacheLimits) (*Table, Schema, error) {
	files, err := expand(paths)
	if err != nil {
		return nil, nil, err
	}
	before, total := stats(files)
	if total < limits.least {
		return readPlain(paths, o)
	}
	asked, err := askedFor(o)
	if err != nil {
		return nil, nil, err
	}
	if found, _ := filepath.Glob(filepath.Join(escapePattern(o.CacheDir), asked+"-*"+cacheSuffix)); len(found) > 0 {
		print, err := Fingerprint(files...)
		if err != nil {
			return nil, nil, err
		}
		key := asked + "-" + print
		if path := cachePath(o.CacheDir, key); slices.Contains(found, path) {
			if t, schema, err := openCache(path, key); err == nil {
				now := time.Now()
				_ = os.Chtimes(path, now, now) // the oldest are removed first
				return t, schema, nil
			}
		}
	}
	// Otherwise the fingerprint is taken while the source is read.
	type printed struct {
		print string
		err   error
	}
	hashed := make(chan printed, 1)
	go func() {
		print, err := Fingerprint(files...)
		hashed <- printed{print, err}
	}()
	t, schema, err := readPlain(paths, o)
	p := <-hashed
	if err != nil {
		return nil, nil, err
	}
	// Images may lie in files beside the source, of which the fingerprint knows
	// nothing.
	images := slices.ContainsFunc(schema, func(f Field) bool { return f.Type == Image })
	if after, _ := stats(files); p.err == nil && after == before && !images {
		key := asked + "-" + p.print
		if writeCache(cachePath(o.CacheDir, key), key, t, schema) == nil {
			trimCache(o.CacheDir, limits.most)
		}
	}
	return t, schema, nil
}

// stats describes the files so that a change shows, and adds up their sizes.
func stats(files []string) (all string, total int64) {
	var b strings.Builder
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			total += info.Size()
			fmt.Fprintf(&b, "%d %d\n", info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String(), total
}

// askedFor is a hash of what decides, beside the source, what the table is.
func askedFor(o Options) (string, error) {
	program := ""
	if exe, err := os.Executable(); err == nil {
		program, _ = stats([]string{exe})
	}
	raw, err := json.Marshal(struct {
		Program, Go string
		Options     Options
		Schema      Schema
	}{program, runtime.Version(), o, o.Schema})
	if err != nil {
		return "", fmt.Errorf("data: options for the cache: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8]), nil
}

func cachePath(dir, key string) string { return filepath.Join(dir, key+cacheSuffix) }

// escapePattern makes a path match itself alone.
func escapePattern(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// writeCache writes a table.
func writeCache(path, key string, t *Table, schema Schema) error {
	h := cacheHeader{Key: key, Rows: t.Rows, Schema: schema}
	var parts [][]byte
	var at int64
	add := func(b []byte) section {
		at = (at + cacheAlign - 1) / cacheAlign * cacheAlign
		s := section{at, int64(len(b)), crc32.Checksum(b, castagnoli)}
		parts = append(parts, b)
		at += s.Len
		return s
	}
	for _, c := range t.Columns {
		k := cachedColumn{Name: c.Name, Type: c.Type, Layout: c.Layout, Decimal: c.Decimal}
		if c.Type.numeric() {
			k.Values = add(asBytes(c.Numbers))
		} else {
			k.Values = add(asBytes(c.Codes))
			ends := make([]uint64, len(c.Dict))
			var text []byte
			for i, v := range c.Dict {
				text = append(text, v...)
				ends[i] = uint64(len(text))
			}
			k.Ends, k.Text = add(asBytes(ends)), add(text)
		}
		h.Columns = append(h.Columns, k)
	}
	// Places count from the end of the header, whose length is not known before
	// it is written.
	h.Size = at
	header, err := json.Marshal(h)
	if err != nil {
		return err
	}
	for (cacheHead+len(header))%cacheAlign != 0 {
		header = append(header, ' ')
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		sum := sha256.Sum256(header)
		head := binary.NativeEndian.AppendUint64(nil, cacheMagic)
		head = binary.NativeEndian.AppendUint64(head, uint64(len(header)))
		if _, err := w.Write(slices.Concat(head, sum[:], header)); err != nil {
			return err
		}
		n := int64(0)
		for _, p := range parts {
			gap := (cacheAlign - n%cacheAlign) % cacheAlign
			if _, err := w.Write(make([]byte, gap)); err != nil {
				return err
			}
			if _, err := w.Write(p); err != nil {
				return err
			}
			n += gap + int64(len(p))
		}
		return nil
	})
}

// asBytes is the memory of numbers.
func asBytes[T float64 | int32 | uint64](v []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(one)))
}

// asNumbers is asBytes undone. The memory must be aligned.
func asNumbers[T float64 | int32 | uint64](b []byte) []T {
	var one T
	n := len(b) / int(unsafe.Sizeof(one))
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)[:n:n]
}

var errCache = errors.New("not a whole cache file")

// openCache maps a table. Nothing in the file is used before it was checked.
func openCache(path, key string) (*Table, Schema, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	size := info.Size()
	var head [cacheHead]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return nil, nil, err
	}
	n := binary.NativeEndian.Uint64(head[8:])
	if binary.NativeEndian.Uint64(head[:]) != cacheMagic || n > uint64(size)-cacheHead || (cacheHead+n)%cacheAlign != 0 {
		return nil, nil, errCache
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(f, header); err != nil {
		return nil, nil, err
	}
	if sum := sha256.Sum256(header); !bytes.Equal(sum[:], head[16:]) {
		return nil, nil, errCache
	}
	var h cacheHeader
	if err := json.Unmarshal(header, &h); err != nil {
		return nil, nil, err
	}
	base := int64(cacheHead + n)
	if h.Key != key || h.Rows < 0 || base+h.Size != size {
		return nil, nil, errCache
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, nil, err
	}
	all, err := mapFile(f, size)
	if err != nil {
		return nil, nil, err
	}
	t := &Table{Rows: h.Rows, Columns: make([]*Column, len(h.Columns))}
	failed := make([]bool, len(h.Columns))
	parallel(len(h.Columns), func(j int) {
		t.Columns[j] = h.Columns[j].column(all[base:], h.Rows)
		failed[j] = t.Columns[j] == nil
	})
	if slices.Contains(failed, true) {
		unmapFile(all)
		return nil, nil, errCache
	}
	return t, h.Schema, nil
}

// column returns the column in the sections; nil where something is wrong.
func (k *cachedColumn) column(all []byte, rows int) *Column {
	get := func(s section, want int64) []byte {
		if s.At < 0 || s.Len < 0 || s.At%cacheAlign != 0 || s.At > int64(len(all)) || s.Len > int64(len(all))-s.At || want >= 0 && s.Len != want {
			return nil
		}
		b := all[s.At : s.At+s.Len : s.At+s.Len]
		if crc32.Checksum(b, castagnoli) != s.Sum {
			return nil
		}
		return b
	}
	c := &Column{Name: k.Name, Type: k.Type, Layout: k.Layout, Decimal: k.Decimal}
	if !slices.Contains(Types, c.Type) {
		return nil
	}
	if c.Type.numeric() {
		b := get(k.Values, 8*int64(rows))
		if b == nil {
			return nil
		}
		c.Numbers = asNumbers[float64](b)
		return c
	}
	codes, ends, text := get(k.Values, 4*int64(rows)), get(k.Ends, -1), get(k.Text, -1)
	if codes == nil || ends == nil || text == nil {
		return nil
	}
	c.Codes = asNumbers[int32](codes)
	places := asNumbers[uint64](ends)
	c.Dict = make([]string, len(places))
	start := uint64(0)
	for i, end := range places {
		if end < start || end > uint64(len(text)) {
			return nil
		}
		c.Dict[i] = unsafe.String(unsafe.SliceData(text[start:end]), end-start)
		start = end
	}
	for _, code := range c.Codes {
		if code < -1 || int(code) >= len(c.Dict) {
			return nil
		}
	}
	return c
}

// trimCache removes the files that were used longest ago until the rest is no
// more than most bytes.
func trimCache(dir string, most int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var all []os.FileInfo
	total := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.HasSuffix(e.Name(), cacheSuffix) {
			all = append(all, info)
			total += info.Size()
		}
	}
	slices.SortFunc(all, func(a, b os.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, info := range all {
		if total <= most {
			return
		}
		if os.Remove(filepath.Join(dir, info.Name())) == nil {
			total -= info.Size()
		}
	}
}
