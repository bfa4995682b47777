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
	var out []rejected
	for _, col := range t.Columns {
		if col.Type != data.Image || !c.reads(col.Name) {
			continue
		}
		for _, b := range data.BadImages(col) {
			out = append(out, rejected{source, b.Row + 1, col.Name, col.Text(b.Row), b.Err.Error()})
		}
	}
	if len(out) == 0 {
		return t, nil, nil
	}
	slices.SortStableFunc(out, func(a, b rejected) int { return a.Row - b.Row })
	bad := map[int]bool{}
	for _, r := range out {
		bad[r.Row-1] = true
	}
	var keep []int
	for i := range t.Rows {
		if !bad[i] {
			keep = append(keep, i)
		}
	}
	p.rejected = append(p.rejected, out...)
	if float64(len(bad)) > c.Data.MaxRejected*float64(t.Rows) {
		path := filepath.Join(home(c.doc.Dir()), rejectedFile)
		where := ""
		if p.writeRejected(path) == nil {
			where = "; all are in " + path
		}
		return nil, nil, mistake("%s: %d of %d rows hold an image that cannot be read, more than data.max_rejected (%g of them) allows:%s%s", source, len(bad), t.Rows, c.Data.MaxRejected, some(out), where)
	}
	p.warnings = append(p.warnings, fmt.Sprintf("%d of %d rows of %s are set aside, whose image cannot be read; %s in the run's folder lists them:%s", len(bad), t.Rows, filepath.Base(source), rejectedFile, some(out)))
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
