package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/report"
)

// languages are the values of --language.
var languages = []string{"auto", report.English, report.Chinese}

// pageFlags are --report and --language.
type pageFlags struct{ path, language string }

func (f *pageFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.path, "report", "", "the `FILE` to write a report to read into: one HTML page that needs no network")
	c.Flags().StringVar(&f.language, "language", "auto", "`LANGUAGE` of the report: en, zh or auto (by LC_ALL, LC_MESSAGES or LANG)")
}

// check finds what would go wrong before anything is measured.
func (f *pageFlags) check(read ...string) error {
	if !slices.Contains(languages, f.language) {
		return usagef("--language: found %q, expected one of %s", f.language, strings.Join(languages, ", "))
	}
	if f.path == "" {
		return nil
	}
	if same := sameFile(f.path, read...); same != "" {
		return usagef("--report %s would replace %s, which is read: give another name", f.path, same)
	}
	return nil
}

// write writes a report, where one is asked for.
func (f *pageFlags) write(c *cobra.Command, what func() (*report.Report, error)) error {
	if f.path == "" {
		return nil
	}
	r, err := what()
	if err != nil {
		return err
	}
	r.Date, r.Language = today(), report.LanguageOf(f.language)
	return f.put(c, func(w io.Writer) error { return report.HTML(w, r) })
}

// ranking writes a comparison.
func (f *pageFlags) ranking(c *cobra.Command, found *lifecycle.Comparison) error {
	if f.path == "" {
		return nil
	}
	b := &report.Board{
		Leaderboard: &found.Leaderboard, File: found.File, Target: found.Target, Weight: found.Weight, Unlabeled: found.Unlabeled, Filtered: found.Filtered,
		Notes: found.Notes, Date: today(), Version: lifecycle.Version, Language: report.LanguageOf(f.language),
	}
	for _, cost := range costs {
		fact := report.Fact{Name: cost.name}
		known := false
		for i := range found.Standings {
			cell := cost.cell(&found.Standings[i])
			known = known || cell != "–"
			fact.Cells = append(fact.Cells, cell)
		}
		if known {
			b.Facts = append(b.Facts, fact)
		}
	}
	return f.put(c, func(w io.Writer) error { return report.Ranking(w, b) })
}

func (f *pageFlags) put(c *cobra.Command, write func(io.Writer) error) error {
	if err := atomicfile.Write(f.path, write); err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "the report is in %s\n", f.path)
	return nil
}

func today() string { return time.Now().Format("2006-01-02 15:04") }
