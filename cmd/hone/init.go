package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/lifecycle"
)

// dataFlags are the flags of every command that reads a file of rows.
func dataFlags(c *cobra.Command, o *data.Options) {
	c.Flags().StringVar(&o.Delimiter, "delimiter", "", "between fields: a character, or tab, comma, semicolon, bar (default: found by looking)")
	c.Flags().StringVar(&o.Encoding, "encoding", "", "of the text, as windows-1252 (default: UTF-8)")
}

func initCommand() *cobra.Command {
	o := lifecycle.InitOptions{}
	var force, asJSON bool
	var types []string
	c := &cobra.Command{
		Use:     "init FILE --target COLUMN",
		GroupID: "life",
		Short:   "Look at a data file and write a commented configuration that runs as it is",
		Long: `Init reads the file, works out what every column holds, leaves identifiers,
constants and columns that give the target away out of the inputs, and says why
in comments beside the way to take them back.`,
		Example: `  hone init customers.csv --target churn
  hone init train.csv --test test.csv --target income -o income.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.File = args[0]
			for _, t := range types {
				name, kind, ok := strings.Cut(t, "=")
				if !ok {
					return &usageError{fmt.Errorf("--type %s: expected COLUMN=TYPE, as in zip=category", t)}
				}
				if o.Data.Types == nil {
					o.Data.Types = map[string]data.Type{}
				}
				o.Data.Types[name] = data.Type(kind)
			}
			if _, err := os.Stat(o.Output); err == nil && !force {
				return &usageError{fmt.Errorf("%s exists already: give another name with -o, or --force to replace it", o.Output)}
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			found, err := lifecycle.Init(o)
			if err != nil {
				return err
			}
			if err := atomicfile.WriteBytes(o.Output, []byte(found.YAML)); err != nil {
				return err
			}
			e := c.ErrOrStderr()
			fmt.Fprintf(e, "%s: %d rows, %s is predicted as %s from %d columns\n", filepath.Base(o.File), found.Rows, found.Target, found.Task, len(found.Inputs))
			for _, n := range found.Notes {
				fmt.Fprintf(e, "note: %s\n", n)
			}
			for _, l := range found.LeftOut {
				fmt.Fprintf(e, "left out: %s: it %s\n", l.Column, l.Message)
			}
			fmt.Fprintf(e, "wrote %s; next: hone run %s\n", o.Output, o.Output)
			if asJSON {
				return printJSON(c, struct {
					Config string `json:"config"`
					*lifecycle.Found
				}{o.Output, found})
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.Target, "target", "", "the column to predict")
	c.Flags().StringVar(&o.Test, "test", "", "a file of test rows (default: a tenth of FILE)")
	c.Flags().StringVarP(&o.Output, "output", "o", "hone.yaml", "the configuration to write")
	c.Flags().BoolVar(&force, "force", false, "replace the configuration if it exists")
	c.Flags().StringArrayVar(&types, "type", nil, "the type of a column, as in zip=category (may be repeated)")
	c.Flags().BoolVar(&asJSON, "json", false, "end with one JSON object on standard output")
	dataFlags(c, &o.Data)
	return c
}
