package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/store"
)

func runsCommand() *cobra.Command {
	var dir string
	var limit int
	var asJSON bool
	c := &cobra.Command{
		Use:     "runs",
		GroupID: "look",
		Short:   "List the runs, the newest first",
		Example: `  hone runs
  hone runs --dir projects/churn -n 0
  hone runs rm 20261124-161530-7f3a`,
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 0 {
				return usagef("--limit: found %d, expected a whole number of 0 or more", limit)
			}
			s, err := lifecycle.OpenRuns(dir)
			if err != nil {
				return err
			}
			defer s.Close()
			runs, err := s.List(limit)
			if err != nil {
				return err
			}
			for i := range runs {
				runs[i].Status = lifecycle.StatusOf(runs[i])
			}
			if asJSON {
				if runs == nil {
					runs = []store.Run{}
				}
				return printJSON(c, map[string]any{"runs": runs})
			}
			return printRuns(c.OutOrStdout(), runs)
		},
	}
	rm := &cobra.Command{
		Use:   "rm RUN...",
		Short: "Remove runs: their folders and their entries; bundles beside configurations stay",
		Example: `  hone runs rm latest
  hone runs rm 20261124-161530-7f3a 20261124-17`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := lifecycle.OpenRuns(dir)
			if err != nil {
				return err
			}
			defer s.Close()
			removed := []string{}
			for _, id := range args {
				r, err := s.Find(id)
				if err != nil {
					return err
				}
				if err := lifecycle.RemoveRun(s, *r); err != nil {
					return err
				}
				removed = append(removed, r.ID)
				fmt.Fprintf(c.ErrOrStderr(), "removed %s\n", r.ID)
			}
			if asJSON {
				return printJSON(c, map[string]any{"removed": removed})
			}
			return nil
		},
	}
	c.PersistentFlags().StringVar(&dir, "dir", ".", "the `FOLDER` of the configuration whose runs are meant (or set HONE_HOME)")
	c.PersistentFlags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().IntVarP(&limit, "limit", "n", 20, "`RUNS` to list; 0: all")
	c.AddCommand(rm)
	return c
}

// headline returns the metric that a run is known by, as text.
func headline(r store.Run) string {
	var s lifecycle.Summary
	if len(r.Result) == 0 || json.Unmarshal(r.Result, &s) != nil {
		return ""
	}
	if v, ok := s.Test[s.Headline]; ok {
		return s.Headline + " " + number(v.Value)
	}
	return ""
}

func printRuns(w io.Writer, runs []store.Run) error {
	if len(runs) == 0 {
		_, err := fmt.Fprintln(w, "no runs yet; hone run CONFIG makes one")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RUN\tNAME\tSTATUS\tTEST\tSEED\tTOOK")
	for _, r := range runs {
		took := ""
		if !r.Finished.IsZero() {
			took = r.Finished.Sub(r.Created).Round(time.Second).String()
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", r.ID, r.Name, r.Status, headline(r), r.Seed, took)
	}
	return t.Flush()
}

func showCommand() *cobra.Command {
	var dir string
	var asJSON bool
	c := &cobra.Command{
		Use:     "show RUN",
		GroupID: "look",
		Short:   "Show one run: an id, its first letters, or latest",
		Example: `  hone show latest
  hone show 20261124-16 --json`,
		RunE: func(c *cobra.Command, args []string) error {
			s, err := lifecycle.OpenRuns(dir)
			if err != nil {
				return err
			}
			defer s.Close()
			r, err := s.Find(args[0])
			if err != nil {
				return err
			}
			r.Status = lifecycle.StatusOf(*r)
			if asJSON {
				return printJSON(c, r)
			}
			w := c.OutOrStdout()
			fmt.Fprintf(w, "%s  %s  %s\nbegan   %s\nfolder  %s\n", r.ID, r.Name, r.Status, r.Created.Local().Format("2006-01-02 15:04:05"), r.Dir)
			if r.Error != "" {
				fmt.Fprintf(w, "error   %s\n", r.Error)
			}
			var sum lifecycle.Summary
			if len(r.Result) > 0 && json.Unmarshal(r.Result, &sum) == nil {
				printSummary(w, &sum, isTerminal(w) && os.Getenv("NO_COLOR") == "")
			}
			fmt.Fprintf(w, "\nconfiguration: %s\n", filepath.Join(r.Dir, "config.yaml"))
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "the `FOLDER` of the configuration whose runs are meant (or set HONE_HOME)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		GroupID: "look",
		Short:   "Show a configuration with every default, or its JSON Schema",
		Example: `  hone config show hone.yaml
  hone config show hone.yaml --bare > full.yaml
  hone config schema > hone.schema.json`,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var sets []string
	var bare, asJSON bool
	show := &cobra.Command{
		Use:   "show CONFIG",
		Short: "Print the configuration with every key and default",
		Example: `  hone config show hone.yaml
  hone config show hone.yaml --set train.optimizer=sgd`,
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := lifecycle.LoadConfig(args[0], sets)
			if err != nil {
				return err
			}
			text := cfg.Text(!bare)
			if asJSON {
				return printJSON(c, map[string]string{"config": string(text)})
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
	show.Flags().StringArrayVar(&sets, "set", nil, "set a key, as `KEY=VALUE`: train.epochs=5 (may be repeated)")
	show.Flags().BoolVar(&bare, "bare", false, "without comments")
	show.Flags().BoolVar(&asJSON, "json", false, "print one JSON object that holds the YAML")
	schema := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of configurations, for editors",
		Long: `Schema prints a JSON Schema. An editor that knows YAML completes and checks
configurations by it once a configuration's first line names the file:

  # yaml-language-server: $schema=hone.schema.json`,
		Example: `  hone config schema > hone.schema.json`,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := lifecycle.ConfigSchema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), string(s))
			return err
		},
	}
	schema.Flags().Bool("json", false, "as every command has it: a schema is JSON by itself")
	c.AddCommand(show, schema)
	return c
}
