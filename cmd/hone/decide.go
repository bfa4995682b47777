package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// decideFlags ask for a threshold.
type decideFlags struct{ costs, aim string }

func (d *decideFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&d.costs, "costs", "", "choose a threshold by the `COSTS` of decisions, as fp=1,fn=5 (also tp and tn; a gain is below 0)")
	c.Flags().StringVar(&d.aim, "threshold-for", "", "choose a threshold for an `AIM`: f1, f2, accuracy, balanced_accuracy, or the best precision where recall>=0.9, the best recall where precision>=0.8 or specificity>=0.95")
}

// parse returns nil where nothing is asked for.
func (d *decideFlags) parse() (*metric.Aim, error) {
	if d.costs != "" && d.aim != "" {
		return nil, usagef("--costs and --threshold-for exclude each other: both choose the threshold")
	}
	flag, text := "--costs", d.costs
	if d.aim != "" {
		flag, text = "--threshold-for", d.aim
	}
	if text == "" {
		return nil, nil
	}
	a, err := metric.ParseAim(text)
	if err == nil && (a.Costs != nil) != (flag == "--costs") {
		err = fmt.Errorf("found %q, expected %s", text, map[bool]string{true: "an aim such as f1 or recall>=0.9; costs are for --costs", false: "costs such as fp=1,fn=5; other aims are for --threshold-for"}[a.Costs != nil])
	}
	if err != nil {
		return nil, usagef("%s: %w", flag, err)
	}
	return a, nil
}

func printThreshold(w io.Writer, t *evaluate.ThresholdChoice) {
	if t == nil {
		return
	}
	for i, s := range t.Sentences() {
		if i > 0 {
			s = "  " + s
		}
		fmt.Fprintf(w, "  %s\n", s)
	}
}
