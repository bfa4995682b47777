package lifecycle

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/search"
)

// SearchMethods are the ways to score rows: each by itself, and all of them fused.
var SearchMethods = []string{"fused", "ngrams", "bm25", "vectors"}

// SearchOptions say what is searched, and how.
type SearchOptions struct {
	File   string
	Data   data.Options
	Text   []string // the columns that are searched; nil: those that hold texts
	Show   []string // the columns of a hit that are told; nil: those that are searched
	Method string   // one of SearchMethods; "": fused
	Model  *Encoder // for vectors; nil: there are none
	// Asked is a column of queries of this file, which is not searched: every query
	// would find itself. "": there is none.
	Asked string
	// Key is a column that a file of queries has too: a row answers a query of the
	// same value. "": a row answers the queries of its own cells.
	Key string
}

// A Finder searches the rows of a file.
type Finder struct {
	Columns []string // that are searched
	Method  string

	file   string
	table  *data.Table
	show   []string
	key    string
	scorer search.Scorer
}

// A SearchResult is the hits of a query.
type SearchResult struct {
	Query string      `json:"query"`
	Hits  []SearchHit `json:"hits"`
}

// A SearchHit is a row that answers a query.
type SearchHit struct {
	Row    int               `json:"row"` // from 1
	Score  float64           `json:"score"`
	Values map[string]string `json:"values"`
	Order  []string          `json:"-"` // of the values
}

// NewFinder reads a file and makes an index of its texts. Every column is scored
// by every method, and the mean of these counts (search.Fused).
func NewFinder(o SearchOptions) (*Finder, error) {
	f := &Finder{Method: o.Method, file: o.File, Columns: o.Text, key: o.Key}
	names := append(slices.Clone(o.Text), o.Show...)
	if o.Key != "" {
		names = append(names, o.Key)
	}
	if f.Method == "" {
		f.Method = SearchMethods[0]
	}
	if !slices.Contains(SearchMethods, f.Method) {
		return nil, mistake("--method: found %q, expected one of %s%s", o.Method, strings.Join(SearchMethods, ", "), didYouMean(o.Method, SearchMethods))
	}
	if f.Method == "vectors" && o.Model == nil {
		return nil, mistake("--method vectors: nothing says what makes a vector of a text: name a model with --model")
	}
	if o.Asked != "" && slices.Contains(o.Text, o.Asked) {
		return nil, mistake("%q is the column that is searched, and the column of the queries: each would find itself; leave it out of --text", o.Asked)
	}
	var err error
	if f.table, err = readTexts(o.File, o.Data, names); err != nil {
		return nil, err
	}
	if f.table.Rows == 0 {
		return nil, mistake("%s has no rows: there is nothing to search", o.File)
	}
	if len(f.Columns) == 0 {
		for _, c := range f.table.Columns {
			if c.Type == data.Text && c.Name != o.Key && c.Name != o.Asked {
				f.Columns = append(f.Columns, c.Name)
			}
		}
	}
	if len(f.Columns) == 0 {
		return nil, mistake("%s: no column holds sentences, of the columns %s: say with --text which is searched", o.File, columnNames(f.table))
	}
	if f.show = o.Show; len(f.show) == 0 {
		f.show = f.Columns
	}
	var all search.Fused
	var queries search.Embed
	if o.Model != nil {
		queries = lastKept(o.Model.queries)
	}
	for _, name := range f.Columns {
		texts := make([]string, f.table.Rows)
		for i := range texts {
			texts[i] = strings.Join(textsOf(f.table.Column(name), i), "\n")
		}
		add := func(method string, make func() (search.Scorer, error)) {
			if err != nil || f.Method != method && f.Method != "fused" {
				return
			}
			var s search.Scorer
			if s, err = make(); err != nil {
				err = encoding(err, "%s, column %q: %v", o.File, name, err)
				return
			}
			all = append(all, s)
		}
		add("ngrams", func() (search.Scorer, error) { return search.NewNGrams(texts) })
		add("bm25", func() (search.Scorer, error) { return search.NewBM25(texts) })
		if o.Model != nil {
			add("vectors", func() (search.Scorer, error) { return search.NewVectors(texts, o.Model.passages, queries) })
		}
	}
	if f.scorer = all; len(all) == 1 {
		f.scorer = all[0] // its own scores say more
	}
	return f, err
}

// lastKept keeps the last query's vector, for which each column asks.
func lastKept(embed search.Embed) search.Embed {
	var asked []string
	var kept [][]float32
	return func(texts []string) ([][]float32, error) {
		if slices.Equal(texts, asked) {
			return kept, nil
		}
		vectors, err := embed(texts)
		if err == nil {
			asked, kept = texts, vectors
		}
		return vectors, err
	}
}

// readTexts reads a file, the columns of these names as texts, which are kept as
// they stand there.
func readTexts(path string, o data.Options, names []string) (*data.Table, error) {
	have, err := data.Columns(path, o)
	if err != nil {
		return nil, err
	}
	types := map[string]data.Type{}
	for name, t := range o.Types {
		types[name] = t
	}
	for _, name := range names {
		if !slices.Contains(have, name) {
			return nil, mistake("%s has no column %q, it has %s%s", path, name, strings.Join(have, ", "), didYouMean(name, have))
		}
		types[name] = data.Text
	}
	o.Types = types
	t, _, err := data.Read(path, o)
	return t, err
}

func columnNames(t *data.Table) string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// textsOf returns the texts of a cell: several where it is a list of them, as JSON
// writes one; none where it is missing.
func textsOf(c *data.Column, row int) []string {
	if c.Missing(row) {
		return nil
	}
	cell := c.Text(row)
	var list []string
	if strings.HasPrefix(cell, "[") && json.Unmarshal([]byte(cell), &list) == nil {
		return list
	}
	return []string{cell}
}

// Rows is the number of rows that are searched.
func (f *Finder) Rows() int { return f.table.Rows }

// Find returns the k best rows for a query.
func (f *Finder) Find(query string, k int) (*SearchResult, error) {
	hits, err := search.Search(f.scorer, query, k)
	if err != nil {
		return nil, encoding(err, "the query %q: %v", query, err)
	}
	found := &SearchResult{Query: query, Hits: []SearchHit{}}
	for _, h := range hits {
		row := SearchHit{Row: h.Row + 1, Score: h.Score, Values: map[string]string{}}
		for _, name := range f.show {
			if c := f.table.Column(name); !c.Missing(h.Row) {
				row.Values[name] = strings.Join(textsOf(c, h.Row), "\n")
				row.Order = append(row.Order, name)
			}
		}
		found.Hits = append(found.Hits, row)
	}
	return found, nil
}

// Queries are the texts that a file asks.
type Queries struct {
	File   string // "": the file that is searched
	Column string // of texts, or of lists of them
}

// A question is a query, and the rows that answer it.
type question struct {
	text    string
	answers []int
}

// questions reads the queries; where nothing says which rows answer them, they
// have none.
func (f *Finder) questions(q Queries, o data.Options) ([]question, error) {
	names := []string{q.Column}
	if f.key != "" {
		names = append(names, f.key)
	}
	own := q.File == "" || q.File == f.file
	if own {
		q.File = f.file
	}
	t, err := readTexts(q.File, o, names)
	if err != nil {
		return nil, err
	}
	answers := map[string][]int{}
	if c := f.table.Column(f.key); c != nil {
		for i := range f.table.Rows {
			if !c.Missing(i) {
				answers[c.Text(i)] = append(answers[c.Text(i)], i)
			}
		}
	}
	var all []question
	for i := range t.Rows {
		var rows []int
		switch {
		case f.key != "":
			rows = answers[t.Column(f.key).Text(i)]
		case own:
			rows = []int{i}
		}
		for _, text := range textsOf(t.Column(q.Column), i) {
			all = append(all, question{text, rows})
		}
	}
	if len(all) == 0 {
		return nil, mistake("%s: the column %q has no text in any row: there is nothing to ask", q.File, q.Column)
	}
	return all, nil
}

// FindAll finds the k best rows for every query of a file, and hands them out one
// by one.
func (f *Finder) FindAll(q Queries, o data.Options, k int, each func(*SearchResult) error) error {
	all, err := f.questions(q, o)
	if err != nil {
		return err
	}
	for _, one := range all {
		found, err := f.Find(one.text, k)
		if err != nil {
			return err
		}
		if err := each(found); err != nil {
			return err
		}
	}
	return nil
}

// SearchEvaluation is how well queries find the rows that answer them.
type SearchEvaluation struct {
	File       string                     `json:"file"`
	Columns    []string                   `json:"columns"`
	Method     string                     `json:"method"`
	Rows       int                        `json:"rows"`
	Queries    int                        `json:"queries"`
	Unanswered int                        `json:"queries_without_answer"` // left out
	Metrics    map[string]metric.Interval `json:"metrics"`
	Order      []string                   `json:"-"`
	Level      float64                    `json:"-"` // of the intervals
}

// mostScored bounds the memory of what is measured.
const mostScored = 20_000_000

// Evaluate measures the ranks of the rows that answer the queries of a file, with
// bootstrap intervals over queries. Rows of equal score have no order (see
// metric).
func (f *Finder) Evaluate(q Queries, o data.Options, metrics []string, resamples int, level float64, seed uint64) (*SearchEvaluation, error) {
	all, err := f.questions(q, o)
	if err != nil {
		return nil, err
	}
	e := &SearchEvaluation{File: f.file, Columns: f.Columns, Method: f.Method, Rows: f.Rows(), Level: level}
	s := &metric.Sample{Kind: metric.Ranking}
	scores := make([]float64, f.Rows())
	for _, one := range all {
		if len(one.answers) == 0 {
			e.Unanswered++
			continue
		}
		if err := f.scorer.Score(one.text, scores); err != nil {
			return nil, encoding(err, "the query %q: %v", one.text, err)
		}
		lowest := scores[one.answers[0]]
		for _, i := range one.answers {
			lowest = min(lowest, scores[i])
		}
		for i, v := range scores {
			if v >= lowest { // what stands below the last answer changes nothing
				s.Query, s.Pred = append(s.Query, e.Queries), append(s.Pred, v)
				relevant := 0.0
				if _, ok := slices.BinarySearch(one.answers, i); ok {
					relevant = 1
				}
				s.Target = append(s.Target, relevant)
			}
		}
		if e.Queries++; len(s.Pred) > mostScored {
			return nil, mistake("%d of %d queries need more than %d scores to be kept: measure a part of the queries", e.Queries, len(all), mostScored)
		}
	}
	if e.Queries == 0 {
		return nil, mistake("no row of %s answers any of the %d queries: name with --key a column whose values both files have", f.file, len(all))
	}
	m, err := measureAll(s, metrics, resamples, level, seed)
	if err != nil {
		return nil, fmt.Errorf("measuring the queries: %w", err)
	}
	e.Metrics, e.Order = m.Metrics, m.Order
	return e, nil
}
