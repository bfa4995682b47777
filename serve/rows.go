package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/internal/nearest"
)

// rowReader reads the rows of requests for one model. It knows which columns
// there are, and reads no value deeper than theirs, so that neither depth nor
// surprise can cost memory.
type rowReader struct {
	schema  data.Schema // of the inputs
	known   map[string]bool
	names   []string // of the inputs and what may be sent beside them
	maxRows int
}

func newRowReader(schema data.Schema, ignored []string, maxRows int) *rowReader {
	r := &rowReader{schema: schema, known: map[string]bool{}, maxRows: maxRows}
	r.names = append(schema.Names(), ignored...)
	for _, n := range r.names {
		r.known[n] = true
	}
	return r
}

// read reads {"rows":[{…},…]} or {"row":{…}} as a table, and what coverage is asked
// for beside them, 0 for none.
func (r *rowReader) read(body io.Reader) (t *data.Table, coverage float64, err error) {
	d := json.NewDecoder(transform.NewReader(body, encoding.UTF8Validator))
	d.UseNumber()
	rows, single, coverage, err := r.document(d)
	if err != nil {
		return nil, 0, refused(d, err)
	}
	t, err = r.table(rows, single)
	return t, coverage, err
}

// table types rows.
func (r *rowReader) table(rows []map[string]any, single bool) (*data.Table, error) {
	t, err := data.FromRecords(r.schema, rows)
	if err == nil {
		return t, readable(t, single)
	}
	// Which row is at fault is found by asking for each alone.
	for i := range rows {
		var e *data.Error
		if _, err := data.FromRecords(r.schema, rows[i:i+1]); errors.As(err, &e) {
			bad := &Error{Status: http.StatusBadRequest, Row: i + 1, Column: e.Column, Problem: e.Problem}
			if e.Remedy != "" {
				bad.Problem += "; " + e.Remedy
			}
			if single {
				bad.Row = 0
			}
			return nil, bad
		}
	}
	return nil, err
}

// readable finds an image that cannot be decoded.
func readable(t *data.Table, single bool) error {
	for _, c := range t.Columns {
		if c.Type != data.Image {
			continue
		}
		if bad := data.BadImages(c); len(bad) > 0 {
			e := &Error{Status: http.StatusBadRequest, Row: bad[0].Row + 1, Column: c.Name, Problem: bad[0].Err.Error() + "; send another image, or null if it is missing"}
			if single {
				e.Row = 0
			}
			return e
		}
	}
	return nil
}

const shape = `{"rows":[{column: value, …}, …]} or {"row":{column: value, …}}, and "coverage": 0.9 beside it for prediction sets`

// document reads the whole body.
func (r *rowReader) document(d *json.Decoder) (rows []map[string]any, single bool, coverage float64, err error) {
	if err := open(d, '{', "the body", "an object: "+shape); err != nil {
		return nil, false, 0, err
	}
	found := ""
	for d.More() {
		name, err := key(d)
		if err != nil {
			return nil, false, 0, err
		}
		if name == "coverage" {
			v, err := d.Token()
			if err != nil {
				return nil, false, 0, err
			}
			if coverage != 0 {
				return nil, false, 0, bad(`the body has "coverage" twice`)
			}
			text, ok := v.(json.Number)
			if !ok {
				return nil, false, 0, bad(`"coverage" is %s, expected a number between 0 and 1, such as 0.9`, kindOf(v))
			}
			if coverage, err = coverageOf(text.String()); err != nil {
				return nil, false, 0, err
			}
			continue
		}
		if name != "rows" && name != "row" {
			return nil, false, 0, bad("the body has an unknown key %q, expected %s", name, shape)
		}
		if found != "" {
			return nil, false, 0, bad("the body has both %q and %q, expected one of them, once", found, name)
		}
		found, single = name, name == "row"
		if single {
			row, err := r.row(d, 0)
			if err != nil {
				return nil, true, 0, err
			}
			rows = append(rows, row)
			continue
		}
		if err := open(d, '[', `"rows"`, "a list of objects: "+shape); err != nil {
			return nil, false, 0, err
		}
		for d.More() {
			if len(rows) == r.maxRows {
				return nil, false, 0, &Error{Status: http.StatusRequestEntityTooLarge, Problem: fmt.Sprintf("there are more than %d rows, which is as many as one request may have; send them in parts", r.maxRows)}
			}
			row, err := r.row(d, len(rows)+1)
			if err != nil {
				return nil, false, 0, err
			}
			rows = append(rows, row)
		}
		if _, err := d.Token(); err != nil { // the closing bracket
			return nil, false, 0, err
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, false, 0, err
	}
	if found == "" {
		return nil, false, 0, bad("the body has no rows, expected %s", shape)
	}
	if _, err := d.Token(); err != io.EOF {
		if err == nil {
			err = bad("there is more after the end of the JSON object")
		}
		return nil, false, 0, err
	}
	return rows, single, coverage, nil
}

// coverageOf reads a coverage. Whether the model can promise it is for the model.
func coverageOf(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0 && v < 1) {
		return 0, bad("coverage: found %s, expected a number between 0 and 1, such as 0.9", text)
	}
	return v, nil
}

// row reads one row, number n from 1, or 0 where it is the only one.
func (r *rowReader) row(d *json.Decoder, n int) (map[string]any, error) {
	what := "the row"
	if n > 0 {
		what = fmt.Sprintf("row %d", n)
	}
	if err := open(d, '{', what, "an object {column: value, …}"); err != nil {
		return nil, err
	}
	row := make(map[string]any, len(r.schema))
	for d.More() {
		name, err := key(d)
		if err != nil {
			return nil, err
		}
		e := &Error{Status: http.StatusBadRequest, Row: n, Column: name}
		if !r.known[name] {
			e.Problem = "the model has no such column"
			if near := nearest.Name(name, r.names); near != "" {
				e.Problem += fmt.Sprintf("; did you mean %q?", near)
			} else {
				e.Problem += "; it reads " + list(r.schema.Names())
			}
			return nil, e
		}
		if _, twice := row[name]; twice {
			e.Problem = "the row has it twice"
			return nil, e
		}
		v, err := d.Token()
		if err != nil {
			return nil, err
		}
		if delim, ok := v.(json.Delim); ok {
			e.Problem = fmt.Sprintf("found %s, expected text, a number, a boolean or null", kindOf(delim))
			return nil, e
		}
		row[name] = v
	}
	for _, f := range r.schema {
		if _, ok := row[f.Name]; !ok {
			return nil, &Error{Status: http.StatusBadRequest, Row: n, Column: f.Name, Problem: "the row lacks it; add it, or send null if its value is missing"}
		}
	}
	_, err := d.Token() // the closing brace
	return row, err
}

// open reads an opening bracket or brace.
func open(d *json.Decoder, want json.Delim, what, expected string) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != want {
		return bad("%s is %s, expected %s", what, kindOf(t), expected)
	}
	return nil
}

// key reads a name of an object.
func key(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", err
	}
	name, ok := t.(string)
	if !ok {
		return "", bad("found %s, expected a name", kindOf(t))
	}
	return name, nil
}

func kindOf(t json.Token) string {
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return "an object"
		}
		return "a list"
	case string:
		return "text"
	case bool:
		return "a boolean"
	case nil:
		return "null"
	}
	return "a number"
}

func bad(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Problem: fmt.Sprintf(format, args...)}
}

// refused turns what went wrong in reading a body into an Error.
func refused(d *json.Decoder, err error) error {
	var e *Error
	var large *http.MaxBytesError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &large):
		return &Error{Status: http.StatusRequestEntityTooLarge, Problem: fmt.Sprintf("the body is larger than %d bytes, which is as much as one request may have; send the rows in parts", large.Limit)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Status: http.StatusRequestTimeout, Problem: "the body did not arrive in time"}
	case errors.Is(err, encoding.ErrInvalidUTF8):
		return bad("the body is not UTF-8, at byte %d or after", d.InputOffset())
	case errors.As(err, &syntax):
		return bad("the body is not JSON, at byte %d: %v", syntax.Offset, syntax)
	case err == io.EOF && d.InputOffset() == 0:
		return bad("the body is empty, expected %s", shape)
	case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
		return bad("the body ends too early, at byte %d: its JSON is not closed", d.InputOffset())
	}
	return bad("the body cannot be read: %v", err)
}

// list names a few names.
func list(names []string) string {
	const most = 20
	if n := len(names); n > most {
		return fmt.Sprintf("%s and %d more (see /v1/schema)", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names, ", ")
}
