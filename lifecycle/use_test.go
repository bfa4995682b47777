package lifecycle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/model"
)

// trained returns a model of a target, and the table that it was trained on.
func trained(tb testing.TB, target string) (*model.Model, *table, string) {
	tb.Helper()
	dir := tb.TempDir()
	all := shoppers(500, 41)
	names := append([]string{"id"}, plain...)
	types := "id: identifier"
	if target == "level" { // a second identifier, after the inputs
		types += ", team: identifier"
		for i, row := range all.rows {
			row[all.column("team")] = fmt.Sprintf("T/%05d", 99999-i)
		}
		names = append(names, "team")
	}
	all = all.only(append(names, target)...)
	all.write(tb, dir, "rows.csv")
	s, _ := mustRun(tb, configure(tb, dir, "name: m\ndata: {source: rows.csv, types: {"+types+"}}\noutputs: ["+target+"]\n"+quick))
	return mustLoad(tb, s.Bundle), all, dir
}

func predict(tb testing.TB, m *model.Model, path string, lines bool) (string, int) {
	tb.Helper()
	var b bytes.Buffer
	n, err := PredictFile(context.Background(), m, path, data.Options{}, &b, lines, 0)
	if err != nil {
		tb.Fatal(err)
	}
	return b.String(), n
}

func TestPredictFile(t *testing.T) {
	t.Parallel()
	for target, want := range map[string][]string{
		"bought":  {"id", "bought", "bought_probability_yes"},
		"level":   {"id", "team", "level", "level_probability_high", "level_probability_low", "level_probability_mid"},
		"balance": {"id", "balance"},
	} {
		t.Run(target, func(t *testing.T) {
			m, all, dir := trained(t, target)
			path := filepath.Join(dir, "rows.csv")
			text, n := predict(t, m, path, false)
			got, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil || n != 500 || len(got) != 501 || !slices.Equal(got[0], want) {
				t.Fatalf("%d rows, %d lines, columns %v, %v", n, len(got), got[0], err)
			}
			for i, row := range got[1:] {
				if row[0] != all.rows[i][0] || (target == "level" && row[1] != all.rows[i][all.column("team")]) {
					t.Fatalf("row %d has the identifiers %v", i, row)
				}
			}
			// The same rows at once, by the model.
			tab, _, err := data.Read(path, data.Options{Schema: m.InputSchema()})
			if err != nil {
				t.Fatal(err)
			}
			p, err := m.Predict(context.Background(), tab)
			if err != nil {
				t.Fatal(err)
			}
			last := len(want) - 1
			for i, row := range got[1:] {
				v, err := strconv.ParseFloat(row[last], 64)
				if err != nil {
					t.Fatal(err)
				}
				same := false
				switch target {
				case "bought":
					same = v == p.Prob[i] && row[1] == p.Classes[p.Class[i]]
				case "level":
					same = v == p.Prob[3*i+2] && row[2] == p.Classes[p.Class[i]]
				default:
					same = v == p.Value[i]
				}
				if !same {
					t.Fatalf("row %d is %v in the file", i, row)
				}
			}
			// JSON says the same, with the keys in the same order.
			text, _ = predict(t, m, path, true)
			lines := bufio.NewScanner(strings.NewReader(text))
			for i := 1; lines.Scan(); i++ {
				var object map[string]any
				if err := json.Unmarshal(lines.Bytes(), &object); err != nil {
					t.Fatal(err)
				}
				at := -1
				for k, name := range want {
					cell := fmt.Sprint(object[name])
					if v, ok := object[name].(float64); ok {
						cell = strconv.FormatFloat(v, 'g', -1, 64)
					}
					next := strings.Index(lines.Text(), strconv.Quote(name)+":")
					if cell != got[i][k] || next <= at {
						t.Fatalf("line %d is %s, in CSV %v", i, lines.Text(), got[i])
					}
					at = next
				}
				if i == 500 && lines.Scan() {
					t.Error("more lines than rows")
				}
			}
		})
	}
}

func TestPredictFileOfAnotherLayout(t *testing.T) {
	t.Parallel()
	m, all, dir := trained(t, "bought")
	want, _ := predict(t, m, filepath.Join(dir, "rows.csv"), false)

	// In another order, without the target, with a column more.
	other := all.only("since", "color", "age", "income", "id", "member")
	for i := range other.rows {
		other.rows[i] = append(other.rows[i], "more")
	}
	other.names = append(other.names, "extra")
	if got, _ := predict(t, m, other.write(t, dir, "other.csv"), false); got != want {
		t.Error("the order of the columns changes predictions")
	}
	// Without identifiers there are only predictions.
	got, n := predict(t, m, all.only("since", "color", "age", "income", "member").write(t, dir, "bare.csv"), false)
	if n != 500 || !strings.HasPrefix(got, "bought,bought_probability_yes\n") {
		t.Errorf("%d rows: %.60s", n, got)
	}
	// What cannot be predicted is said.
	for name, tt := range map[string]struct {
		tab   *table
		parts []string
	}{
		"missing": {all.only("id", "age", "income", "color", "member"), []string{"missing.csv", "since"}},
		"empty":   {all.part(0, 0), []string{"empty.csv", "no rows"}},
		"letters": {all.change("age", 7, 8, func(string) string { return "old" }), []string{"letters.csv", "line 9", "age", "old"}},
	} {
		_, err := PredictFile(context.Background(), m, tt.tab.write(t, dir, name+".csv"), data.Options{}, &bytes.Buffer{}, false, 0)
		wantError(t, err, tt.parts...)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := PredictFile(ctx, m, filepath.Join(dir, "rows.csv"), data.Options{}, &bytes.Buffer{}, false, 0); !IsStopped(err) {
		t.Errorf("cancelled: %v", err)
	}
	full := errors.New("disk full")
	if _, err := PredictFile(context.Background(), m, filepath.Join(dir, "rows.csv"), data.Options{}, writerFunc(func([]byte) (int, error) { return 0, full }), true, 0); !errors.Is(err, full) {
		t.Errorf("full disk: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// Memory does not grow with the file, and cancelling stops in the middle.
func TestPredictFileInFlatMemory(t *testing.T) {
	m, all, dir := trained(t, "bought")
	rows, step := 300_000, 2<<20 // bytes from one look at the heap to the next
	if slow {
		rows, step = 40_000, 1<<18
	}
	path := filepath.Join(dir, "large.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, strings.Join(all.names, ","))
	for i := range rows {
		row := all.rows[i%len(all.rows)]
		fmt.Fprintf(w, "a long identifier of row %09d,%s\n", i, strings.Join(row[1:], ","))
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	var written, next int
	var live []uint64
	n, err := PredictFile(context.Background(), m, path, data.Options{}, writerFunc(func(b []byte) (int, error) {
		if written += len(b); written > next {
			next = written + step
			runtime.GC()
			var s runtime.MemStats
			runtime.ReadMemStats(&s)
			live = append(live, s.HeapAlloc)
		}
		return len(b), nil
	}), false, 0)
	if err != nil || n != rows {
		t.Fatalf("%d rows, %v", n, err)
	}
	// Held in memory the rows would take 300,000 × (5×8 + 40) bytes and more.
	if len(live) < 5 || slices.Max(live) > live[0]+12<<20 {
		t.Errorf("live heap while predicting: %v", live)
	}

	ctx, cancel := context.WithCancel(context.Background())
	n, err = PredictFile(ctx, m, path, data.Options{}, writerFunc(func(b []byte) (int, error) { cancel(); return len(b), nil }), false, 0)
	if !IsStopped(err) || n == 0 || n == rows {
		t.Errorf("cancelled after %d rows: %v", n, err)
	}
}

func TestEvaluateFileRefuses(t *testing.T) {
	t.Parallel()
	m, all, dir := trained(t, "bought")
	for name, tt := range map[string]struct {
		tab   *table
		parts []string
	}{
		"target":  {all.only("id", "age", "income", "color", "member", "since"), []string{"target.csv", "bought"}},
		"missing": {all.change("bought", 0, 500, func(string) string { return "" }), []string{"missing.csv", "bought", "500 rows"}},
		"class":   {all.change("bought", 3, 4, func(string) string { return "perhaps" }), []string{"class.csv", "perhaps"}},
	} {
		_, err := EvaluateFile(context.Background(), m, m, tt.tab.write(t, dir, name+".csv"), data.Options{}, 10, 0.95, 0)
		wantError(t, err, tt.parts...)
	}
}
