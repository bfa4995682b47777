package data

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/hone-ml/hone/internal/nearest"
)

// FromRecords types rows that arrived as JSON objects by the rules for files. A
// value may be what JSON has (text, number, boolean, null), a Go number or a time,
// and that of an image its file as bytes or as text in base64; null and a name that
// only some rows lack are missing values. A column that every row lacks is an
// error, and names that are not in the schema are ignored, as in a file.
func FromRecords(schema Schema, rows []map[string]any) (*Table, error) {
	t := &Table{Rows: len(rows)}
	for _, f := range schema {
		b := newBuilder(f, defaultMissing)
		b.reset(len(rows), nil)
		found := false
		for i, row := range rows {
			v, ok := row[f.Name]
			found = found || ok
			text, err := recordText(f, v)
			if err == nil {
				err = b.add([]byte(text))
			}
			if err != nil {
				e, ok := err.(*Error)
				if !ok {
					return nil, err
				}
				e.Remedy = "correct it, or send null if the value is missing"
				if len(rows) > 1 {
					e.Problem = fmt.Sprintf("row %d: %s", i+1, e.Problem)
				}
				return nil, e
			}
		}
		if !found && len(rows) > 0 {
			var names []string
			for n := range rows[0] {
				names = append(names, n)
			}
			slices.Sort(names)
			e := &Error{Column: f.Name, Problem: "no row has it" + has(names), Remedy: "add it, or send null if its value is missing"}
			if n := nearest.Name(f.Name, names); n != "" && schema.Field(n) == nil {
				e.Remedy = fmt.Sprintf("did you mean it by %q? send null if the value is missing", n)
			}
			return nil, e
		}
		t.Columns = append(t.Columns, b.take(nil))
	}
	return t, nil
}

// recordText writes a value as a file would hold it; "" when it is missing.
func recordText(f Field, v any) (string, error) {
	number := func(x float64) (string, error) {
		if math.IsNaN(x) {
			return "", nil
		}
		if f.Type == Datetime && f.Layout != unixLayout {
			return formatTime(x, f.Layout), nil
		}
		return formatNumber(x, f.Decimal), nil
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		if f.Type == Image {
			return base64.StdEncoding.EncodeToString(v), nil
		}
	case json.Number:
		if f.Type == Number {
			x, err := v.Float64()
			if err != nil {
				return v.String(), nil // the number's own error comes when it is read
			}
			return number(x)
		}
		return v.String(), nil
	case bool:
		switch {
		case f.Type == Boolean && v:
			return f.True, nil
		case f.Type == Boolean:
			return f.False, nil
		case f.Type == Number && v:
			return "1", nil
		case f.Type == Number:
			return "0", nil
		}
		return strconv.FormatBool(v), nil
	case float64:
		return number(v)
	case float32:
		return number(float64(v))
	case int:
		return number(float64(v))
	case int32:
		return number(float64(v))
	case int64:
		if holdsText(f.Type) {
			return strconv.FormatInt(v, 10), nil
		}
		return number(float64(v))
	case time.Time:
		if f.Type == Datetime && f.Layout == unixLayout {
			return strconv.FormatInt(v.Unix(), 10), nil
		}
		layout := f.Layout
		if layout == "" {
			layout = time.RFC3339
		}
		return v.UTC().Format(layout), nil
	}
	return "", &Error{Column: f.Name, Problem: fmt.Sprintf("found a %T, expected text, a number, a boolean or null", v)}
}
