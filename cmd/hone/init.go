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

// dataFlags say how a command reads a file of rows.
type dataFlags struct {
	delimiter, encoding string
	sets                []string
}

func (d *dataFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&d.delimiter, "delimiter", "", "a `CHARACTER` between fields, or tab, comma, semicolon, bar, space (default: found by looking)")
	c.Flags().StringVar(&d.encoding, "encoding", "", "`NAME` of the text's encoding, as windows-1252 (default: UTF-8, or UTF-16 where the file says so)")
	c.Flags().StringArrayVar(&d.sets, "set", nil, "how else to read FILE, as `KEY=VALUE`: data.header=false (may be repeated)")
}

func (d *dataFlags) options() (data.Options, error) {
	o, err := lifecycle.DataOptions(d.sets)
	if d.delimiter != "" {
		o.Delimiter = d.delimiter
	}
	if d.encoding != "" {
		o.Encoding = d.encoding
	}
	return o, err
}

// explain says where to set what an error about data tells to set.
func (d *dataFlags) explain(err error) error {
	var e *data.Error
	if errors.As(err, &e) && strings.Contains(e.Problem+e.Remedy, "data.") {
		return fmt.Errorf("%w (here: --set data.KEY=VALUE)", err)
	}
	return err
}

func initCommand() *cobra.Command {
	o := lifecycle.InitOptions{}
	var flags dataFlags
	var force, asJSON bool
	var types []string
	c := &cobra.Command{
		Use:     "init FILE --target COLUMN",
		GroupID: "life",
		Short:   "Look at a data file and write a commented configuration that runs as it is",
		Long: `Init reads the file, works out what every column holds, leaves identifiers,
constants and columns that give the target away out of the inputs, and says why
in comments beside the way to take them back. FILE may be a folder of images in a
folder for each class, or in folders train and test (and val) of these; a folder
with the files of the MNIST family (IDX), or a NumPy file (.npz) with images and
labels: their own division is kept.`,
		Example: `  hone init customers.csv --target churn
  hone init train.csv --test test.csv --target income -o income.yaml
  hone init photographs/ --target label`,
		RunE: func(c *cobra.Command, args []string) error {
			o.File = args[0]
			var err error
			if o.Data, err = flags.options(); err != nil {
				return err
			}
			if err := parseTypes(types, &o.Data); err != nil {
				return err
			}
			if _, err := os.Stat(o.Output); err == nil && !force {
				return usagef("%s exists already: give another name with -o, or --force to replace it", o.Output)
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			var found *lifecycle.Found
			if err := lifecycle.Await(c.Context(), func() (err error) { found, err = lifecycle.Init(o); return err }); err != nil {
				return flags.explain(err)
			}
			if err := atomicfile.WriteBytes(o.Output, []byte(found.YAML)); err != nil {
				return err
			}
			e := c.ErrOrStderr()
			fmt.Fprintf(e, "%s: %s, %s is predicted as %s from %s\n", filepath.Base(o.File), plural(found.Rows, "row"), found.Target, found.Task, plural(len(found.Inputs), "column"))
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
	c.Flags().StringVar(&o.Target, "target", "", "the `COLUMN` to predict")
	c.Flags().StringVar(&o.Test, "test", "", "a `FILE` of test rows (default: a tenth of the rows)")
	c.Flags().StringVarP(&o.Output, "output", "o", "hone.yaml", "the `CONFIG` to write")
	c.Flags().BoolVar(&force, "force", false, "replace the configuration if it exists")
	c.Flags().StringArrayVar(&types, "type", nil, "`COLUMN=TYPE` of a column, as in zip=category (may be repeated)")
	c.Flags().BoolVar(&asJSON, "json", false, "end with one JSON object on standard output")
	flags.add(c)
	return c
}
