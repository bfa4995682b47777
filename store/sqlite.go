package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	driver "modernc.org/sqlite" // in pure Go
	lib "modernc.org/sqlite/lib"
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
	`CREATE TABLE history (
		run   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
		epoch INTEGER NOT NULL,
		name  TEXT NOT NULL,
		value REAL, -- NULL is not a number
		PRIMARY KEY (run, epoch, name)
	) STRICT, WITHOUT ROWID;`,
	`DROP TABLE history; -- which nothing filled`,
}

// patience is how long one waits for other processes that write.
const patience = 10 * time.Second

type sqlite struct {
	db   *sql.DB
	path string
	root string // the folder that it is in, absolute
}

var _ Store = (*sqlite)(nil)

// Open opens the register at path, creating it and its folder if need be.
func Open(path string) (Store, error) {
	root, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, fmt.Errorf("the folder of the register of runs cannot be made: %w; check the rights of the folder above it, or set HONE_HOME to another folder", err)
	}
	// Writers wait for each other instead of failing; the write-ahead log lets
	// readers go on meanwhile. What is entered survives a power cut: runs are
	// entered seldom, and one that is not there is not continued.
	q := url.Values{"_pragma": {fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &sqlite{db, path, root}
	// SQLite waits for other processes everywhere but where a new file is
	// switched to the write-ahead log.
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		err = s.migrate()
		if !hasCode(err, lib.SQLITE_BUSY) || time.Since(began) > patience {
			break
		}
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// migrate brings the database to the newest version. One that is there
// already is only read.
func (s *sqlite) migrate() error {
	version, err := s.version(s.db)
	if err != nil || version == len(migrations) {
		return err
	}
	tx, err := s.db.Begin()
	if err != nil {
		return s.explain(err)
	}
	defer tx.Rollback()
	if version, err = s.version(tx); err != nil { // again: another process may have been here
		return err
	}
	for _, m := range migrations[version:] {
		if _, err := tx.Exec(m); err != nil {
			return s.explain(err)
		}
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", len(migrations))); err != nil {
		return s.explain(err)
	}
	if err := tx.Commit(); err != nil {
		return s.explain(err)
	}
	return nil
}

// version returns the database's version, or an error if it is too new.
func (s *sqlite) version(db interface {
	QueryRow(query string, args ...any) *sql.Row
}) (version int, err error) {
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return 0, s.explain(err)
	}
	if version > len(migrations) {
		return 0, &fileError{fmt.Errorf("the register %s was written by a newer version of hone (its layout is %d, this program knows %d): use that version", s.path, version, len(migrations))}
	}
	return version, nil
}

// hasCode reports whether err is one of SQLite's of a primary result code.
func hasCode(err error, codes ...int) bool {
	var e *driver.Error
	return errors.As(err, &e) && slices.Contains(codes, e.Code()&0xff)
}

// A fileError is about the register's file, which is the user's to mend.
type fileError struct{ error }

func (e *fileError) Unwrap() error   { return e.error }
func (e *fileError) UserError() bool { return true }

// explain says which file an error is about, and what to do if it is damaged.
func (s *sqlite) explain(err error) error {
	if hasCode(err, lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB) {
		return &fileError{fmt.Errorf("the register %s is damaged (%w): move it away, then `hone run` makes a new one; runs and bundles beside it are whole", s.path, err)}
	}
	if hasCode(err, lib.SQLITE_CANTOPEN, lib.SQLITE_READONLY, lib.SQLITE_FULL, lib.SQLITE_PERM) {
		return &fileError{fmt.Errorf("the register %s cannot be written (%w): check its folder's rights and the space on its disk, or set HONE_HOME to another folder", s.path, err)}
	}
	return fmt.Errorf("the register %s: %w", s.path, err)
}

// timeLayout sorts as text.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// portable writes a path in the register's folder, or beside it, as one from there.
func (s *sqlite) portable(path string) string {
	rel, err := filepath.Rel(s.root, path)
	if path == "" || err != nil || strings.HasPrefix(rel, filepath.Join("..", "..")) {
		return path
	}
	return filepath.ToSlash(rel)
}

// absolute is the path that portable wrote.
func (s *sqlite) absolute(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.root, filepath.FromSlash(path))
}

func (s *sqlite) Put(r Run) error {
	r.Dir, r.Bundle = s.portable(r.Dir), s.portable(r.Bundle)
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
			return nil, &fileError{fmt.Errorf("the register %s: an entry cannot be read (%w): move the register away, then `hone run` makes a new one", s.path, err)}
		}
		r.Dir, r.Bundle = s.absolute(r.Dir), s.absolute(r.Bundle)
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
		return nil, s.absent(id)
	case len(found) > 1:
		return nil, &AmbiguousError{id, len(found)}
	}
	return &found[0], nil
}

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
		return s.absent(id)
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
