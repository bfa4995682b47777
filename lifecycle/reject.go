package lifecycle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/model"
)

// rejectedFile is what the rows that were set aside are written to, in the run's
// folder.
const rejectedFile = "rejected.jsonl"

// rejected is a row that was set aside, since it holds something that cannot be
// read.
type rejected struct {
	Source string `json:"source"`
	Row    int    `json:"row"` // from 1, as the source was read
	Column string `json:"column"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// setAside takes the rows out of a table whose images cannot be read, and returns
// the numbers of those that stay, from 0; nil for all. More than
// data.max_rejected of them are a mistake of the source as a whole.
func (p *prepared) setAside(c *Config, t *data.Table, source string) (*data.Table, []int, error) {
	out, keep := unreadable(t, source, c.reads)
	if len(out) == 0 {
		return t, nil, nil
	}
	bad := t.Rows - len(keep)
	p.rejected = append(p.rejected, out...)
	if float64(bad) > c.Data.MaxRejected*float64(t.Rows) {
		path := filepath.Join(home(c.doc.Dir()), rejectedFile)
		where := ""
		if p.writeRejected(path) == nil {
			where = "; all are in " + path
		}
		return nil, nil, mistake("%s: %d of %d rows hold an image that cannot be read, more than data.max_rejected (%g of them) allows:%s%s", source, bad, t.Rows, c.Data.MaxRejected, some(out), where)
	}
	p.warnings = append(p.warnings, fmt.Sprintf("%d of %d rows of %s are set aside, whose image cannot be read; %s in the run's folder lists them:%s", bad, t.Rows, filepath.Base(source), rejectedFile, some(out)))
	return t.Select(keep), keep, nil
}

// some tells the first of them.
func some(list []rejected) string {
	const most = 3
	var b strings.Builder
	for _, r := range list[:min(len(list), most)] {
		fmt.Fprintf(&b, " row %d (%s): %s;", r.Row, oneLine(r.Value), r.Reason)
	}
	s := strings.TrimSuffix(b.String(), ";")
	if n := len(list) - most; n > 0 {
		s += fmt.Sprintf("; and %d more", n)
	}
	return s
}

// reads says whether a column may be an input.
func (c *Config) reads(column string) bool {
	return len(c.Inputs) == 0 || slices.ContainsFunc(c.Inputs, func(in Input) bool { return in.Name == column })
}

// writeRejected writes the rows that were set aside, if there are any.
func (p *prepared) writeRejected(path string) error {
	if len(p.rejected) == 0 {
		return nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, r := range p.rejected {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return atomicfile.WriteBytes(path, b.Bytes())
}

// unreadable lists the images of a table that cannot be read, by row, and the rows
// that stay, from 0.
func unreadable(t *data.Table, source string, reads func(column string) bool) (out []rejected, keep []int) {
	bad := map[int]bool{}
	for _, col := range t.Columns {
		if col.Type != data.Image || !reads(col.Name) {
			continue
		}
		for _, b := range data.BadImages(col) {
			out = append(out, rejected{source, b.Row + 1, col.Name, col.Text(b.Row), b.Err.Error()})
			bad[b.Row] = true
		}
	}
	slices.SortStableFunc(out, func(a, b rejected) int { return a.Row - b.Row })
	for i := range t.Rows {
		if !bad[i] {
			keep = append(keep, i)
		}
	}
	return out, keep
}

// withoutBad takes out the rows whose images cannot be read by a model, and says
// which stay, from 0.
func withoutBad(t *data.Table, m *model.Model) (*data.Table, []rejected, []int) {
	out, keep := unreadable(t, "", func(column string) bool {
		return slices.ContainsFunc(m.Inputs, func(in model.Input) bool { return in.Column == column })
	})
	if len(out) == 0 {
		return t, nil, keep
	}
	return t.Select(keep), out, keep
}
