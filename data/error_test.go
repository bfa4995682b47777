package data

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBadInput(t *testing.T) {
	no := false
	damaged := []byte(gzipped(strings.Repeat("a,b\n1,2\n", 1000)))
	cut := string(damaged[:len(damaged)-20])
	damaged[len(damaged)-6] ^= 0xff
	wide := "a,b,c\n1,2,3\n"
	for name, c := range map[string]struct {
		text    string
		options Options
		want    string // all of it, after the file's name
	}{
		"empty":            {text: "", want: ": is empty, expected a header and rows; check how the file was made or copied"},
		"only a mark":      {text: "\ufeff", want: ": is empty"},
		"only line ends":   {text: "\n\r\n\n", want: ": is empty"},
		"empty gzip":       {text: gzipped(""), want: ": is empty"},
		"header only":      {text: "a,b\n", want: ": has a header but no rows; check how the file was made; if the first line is data, set data.header: false"},
		"short row":        {text: wide + "4,5\n6,7,8\n", want: ", line 3: found 2 fields, expected 3 as the header has; complete or remove the row, or set data.delimiter"},
		"long row":         {text: wide + "\n4,\"5\n\",6\n7,8,9,10\n", want: ", line 6: found 4 fields, expected 3 as the header has; put \" around a value that contains ',', or set data.delimiter"},
		"long first":       {text: "1,2,3\n1,2\n", options: Options{Header: &no}, want: ", line 2: found 2 fields, expected 3 in the first row"},
		"comment":          {text: "made by us\n" + wide + wide, want: `, line 1: is "made by us", where the lines below it have 3 fields divided at ','; remove the line, or set data.skip_lines to 1`},
		"invalid UTF-8":    {text: "a,b\n1,x\n2,K\xf6ln\n", want: `, line 3: byte 11 of the text (0xf6) is not valid UTF-8; set data.encoding to what the file is written in: windows-1252`},
		"after a mark":     {text: "\ufeffa,b\n1,x\n2,K\xf6ln\n", want: `, line 3: byte 14 of the text (0xf6) is not valid UTF-8`},
		"undecodable":      {text: "a,b\n1,x\n2,\x81\n", options: Options{Encoding: "windows-1252"}, want: ", line 3: holds bytes that windows-1252 does not have"},
		"unknown encoding": {text: wide, options: Options{Encoding: "klingon"}, want: `: data.encoding is "klingon", expected one of utf-8`},
		"wrong encoding":   {text: utf16Text(wide, false, true), options: Options{Encoding: "utf-8"}, want: ": begins with the byte-order mark of utf-16le, but data.encoding says utf-8"},
		"utf-16 unmarked":  {text: utf16Text(wide, false, false), want: ", line 1: byte 1 of the text is NUL: this is not a text file; it looks like UTF-16 without a byte-order mark: set data.encoding to utf-16le"},
		"utf-16 undefined": {text: utf16Text(wide, false, false), options: Options{Encoding: "utf-16"}, want: ": has no byte-order mark"},
		"NUL":              {text: "a,b\n1,2\n3,\x00long enough\n", want: ", line 3: byte 10 of the text is NUL: this is not a text file; give a CSV or TSV file"},
		"zip":              {text: gzipped("PK\x03\x04...."), want: ": is a zip archive or an Excel workbook, compressed once more, expected"},
		"parquet":          {text: gzipped("PAR1...."), want: ": is a Parquet file, compressed as a whole"},
		"twice compressed": {text: gzipped(gzipped(wide)), want: ": is compressed twice"},
		"duplicate names":  {text: "x,y,x\n1,2,3\n", want: `, line 1, column "x": the name is given to fields 1 and 3, expected every column to have its own; rename one, or give all names in data.names`},
		"too few names":    {text: wide, options: Options{Names: []string{"a"}}, want: ", line 1: has 3 fields, but data.names gives 1 names"},
		"open quote":       {text: "a,b\n1,2\n3,\"x\n4,5\n", want: ", line 3: a quote (\") is opened here and never closed; close it, double it if it belongs to the value, or set data.quote: none"},
		"stray quote":      {text: "a,b\n1,\"big\" Joe\n", want: `, line 2: found "Joe" after a closing quote, expected ',' or the end of the line; double a quote (") that belongs to the value, or set data.quote: none`},
		"huge record":      {text: "a,b\n1,\"" + strings.Repeat("xxxxxxx\n", maxRecord/8), want: ", line 2: a quote (\") is opened here and not closed within 16 MiB"},
		"lone CR":          {text: "a,b\r1,2\r3,4\r", want: ": the lines end in a lone CR, expected LF or CRLF; convert the line ends"},
		"wrong delimiter":  {text: strings.ReplaceAll(wide, ",", ";"), options: Options{Delimiter: ","}, want: ": has one column when divided at ',', but 3 when divided at ';'; remove data.delimiter, or set it to ';'"},
		"bad delimiter":    {text: wide, options: Options{Delimiter: "::"}, want: `: data.delimiter is "::", expected one ASCII character`},
		"bad quote":        {text: wide, options: Options{Quote: "<<"}, want: `: data.quote is "<<", expected one ASCII character`},
		"cut gzip":         {text: cut, want: ": the gzip data ends too early, after "},
		"damaged gzip":     {text: string(damaged), want: ": the gzip data is damaged, 8000 bytes of text into it (gzip: invalid checksum); copy or download the file again"},
		"not gzip":         {text: "\x1f\x8b\x00\x00aaaaaaaaaaaaaa", want: ": the gzip data is damaged"},
		"bomb":             {text: gzipped("a,b\n") + strings.Repeat(gzipped(strings.Repeat("x", 1<<20)+",2\n"), 66), want: ": decompresses to more than 200 times its size"},
		"infinity":         {text: "a,b\n1,2\n-inf,3\n", want: `, line 3, column "a": found "-inf", expected a finite number; correct it, or add it to data.missing_values to treat it as missing`},
		"overflow":         {text: "a,b\n1,2\n1e999,3\n", want: `, line 3, column "a": found "1e999", expected a finite number`},
		"declared number":  {text: "a,b\nx,2\n", options: Options{Types: map[string]Type{"a": Number}}, want: `, line 2, column "a": found "x", expected a number; correct it, add it to data.missing_values`},
		"declared date":    {text: "a,b\nx,2\n", options: Options{Types: map[string]Type{"a": Datetime}}, want: `, column "a": no layout reads all its values as dates (one is "x"); set its layout in data.layouts`},
		"declared layout":  {text: "a,b\nx,2\n", options: Options{Layouts: map[string]string{"a": "2006-01-02"}}, want: `, line 2, column "a": found "x", expected a date and time written as 2006-01-02`},
		"declared boolean": {text: "a,b\nmale,2\n", options: Options{Types: map[string]Type{"a": Boolean}}, want: `, line 2, column "a": found "male", expected "false" or "true"; correct it`},
		"unknown type":     {text: wide, options: Options{Types: map[string]Type{"a": "float"}}, want: `, column "a": data.types gives the unknown type "float", expected one of number, category`},
		"type of nothing":  {text: "price,b\n1,2\n", options: Options{Types: map[string]Type{"prise": Number}}, want: `, column "prise": data.types, data.layouts or data.thousands names it, but the file has no such column: it has price, b; did you mean "price"?`},
		"absent column":    {text: "price,b\n1,2\n", options: Options{Schema: Schema{{Name: "b", Type: Number}, {Name: "Price", Type: Number}}}, want: `, column "Price": the file has no such column: it has price, b; did you mean "price"? rename the column, or correct its name in the config`},
		"schema mismatch":  {text: "b\n1\nx\n", options: Options{Schema: Schema{{Name: "b", Type: Number}}}, want: `, line 3, column "b": found "x", expected a number`},
		"schema, no rows":  {text: "b\n", options: Options{Schema: Schema{{Name: "b", Type: Number}}}, want: ": has a header but no rows"},
		"nothing to skip":  {text: "b\n1\n", options: Options{SkipLines: 5}, want: ": has no lines after the 5 of data.skip_lines"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := readText(c.text, c.options)
			if err == nil {
				t.Fatal("no error")
			}
			if got, want := err.Error(), "t.csv"+c.want; !strings.HasPrefix(got, want) {
				t.Errorf("the error is\n%s\nwant\n%s…", got, want)
			}
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("the error is a %T, want an *Error", err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Error("the error is more than one paragraph")
			}
		})
	}
}

func TestBadPath(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "train.csv"), []byte("a\n1\n"), 0o600)
	for path, want := range map[string]string{
		"trian.csv":     "no such file; did you mean " + filepath.Join(dir, "train.csv") + "?",
		"x/train.csv":   "no such file, and no folder " + filepath.Join(dir, "x"),
		"unrelated.txt": "no such file; nothing in the folder " + dir + " has a name like it",
		".":             "is a folder, expected a CSV or TSV file; name a file in it, such as " + filepath.Join(dir, "train.csv"),
	} {
		path = filepath.Join(dir, path)
		_, _, err := Read(path, Options{})
		if err == nil || !strings.HasPrefix(err.Error(), path+": "+want) {
			t.Errorf("the error is\n%v\nwant\n%s: %s", err, path, want)
		}
	}
	_, _, err := Read(os.DevNull, Options{})
	if err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("a device gives %v", err)
	}
}
