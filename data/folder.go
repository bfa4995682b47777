package data

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The columns of sources that hold nothing but images and their classes.
const (
	imageColumn = "image"
	labelColumn = "label"
)

// folder is a folder of images in a folder for each class. Images that lie in the
// folder itself have no class. Files that are not named like images are no rows.
type folder struct {
	*part
	files []string // relative to the folder, sorted
}

const folderRows = 256 // of a block

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() && folderHolds(path, 3)
}

// folderHolds says whether images lie in a folder, or in folders in it down to
// some depth.
func folderHolds(path string, depth int) bool {
	entries, err := os.ReadDir(path)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if namedLikeImage(e.Name()) && !hidden(e.Name()) && !isDir(path, e) {
			return true
		}
	}
	for _, e := range entries {
		if depth > 1 && !hidden(e.Name()) && isDir(path, e) && folderHolds(filepath.Join(path, e.Name()), depth-1) {
			return true
		}
	}
	return false
}

// isDir says whether an entry of a folder is a folder, or a link to one.
func isDir(path string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(path, e.Name()))
	return err == nil && info.IsDir()
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// unreadEndings are those of photographs in formats that are not read: as rows of
// a folder they are set aside and told of, where else they would be lost in silence.
var unreadEndings = []string{".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl"}

// folderImages lists the images below a folder, sorted. Links are followed, but
// not to a folder that they lie in.
func folderImages(path string) ([]string, error) {
	var list []string
	var within []fs.FileInfo
	var walk func(rel string) error
	walk = func(rel string) error {
		dir := filepath.Join(path, rel)
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(within, func(above fs.FileInfo) bool { return os.SameFile(above, info) }) {
			return nil
		}
		within = append(within, info)
		defer func() { within = within[:len(within)-1] }()
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := filepath.Join(rel, e.Name())
			switch {
			case hidden(e.Name()):
			case isDir(dir, e):
				if err := walk(name); err != nil {
					return err
				}
			case namedLikeImage(e.Name()), slices.Contains(unreadEndings, strings.ToLower(filepath.Ext(e.Name()))):
				list = append(list, name)
			}
		}
		return nil
	}
	if err := walk(""); err != nil {
		return nil, &Error{Path: path, Problem: "cannot be read: " + cause(err)}
	}
	slices.Sort(list)
	return list, nil
}

// partNames are what parts of a set are called, by what they are for.
var partNames = map[string][]string{
	"train":      {"train", "training"},
	"validation": {"val", "valid", "validation", "dev"},
	"test":       {"test", "testing"},
}

// partFolders finds the folders of training, validation and test images in a
// folder: "" for those that are not there, ok where there are some.
func partFolders(path string) (train, validation, test string, ok bool) {
	find := func(what string) string {
		for _, name := range partNames[what] {
			if p := filepath.Join(path, name); isFolder(p) && folderHasClasses(p) {
				return p
			}
		}
		return ""
	}
	train, validation, test = find("train"), find("validation"), find("test")
	return train, validation, test, train != ""
}

// folderHasClasses says whether a folder holds folders of images.
func folderHasClasses(path string) bool {
	entries, err := os.ReadDir(path)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !hidden(e.Name()) && isDir(path, e) && folderHolds(filepath.Join(path, e.Name()), 1)
	})
}

func openFolder(p *part, _ []byte, _ bool) (decoder, error) {
	if train, validation, test, ok := partFolders(p.path); ok {
		var parts []string
		for _, s := range []string{train, validation, test} {
			if s != "" {
				parts = append(parts, s)
			}
		}
		return nil, &Error{Path: p.path, Problem: "holds the parts " + strings.Join(parts, ", ") + ", expected a folder with a folder for each class", Remedy: "name one of the parts; hone init " + p.path + " divides them itself"}
	}
	files, err := folderImages(p.path)
	if err != nil {
		return nil, err
	}
	p.names, p.types, p.header = []string{imageColumn, labelColumn}, map[string]Type{imageColumn: Image, labelColumn: Category}, true
	return &folder{part: p, files: files}, nil
}

// folderPass gives the files block by block.
type folderPass struct {
	d  *folder
	at int
}

func (d *folder) pass() (pass, error) { return &folderPass{d: d}, nil }

func (p *folderPass) next() (*block, error) {
	lo := p.at
	if lo == len(p.d.files) {
		return nil, io.EOF
	}
	p.at = min(lo+folderRows, len(p.d.files))
	return &block{line: lo + 1, numbered: true, content: p.d.files[lo:p.at]}, nil
}

func (p *folderPass) release(*block) {}
func (p *folderPass) Close() error   { return nil }

func (d *folder) each(sc *scanner, b *block, row func() error) error {
	for i, file := range b.content.([]string) {
		slash := filepath.ToSlash(file)
		label, _, nested := strings.Cut(slash, "/")
		if !nested {
			label = ""
		}
		sc.imageRow(i, imageFile, []byte(d.path+"/"+slash), label)
		if err := row(); err != nil {
			return err
		}
	}
	return nil
}

// imageRow is a row of an image, as [builder.addImage] takes it, and labels.
func (s *scanner) imageRow(i int, kind byte, image []byte, labels ...string) {
	s.start, s.text = i, append(s.text[:0], 0, kind)
	s.text = append(s.text, image...)
	s.fields = append(s.fields[:0], span{end: len(s.text)})
	for _, l := range labels {
		start := len(s.text)
		s.text = append(s.text, l...)
		s.fields = append(s.fields, span{start: start, end: len(s.text)})
	}
	s.data = s.text
}

// Division is how a source is divided by itself.
type Division struct{ Source, Validation, Test string }

// Divided finds the parts of a folder or file that says itself which rows are for
// what: folders train and test (and val) of images by class, the files of the
// MNIST family, the arrays of a NumPy file. Of any other, Source is the path.
func Divided(path string) (Division, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if train, validation, test, ok := partFolders(path); ok {
			return Division{train, validation, test}, nil
		}
		if d, ok := idxParts(path); ok {
			return d, nil
		}
		if isFolder(path) {
			return Division{Source: path}, nil
		}
		var zips []string
		for _, name := range list(path) {
			if isNPZ(name) {
				zips = append(zips, filepath.Join(path, name))
			}
		}
		if len(zips) == 1 {
			return Divided(zips[0])
		}
		return Division{Source: path}, nil
	}
	if file, part := npzPart(path); part == "" && isNPZ(file) {
		return npzParts(file)
	}
	return Division{Source: path}, nil
}

// portable writes pixels as a file of the portable grey or colour map format
// (PGM, PPM), which is how images that a source holds as numbers are kept.
func portable(dst []byte, width, height, channels int, pixels []byte) []byte {
	magic := "P5"
	if channels == 3 {
		magic = "P6"
	}
	dst = fmt.Appendf(dst, "%s\n%d %d\n255\n", magic, width, height)
	return append(dst, pixels...)
}
