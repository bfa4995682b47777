package serve

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/hone-ml/hone/data"
)

// coverageField is the field of a form that asks for prediction sets, unless a column
// has this name.
const coverageField = "coverage"

// images is how many inputs are images.
func (r *rowReader) images() (n int) {
	for _, f := range r.schema {
		if f.Type == data.Image {
			n++
		}
	}
	return n
}

// upload reads a form of multipart/form-data, as `curl -F image=@photo.jpg` sends
// it: a field for each column, the file for one of images. Where images are the
// only input there is, several files are as many rows.
func (r *rowReader) upload(body io.Reader, boundary string) (t *data.Table, coverage float64, err error) {
	if boundary == "" {
		return nil, 0, bad("the content type multipart/form-data has no boundary")
	}
	form := multipart.NewReader(body, boundary)
	rows := []map[string]any{{}}
	for {
		part, err := form.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, 0, uploadError(err)
		}
		name := part.FormName()
		f := r.schema.Field(name)
		if name == coverageField && !r.known[name] {
			text, err := io.ReadAll(io.LimitReader(part, 64))
			if err != nil {
				return nil, 0, uploadError(err)
			}
			if coverage, err = coverageOf(string(text)); err != nil {
				return nil, 0, err
			}
			continue
		}
		if f == nil && !r.known[name] {
			return nil, 0, &Error{Status: http.StatusBadRequest, Column: name, Problem: "the model has no such column; it reads " + list(r.schema.Names())}
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, 0, uploadError(err)
		}
		if f == nil {
			continue // a column that is not read
		}
		if f.Type == data.Image && len(content) == 0 && part.FileName() != "" {
			return nil, 0, &Error{Status: http.StatusBadRequest, Column: name, Problem: fmt.Sprintf("the file %q is empty; send another image, or no file if it is missing", part.FileName())}
		}
		last := rows[len(rows)-1]
		if _, twice := last[name]; twice {
			if len(r.schema) > 1 {
				return nil, 0, &Error{Status: http.StatusBadRequest, Column: name, Problem: "the form has it twice"}
			}
			if len(rows) == r.maxRows {
				return nil, 0, &Error{Status: http.StatusRequestEntityTooLarge, Problem: fmt.Sprintf("there are more than %d files, which is as many as one request may have; send them in parts", r.maxRows)}
			}
			last = map[string]any{}
			rows = append(rows, last)
		}
		switch {
		case f.Type == data.Image && len(content) == 0:
			last[name] = nil
		case f.Type == data.Image:
			last[name] = content
		default:
			last[name] = string(content)
		}
	}
	for _, f := range r.schema {
		if _, ok := rows[0][f.Name]; !ok {
			return nil, 0, &Error{Status: http.StatusBadRequest, Column: f.Name, Problem: "the form lacks it; add it, empty if its value is missing"}
		}
	}
	t, err = r.table(rows, len(rows) == 1)
	return t, coverage, err
}

// uploadError says what is wrong with a form.
func uploadError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &Error{Status: http.StatusRequestEntityTooLarge, Problem: fmt.Sprintf("the body is larger than %d bytes, which is as much as one request may have; send the files in parts", large.Limit)}
	}
	return bad("the form cannot be read: %v", err)
}
