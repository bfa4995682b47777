package data

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/image/bmp"
)

// checker is a picture whose corners differ, so that a turn shows.
func picture(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(x * 255 / w), uint8(y * 255 / h), 90, 255})
		}
	}
	return m
}

func encoded(t *testing.T, format string, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, m)
	case "jpeg":
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	case "gif":
		err = gif.Encode(&b, m, nil)
	case "bmp":
		err = bmp.Encode(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tinyWebP is 2 by 2 places, lossless: red, green / blue, white (cwebp -lossless of
// libwebp 1.2.4, by way of Pillow).
var tinyWebP, _ = base64.StdEncoding.DecodeString(tinyWebPText)

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDecodeFormats(t *testing.T) {
	m := picture(6, 4)
	for format, tolerance := range map[string]int{"png": 0, "bmp": 0, "jpeg": 40, "gif": 60} {
		p, err := DecodeImage(encoded(t, format, m))
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if p.Width != 6 || p.Height != 4 || p.Channels != 3 {
			t.Fatalf("%s: %d by %d of %d", format, p.Width, p.Height, p.Channels)
		}
		for y := range 4 {
			for x := range 6 {
				want := m.RGBAAt(x, y)
				got := p.Pix[3*(y*6+x):]
				for c, v := range []uint8{want.R, want.G, want.B} {
					if d := int(got[c]) - int(v); d > tolerance || d < -tolerance {
						t.Fatalf("%s: at %d,%d channel %d is %d, want %d", format, x, y, c, got[c], v)
					}
				}
			}
		}
	}
	p, err := DecodeImage(tinyWebP)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint8{255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255}; !bytes.Equal(p.Pix, want) {
		t.Errorf("webp: %v, want %v", p.Pix, want)
	}
}

func TestDecodeKinds(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 2, 1))
	grey.Pix = []uint8{7, 200}
	deep := image.NewGray16(image.Rect(0, 0, 2, 1))
	deep.SetGray16(0, 0, color.Gray16{Y: 0x8000})
	deep.SetGray16(1, 0, color.Gray16{Y: 0xffff})
	half := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	half.SetNRGBA(0, 0, color.NRGBA{R: 200, A: 0})
	half.SetNRGBA(1, 0, color.NRGBA{R: 200, A: 128})
	palette := image.NewPaletted(image.Rect(0, 0, 2, 1), color.Palette{color.Gray{Y: 10}, color.Gray{Y: 250}})
	palette.Pix = []uint8{1, 0}
	for _, c := range []struct {
		name     string
		m        image.Image
		channels int
		want     []uint8
	}{
		{"grey", grey, 1, []uint8{7, 200}},
		{"16 bits", deep, 1, []uint8{128, 255}},
		{"transparent on white", half, 3, []uint8{255, 255, 255, 227, 127, 127}},
		{"palette of greys", palette, 1, []uint8{250, 10}},
	} {
		p, err := DecodeImage(encoded(t, "png", c.m))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if p.Channels != c.channels || !bytes.Equal(p.Pix, c.want) {
			t.Errorf("%s: %d channels %v, want %d %v", c.name, p.Channels, p.Pix, c.channels, c.want)
		}
	}
}

// exif gives a JPEG an orientation.
func exif(content []byte, orientation byte) []byte {
	tiff := []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0}
	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(segment)+2))...)
	return append(append(out, segment...), content[2:]...)
}

func TestOrientation(t *testing.T) {
	// One bright corner of a dark picture of 16 by 8 places.
	m := image.NewGray(image.Rect(0, 0, 16, 8))
	for y := range 4 {
		for x := range 4 {
			m.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	content := encoded(t, "jpeg", m)
	for orientation, corner := range map[byte][2]bool{ // right, below
		1: {false, false}, 2: {true, false}, 3: {true, true}, 4: {false, true},
		5: {false, false}, 6: {true, false}, 7: {true, true}, 8: {false, true},
	} {
		p, err := DecodeImage(exif(content, orientation))
		if err != nil {
			t.Fatal(err)
		}
		if wide := orientation < 5; wide != (p.Width == 16) {
			t.Errorf("orientation %d: %d by %d", orientation, p.Width, p.Height)
		}
		for _, right := range []bool{false, true} {
			for _, below := range []bool{false, true} {
				x, y := 1, 1
				if right {
					x = p.Width - 2
				}
				if below {
					y = p.Height - 2
				}
				bright := p.Pix[y*p.Width+x] > 128
				if want := corner == [2]bool{right, below}; bright != want {
					t.Errorf("orientation %d: the corner right %v below %v is bright %v, want %v", orientation, right, below, bright, want)
				}
			}
		}
	}
}

// bomb is a PNG whose header claims a size that its few bytes do not hold.
func bomb(t *testing.T) []byte {
	b := encoded(t, "png", image.NewGray(image.Rect(0, 0, 1, 1)))
	binary.BigEndian.PutUint32(b[16:], 60000)
	binary.BigEndian.PutUint32(b[20:], 60000)
	binary.BigEndian.PutUint32(b[29:], crc(b[12:29]))
	return b
}

func TestDecodeRefuses(t *testing.T) {
	gif := encoded(t, "gif", picture(30, 30))
	jpeg := encoded(t, "jpeg", picture(30, 30))
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":          {nil, "the file is empty"},
		"text":           {[]byte("hello, world"), "expected a PNG, JPEG"},
		"bomb":           {bomb(t), "60000 by 60000"},
		"truncated GIF":  {gif[:len(gif)/2], "damaged"},
		"truncated JPEG": {jpeg[:len(jpeg)-40], "damaged"},
		"header alone":   {jpeg[:4], "damaged"},
		"PNM":            {[]byte("P5\n2 2\n255\n123"), "damaged"},
	} {
		if _, err := DecodeImage(c.content); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

func FuzzDecodeImage(f *testing.F) {
	var t testing.T
	for _, format := range []string{"png", "jpeg", "gif", "bmp"} {
		f.Add(encoded(&t, format, picture(5, 3)))
	}
	f.Add(tinyWebP)
	f.Add(exif(encoded(&t, "jpeg", picture(5, 3)), 6))
	f.Add([]byte("P5\n2 1\n255\n12"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := DecodeImage(b); err == nil && len(p.Pix) != p.Width*p.Height*p.Channels {
			t.Errorf("%d by %d of %d in %d bytes", p.Width, p.Height, p.Channels, len(p.Pix))
		}
	})
}

// The values are Pillow 13.0.0's: Image.fromarray(a).resize((w, 5), Image.BILINEAR)
// .resize((w, h), Image.BILINEAR), with
// a[y][x] = (x*x*7 + y*31) % 256 of 7 by 5 places.
func TestResizeIsPillows(t *testing.T) {
	p := &Pixels{7, 5, 1, nil}
	for y := range 5 {
		for x := range 7 {
			p.Pix = append(p.Pix, uint8((x*x*7+y*31)%256))
		}
	}
	for size, want := range pillowResized {
		if got := p.Resize(size[0], size[1]).Pix; !bytes.Equal(got, want) {
			t.Errorf("%v:\n%v\nwant\n%v", size, got, want)
		}
	}
}

// classes checks a table of images and labels.
func classes(t *testing.T, path string, want map[string]int) *Table {
	t.Helper()
	table, schema, err := Read(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if schema[0].Type != Image || schema.Field("label").Type != Category {
		t.Fatalf("schema %v", schema)
	}
	got := map[string]int{}
	for i := range table.Rows {
		got[table.Column("label").Text(i)]++
		if _, err := table.Columns[0].Picture(i).Decode(); err != nil {
			t.Errorf("row %d: %v", i, err)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", path, got, want)
	}
	return table
}

func TestFolderOfImages(t *testing.T) {
	dir := t.TempDir()
	for i, class := range []string{"cat", "cat", "dog"} {
		write(t, filepath.Join(dir, "train", class, fmt.Sprintf("%d.png", i)), encoded(t, "png", picture(3+i, 3)))
	}
	write(t, filepath.Join(dir, "train", "cat", "notes.txt"), []byte("no image"))
	write(t, filepath.Join(dir, "test", "dog", "9.jpg"), encoded(t, "jpeg", picture(3, 3)))
	table := classes(t, filepath.Join(dir, "train"), map[string]int{"cat": 2, "dog": 1})
	if name := table.Columns[0].Text(0); !strings.HasSuffix(name, "train/cat/0.png") {
		t.Errorf("name %q", name)
	}
	d, err := Divided(dir)
	if err != nil || d != (Division{Source: filepath.Join(dir, "train"), Test: filepath.Join(dir, "test")}) {
		t.Errorf("%+v, %v", d, err)
	}
	if _, _, err := Read(dir, Options{}); err == nil || !strings.Contains(err.Error(), "name one of the parts") {
		t.Errorf("a folder of parts: %v", err)
	}
	before, err := Fingerprint(filepath.Join(dir, "train"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "train", "dog", "2.png"), encoded(t, "png", picture(8, 8)))
	if after, err := Fingerprint(filepath.Join(dir, "train")); err != nil || after == before {
		t.Errorf("the fingerprint stays when an image changes: %v", err)
	}
}

func TestPathsOfImages(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		write(t, filepath.Join(dir, "img", fmt.Sprintf("%d.png", i%2)), encoded(t, "png", picture(3+i%2, 3)))
	}
	write(t, filepath.Join(dir, "img", "copy.png"), encoded(t, "png", picture(3, 3)))
	write(t, filepath.Join(dir, "rows.csv"), []byte("photo,kind\nimg/0.png,a\nimg/1.png,b\n,b\nimg/copy.png,a\nimg/gone.png,a\n"))
	table, schema, err := Read(filepath.Join(dir, "rows.csv"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := table.Column("photo")
	if schema[0].Type != Image || !c.Missing(2) || c.Text(1) != "img/1.png" {
		t.Fatalf("%v: %q", schema, c.Text(1))
	}
	if c.Picture(0).Digest() != c.Picture(3).Digest() || c.Picture(0).Digest() == c.Picture(1).Digest() {
		t.Error("digests do not tell equal images from others")
	}
	if _, err := c.Picture(4).Decode(); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("absent: %v", err)
	}
	if p, err := c.Picture(1).Decode(); err != nil || p.Width != 4 {
		t.Errorf("%v", err)
	}
	// Names of files that are not there stay what they were.
	write(t, filepath.Join(dir, "other.csv"), []byte("photo,kind\na.png,a\nb.png,b\n"))
	if _, schema, err := Read(filepath.Join(dir, "other.csv"), Options{}); err != nil || schema[0].Type == Image {
		t.Errorf("%v, %v", schema, err)
	}
	// Rows of a request never name files.
	if _, err := FromRecords(schema[:1], []map[string]any{{"photo": filepath.Join(dir, "img", "0.png")}}); err == nil || !strings.Contains(err.Error(), "base64") {
		t.Errorf("a path in a request: %v", err)
	}
	text := base64.StdEncoding.EncodeToString(encoded(t, "png", picture(5, 3)))
	for _, v := range []string{text, "data:image/png;base64," + text} {
		table, err := FromRecords(schema[:1], []map[string]any{{"photo": v}})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := table.Columns[0].Picture(0).Decode(); err != nil || p.Width != 5 {
			t.Errorf("%v", err)
		}
	}
	if _, err := FromRecords(schema[:1], []map[string]any{{"photo": "\x00f" + filepath.Join(dir, "img", "0.png")}}); err == nil {
		t.Error("a request names a file")
	}
}

func TestImagesInParquet(t *testing.T) {
	type row struct {
		Image []byte `parquet:"image"`
		Kind  string `parquet:"kind"`
	}
	path := filepath.Join(t.TempDir(), "rows.parquet")
	rows := []row{{encoded(t, "png", picture(3, 2)), "a"}, {encoded(t, "jpeg", picture(4, 4)), "b"}, {nil, "b"}, {[]byte("broken"), "a"}}
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	table, schema, err := Read(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if schema[0].Type != Image {
		t.Fatalf("%v", schema)
	}
	if p, err := table.Columns[0].Picture(1).Decode(); err != nil || p.Width != 4 {
		t.Errorf("%v", err)
	}
	if _, err := table.Columns[0].Picture(3).Decode(); err == nil {
		t.Error("broken bytes decode")
	}
}

func zipped(content []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(content)
	_ = z.Close()
	return b.Bytes()
}

func TestIDX(t *testing.T) {
	dir := t.TempDir()
	images := append([]byte{0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	path := filepath.Join(dir, "train-images-idx3-ubyte.gz")
	write(t, path, zipped(images))
	write(t, filepath.Join(dir, "train-labels-idx1-ubyte"), []byte{0, 0, 8, 1, 0, 0, 0, 3, 7, 1, 7})
	write(t, filepath.Join(dir, "t10k-images-idx3-ubyte"), images)
	table := classes(t, path, map[string]int{"7": 2, "1": 1})
	if p, _ := table.Columns[0].Picture(2).Decode(); p.Channels != 1 || !bytes.Equal(p.Pix, []byte{9, 10, 11, 12}) {
		t.Errorf("%+v", p)
	}
	if d, err := Divided(dir); err != nil || d.Source != path || d.Test != filepath.Join(dir, "t10k-images-idx3-ubyte") {
		t.Errorf("%+v, %v", d, err)
	}
	write(t, path, zipped(images[:len(images)-3]))
	if _, _, err := Read(path, Options{}); err == nil || !strings.Contains(err.Error(), "ends early") {
		t.Errorf("truncated: %v", err)
	}
	write(t, filepath.Join(dir, "train-labels-idx1-ubyte"), []byte{0, 0, 8, 1, 0, 0, 0, 2, 7, 1})
	if _, _, err := Read(path, Options{}); err == nil || !strings.Contains(err.Error(), "a label for each") {
		t.Errorf("too few labels: %v", err)
	}
}

// npy writes an array of NumPy.
func npy(descr, shape string, content []byte) []byte {
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
	for (10+len(head)+1)%64 != 0 {
		head += " "
	}
	head += "\n"
	out := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(head)))
	return append(append(out, head...), content...)
}

func npz(t *testing.T, path string, arrays map[string][]byte) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range arrays {
		w, err := z.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.Bytes())
}

func TestNPZ(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set.npz")
	npz(t, path, map[string][]byte{
		"train_images": npy("|u1", "(2, 1, 2)", []byte{1, 2, 3, 4}), "train_labels": npy("|u1", "(2, 1)", []byte{0, 1}),
		"test_images": npy("|u1", "(1, 1, 1, 3)", []byte{9, 8, 7}), "test_labels": npy("<i8", "(1,)", []byte{5, 0, 0, 0, 0, 0, 0, 0}),
	})
	classes(t, path+"#train", map[string]int{"0": 1, "1": 1})
	table := classes(t, path+"#test", map[string]int{"5": 1})
	if p, _ := table.Columns[0].Picture(0).Decode(); p.Channels != 3 || !bytes.Equal(p.Pix, []byte{9, 8, 7}) {
		t.Errorf("%+v", p)
	}
	if d, err := Divided(path); err != nil || d != (Division{path + "#train", "", path + "#test"}) {
		t.Errorf("%+v, %v", d, err)
	}
	for p, want := range map[string]string{path: "name one, such as set.npz#train", path + "#val": "has no part"} {
		if _, _, err := Read(p, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", p, err, want)
		}
	}
	npz(t, path, map[string][]byte{"images": npy("<f4", "(1, 1, 1)", []byte{0, 0, 0, 0})})
	if _, _, err := Read(path, Options{}); err == nil || !strings.Contains(err.Error(), "expected bytes") {
		t.Errorf("floats: %v", err)
	}
	npz(t, path, map[string][]byte{"images": npy("|u1", "(9, 9, 9)", []byte{0})})
	if _, _, err := Read(path, Options{}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("truncated: %v", err)
	}
}

func TestEqualImagesAreFound(t *testing.T) {
	table := func(names ...string) *Table {
		dir := t.TempDir()
		for i, n := range names {
			write(t, filepath.Join(dir, fmt.Sprint("c", i%2), n), encoded(t, "png", picture(4, int(n[0]-'a')+2)))
		}
		table, _, err := Read(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	var train, test []string
	for i := range 20 {
		train = append(train, string(rune('a'+i))+".png")
	}
	test = append(test, "b_other.png", "c.png", "d.png", "e.png", "f.png", "g.png")
	a, b := table(train...), table(test...)
	_, findings, err := Profile(a, "label")
	if err != nil || len(findings) > 0 {
		t.Fatalf("%v, %v", findings, err)
	}
	found := CheckRows(a, CheckOptions{Target: "label", Against: b}, findings)
	if len(found) == 0 || found[0].Kind != FindingSharedRows || found[0].Evidence["rows"] != 6 {
		t.Errorf("%+v", found)
	}
}

func TestImageDriftIsFound(t *testing.T) {
	table := func(low int) *Table {
		label := &Column{Name: "label", Type: Category, Dict: []string{"a", "b"}}
		var files [][]byte
		for i := range 300 {
			m := image.NewGray(image.Rect(0, 0, 3, 3))
			for k := range m.Pix {
				m.Pix[k] = uint8(low + (i*37+k*11)%100)
			}
			files = append(files, encoded(t, "png", m))
			label.Codes = append(label.Codes, int32(i%2))
		}
		return &Table{Rows: 300, Columns: []*Column{NewImages("photo", files), label}}
	}
	find := func(against *Table) (all []string) {
		_, findings, err := Check(table(20), CheckOptions{Target: "label", Against: against})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if f.Kind != FindingSharedRows && f.Kind != FindingRepeatedRows && f.Kind != FindingContradiction {
				all = append(all, f.Column+" "+f.Message)
			}
		}
		return all
	}
	if same := find(table(20)); len(same) > 0 {
		t.Errorf("equal images: %v", same)
	}
	if found := find(table(90)); len(found) == 0 || !strings.HasPrefix(found[0], "photo brightness (0 to 255) is distributed otherwise") {
		t.Errorf("brighter images: %v", found)
	}
}

// A folder is found from where the process is, through links, and whatever its
// classes are called.
func TestFolderByAnyPath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	white := encoded(t, "png", image.NewGray(image.Rect(0, 0, 2, 2)))
	write(t, "disk/set/none/a.png", white)
	write(t, "disk/set/na/b.png", white)
	write(t, "disk/set/na/c.TIFF", []byte("II*\x00"))
	for link, to := range map[string]string{"linked": "disk/set", "classes/na": "../disk/set/na", "classes/none": "../disk/set/none", "disk/set/na/round": "."} {
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, link); err != nil {
			t.Skipf("the system makes no links: %v", err)
		}
	}
	for _, path := range []string{"disk/set", "./disk/../disk/set", filepath.Join(dir, "disk/set"), "linked", "classes"} {
		table, _, err := Read(path, Options{})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if table.Rows != 3 {
			t.Errorf("%s: %d rows, expected 3", path, table.Rows)
			continue
		}
		pictures, labels := table.Column("image"), table.Column("label")
		for i, want := range []string{"na", "na", "none"} {
			if labels.Missing(i) || labels.Text(i) != want {
				t.Errorf("%s, row %d: the label is %q, expected %q", path, i, labels.Text(i), want)
			}
		}
		if bad := BadImages(pictures); len(bad) != 1 || bad[0].Row != 1 {
			t.Errorf("%s: %v cannot be read, expected the second alone", path, bad)
		}
	}
}

func TestUnreadableImagesAreFound(t *testing.T) {
	white := encoded(t, "png", image.NewGray(image.Rect(0, 0, 2, 2)))
	label := &Column{Name: "label", Type: Category, Dict: []string{"a", "b"}, Codes: []int32{0, 1, 0, 1}}
	table := &Table{Rows: 4, Columns: []*Column{NewImages("photo", [][]byte{white, {}, nil, white[:20]}), label}}
	_, findings, err := Check(table, CheckOptions{Target: "label"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Kind == FindingUnreadable {
			if f.Column != "photo" || f.Evidence["rows"] != 2 || !strings.Contains(f.Message, "in 2 of 4 rows, as in row 2") || !strings.HasSuffix(f.Message, "the file is empty") {
				t.Errorf("%+v", f)
			}
			return
		}
	}
	t.Errorf("nothing is said of two images that cannot be read: %+v", findings)
}

// A frame of a GIF may have no place at all, though the image does.
func TestGIFOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := gif.Encode(&b, image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.White, color.Black}), nil); err != nil {
		t.Fatal(err)
	}
	at := 13 + 3*2 + bytes.IndexByte(b.Bytes()[13+3*2:], ',') // the frame: left, top, width, height, flags, LZW
	empty := append(bytes.Clone(b.Bytes()[:at]), ',', 0, 0, 0, 0, 0, 0, 4, 0, 0, 2, 2, 0x2c, 0, 0, ';')
	if _, err := DecodeImage(empty); err == nil || !strings.Contains(err.Error(), "0 by 4") {
		t.Errorf("a frame of 0 by 4 places: %v", err)
	}
}
