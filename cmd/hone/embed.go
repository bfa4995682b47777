package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/lifecycle"
)

func embedCommand() *cobra.Command {
	var out, column, prefix string
	var asJSON bool
	var flags dataFlags
	c := &cobra.Command{
		Use:     "embed MODEL FILE -o OUTPUT",
		GroupID: "use",
		Short:   "Write a vector for each row of a file",
		Long: `Embed writes what a model's network hands to its heads, the numbers by which it
tells rows apart: rows that mean alike to it have vectors alike. With --text they
are the vectors of the texts of a column; the model then reads nothing but a text,
or it is an encoder that others have trained: a folder as Hugging Face's libraries
write it, such as all-MiniLM-L6-v2.

As .csv and .jsonl the columns that identify a row come first; .parquet has them
beside a column of lists of float32. As .npy the vectors are a matrix of float32
that numpy.load reads.`,
		Example: `  hone embed churn.hone customers.csv -o vectors.csv
  hone embed intents.hone asked.csv --text question -o vectors.npy
  hone embed all-MiniLM-L6-v2 asked.csv --text question -o vectors.npy`,
		RunE: func(c *cobra.Command, args []string) error {
			format := strings.ToLower(filepath.Ext(out))
			if !slices.Contains(lifecycle.VectorFormats, format) {
				return usagef("-o %s: expected a name that ends in %s", out, strings.Join(lifecycle.VectorFormats, ", "))
			}
			o, err := flags.options()
			if err != nil {
				return err
			}
			e, err := lifecycle.LoadEncoder(c.Context(), args[0], lifecycle.Prefixes{Text: prefix})
			if err != nil {
				return err
			}
			if same := sameFile(out, args...); same != "" {
				return usagef("-o %s would replace %s, which is read: give another name", out, same)
			}
			var rows, width int
			err = atomicfile.Write(out, func(w io.Writer) (err error) {
				rows, width, err = e.EmbedFile(c.Context(), args[1], column, o, w, format)
				return flags.explain(err)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "%s, vectors of %d numbers, in %s\n", plural(rows, "row"), width, out)
			if asJSON {
				return printJSON(c, map[string]any{"rows": rows, "width": width, "output": out, "model": e.Name})
			}
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "`FILE` to write: .csv, .jsonl, .npy or .parquet")
	c.Flags().StringVar(&column, "text", "", "the `COLUMN` of texts (default: what the model reads)")
	c.Flags().StringVar(&prefix, "prefix", "", "the `TEXT` that every text begins with, for a folder (default: what it says)")
	c.Flags().BoolVar(&asJSON, "json", false, "end with one JSON object on standard output")
	flags.add(c)
	return c
}
