package bundle

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var config, weights = []byte("name: churn\n"), bytes.Repeat([]byte{0, 0, 128, 63, 7}, 100)

func smallParts() []Part {
	return []Part{
		{Name: "weights.safetensors", Write: func(w io.Writer) error {
			for i := 0; i < len(weights); i += 64 {
				if _, err := w.Write(weights[i:min(i+64, len(weights))]); err != nil {
					return err
				}
			}
			return nil
		}},
		{Name: "docs/card.md", Content: []byte("# card\n")},
		{Name: "config.yaml", Content: config},
		{Name: "empty.json"},
	}
}

func write(t testing.TB, parts ...Part) (path string, raw []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "m.hone")
	if err := Write(path, "0.1.0", parts); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, raw
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	parts := smallParts()
	path, raw := write(t, parts...)
	b, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(b.Names(), " "); got != "config.yaml docs/card.md empty.json weights.safetensors" {
		t.Errorf("names: %s", got)
	}
	if b.Writer != "0.1.0" || b.Version != Version {
		t.Errorf("writer %q, version %d", b.Writer, b.Version)
	}
	for name, want := range map[string][]byte{"config.yaml": config, "weights.safetensors": weights, "empty.json": {}} {
		if got, err := b.Part(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := b.Part("model.onnx"); err == nil || !strings.Contains(err.Error(), "no part model.onnx") {
		t.Errorf("a part that is not there: %v", err)
	}
	// In another order, the same bytes.
	parts[0], parts[2] = parts[2], parts[0]
	if _, again := write(t, parts...); !bytes.Equal(again, raw) {
		t.Error("the same parts gave other bytes")
	}
	// Weights lie in the file as they are, where a reader can map them.
	if !bytes.Contains(raw, weights) {
		t.Error("weights are compressed")
	}
}

func TestBadPartsAreNotWritten(t *testing.T) {
	boom := errors.New("boom")
	zeros := func(n int) func(io.Writer) error {
		return func(w io.Writer) error {
			block := make([]byte, 1<<20)
			for range n {
				if _, err := w.Write(block); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for _, c := range []struct {
		parts []Part
		want  string
	}{
		{[]Part{{Name: "../x"}}, "could leave its folder"},
		{[]Part{{Name: ""}}, "could leave its folder"},
		{[]Part{{Name: strings.Repeat("x", 201)}}, "has a name of 201 bytes, at most 200"},
		{[]Part{{Name: "a"}, {Name: "b"}, {Name: "a"}}, "two parts are named a"},
		{[]Part{{Name: "manifest.json"}}, "is taken"},
		{[]Part{{Name: "a", Content: config, Write: zeros(1)}}, "part a has both"},
		{[]Part{{Name: "a", Write: func(io.Writer) error { return boom }}}, "part a: boom"},
		{[]Part{{Name: "zeros.json", Write: zeros(2)}}, "part zeros.json claims to expand"},
		{make([]Part, maxParts), "1000 parts"},
	} {
		path := filepath.Join(t.TempDir(), "m.hone")
		err := Write(path, "0.1.0", c.parts)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error is %v, want one with the path and %q", err, c.want)
		}
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
			t.Errorf("%s: left behind %v", c.want, left)
		}
	}
	// The same zeros, stored as they are, are no bomb.
	if _, err := Read(func() string { p, _ := write(t, Part{Name: "zeros.safetensors", Write: zeros(2)}); return p }()); err != nil {
		t.Error(err)
	}
}

// An entry of a zip archive made by hand.
type entry struct {
	name   string
	method uint16
	data   []byte // as it lies in the archive
	size   uint64 // that it claims
	packed uint64 // that it claims, if not 0
}

// archive makes a zip archive whose headers claim what the entries say.
func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: e.method, CRC32: crc32.ChecksumIEEE(e.data), CompressedSize64: uint64(len(e.data)), UncompressedSize64: e.size}
		if e.packed != 0 {
			h.CompressedSize64 = e.packed
		}
		w, err := z.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func whole(name string, data []byte) entry { return entry{name, zip.Store, data, uint64(len(data)), 0} }

// listed returns a manifest of parts as an entry.
func listed(t testing.TB, change func(*manifest), parts ...entry) entry {
	t.Helper()
	m := manifest{Format: "hone", Version: Version, Writer: "0.1.0", Parts: map[string]partInfo{}}
	for _, p := range parts {
		sum := sha256.Sum256(p.data)
		m.Parts[p.name] = partInfo{int64(p.size), hex.EncodeToString(sum[:])}
	}
	if change != nil {
		change(&m)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return whole(manifestName, raw)
}

func TestBadBundlesAreRefused(t *testing.T) {
	a, b := whole("a.json", []byte(`{"a":1}`)), whole("b.json", []byte(`{}`))
	other := whole("a.json", []byte(`{"a":2}`))
	future := func(m *manifest) { m.Version, m.Writer = Version+1, "7.2.0" }
	small := func(e entry) []byte { return archive(t, e, listed(t, nil, e)) }
	many := make([]entry, maxParts+1)
	for i := range many {
		many[i] = whole(fmt.Sprint(i), nil)
	}
	var bombs []entry // each within its limit
	for i := range 5 {
		bombs = append(bombs, entry{fmt.Sprint(i), zip.Deflate, make([]byte, maxExpanded/maxRatio+1), maxExpanded, 0})
	}
	_, good := write(t, smallParts()...)
	for _, c := range []struct {
		name string
		raw  []byte
		want string
	}{
		{"empty", nil, "it is empty"},
		{"text", []byte("age,plan,churn\n12,pro,no\n"), "it is not a bundle; give the path"},
		{"cut at the end", good[:len(good)-1], "it is damaged, or was cut short at"},
		{"cut in the middle", good[:len(good)/2], "it is damaged, or was cut short at"},
		{"another zip", archive(t, a), "without a manifest.json"},
		{"no JSON", archive(t, whole(manifestName, []byte("{"))), "not one of a bundle"},
		{"another manifest", archive(t, whole(manifestName, []byte(`{"format":"docker","version":1}`))), "not one of a bundle"},
		{"no version", archive(t, listed(t, func(m *manifest) { m.Version = 0 })), "not one of a bundle"},
		{"a later format", archive(t, a, listed(t, future, a)), "format version 2, this program reads up to 1; use hone 7.2.0"},
		{"a later format with larger parts", archive(t, bombs[0], entry{"x", 93, nil, 0, 0}, listed(t, future)), "format version 2"},
		{"altered", archive(t, other, listed(t, nil, a)), "part a.json is not what was written: its SHA-256 differs"},
		{"another size", archive(t, b, listed(t, nil, entry{"b.json", 0, nil, 3, 0})), "part b.json has 2 bytes, expected 3"},
		{"a negative size", archive(t, b, listed(t, func(m *manifest) { m.Parts["b.json"] = partInfo{Size: -2} })), "part b.json has 2 bytes, expected -2"},
		{"a part is missing", archive(t, a, listed(t, nil, a, b)), "part b.json is missing"},
		{"a part was added", archive(t, a, b, listed(t, nil, a)), "part b.json is not listed"},
		{"a part twice", archive(t, a, b, a, listed(t, nil, a, b)), "part a.json stands in it twice"},
		{"two manifests", archive(t, a, listed(t, nil, a), listed(t, nil, a)), "part manifest.json stands in it twice"},
		{"up and out", small(whole("../../etc/passwd", nil)), "could leave its folder"},
		{"absolute", small(whole("/etc/passwd", nil)), "could leave its folder"},
		{"a drive", small(whole("C:/x", nil)), "could leave its folder"},
		{"backslashes", small(whole(`..\x`, nil)), "could leave its folder"},
		{"a folder", small(whole("x/", nil)), "could leave its folder"},
		{"a zero byte", small(whole("x\x00.json", nil)), "could leave its folder"},
		{"a long name", small(whole(strings.Repeat("n", 5000), nil)), "has a name of 5000 bytes"},
		{"many parts", archive(t, many...), "it has 1001 parts"},
		{"a stored terabyte", small(entry{"w.safetensors", zip.Store, []byte("x"), 1 << 40, 1 << 40}), "claims 1099511627776 bytes of an archive"},
		{"stored at two sizes", small(entry{"w.safetensors", zip.Store, []byte("x"), 1 << 40, 0}), "claims both 1 and 1099511627776 bytes"},
		{"a large part", small(entry{"x.json", zip.Deflate, make([]byte, 100), maxExpanded + 1, 0}), "at most 268435456 are allowed"},
		{"a bomb", small(entry{"x.json", zip.Deflate, make([]byte, 100), 100 << 20, 0}), "no honest part does"},
		{"bombs", archive(t, append(bombs, listed(t, nil, bombs...))...), "the parts up to 4 claim to expand to 1342177280 bytes, at most 1073741824"},
		{"a large manifest", archive(t, entry{manifestName, zip.Deflate, make([]byte, 1<<16), maxManifest + 1, 0}), "manifest.json claims 1048577 bytes"},
		{"another method", small(entry{"x.json", 93, []byte("x"), 1, 0}), "compressed by method 93"},
		{"not deflated", small(entry{"x.json", zip.Deflate, []byte("plain"), 5, 0}), "part x.json is damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m.hone")
			if err := os.WriteFile(path, c.raw, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			var e *Error
			if !errors.As(err, &e) || e.Path != path || e.Remedy == "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "absent.hone"), t.TempDir()} {
		var e *Error
		if _, err := Read(path); !errors.As(err, &e) || e.Path != path || !e.UserError() {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestEveryByteCounts cuts a bundle everywhere, and changes each of its bytes:
// it is refused, or holds what it held.
func TestEveryByteCounts(t *testing.T) {
	_, raw := write(t, smallParts()...)
	want, err := ReadFrom(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		if _, err := ReadFrom(bytes.NewReader(raw[:n]), int64(n)); err == nil {
			t.Errorf("cut at byte %d of %d: no error", n, len(raw))
		}
	}
	refused := 0
	for i := range raw {
		b := bytes.Clone(raw)
		b[i] ^= 0x11
		got, err := ReadFrom(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			refused++
			continue
		}
		if !maps.EqualFunc(got.parts, want.parts, bytes.Equal) {
			t.Fatalf("byte %d changed: other parts and no error", i)
		}
	}
	if refused < len(weights) {
		t.Errorf("%d of %d changes were refused: not even all of those to weights", refused, len(raw))
	}
}

// FuzzRead: no input makes the reader panic, and what it reads can be written
// and read again.
func FuzzRead(f *testing.F) {
	_, raw := write(f, smallParts()...)
	f.Add(raw)
	a := whole("a.json", []byte(`{"a":1}`))
	f.Add(archive(f, a, listed(f, nil, a)))
	f.Add(archive(f))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := ReadFrom(bytes.NewReader(raw), int64(len(raw)))
		if err != nil || len(raw) > smallPart { // large stored zeros would be written as a bomb
			return
		}
		var parts []Part
		for _, n := range b.Names() {
			parts = append(parts, Part{Name: n, Content: b.parts[n]})
		}
		var w bytes.Buffer
		if err := writeArchive(&w, b.Writer, parts); err != nil {
			t.Fatalf("read, but not written: %v", err)
		}
		again, err := ReadFrom(bytes.NewReader(w.Bytes()), int64(w.Len()))
		if err != nil {
			t.Fatalf("written, but not read: %v", err)
		}
		if !maps.EqualFunc(again.parts, b.parts, bytes.Equal) {
			t.Fatal("parts changed on the way")
		}
	})
}
