package data

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// workbookOf writes a workbook of one sheet.
func workbookOf(sheet, shared, styles string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range [][2]string{
		{"xl/workbook.xml", `<workbook xmlns:r="rel"><workbookPr/><sheets><sheet name="one" r:id="x"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="x" Target="/xl/worksheets/s.xml"/></Relationships>`},
		{"xl/sharedStrings.xml", shared}, {"xl/styles.xml", styles}, {"xl/worksheets/s.xml", sheet},
	} {
		if f[1] != "" {
			w, _ := z.Create(f[0])
			w.Write([]byte(f[1]))
		}
	}
	z.Close()
	return b.Bytes()
}

func TestXLSX(t *testing.T) {
	styles := `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[$-407]d/m/yyyy;@"/><numFmt numFmtId="165" formatCode="0.00&quot; days&quot;"/></numFmts>` +
		`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>`
	shared := `<sst><si><t>name</t></si><si><r><t xml:space="preserve">An </t></r><r><t>na</t></r><rPh><t>hint</t></rPh></si></sst>`
	sheet := `<worksheet><sheetData>
	<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="inlineStr"><is><t>when</t></is></c><c r="C2" t="str"><v>day</v></c><c r="D2" t="str"><v>n</v></c><c r="E2" t="str"><v>ok</v></c></row>
	<row r="5"><c r="A5" t="s"><v>1</v></c><c r="B5" s="1"><v>45292.5</v></c><c r="C5" s="2"><v>45292</v></c><c r="D5" s="3"><f>1+1</f><v>2.5</v></c><c r="E5" t="b"><v>1</v></c></row>
	<row r="6"><c r="B6" s="1"><v>1.25</v></c><c r="D6" t="e"><v>#N/A</v></c><c r="E6" t="b"><v>0</v></c></row>
	<row r="7"><c r="C7" s="2"/></row>
	</sheetData></worksheet>`
	table, err := readBytes(workbookOf(sheet, shared, styles), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%q", texts(table)), `[["An na" "2024-01-01 12:00:00" "2024-01-01" "2.5" "true"] ["" "1900-01-01 06:00:00" "" "" "false"]]`; got != want {
		t.Errorf("the rows are\n%s, want\n%s", got, want)
	}
	if got, want := fmt.Sprint(table.Names()), "[name when day n ok]"; got != want {
		t.Errorf("the columns are %s, want %s", got, want)
	}
	table, _, err = Read(fixture("table.xlsx"), Options{Sheet: "notes"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%q", texts(table)), `[["third" "3"] ["" "4.5"]]`; got != want {
		t.Errorf("the second sheet is %s, want %s", got, want)
	}
}

func TestXLSXErrors(t *testing.T) {
	row := func(cells string) []byte {
		return workbookOf(`<worksheet><sheetData><row r="1"><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row><row r="3">`+cells+`</row></sheetData></worksheet>`, "", "")
	}
	var plain bytes.Buffer
	z := zip.NewWriter(&plain)
	z.Create("a.csv")
	z.Close()
	var bomb bytes.Buffer
	z = zip.NewWriter(&bomb)
	w, _ := z.Create("xl/workbook.xml")
	w.Write(bytes.Repeat([]byte{' '}, 65<<20))
	z.Close()
	for name, c := range map[string]struct {
		content []byte
		options Options
		want    string
	}{
		"archive":   {plain.Bytes(), Options{}, ": is a zip archive, but not an Excel workbook (.xlsx); unpack it"},
		"cut":       {row("")[:100], Options{}, ": the workbook is damaged (the archive: zip: not a valid zip file)"},
		"bomb":      {bomb.Bytes(), Options{}, ": decompresses to more than 200 times its size"},
		"sheet":     {row(""), Options{Sheet: "oen"}, `: data.sheet is "oen", but the workbook has no such sheet: it has one; did you mean "one"?`},
		"wide":      {row(`<c/><c/><c t="str"><v>x</v></c>`), Options{}, ", row 3: has a value in column 3, expected at most 2"},
		"reference": {row(`<c t="s"><v>7</v></c>`), Options{}, `: the workbook is damaged (xl/worksheets/s.xml: row 3: cell 1: refers to text "7" of 0)`},
		"order":     {row(`<c r="B3"/><c r="A3"/>`), Options{}, `: the workbook is damaged (xl/worksheets/s.xml: row 3: cell "A3" is out of order)`},
		"number":    {row(`<c><v>1.5</v></c><c><v>x</v></c>`), Options{}, `: the workbook is damaged (xl/worksheets/s.xml: row 3: cell 2: found "x", expected a number)`},
		"declared":  {row(`<c t="str"><v>u</v></c>`), Options{Types: map[string]Type{"a": Number}}, `, row 3, column "a": found "u", expected a number`},
		"no rows":   {workbookOf(`<worksheet><sheetData/></worksheet>`, "", ""), Options{}, ": is empty, expected a header and rows"},
		"open":      {workbookOf(`<worksheet><sheetData><row><c><v>1</v></c></row>`, "", ""), Options{}, ": the workbook is damaged (xl/worksheets/s.xml: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readBytes(c.content, c.options)
			if err == nil || !strings.HasPrefix(err.Error(), "t.bin"+c.want) {
				t.Errorf("the error is\n%v, want\nt.bin%s", err, c.want)
			}
		})
	}
	if _, _, err := Read(fixture("table.csv"), Options{Sheet: "x"}); err == nil || !strings.Contains(err.Error(), "the file is no Excel workbook") {
		t.Errorf("a sheet of a CSV file gives %v", err)
	}
}

// Whatever a workbook's parts hold, there is a table or an error.
func FuzzXLSX(f *testing.F) {
	content, err := os.ReadFile(fixture("table.xlsx"))
	if err != nil {
		f.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		f.Fatal(err)
	}
	part := func(name string) string {
		r, err := z.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		b.ReadFrom(r)
		return b.String()
	}
	f.Add(part("xl/worksheets/sheet2.xml"), "", part("xl/styles.xml"))
	f.Add(`<worksheet><sheetData><row><c t="s"><v>0</v></c></row></sheetData></worksheet>`, `<sst><si><t>a</t></si></sst>`, "")
	f.Add(`<worksheet><sheetData><row><c r="ZZZZ1"><v>1</v></c></row></sheetData></worksheet>`, "", "")
	f.Fuzz(func(t *testing.T, sheet, shared, styles string) {
		table, err := readBytes(workbookOf(sheet, shared, styles), Options{})
		if err == nil && table.Rows == 0 {
			t.Error("neither rows nor an error")
		}
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Errorf("the error is a %T: %v", err, err)
			}
		}
	})
}
