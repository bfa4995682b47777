package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
)

func searchCommand() *cobra.Command {
	var o lifecycle.SearchOptions
	var q lifecycle.Queries
	var top, resamples int
	var measure, asJSON bool
	var metrics []string
	var gate gateFlags
	var seed uint64
	var encoder string
	var prefixes lifecycle.Prefixes
	var flags dataFlags
	c := &cobra.Command{
		Use:     "search FILE [QUERY...]",
		GroupID: "use",
		Short:   "Find the rows of a file whose texts answer a query",
		Long: `Search makes an index of the columns of text, and finds the best rows for each
query: by their words (bm25), by the runs of characters in them (ngrams), by the
vectors of a model (vectors), or by the mean of these (fused). Nothing is trained.
A model is a bundle whose only input is a text, or the folder of an encoder that
others have trained, as Hugging Face's libraries write it.
Every row is compared: a query takes milliseconds, by vectors of a million rows 0.6 s.

With --queries the queries are a column of a file; with --evaluate, how well they
find the rows that answer them is measured: the row that they stand in, or the
rows that have the same value of a column of both files (--key). A cell that is a
list of texts in JSON is several queries.`,
		Example: `  hone search faq.csv "where is my parcel?"
  hone search faq.csv "where is my parcel?" --text question,answer --top 3
  hone search faq.csv "where is my parcel?" --model all-MiniLM-L6-v2
  hone search faq.jsonl --query rephrasings --evaluate
  hone search faq.csv --queries asked.csv --query text --key intent --evaluate`,
		RunE: func(c *cobra.Command, args []string) error {
			asked := q.Column != ""
			switch {
			case q.File != "" && !asked:
				return usagef("--queries needs --query: the column of %s that has the queries", q.File)
			case measure && !asked:
				return usagef("--evaluate needs --query: the column that has the queries")
			case asked && len(args) > 1:
				return usagef("a query is given, %q, and a column of queries, %s: leave one out", args[1], q.Column)
			case !asked && len(args) < 2:
				return usagef("QUERY is missing; usage: %s", c.UseLine())
			case top < 1:
				return usagef("--top: found %d, expected a whole number of 1 or more", top)
			case resamples < 0:
				return usagef("--bootstrap: found %d, expected a whole number of 0 or more", resamples)
			case len(gate.require) > 0 && !measure:
				return usagef("--require needs --evaluate")
			}
			gates, err := gate.parse()
			if err != nil {
				return err
			}
			for _, g := range gates {
				metrics = append(metrics, g.Metric)
			}
			for _, name := range metrics {
				if m, err := metric.Lookup(name); err != nil {
					return usagef("--metrics: %w", err)
				} else if !slices.Contains(m.Kinds, metric.Ranking) {
					return usagef("--metrics: %s does not measure rankings, expected mrr, hit_rate_at_5, recall_at_10, ndcg or map", name)
				}
			}
			if o.Data, err = flags.options(); err != nil {
				return err
			}
			if o.File = args[0]; q.File == "" || q.File == o.File {
				o.Asked = q.Column
			}
			if encoder != "" {
				if o.Model, err = lifecycle.LoadEncoder(c.Context(), encoder, prefixes); err != nil {
					return err
				}
			} else if prefixes != (lifecycle.Prefixes{}) {
				return usagef("--prefix and --query-prefix need --model: the encoder whose texts begin with them")
			}
			f, err := lifecycle.NewFinder(o)
			if err != nil {
				return flags.explain(err)
			}
			out := c.OutOrStdout()
			if measure {
				e, err := f.Evaluate(q, o.Data, metrics, resamples, evaluate.DefaultOptions().Level, seed)
				if err != nil {
					return flags.explain(err)
				}
				if asJSON {
					err = printJSON(c, e)
				} else {
					printSearchEvaluation(out, e)
				}
				if err != nil {
					return err
				}
				return gate.check(gates, "search", args[0], e.Metrics, nil)
			}
			var all []*lifecycle.SearchResult
			each := func(r *lifecycle.SearchResult) error {
				if asJSON {
					all = append(all, r)
				} else {
					printHits(out, r)
				}
				return nil
			}
			if asked {
				if err := f.FindAll(q, o.Data, top, each); err != nil {
					return flags.explain(err)
				}
			}
			for _, query := range args[1:] {
				r, err := f.Find(query, top)
				if err != nil {
					return err
				}
				if err := each(r); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(c, map[string]any{"file": o.File, "rows": f.Rows(), "columns": f.Columns, "method": f.Method, "results": all})
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&o.Text, "text", nil, "the `COLUMNS` that are searched, with commas (default: those that hold sentences)")
	c.Flags().StringSliceVar(&o.Show, "show", nil, "the `COLUMNS` of a row that are shown (default: those that are searched)")
	c.Flags().StringVar(&o.Method, "method", lifecycle.SearchMethods[0], "`HOW`: "+strings.Join(lifecycle.SearchMethods, ", "))
	c.Flags().StringVar(&encoder, "model", "", "the `MODEL` that makes vectors of texts: a bundle, or an encoder's folder")
	c.Flags().StringVar(&prefixes.Text, "prefix", "", "the `TEXT` that a searched text begins with, for a folder (default: what it says)")
	c.Flags().StringVar(&prefixes.Query, "query-prefix", "", "the `TEXT` that a query begins with, for a folder (default: what it says)")
	c.Flags().IntVarP(&top, "top", "k", 5, "`ROWS` to find for a query")
	c.Flags().StringVar(&q.Column, "query", "", "the `COLUMN` that has the queries, of FILE or of --queries")
	c.Flags().StringVar(&q.File, "queries", "", "the `FILE` that has the queries (default: FILE)")
	c.Flags().StringVar(&o.Key, "key", "", "the `COLUMN` of both files by which a row answers a query (default: its own row does)")
	c.Flags().BoolVar(&measure, "evaluate", false, "measure how well the queries find the rows that answer them")
	c.Flags().StringSliceVar(&metrics, "metrics", []string{"mrr", "hit_rate_at_1", "hit_rate_at_5", "recall_at_10"}, "`NAMES` of what to measure, with commas")
	c.Flags().Lookup("metrics").DefValue = strings.Trim(c.Flags().Lookup("metrics").DefValue, "[]")
	gate.add(c, "")
	c.Flags().IntVar(&resamples, "bootstrap", evaluate.DefaultOptions().Bootstrap, "`RESAMPLES` of queries behind each interval; 0: no intervals")
	c.Flags().Uint64Var(&seed, "seed", 0, "`NUMBER` that the resamples are drawn by")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	flags.add(c)
	return c
}

// shownText is how many characters of a cell are shown.
const shownText = 240

func printHits(w io.Writer, r *lifecycle.SearchResult) {
	fmt.Fprintf(w, "%s\n", r.Query)
	if len(r.Hits) == 0 {
		fmt.Fprintf(w, "  no row has anything in common with it\n")
	}
	for _, h := range r.Hits {
		for i, name := range h.Order {
			head := ""
			if i == 0 {
				head = fmt.Sprintf("%.4f  row %d", h.Score, h.Row)
			}
			text := []rune(strings.Join(strings.Fields(h.Values[name]), " "))
			if len(text) > shownText {
				text = append(text[:shownText], '…')
			}
			fmt.Fprintf(w, "  %-18s %s: %s\n", head, name, string(text))
		}
	}
}

func printSearchEvaluation(w io.Writer, e *lifecycle.SearchEvaluation) {
	fmt.Fprintf(w, "%s: %s, found by %s of %s; queries: %s", e.File, plural(e.Rows, "row"), e.Method, strings.Join(e.Columns, " and "), count(e.Queries))
	if e.Unanswered > 0 {
		fmt.Fprintf(w, " (%s more have no row that answers them)", count(e.Unanswered))
	}
	fmt.Fprintln(w)
	printMetrics(w, e.Metrics, e.Order, e.Level)
}
