package lifecycle

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/config"
	"github.com/hone-ml/hone/format/bundle"
	"github.com/hone-ml/hone/model"
)

// A table is made-up rows as text.
type table struct {
	names []string
	rows  [][]string
}

// shoppers makes up n people with every type of column and a target of every
// kind. Use only one target of a table: they give each other away.
func shoppers(n int, seed uint64) *table {
	t := &table{names: []string{"id", "age", "income", "color", "member", "since", "team", "currency", "hint", "bought", "level", "spend", "balance"}}
	r := rand.New(rand.NewPCG(seed, 1))
	colors := []string{"red", "green", "blue", "grey"}
	for i := range n {
		age, income, color, member := 18+r.Float64()*60, math.Exp(r.NormFloat64()*0.6+3), r.IntN(len(colors)), r.IntN(2)
		score := math.Sin(age/8) + 0.04*(income-20) + []float64{-0.5, 0, 0.4, 0.9}[color] + 0.5*float64(member) + 0.25*r.NormFloat64()
		bought, hint := "no", ""
		if score > 0.6 {
			bought, hint = "yes", []string{"liked", "needed", "gift"}[r.IntN(3)]
		}
		level := "low"
		if score > 1.3 {
			level = "high"
		} else if score > 0.2 {
			level = "mid"
		}
		incomeText := strconv.FormatFloat(math.Round(income*100)/100, 'f', -1, 64)
		if r.IntN(12) == 0 {
			incomeText = ""
		}
		t.rows = append(t.rows, []string{
			fmt.Sprintf("S-%06d", i*7+int(seed)*1_000_000), strconv.Itoa(int(age)), incomeText, colors[color], []string{"false", "true"}[member],
			fmt.Sprintf("20%02d-%02d-%02d", 10+i*12/n, 1+r.IntN(12), 1+r.IntN(28)), fmt.Sprintf("team %d", r.IntN(25)), "EUR", hint, bought, level,
			strconv.FormatFloat(math.Round(100*math.Exp(1.2*score))/100, 'f', -1, 64), strconv.FormatFloat(math.Round(100*(math.Exp(score)-2))/100, 'f', -1, 64),
		})
	}
	return t
}

// plain are the columns that nothing is wrong with.
var plain = []string{"age", "income", "color", "member", "since"}

func (t *table) column(name string) int { return slices.Index(t.names, name) }

// only returns some of the columns.
func (t *table) only(names ...string) *table {
	out := &table{names: names}
	for _, row := range t.rows {
		var r []string
		for _, n := range names {
			r = append(r, row[t.column(n)])
		}
		out.rows = append(out.rows, r)
	}
	return out
}

// change returns a copy with some rows' values of a column changed.
func (t *table) change(name string, from, to int, f func(string) string) *table {
	out, at := &table{names: t.names}, t.column(name)
	for i, row := range t.rows {
		row = slices.Clone(row)
		if i >= from && i < to {
			row[at] = f(row[at])
		}
		out.rows = append(out.rows, row)
	}
	return out
}

func (t *table) part(from, to int) *table { return &table{t.names, t.rows[from:to]} }

func (t *table) write(tb testing.TB, dir, name string) string {
	tb.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(t.names)
	w.WriteAll(t.rows)
	return writeFile(tb, dir, name, b.String())
}

func writeFile(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
	return path
}

// quick makes a run take a moment.
const quick = `
network: {type: mlp, widths: [16], dropout: 0.1}
train: {bagging: off, epochs: 3, batch_size: 64, optimizer: {type: adamw, learning_rate: 0.01}}
evaluate: {bootstrap: 40}
`

// configure writes a configuration and loads it.
func configure(tb testing.TB, dir, text string, sets ...string) *Config {
	tb.Helper()
	c, err := LoadConfig(writeFile(tb, dir, "hone.yaml", text), sets)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// told is what a run told.
type told struct {
	events []Event
	stop   func(Event) // called with every event
}

func (w *told) watch(e Event) {
	w.events = append(w.events, e)
	if w.stop != nil {
		w.stop(e)
	}
}

func (w *told) notes() (all string) {
	for _, e := range w.events {
		if e.Note != "" {
			all += "note: " + e.Note + "\n"
		}
		if e.Warning != "" {
			all += "warning: " + e.Warning + "\n"
		}
	}
	return all
}

// trainings lists what was trained.
func (w *told) trainings() (out []Training) {
	for _, e := range w.events {
		if e.Training != nil {
			out = append(out, *e.Training)
		}
	}
	return out
}

func mustRun(tb testing.TB, c *Config) (*Summary, *told) {
	tb.Helper()
	w := &told{}
	s, err := Run(context.Background(), c, w.watch)
	if err != nil {
		tb.Fatal(err)
	}
	return s, w
}

func mustLoad(tb testing.TB, path string) *model.Model {
	tb.Helper()
	m, _, err := model.Load(path)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// learnt returns what a bundle learnt: fitted features and weights.
func learnt(tb testing.TB, path string) string {
	tb.Helper()
	b, err := bundle.Read(path)
	if err != nil {
		tb.Fatal(err)
	}
	var all []byte
	for _, name := range []string{"features.json", "weights.safetensors"} {
		p, err := b.Part(name)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, p...)
	}
	return string(all)
}

func mustRead(tb testing.TB, path string) string {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// wantError checks that an error is the user's and says all of the parts.
func wantError(tb testing.TB, err error, parts ...string) {
	tb.Helper()
	if err == nil {
		tb.Errorf("no error, expected one with %q", parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			tb.Errorf("error %q lacks %q", err, p)
		}
	}
	var user interface{ UserError() bool }
	var list *config.Error
	if !errors.As(err, &list) && (!errors.As(err, &user) || !user.UserError()) {
		tb.Errorf("%T is not marked as the user's to mend: %v", err, err)
	}
}
