package store

import (
	"database/sql"
	"math"

	lib "modernc.org/sqlite/lib"
)

// A Point is what one epoch of a run measured.
type Point struct {
	Epoch int     `json:"epoch"`
	Name  string  `json:"name"`  // train.loss, validation.roc_auc, …
	Value float64 `json:"value"` // may be infinite or not a number
}

func (s *sqlite) AppendHistory(id string, points ...Point) error {
	tx, err := s.db.Begin()
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	for _, p := range points {
		value := sql.NullFloat64{Float64: p.Value, Valid: !math.IsNaN(p.Value)}
		_, err := tx.Exec(`INSERT INTO history (run, epoch, name, value) VALUES (?, ?, ?, ?)
			ON CONFLICT (run, epoch, name) DO UPDATE SET value = excluded.value`, id, p.Epoch, p.Name, value)
		if hasCode(err, lib.SQLITE_CONSTRAINT) { // the only one that can fail is the reference
			tx.Rollback() // the one connection is needed to look for the run that was meant
			return s.absent(id)
		}
		if err != nil {
			return s.explain(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return s.explain(err)
	}
	return nil
}

func (s *sqlite) History(id string) ([]Point, error) {
	rows, err := s.db.Query("SELECT epoch, name, value FROM history WHERE run = ? ORDER BY epoch, name", id)
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var points []Point
	for rows.Next() {
		var p Point
		var value sql.NullFloat64
		if err := rows.Scan(&p.Epoch, &p.Name, &value); err != nil {
			return nil, s.explain(err)
		}
		if p.Value = value.Float64; !value.Valid {
			p.Value = math.NaN()
		}
		points = append(points, p)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return points, nil
}
