package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/lifecycle"
)

func planCommand() *cobra.Command {
	var sets []string
	var mermaid, asJSON bool
	c := &cobra.Command{
		Use:     "plan CONFIG",
		GroupID: "life",
		Short:   "Say what a run would do, without doing it",
		Long: `Plan reads the data, fits the inputs and builds the network, as a run does, and
tells the stages, rows, parameters and memory. How long training would take it
finds out by a few steps, which it forgets. Nothing is written.`,
		Example: `  hone plan hone.yaml
  hone plan hone.yaml --set network.widths=[512,512]
  hone plan hone.yaml --mermaid > flow.mmd`,
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := lifecycle.LoadConfig(args[0], sets)
			if err != nil {
				return err
			}
			var p *lifecycle.Plan
			if err := lifecycle.Await(c.Context(), func() (err error) { p, err = lifecycle.NewPlan(c.Context(), cfg); return err }); err != nil {
				return err
			}
			switch {
			case asJSON:
				return printJSON(c, p)
			case mermaid:
				_, err := io.WriteString(c.OutOrStdout(), p.Mermaid())
				return err
			}
			printPlan(c.OutOrStdout(), p)
			return nil
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "set a key, as `KEY=VALUE`: train.epochs=5 (may be repeated)")
	c.Flags().BoolVar(&mermaid, "mermaid", false, "print the flow as a Mermaid diagram")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func printPlan(w io.Writer, p *lifecycle.Plan) {
	fmt.Fprintf(w, "%s: predict %s (%s)", p.Name, p.Target, p.Task)
	for _, o := range p.Outputs {
		fmt.Fprintf(w, ", %s (%s)", o.Target, o.Task)
	}
	fmt.Fprint(w, "\n\nstages\n")
	for i, s := range p.Stages {
		fmt.Fprintf(w, "  %d %-9s %s\n", i+1, s.Name, s.What)
	}
	fmt.Fprintf(w, "\ninputs\n")
	wide := 0
	for _, in := range p.Inputs {
		wide = max(wide, len([]rune(in.Name)))
	}
	for _, in := range p.Inputs {
		fmt.Fprintf(w, "  %s%s  %-9s %s\n", in.Name, strings.Repeat(" ", wide-len([]rune(in.Name))), in.Type, in.Note)
	}
	for _, k := range p.Cleaned {
		fmt.Fprintf(w, "  cleaned: %s\n", k)
	}
	for _, l := range p.LeftOut {
		fmt.Fprintf(w, "  left out: %s\n", l)
	}
	fmt.Fprintf(w, "\nnetwork: %s\n", p.Network)
	for _, l := range p.Layers {
		n := 1
		for _, d := range l.Shape {
			n *= d
		}
		fmt.Fprintf(w, "  %-44s %12s %10d\n", l.Name, fmt.Sprint(l.Shape), n)
	}
	fmt.Fprintf(w, "  %-44s %12s %10d\n\n", "all parameters", "", p.Parameters)
	fmt.Fprintf(w, "a step     %d rows, %s of matrix products, %s of memory\n", p.BatchSize, si(float64(p.StepFLOP), "FLOP"), si(float64(p.StepBytes), "B"))
	fmt.Fprintf(w, "training   at most %d epochs, %d steps: about %v on this machine; early stopping ends sooner\n", p.Epochs, p.Steps, roughly(p.Seconds))
	fmt.Fprintf(w, "data       %s encoded in memory\n", si(float64(p.DataBytes), "B"))
	for _, x := range p.Warnings {
		fmt.Fprintf(w, "note: %s\n", x)
	}
}

// si writes a number with a decimal prefix.
func si(x float64, unit string) string {
	for _, prefix := range []string{"", "k", "M", "G", "T"} {
		if x < 1000 || prefix == "T" {
			return fmt.Sprintf("%.3g %s%s", x, prefix, unit)
		}
		x /= 1000
	}
	return ""
}

func roughly(seconds float64) time.Duration {
	d := time.Duration(seconds * float64(time.Second))
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(100 * time.Millisecond)
}
