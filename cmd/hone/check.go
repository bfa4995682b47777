package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/lifecycle"
)

func checkCommand() *cobra.Command {
	o := lifecycle.CheckOptions{}
	var failOn string
	var asJSON bool
	var types []string
	var flags dataFlags
	c := &cobra.Command{
		Use:     "check FILE",
		GroupID: "life",
		Short:   "Look for what is wrong with a data file",
		Long: `Check looks for what would make a model, or what is measured of it, worse than
it seems: columns that give the target away, rows that stand in two files or
contradict each other, numbers that mean a missing value, damaged text, columns
that say the same, a test file that is distributed otherwise, and more. Each
finding comes with its evidence in numbers, a remedy and, where a configuration
can carry it out, the lines that do.`,
		Example: `  hone check customers.csv --target churn
  hone check train.csv --target income --against test.csv
  hone check train.csv --target income --fail-on error --json`,
		RunE: func(c *cobra.Command, args []string) error {
			o.File = args[0]
			switch failOn {
			case "never", string(data.SeverityError), string(data.SeverityWarning):
			default:
				return usagef("--fail-on %s: expected error, warning or never", failOn)
			}
			var err error
			if o.Data, err = flags.options(); err != nil {
				return err
			}
			if err := parseTypes(types, &o.Data); err != nil {
				return err
			}
			var checked *lifecycle.Checked
			if err := lifecycle.Await(c.Context(), func() (err error) { checked, err = lifecycle.Check(o); return err }); err != nil {
				return flags.explain(err)
			}
			if asJSON {
				err = printJSON(c, checked)
			} else {
				printChecked(c.OutOrStdout(), checked)
			}
			if err != nil {
				return err
			}
			if n := checked.Worst(data.Severity(failOn)); failOn != "never" && n > 0 {
				what := fmt.Sprintf("%d findings reach", n)
				if n == 1 {
					what = "1 finding reaches"
				}
				return &gateError{fmt.Sprintf("%s: %s --fail-on %s", o.File, what, failOn)}
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.Target, "target", "", "the `COLUMN` to predict")
	c.Flags().StringVar(&o.Weight, "weight", "", "the `COLUMN` of the weights of rows (data.weight), which is no input")
	c.Flags().StringVar(&o.Against, "against", "", "another `FILE` with these columns, such as the test rows")
	c.Flags().StringVar(&failOn, "fail-on", "never", "exit with 3 on findings of this `SEVERITY` or graver: error, warning or never")
	c.Flags().StringArrayVar(&types, "type", nil, "`COLUMN=TYPE` of a column, as in zip=category (may be repeated)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	flags.add(c)
	return c
}

// parseTypes adds the types that flags such as zip=category give.
func parseTypes(flags []string, o *data.Options) error {
	for _, t := range flags {
		name, kind, ok := strings.Cut(t, "=")
		if !ok {
			return usagef("--type %s: expected COLUMN=TYPE, as in zip=category", t)
		}
		if o.Types == nil {
			o.Types = map[string]data.Type{}
		}
		o.Types[name] = data.Type(kind)
	}
	return nil
}

const perKind = 10 // findings of one kind that are printed

// printChecked writes the findings from the gravest, those of one kind together.
func printChecked(w io.Writer, c *lifecycle.Checked) {
	fmt.Fprintln(w, c.Summary())
	var section data.Severity
	for i := 0; i < len(c.Findings); {
		same := i // after those of this severity and kind
		for same < len(c.Findings) && c.Findings[same].Severity == c.Findings[i].Severity && c.Findings[same].Kind == c.Findings[i].Kind {
			same++
		}
		if s := c.Findings[i].Severity; s != section {
			section = s
			fmt.Fprintf(w, "\n%ss\n", s)
		}
		kind := strings.ReplaceAll(c.Findings[i].Kind, "_", " ")
		wide := 0
		shown := c.Findings[i:min(same, i+perKind)]
		for _, f := range shown {
			wide = max(wide, len([]rune(f.Column)))
		}
		for j, f := range shown {
			name := f.Column
			if wide > 0 {
				name += strings.Repeat(" ", wide-len([]rune(name))) + "  "
			}
			fmt.Fprintf(w, "  %-13s  %s%s\n", kind, name, f.Message)
			kind = ""
			// A remedy that is the same but for the column is said once.
			if j+1 == len(shown) || !sameRemedy(f, shown[j+1]) {
				fmt.Fprintf(w, "  %-13s  %s→ %s\n", "", strings.Repeat(" ", len([]rune(name))), f.Remedy)
			}
		}
		if more := same - i - len(shown); more > 0 {
			fmt.Fprintf(w, "  %-13s  and %d more\n", "", more)
		}
		i = same
	}
	if c.YAML != "" {
		fmt.Fprintf(w, "\nin the configuration\n")
		for line := range strings.Lines(c.YAML) {
			fmt.Fprintf(w, "  %s", line)
		}
	}
}

func sameRemedy(a, b lifecycle.CheckFinding) bool {
	return strings.ReplaceAll(a.Remedy, a.Column, "") == strings.ReplaceAll(b.Remedy, b.Column, "")
}
