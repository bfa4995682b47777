package lifecycle

import (
	"io"

	"github.com/parquet-go/parquet-go"
)

// parquetVectors has a column of strings for each identifier, and one of lists of
// float32. The library puts columns in the order of their names.
type parquetVectors struct {
	to      io.Writer
	w       *parquet.GenericWriter[any]
	columns [][]string
	next    parquet.Row
}

// vectorGroup is how many numbers a row group has, which stand in memory.
const vectorGroup = 1 << 23

func (p *parquetVectors) row(names, ids []string, vector []float32) error {
	if p.w == nil {
		all := parquet.Group{}
		for _, name := range names {
			all[name] = parquet.String()
		}
		all["vector"] = parquet.List(parquet.Leaf(parquet.FloatType))
		s := parquet.NewSchema("vectors", all)
		p.columns = s.Columns()
		p.w = parquet.NewGenericWriter[any](p.to, s, parquet.MaxRowsPerRowGroup(int64(max(1, vectorGroup/len(vector)))))
	}
	values := map[string]string{}
	for i, name := range names {
		values[name] = ids[i]
	}
	p.next = p.next[:0]
	for c, path := range p.columns {
		if path[0] != "vector" {
			p.next = append(p.next, parquet.ValueOf(values[path[0]]).Level(0, 0, c))
			continue
		}
		for i, x := range vector {
			p.next = append(p.next, parquet.ValueOf(x).Level(min(i, 1), 1, c))
		}
	}
	_, err := p.w.WriteRows([]parquet.Row{p.next})
	return err
}

func (p *parquetVectors) end(int, int) error { return p.w.Close() }
