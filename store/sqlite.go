package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver, in pure Go
)

// migrations bring a database from each version (SQLite's user_version) to
// the next. Never change one that was released; add another.
var migrations = []string{
	`CREATE TABLE runs (
		id          TEXT PRIMARY KEY,
		name        TEXT NOT NULL,
		status      TEXT NOT NULL,
		created     TEXT NOT NULL,
		document    TEXT NOT NULL -- the whole entry, JSON
	) STRICT;
	CREATE INDEX runs_by_time ON runs (created DESC, id DESC);`,
}

type sqlite struct {
	db   *sql.DB
	path string
}

var _ Store = (*sqlite)(nil)

// Open opens the register at path, creating it and its folder if need be.
func Open(path string) (Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	// Writers wait for each other instead of failing; the write-ahead log lets
	// readers go on meanwhile.
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &sqlite{db, path}
	if err := s.migrate(); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func (s *sqlite) migrate() error {
	tx, err := s.db.Begin()
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return s.explain(err)
	}
	if version > len(migrations) {
		return fmt.Errorf("the register %s was written by a newer version of hone (its layout is %d, this program knows %d): use that version", s.path, version, len(migrations))
	}
	for _, m := range migrations[version:] {
		if _, err := tx.Exec(m); err != nil {
			return s.explain(err)
		}
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(migrations))); err != nil {
		return s.explain(err)
	}
	return tx.Commit()
}

// explain says which file an error is about, and what to do if it is damaged.
func (s *sqlite) explain(err error) error {
	if strings.Contains(err.Error(), "not a database") || strings.Contains(err.Error(), "malformed") {
		return fmt.Errorf("the register %s is damaged (%v): move it away, runs and bundles beside it are whole and a new register is made", s.path, err)
	}
	return fmt.Errorf("the register %s: %w", s.path, err)
}

// timeLayout sorts as text.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

func (s *sqlite) Put(r Run) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(`INSERT INTO runs (id, name, status, created, document) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status, document = excluded.document`,
		r.ID, r.Name, r.Status, r.Created.UTC().Format(timeLayout), string(raw))
	if err != nil {
		return s.explain(err)
	}
	return nil
}

func (s *sqlite) query(where string, args ...any) ([]Run, error) {
	rows, err := s.db.Query("SELECT document FROM runs "+where, args...)
	if err != nil {
		return nil, s.explain(err)
	}
	defer rows.Close()
	var out []Run
	for rows.Next() {
		var raw string
		if err := rows.Scan(&raw); err != nil {
			return nil, s.explain(err)
		}
		var r Run
		if err := json.Unmarshal([]byte(raw), &r); err != nil {
			return nil, fmt.Errorf("the register %s: an entry cannot be read: %w", s.path, err)
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, s.explain(err)
	}
	return out, nil
}

func (s *sqlite) Find(id string) (*Run, error) {
	var found []Run
	var err error
	if id == "latest" {
		found, err = s.query("ORDER BY created DESC, id DESC LIMIT 1")
	} else if found, err = s.query("WHERE id = ?", id); err == nil && len(found) == 0 && id != "" {
		found, err = s.query("WHERE substr(id, 1, length(?)) = ? ORDER BY created DESC", id, id)
	}
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, &notFound{id}
	case len(found) > 1:
		return nil, &AmbiguousError{id, len(found)}
	}
	return &found[0], nil
}

type notFound struct{ id string }

func (e *notFound) Error() string {
	return fmt.Sprintf("no run %q in the register: `hone runs` lists them, latest is the newest", e.id)
}
func (e *notFound) Unwrap() error   { return ErrNotFound }
func (e *notFound) UserError() bool { return true }

func (s *sqlite) List(limit int) ([]Run, error) {
	if limit <= 0 {
		limit = -1
	}
	return s.query("ORDER BY created DESC, id DESC LIMIT ?", limit)
}

func (s *sqlite) Delete(id string) error {
	res, err := s.db.Exec("DELETE FROM runs WHERE id = ?", id)
	if err != nil {
		return s.explain(err)
	}
	if n, err := res.RowsAffected(); err == nil && n == 0 {
		return &notFound{id}
	}
	return nil
}

func (s *sqlite) Close() error { return s.db.Close() }

// NewID returns an ID for a run that begins now.
func NewID(now time.Time, random uint16) string {
	return fmt.Sprintf("%s-%04x", now.UTC().Format("20060102-150405"), random)
}

// IsNotFound reports whether an error says that a run is not in the register.
func IsNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
