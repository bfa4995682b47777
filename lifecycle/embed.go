package lifecycle

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/embed"
	"github.com/hone-ml/hone/feature"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/search"
)

// An Encoder makes vectors: of texts, and of rows where it is a model of rows.
type Encoder struct {
	Name                     string
	texts, queries, passages search.Embed
	rows                     *model.Embedder // nil: it only knows texts
	model                    *model.Model
}

// Prefixes are what texts begin with, for an encoder that others have trained; "":
// what its folder says.
type Prefixes struct {
	Text  string // of those that are searched, or that are only embedded
	Query string // of those that search
}

// LoadEncoder reads what makes vectors: a bundle, or the folder of an encoder of
// texts as Hugging Face's libraries write it.
func LoadEncoder(ctx context.Context, path string, p Prefixes) (*Encoder, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		e, err := embed.Load(path)
		if err != nil {
			return nil, mistake("%v", err)
		}
		if p.Text != "" {
			e.Model.Prefix, e.Model.Passage = p.Text, p.Text
		}
		if p.Query != "" {
			e.Model.Query = p.Query
		}
		as := func(prefix string) search.Embed {
			return func(texts []string) ([][]float32, error) { return e.EmbedAs(ctx, prefix, texts) }
		}
		return &Encoder{Name: folderName(path), texts: as(e.Model.Prefix), queries: as(e.Model.Query), passages: as(e.Model.Passage)}, nil
	}
	if p != (Prefixes{}) {
		return nil, mistake("%s is a bundle, whose texts begin as it was trained; a prefix is for the folder of an encoder: leave it out", path)
	}
	m, _, err := model.Load(path)
	if err != nil {
		return nil, err
	}
	rows, err := m.Embedder()
	if err != nil {
		return nil, err
	}
	texts := func(texts []string) ([][]float32, error) { return rows.EmbedTexts(ctx, texts) }
	return &Encoder{m.Name, texts, texts, texts, rows, m}, nil
}

// encoding is a mistake that an encoder found, or the end that the user asked for.
func encoding(err error, format string, args ...any) error {
	if IsStopped(err) {
		return err
	}
	return mistake(format, args...)
}

// folderName is the name of a folder, which may be "." or end in a slash.
func folderName(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return filepath.Base(path)
}

// VectorFormats are the endings of files of vectors.
var VectorFormats = []string{".csv", ".jsonl", ".ndjson", ".npy", ".parquet"}

// EmbedFile writes a vector for each row of a file: of the texts of a column, or
// where it is "" of the rows. As .csv, .jsonl and .parquet the columns that identify
// a row stand beside it, and the memory does not grow with the file; .npy is a matrix of
// float32 alone, as numpy reads it, for whose head all rows are waited for.
func (e *Encoder) EmbedFile(ctx context.Context, path, column string, o data.Options, w io.Writer, format string) (rows, width int, err error) {
	if column == "" && e.rows == nil {
		return 0, 0, mistake("%s makes vectors of texts: say with --text which column of %s has them", e.Name, path)
	}
	r, through, err := e.open(path, column, o)
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	buffered := bufio.NewWriterSize(w, 1<<16)
	out := vectorWriter(buffered, format)
	for {
		t, err := r.Next(streamRows)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return rows, width, err
		}
		vectors, err := e.vectors(ctx, t, column)
		var bad *feature.ImageError
		if errors.As(err, &bad) {
			bad.Row += rows
		}
		if err != nil {
			return rows, width, encoding(err, "%s, from row %d on: %v", path, rows+1, err)
		}
		for i, v := range vectors {
			width = len(v)
			var ids []string
			for _, name := range through {
				ids = append(ids, t.Column(name).Text(i))
			}
			if err := out.row(through, ids, v); err != nil {
				return rows, width, err
			}
			rows++
		}
	}
	if rows == 0 {
		return 0, 0, mistake("%s has no rows: there is nothing to make vectors of", path)
	}
	if err := out.end(rows, width); err != nil {
		return rows, width, err
	}
	return rows, width, buffered.Flush()
}

// open opens the file, with what is read of it: the column of texts or the model's
// inputs, and the identifiers that go through.
func (e *Encoder) open(path, column string, o data.Options) (r *data.Reader, through []string, err error) {
	have, err := data.Columns(path, o)
	if err != nil {
		return nil, nil, err
	}
	if column != "" {
		if !slices.Contains(have, column) {
			return nil, nil, mistake("%s has no column %q, it has %s%s", path, column, strings.Join(have, ", "), didYouMean(column, have))
		}
		o.Schema = data.Schema{{Name: column, Type: data.Text}}
	} else {
		o.Schema = slices.Clone(e.model.InputSchema())
	}
	if e.model != nil {
		for _, name := range have {
			if f := e.model.Schema.Field(name); f != nil && f.Type == data.Identifier && o.Schema.Field(name) == nil {
				o.Schema, through = append(o.Schema, *f), append(through, name)
			}
		}
	}
	r, err = data.Open(path, o)
	if err != nil && e.model != nil && column == "" {
		err = forModel(err, e.model)
	}
	return r, through, err
}

func (e *Encoder) vectors(ctx context.Context, t *data.Table, column string) ([][]float32, error) {
	if column == "" {
		return e.rows.Embed(ctx, t)
	}
	texts := make([]string, t.Rows)
	for i := range texts {
		texts[i] = t.Column(column).Text(i)
	}
	return e.texts(texts)
}

// vectorRows writes vectors in one format.
type vectorRows interface {
	row(names, ids []string, vector []float32) error
	end(rows, width int) error
}

func vectorWriter(w *bufio.Writer, format string) vectorRows {
	switch format {
	case ".npy":
		return &npyVectors{w: w}
	case ".parquet":
		return &parquetVectors{to: w}
	case ".csv":
		return &csvVectors{w: w}
	}
	return &jsonVectors{w}
}

// csvVectors has a column for each number of a vector: v1, v2, …
type csvVectors struct {
	w    *bufio.Writer
	rows rowWriter
}

func (c *csvVectors) row(names, ids []string, vector []float32) (err error) {
	if c.rows == nil {
		head := slices.Clone(names)
		for i := range vector {
			head = append(head, fmt.Sprintf("v%d", i+1))
		}
		if c.rows, err = newRowWriter(c.w, head, false); err != nil {
			return err
		}
	}
	var values []any
	for _, id := range ids {
		values = append(values, id)
	}
	for _, x := range vector {
		values = append(values, shortest(x))
	}
	return c.rows.row(values)
}

func (c *csvVectors) end(int, int) error { return c.rows.flush() }

// jsonVectors writes an object a line, the vector being a list.
type jsonVectors struct{ w *bufio.Writer }

func (j *jsonVectors) row(names, ids []string, vector []float32) error {
	line := []byte{'{'}
	for i, name := range names {
		for k, s := range []string{name, ids[i]} {
			b, err := json.Marshal(s)
			if err != nil {
				return err
			}
			line = append(append(line, b...), ":,"[k])
		}
	}
	line = append(line, `"vector":[`...)
	for i, x := range vector {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, shortest(x)...)
	}
	_, err := j.w.Write(append(line, "]}\n"...))
	return err
}

func (*jsonVectors) end(int, int) error { return nil }

// npyVectors is NumPy's format (numpy.lib.format, version 1.0).
type npyVectors struct {
	w   *bufio.Writer
	all []byte
}

func (n *npyVectors) row(_, _ []string, vector []float32) error {
	for _, x := range vector {
		n.all = binary.LittleEndian.AppendUint32(n.all, math.Float32bits(x))
	}
	return nil
}

func (n *npyVectors) end(rows, width int) error {
	const before = 10 // magic, version and the length of the head
	head := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, width)
	head += strings.Repeat(" ", 63-(before+len(head))%64) + "\n" // the numbers begin at a multiple of 64
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(head)))
	for _, part := range [][]byte{b, []byte(head), n.all} {
		if _, err := n.w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// shortest is the shortest text that reads as the same float32.
func shortest(x float32) string { return strconv.FormatFloat(float64(x), 'g', -1, 32) }
