package data

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hone-ml/hone/internal/nearest"
)

// workbook reads one sheet of an Excel workbook (Office Open XML). A cell becomes
// the text that the sheet saved as CSV would hold: dates as their format shows
// them, but year first; a cell's own type says no more than its text does.
type workbook struct {
	*part
	sheet  string // the sheet's file in the archive
	shared []string
	dates  []dateStyle // by cell style
	old    bool        // days are counted from 1904
	first  int         // number of the first row with data
	width  int
}

// dateStyle is what a number format shows of a number that is a date.
type dateStyle uint8

const (
	noDate dateStyle = iota
	dateOnly
	timeOnly
	dateAndTime
)

const (
	xlsxRows    = 1000      // of a block
	xlsxColumns = 16384     // what Excel allows
	xlsxText    = 512 << 20 // of shared text, which is held in memory
)

func openXLSX(p *part, _ []byte, _ bool) (decoder, error) {
	w := &workbook{part: p}
	z, c, err := w.archive()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := w.find(z); err != nil {
		return nil, err
	}
	if err := w.readStyles(z); err != nil {
		return nil, err
	}
	if err := w.readShared(z); err != nil {
		return nil, err
	}
	return w, w.readHeader()
}

func (w *workbook) damaged(file string, what any) error {
	if e, ok := what.(*Error); ok {
		return e
	}
	return &Error{Path: w.path, Problem: fmt.Sprintf("the workbook is damaged (%s: %v)", file, what), Remedy: "open it in a spreadsheet program and save it again, or save the sheet as CSV"}
}

func (w *workbook) archive() (*zip.Reader, io.Closer, error) {
	r, size, err := w.random()
	if err != nil {
		return nil, nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		r.Close()
		return nil, nil, w.damaged("the archive", err)
	}
	return z, r, nil
}

// open opens a file of the archive; nil if there is none.
func (w *workbook) open(z *zip.Reader, name string) (io.ReadCloser, error) {
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return strings.EqualFold(f.Name, name) })
	if i < 0 {
		return nil, nil
	}
	f := z.File[i]
	if err := w.expansion(int64(f.CompressedSize64), int64(f.UncompressedSize64)); err != nil {
		return nil, err
	}
	r, err := f.Open()
	if err != nil {
		return nil, w.damaged(name, err)
	}
	// What the directory says of the size need not be true.
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(r, int64(f.UncompressedSize64)+1), r}, nil
}

// parse calls element for every element of a file of the archive, which may be
// absent. The decoder gives what is in it.
func (w *workbook) parse(z *zip.Reader, name string, element func(d *xml.Decoder, e xml.StartElement) error) error {
	r, err := w.open(z, name)
	if r == nil {
		return err
	}
	defer r.Close()
	d := xml.NewDecoder(r)
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return w.damaged(name, err)
		}
		if e, ok := t.(xml.StartElement); ok {
			if err := element(d, e); err != nil {
				return w.damaged(name, err)
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// find finds the sheet's file.
func (w *workbook) find(z *zip.Reader) error {
	type sheet struct{ name, id string }
	var sheets []sheet
	book := false
	err := w.parse(z, "xl/workbook.xml", func(_ *xml.Decoder, e xml.StartElement) error {
		switch book = true; e.Name.Local {
		case "workbookPr":
			v := attribute(e, "date1904")
			w.old = v == "1" || v == "true"
		case "sheet":
			s := sheet{name: attribute(e, "name")}
			for _, a := range e.Attr {
				if a.Name.Local == "id" && a.Name.Space != "" {
					s.id = a.Value
				}
			}
			sheets = append(sheets, s)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !book || len(sheets) == 0 {
		return &Error{Path: w.path, Problem: "is a zip archive, but not an Excel workbook (.xlsx)", Remedy: "unpack it, or save the sheet as CSV"}
	}
	chosen := sheets[0]
	if want := w.options.Sheet; want != "" {
		var names []string
		found := false
		for _, s := range sheets {
			names = append(names, s.name)
			if s.name == want {
				chosen, found = s, true
			}
		}
		if !found {
			e := &Error{Path: w.path, Problem: fmt.Sprintf("data.sheet is %q, but the workbook has no such sheet%s", want, has(names)), Remedy: "correct the name, or remove data.sheet for the first one"}
			if n := nearest.Name(want, names); n != "" {
				e.Remedy = fmt.Sprintf("did you mean %q?", n)
			}
			return e
		}
	}
	err = w.parse(z, "xl/_rels/workbook.xml.rels", func(_ *xml.Decoder, e xml.StartElement) error {
		if e.Name.Local == "Relationship" && attribute(e, "Id") == chosen.id {
			if w.sheet = attribute(e, "Target"); strings.HasPrefix(w.sheet, "/") {
				w.sheet = w.sheet[1:]
			} else {
				w.sheet = path.Join("xl", w.sheet)
			}
		}
		return nil
	})
	if err == nil && w.sheet == "" {
		err = w.damaged("xl/workbook.xml", fmt.Sprintf("the sheet %q has no file", chosen.name))
	}
	return err
}

// readStyles finds which cell styles show dates.
func (w *workbook) readStyles(z *zip.Reader) error {
	formats := map[string]dateStyle{}
	for id := range 60 {
		s := noDate
		switch {
		case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 58:
			s = dateOnly
		case id >= 18 && id <= 21, id >= 32 && id <= 35, id == 45, id == 47:
			s = timeOnly
		case id == 22:
			s = dateAndTime
		}
		formats[strconv.Itoa(id)] = s
	}
	cells := false
	return w.parse(z, "xl/styles.xml", func(_ *xml.Decoder, e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			formats[attribute(e, "numFmtId")] = styleOf(attribute(e, "formatCode"))
		case "cellXfs":
			cells = true
		case "cellStyles", "dxfs":
			cells = false
		case "xf":
			if cells {
				w.dates = append(w.dates, formats[attribute(e, "numFmtId")])
			}
		}
		return nil
	})
}

// styleOf says what a format code such as yyyy-mm-dd;@ shows.
func styleOf(code string) dateStyle {
	var day, clock, month bool
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case ';':
			i = len(code) // of several sections, the first is for positive numbers
		case '"':
			for i++; i < len(code) && code[i] != '"'; i++ {
			}
		case '\\', '_', '*':
			i++
		case '[':
			start := i + 1
			for i < len(code) && code[i] != ']' {
				i++
			}
			if start < len(code) && strings.ContainsAny(code[start:start+1], "hHmMsS") && i-start <= 2 {
				return noDate // a duration is a number
			}
		case 'y', 'Y', 'd', 'D':
			day = true
		case 'h', 'H', 's', 'S':
			clock = true
		case 'm', 'M':
			month = true
		case 'G', 'g', '0', '#', '?':
			if c != '0' || !clock { // ss.000
				return noDate
			}
		}
	}
	switch {
	case day && clock:
		return dateAndTime
	case clock:
		return timeOnly
	case day || month:
		return dateOnly
	}
	return noDate
}

// readShared reads the texts that cells refer to.
func (w *workbook) readShared(z *zip.Reader) error {
	total := 0
	return w.parse(z, "xl/sharedStrings.xml", func(d *xml.Decoder, e xml.StartElement) error {
		if e.Name.Local != "si" {
			return nil
		}
		text, err := richText(d, nil)
		if err != nil {
			return err
		}
		if total += len(text) + 16; total > xlsxText {
			return &Error{Path: w.path, Problem: fmt.Sprintf("holds more than %d MiB of text", xlsxText>>20), Remedy: "save the sheet as CSV"}
		}
		w.shared = append(w.shared, string(text))
		return nil
	})
}

// richText appends the text of the element that the decoder is in, up to its end,
// without phonetic hints.
func richText(d *xml.Decoder, dst []byte) ([]byte, error) {
	depth, text, hint := 1, 0, 0
	for depth > 0 {
		t, err := d.Token()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
			switch t.Name.Local {
			case "t":
				text = depth
			case "rPh":
				hint = depth
			}
		case xml.EndElement:
			if depth == text {
				text = 0
			}
			if depth == hint {
				hint = 0
			}
			depth--
		case xml.CharData:
			if text > 0 && hint == 0 {
				dst = append(dst, t...)
			}
		}
	}
	return dst, nil
}

// sheetRow is a row's cells, as fields of the block's text.
type sheetRow struct {
	number int
	cells  []span
}

// sheetPass reads a sheet's rows.
type sheetPass struct {
	w      *workbook
	closer []io.Closer
	d      *xml.Decoder
	row    int // number of the row read last
	done   bool
}

func (w *workbook) rows() (*sheetPass, error) {
	z, c, err := w.archive()
	if err != nil {
		return nil, err
	}
	r, err := w.open(z, w.sheet)
	if r == nil {
		c.Close()
		if err == nil {
			err = w.damaged(w.sheet, "there is no such file")
		}
		return nil, err
	}
	return &sheetPass{w: w, closer: []io.Closer{r, c}, d: xml.NewDecoder(r)}, nil
}

func (p *sheetPass) Close() error {
	for _, c := range p.closer {
		c.Close()
	}
	return nil
}

func (p *sheetPass) release(*block) {}

// pass begins below the header.
func (w *workbook) pass() (pass, error) {
	p, err := w.rows()
	if err != nil {
		return nil, err // not a nil *sheetPass
	}
	return p, nil
}

func (p *sheetPass) next() (*block, error) {
	b, rows, err := p.read(xlsxRows)
	if err != nil {
		return nil, err
	}
	for len(rows) > 0 && rows[0].number < p.w.first {
		rows = rows[1:]
	}
	b.content = rows
	return b, nil
}

// read reads up to n rows that are not empty.
func (p *sheetPass) read(n int) (*block, []sheetRow, error) {
	b := &block{numbered: true}
	var rows []sheetRow
	for len(rows) < n && !p.done {
		t, err := p.d.Token()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, nil, p.w.damaged(p.w.sheet, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Local != "row" {
				continue
			}
			p.row++
			if r := attribute(t, "r"); r != "" {
				k, err := strconv.Atoi(r)
				if err != nil || k < p.row || k > 1<<24 {
					return nil, nil, p.w.damaged(p.w.sheet, fmt.Sprintf("row %q after row %d", r, p.row-1))
				}
				p.row = k
			}
			cells, err := p.cells(b)
			if err != nil {
				return nil, nil, p.w.damaged(p.w.sheet, fmt.Errorf("row %d: %w", p.row, err))
			}
			for len(cells) > 0 && len(bytes.TrimSpace(b.data[cells[len(cells)-1].start:cells[len(cells)-1].end])) == 0 {
				cells = cells[:len(cells)-1]
			}
			if len(cells) > 0 && p.row > p.w.options.SkipLines {
				rows = append(rows, sheetRow{p.row, cells})
			}
		case xml.EndElement:
			p.done = t.Name.Local == "sheetData" || t.Name.Local == "worksheet"
		}
	}
	if len(rows) == 0 {
		return nil, nil, io.EOF
	}
	b.line = rows[0].number
	return b, rows, nil
}

// cells reads a row.
func (p *sheetPass) cells(b *block) ([]span, error) {
	var cells []span
	for {
		t, err := p.d.Token()
		if err != nil {
			return nil, err
		}
		if _, ok := t.(xml.EndElement); ok {
			return cells, nil
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if e.Name.Local != "c" {
			if err := p.d.Skip(); err != nil {
				return nil, err
			}
			continue
		}
		at := len(cells)
		if r := attribute(e, "r"); r != "" {
			if at = columnOf(r); at < len(cells) || at >= xlsxColumns {
				return nil, fmt.Errorf("cell %q is out of order", r)
			}
		}
		for len(cells) < at {
			cells = append(cells, span{})
		}
		start := len(b.data)
		if err := p.cell(b, e); err != nil {
			return nil, fmt.Errorf("cell %d: %w", at+1, err)
		}
		cells = append(cells, span{start: start, end: len(b.data)})
	}
}

// columnOf reads the letters of a reference such as AB12, counted from 0; -1 if
// there are none.
func columnOf(ref string) int {
	n := 0
	for i := 0; i < len(ref) && ref[i] >= 'A' && ref[i] <= 'Z' && n <= xlsxColumns; i++ {
		n = 26*n + int(ref[i]-'A') + 1
	}
	return n - 1
}

// cell appends a cell's value to the block's text.
func (p *sheetPass) cell(b *block, c xml.StartElement) error {
	kind := attribute(c, "t")
	var value []byte
	for {
		t, err := p.d.Token()
		if err != nil {
			return err
		}
		if _, ok := t.(xml.EndElement); ok {
			break
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "v":
			for end := false; !end; {
				t, err := p.d.Token()
				if err != nil {
					return err
				}
				switch t := t.(type) {
				case xml.CharData:
					value = append(value, t...)
				case xml.EndElement:
					end = true
				case xml.StartElement:
					return fmt.Errorf("an element <%s> in a value", t.Name.Local)
				}
			}
		case "is":
			if b.data, err = richText(p.d, b.data); err != nil {
				return err
			}
		default:
			if err := p.d.Skip(); err != nil {
				return err
			}
		}
	}
	if value = bytes.TrimSpace(value); len(value) == 0 && kind != "str" {
		return nil
	}
	switch kind {
	case "s":
		i, err := strconv.Atoi(string(value))
		if err != nil || i < 0 || i >= len(p.w.shared) {
			return fmt.Errorf("refers to text %q of %d", value, len(p.w.shared))
		}
		b.data = append(b.data, p.w.shared[i]...)
	case "b":
		b.data = strconv.AppendBool(b.data, string(value) == "1" || string(value) == "true")
	case "d":
		b.data = append(b.data, strings.Replace(string(value), "T", " ", 1)...)
	case "", "n":
		x, err := strconv.ParseFloat(string(value), 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("found %q, expected a number", value)
		}
		style := noDate
		if s, err := strconv.Atoi(attribute(c, "s")); err == nil && s >= 0 && s < len(p.w.dates) {
			style = p.w.dates[s]
		}
		b.data = p.w.appendNumber(b.data, x, style)
	default: // str, e, inlineStr
		b.data = append(b.data, value...)
	}
	return nil
}

// appendNumber writes a number, or the date that it stands for.
func (w *workbook) appendNumber(dst []byte, x float64, style dateStyle) []byte {
	if style == noDate || x < 0 || x >= 2958466 { // the year 10000
		return strconv.AppendFloat(dst, x, 'g', -1, 64)
	}
	// Day 60 is 29 February 1900, which there was not.
	day := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case w.old:
		day = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case x < 60:
		day = day.AddDate(0, 0, 1)
	}
	whole, fraction := math.Modf(x)
	t := day.AddDate(0, 0, int(whole)).Add(time.Duration(math.Round(fraction*86400e3)) * time.Millisecond)
	return t.AppendFormat(dst, [...]string{dateOnly: "2006-01-02", timeOnly: "15:04:05.999", dateAndTime: "2006-01-02 15:04:05.999"}[style])
}

// readHeader finds the columns from the first rows.
func (w *workbook) readHeader() error {
	p, err := w.rows()
	if err != nil {
		return err
	}
	defer p.Close()
	b, rows, err := p.read(sniffRecords)
	if err == io.EOF {
		return emptyError(w.path)
	} else if err != nil {
		return err
	}
	var sample [][]string
	for _, r := range rows {
		w.width = max(w.width, len(r.cells))
		var row []string
		for _, c := range r.cells {
			row = append(row, string(b.data[c.start:c.end]))
		}
		sample = append(sample, row)
	}
	if o := w.options; o.Header != nil {
		w.header = *o.Header
	} else {
		w.header = sniffHeader(sample) || len(w.expect) > 0 && containsAll(sample[0], w.expect) || len(o.Names) > 0 && containsAll(sample[0], o.Names)
	}
	w.first = rows[0].number
	first := sample[0]
	if w.header {
		w.first++
		w.width = len(first)
	}
	for len(first) < w.width {
		first = append(first, "")
	}
	w.names, err = w.columnNames(first, rows[0].number)
	if e, ok := err.(*Error); ok {
		e.Line, e.Row = 0, e.Line
	}
	return err
}

func (w *workbook) each(sc *scanner, b *block, row func() error) error {
	sc.data = b.data
	for _, r := range b.content.([]sheetRow) {
		sc.start = r.number - b.line
		if len(r.cells) > w.width {
			return &Error{Path: w.path, Row: r.number, Problem: fmt.Sprintf("has a value in column %d, expected at most %d", len(r.cells), w.width), Remedy: "give the column a name in the first row, or remove what is beside the table"}
		}
		sc.fields = append(sc.fields[:0], r.cells...)
		for len(sc.fields) < w.width {
			sc.fields = append(sc.fields, span{})
		}
		if err := row(); err != nil {
			return err
		}
	}
	return nil
}
