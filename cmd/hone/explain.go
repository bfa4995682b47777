package main

import (
	"context"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/explain"
	"github.com/hone-ml/hone/internal/atomicfile"
	"github.com/hone-ml/hone/lifecycle"
	"github.com/hone-ml/hone/metric"
	"github.com/hone-ml/hone/model"
	"github.com/hone-ml/hone/serve"
)

func explainCommand() *cobra.Command {
	o := lifecycle.DefaultExplainOptions()
	var endpoint, out, images string
	var asJSON bool
	var flags dataFlags
	c := &cobra.Command{
		Use:     "explain MODEL [FILE]",
		GroupID: "use",
		Short:   "Tell what a model's predictions rest on",
		Long: `Explain tells of a FILE whose answers are known how much worse the model gets
when the values of a column are exchanged between rows, and how its predictions
move with the most important columns.

With --row or --rows it tells of single rows what each column adds to the
prediction, compared with a typical row or with the rows of --background, and
further what the words of a text and the pixels of an image add.

With --endpoint the predictions are those of a live server. What a model rests
on is not what causes the target: columns that tell the same stand in for each
other.`,
		Example: `  hone explain churn.hone test.csv
  hone explain churn.hone --row 'tenure=2,contract=monthly,charges=70'
  hone explain churn.hone --rows new.csv --background train.csv -o effects.csv
  hone explain shoes.hone --row image=boot.png --images explained`,
		RunE: func(c *cobra.Command, args []string) error {
			local := len(o.Row) > 0 || o.Rows != ""
			switch {
			case len(args) == 2 && local:
				return usagef("%s and --row or --rows exclude each other: a file of rows to explain one by one is --rows %s", args[1], args[1])
			case len(o.Row) > 0 && o.Rows != "":
				return usagef("--row and --rows exclude each other")
			case len(args) < 2 && !local:
				return usagef("what to explain is missing: a FILE whose answers are known for the model as a whole, --row or --rows for single rows; usage: %s", c.UseLine())
			case o.Limit < 0 || c.Flags().Changed("limit") && o.Limit == 0:
				return usagef("--limit: found %d, expected a whole number of 1 or more", o.Limit)
			case o.Repeats < 1:
				return usagef("--repeats: found %d, expected a whole number of 1 or more", o.Repeats)
			case o.Top < 0:
				return usagef("--top: found %d, expected a whole number of 0 or more", o.Top)
			case !slices.Contains([]string{explain.Auto, explain.SHAP, explain.Gradients}, o.Method):
				return usagef("--method %s: expected %s, %s or %s", o.Method, explain.Auto, explain.SHAP, explain.Gradients)
			case out != "" && !strings.HasSuffix(out, ".csv"):
				return usagef("-o %s: expected a name that ends in .csv", out)
			}
			for _, flag := range []string{"background", "method", "class", "images"} {
				if c.Flags().Changed(flag) && !local {
					return usagef("--%s goes with --row or --rows", flag)
				}
			}
			for _, flag := range []string{"metric", "columns", "top", "repeats"} {
				if c.Flags().Changed(flag) && local {
					return usagef("--%s is for the model as a whole, with a FILE whose answers are known", flag)
				}
			}
			if o.Metric != "" {
				if _, err := metric.Lookup(o.Metric); err != nil {
					return usagef("--metric: %w", err)
				}
			}
			var err error
			if o.Data, err = flags.options(); err != nil {
				return err
			}
			m, _, err := model.Load(args[0])
			if err != nil {
				return err
			}
			if len(args) == 2 {
				o.File = args[1]
			}
			if same := sameFile(out, args[0], o.File, o.Rows, o.Background); same != "" {
				return usagef("-o %s would replace %s, which is read: give another name", out, same)
			}
			var p model.Predictor = m
			if endpoint != "" {
				p = &serve.Client{URL: endpoint, Key: os.Getenv(serve.KeyVariable)}
			}
			var e *lifecycle.Explained
			err = lifecycle.Await(c.Context(), func() (err error) { e, err = lifecycle.Explain(c.Context(), m, p, o); return err })
			if err != nil {
				return flags.explain(err)
			}
			e.Endpoint = endpoint
			if err := writeImages(c.Context(), images, e); err != nil {
				return err
			}
			if out != "" {
				if err := atomicfile.Write(out, e.WriteEffects); err != nil {
					return err
				}
				fmt.Fprintf(c.ErrOrStderr(), "effects in %s\n", out)
			}
			w := c.OutOrStdout()
			if asJSON {
				return printJSON(c, e)
			}
			_, err = io.WriteString(w, explainedText(e, newPalette(isTerminal(w) && wantsColor()), columns(w)))
			return err
		},
	}
	c.Flags().StringArrayVar(&o.Row, "row", nil, "a row to explain, as `NAME=VALUE` with commas, or as a JSON object (may be repeated)")
	c.Flags().StringVar(&o.Rows, "rows", "", "a `FILE` of rows to explain one by one")
	c.Flags().StringVar(&o.Background, "background", "", "a `FILE` of rows to compare with, such as those of training (default: one typical row, as the model knows it)")
	c.Flags().StringVar(&o.Method, "method", o.Method, "`NAME` of how single rows are explained: shap, integrated_gradients, or auto: gradients for texts and images, shap for tables and endpoints")
	c.Flags().StringVar(&o.Class, "class", "", "the `CLASS` whose probability is explained (default: the positive one of two, else what the row is predicted to be)")
	c.Flags().StringVar(&o.Target, "target", "", "the `COLUMN` whose prediction is explained (default: the first that the model predicts)")
	c.Flags().StringVar(&o.Metric, "metric", "", "the `NAME` of the metric that gets worse (default: roc_auc, accuracy or rmse, by the task)")
	c.Flags().StringSliceVar(&o.Columns, "columns", nil, "`NAMES` of columns with which predictions move, with commas (default: the most important)")
	c.Flags().IntVar(&o.Top, "top", o.Top, "`NUMBER` of the most important columns with which predictions move")
	c.Flags().IntVar(&o.Repeats, "repeats", o.Repeats, "`NUMBER` of exchanges of each column")
	c.Flags().IntVar(&o.Limit, "limit", 0, "`ROWS` at most (default: 5,000 for the model as a whole, 10 to explain one by one)")
	c.Flags().Uint64Var(&o.Seed, "seed", 0, "`NUMBER` that everything random is drawn by")
	c.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of a server to send the rows to")
	c.Flags().StringVarP(&out, "output", "o", "", "`FILE` to write the effects to, .csv")
	c.Flags().StringVar(&images, "images", "", "`FOLDER` to write explained images to, as PNG")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	flags.add(c)
	return c
}

// writeImages writes the images that were explained, and enters their names.
func writeImages(ctx context.Context, dir string, e *lifecycle.Explained) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	n := 0
	for _, r := range e.Rows {
		for i := range r.Images {
			if err := ctx.Err(); err != nil {
				return err
			}
			im := &r.Images[i]
			im.File = filepath.Join(dir, fmt.Sprintf("row-%d-%s.png", r.Row, safeName(im.Column)))
			if err := atomicfile.Write(im.File, func(w io.Writer) error { return png.Encode(w, im.Draw()) }); err != nil {
				return err
			}
			n++
		}
	}
	if n == 0 {
		return usagef("--images: %s reads no image that these rows have", e.Model)
	}
	return nil
}

// safeName is a column's name as part of a file's.
func safeName(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, s)
}

// explainedText lays an explanation out for a terminal.
func explainedText(e *lifecycle.Explained, paint palette, width int) string {
	v := &explained{e: e, paint: paint, width: width}
	if e.Importance != nil {
		v.importance(e.Importance)
		v.dependence()
	}
	for _, r := range e.Rows {
		v.row(r)
	}
	for _, n := range e.Notes {
		v.line(hang("  "+paint.faint.Render("•")+" ", n, width))
	}
	return v.b.String()
}

// explained writes an explanation.
type explained struct {
	b     strings.Builder
	e     *lifecycle.Explained
	paint palette
	width int
}

func (v *explained) line(text string) { v.b.WriteString(strings.TrimRight(text, " ") + "\n") }

func (v *explained) note(text string) {
	v.line(hang("  "+v.paint.faint.Render("•")+" ", text, v.width))
}

// barWidth is the room of a bar of effects.
const barWidth = 20

// effectBar draws how large an effect is beside the largest one.
func (v *explained) effectBar(effect, largest float64) string {
	style := v.paint.good
	if effect < 0 {
		style = v.paint.loss
	}
	if !(largest > 0) {
		return pad("", barWidth)
	}
	halves := int(math.Round(math.Abs(effect) / largest * 2 * barWidth))
	text := strings.Repeat("━", halves/2)
	if halves%2 == 1 {
		text += "╸"
	}
	return style.Render(text) + strings.Repeat(" ", barWidth-lipgloss.Width(text))
}

func (v *explained) importance(i *evaluate.Importance) {
	v.line(v.paint.title.Render(hang("", fmt.Sprintf("%s on %s of %s: %s is %s, and gets worse by this much when a column tells nothing", v.e.Model, plural(i.Rows, "row"), v.e.File, i.Metric, decimal(float64(i.Score))), v.width)))
	largest, wide := 0.0, 0
	for _, c := range i.Columns {
		largest, wide = max(largest, math.Abs(c.Loss.Value)), max(wide, lipgloss.Width(c.Columns[0]))
	}
	wide = min(wide, max(12, v.width-barWidth-34))
	var none []string
	for _, c := range i.Columns {
		if !(c.Loss.Low > 0) && !(c.Loss.High < 0) {
			none = append(none, c.Columns[0])
			continue
		}
		v.line(fmt.Sprintf("  %s %s %10s  %s", pad(cut(c.Columns[0], wide), wide), v.effectBar(c.Loss.Value, largest), signedLike(c.Loss.Value, largest), v.paint.faint.Render("("+between(c.Loss)+")")))
	}
	if len(none) > 0 {
		v.line(hang("  ", "not told from 0: "+strings.Join(none, ", "), v.width))
	}
	for _, g := range i.Groups {
		v.note(fmt.Sprintf("%s tell much the same and stand in for each other: without them all it gets worse by %s (%s)", strings.Join(g.Columns, ", "), decimal(g.Loss.Value), between(g.Loss)))
	}
	v.note(fmt.Sprintf("values exchanged between rows at random, %s; 95 %% intervals over the rows", plural(i.Repeats, "time")))
}

// levels draw a curve in a line.
var levels = []rune("▁▂▃▄▅▆▇█")

// spark draws values between lo and hi.
func spark(values []float64, lo, hi float64) string {
	out := make([]rune, len(values))
	for i, x := range values {
		k := len(levels) / 2
		if hi > lo {
			k = int(math.Round((x - lo) / (hi - lo) * float64(len(levels)-1)))
		}
		out[i] = levels[k]
	}
	return string(out)
}

// shownCurves are of the classes whose probability moves most.
const shownCurves = 3

func (v *explained) dependence() {
	if len(v.e.Dependence) == 0 {
		return
	}
	what := "the mean prediction of " + v.e.Target
	if v.e.Classes != nil {
		what = "the mean probability of a class of " + v.e.Target
		if len(v.e.Classes) == 2 {
			what = "the mean probability of " + v.e.Classes[1]
		}
	}
	v.line("")
	v.line(v.paint.title.Render(hang("", fmt.Sprintf("how %s moves with a column, the others being as they are", what), v.width)))
	for _, d := range v.e.Dependence {
		curves := slices.Clone(d.Curves)
		slices.SortStableFunc(curves, func(a, b explain.Curve) int {
			switch {
			case a.Span > b.Span:
				return -1
			case a.Span < b.Span:
				return 1
			}
			return 0
		})
		for _, c := range curves[:min(len(curves), shownCurves)] {
			name := d.Column
			if c.Class != "" && len(v.e.Classes) > 2 {
				name += ", " + c.Class
			}
			name = cut(name, 24)
			lo, hi := slices.Min(c.Mean), slices.Max(c.Mean)
			if d.Numbers != nil {
				ends := fmt.Sprintf("%s at %s, %s at %s", decimal(c.Mean[0]), d.Values[0], decimal(c.Mean[len(c.Mean)-1]), d.Values[len(d.Values)-1])
				v.line(fmt.Sprintf("  %s %s %s", pad(name, 24), pad(v.paint.score.Render(spark(c.Mean, lo, hi)), barWidth), ends))
			} else {
				order := make([]int, len(c.Mean))
				for i := range order {
					order[i] = i
				}
				slices.SortStableFunc(order, func(a, b int) int {
					switch {
					case c.Mean[a] > c.Mean[b]:
						return -1
					case c.Mean[a] < c.Mean[b]:
						return 1
					}
					return 0
				})
				top, last := order[0], order[len(order)-1]
				v.line(fmt.Sprintf("  %s %s %s with %s, %s with %s", pad(name, 24), pad(fmt.Sprintf("%d values", len(order)), barWidth), decimal(c.Mean[top]), cut(d.Values[top], 20), decimal(c.Mean[last]), cut(d.Values[last], 20)))
			}
			if c.Apart > c.Span/2 && c.Apart > 0 {
				v.line(hang(strings.Repeat(" ", 27), fmt.Sprintf("rows differ (deviation of their curves %s): it acts with other columns", decimal(c.Apart)), v.width))
			}
		}
	}
	v.note(fmt.Sprintf("%s; values between the 5th and 95th percentile; --json has the curves and what 10 %% of the rows lie below and above", plural(v.e.Dependence[0].Rows, "row")))
}

// signedEffect writes an effect with its sign.
func signedEffect(x float64) string { return signedLike(x, x) }

// signedLike writes an effect in the decimals that tell the largest in four digits.
func signedLike(x, largest float64) string {
	places := 4
	if a := math.Abs(largest); a >= 1 {
		places = max(0, 3-int(math.Log10(a)))
	} else if a > 0 {
		places = min(12, 3-int(math.Floor(math.Log10(a))))
	}
	text := fmt.Sprintf("%.*f", places, math.Abs(x))
	switch {
	case strings.Trim(text, "0.") == "":
		return text
	case x < 0:
		return "−" + text
	}
	return "+" + text
}

// shownEffects are told one by one.
const shownEffects = 12

func (v *explained) row(r *explain.Explanation) {
	what := v.e.Target
	if r.Class != "" {
		what += " " + r.Class + ", probability"
	}
	against := "a typical row has " + decimal(r.Base)
	if v.e.ComparedWith != "" {
		against = fmt.Sprintf("%s of %s have %s in the mean", plural(v.e.ComparedRows, "row"), v.e.ComparedWith, decimal(r.Base))
	}
	if r.Row > 1 {
		v.line("")
	}
	v.line(v.paint.title.Render(hang("", fmt.Sprintf("row %d: %s %s; %s", r.Row, what, decimal(r.Prediction), against), v.width)))
	names := make([]string, len(r.Columns))
	wide, largest := 0, 0.0
	shown := 0
	for i, c := range r.Columns {
		if i < shownEffects && c.Effect != 0 {
			shown++
		}
		value := strings.Join(strings.Fields(c.Value), " ")
		if value == "" {
			value = "(missing)"
		}
		names[i] = cut(c.Column+" = "+value, max(16, v.width-barWidth-30))
		largest = max(largest, math.Abs(c.Effect))
	}
	for i := range shown {
		wide = max(wide, lipgloss.Width(names[i]))
	}
	for i, c := range r.Columns[:shown] {
		doubt := ""
		if c.Error != nil {
			doubt = v.paint.faint.Render("± " + strings.TrimPrefix(signedLike(*c.Error, largest), "+"))
		}
		v.line(fmt.Sprintf("  %s %s %10s  %s", pad(names[i], wide), v.effectBar(c.Effect, largest), signedLike(c.Effect, largest), doubt))
	}
	if left := r.Columns[shown:]; len(left) > 0 {
		sum := 0.0
		for _, c := range left {
			sum += c.Effect
		}
		v.line(fmt.Sprintf("  %s %s %10s", pad(fmt.Sprintf("%s more", count(len(left))), max(wide, 8)), pad("", barWidth), signedLike(sum, largest)))
	}
	for _, t := range r.Texts {
		v.text(t)
	}
	for _, im := range r.Images {
		v.image(im)
	}
	v.note(v.method(r))
}

// method says how a row was explained, and whether the effects add up.
func (v *explained) method(r *explain.Explanation) string {
	difference := fmt.Sprintf("the effects add up to the difference of %s", signedEffect(r.Prediction-r.Base))
	how := map[string]string{
		"exact_shap":      "Shapley values over all coalitions, " + plural(r.Predictions, "prediction"),
		"sampled_shap":    "Shapley values, sampled by " + plural(r.Predictions, "prediction") + ", ± standard error",
		explain.Gradients: "integrated gradients at " + plural(r.Predictions, "point") + " of the way",
	}[r.Method]
	if !r.Complete {
		return fmt.Sprintf("%s; the effects miss the difference of %s by %s, which is too much: take --method %s", how, signedEffect(r.Prediction-r.Base), signedEffect(r.Gap), explain.SHAP)
	}
	if math.Abs(r.Gap) > 1e-9 {
		difference += ", but for " + decimal(math.Abs(r.Gap))
	}
	return how + "; " + difference
}

// shownWords are the words of most effect.
const shownWords = 12

func (v *explained) text(t explain.Text) {
	order := make([]int, len(t.Words))
	for i := range order {
		order[i] = i
	}
	size := func(i int) float64 { return math.Abs(t.Words[i].Effect) }
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case size(a) > size(b):
			return -1
		case size(a) < size(b):
			return 1
		}
		return 0
	})
	order = order[:min(len(order), shownWords)]
	if len(order) == 0 {
		return
	}
	largest := size(order[0])
	v.line("")
	v.line("  " + v.paint.faint.Render("words of "+t.Column+", by "+map[string]string{explain.Gradients: "their n-grams"}[t.Method]+map[bool]string{true: "leaving words out"}[t.Method != explain.Gradients]))
	wide := 0
	for _, i := range order {
		wide = max(wide, min(32, lipgloss.Width(t.Words[i].Text)))
	}
	for _, i := range order {
		w := t.Words[i]
		v.line(fmt.Sprintf("  %s %s %10s", pad(cut(strings.Join(strings.Fields(w.Text), " "), wide), wide), v.effectBar(w.Effect, largest), signedLike(w.Effect, largest)))
	}
	if n := len(t.Words) - len(order); n > 0 {
		v.line(fmt.Sprintf("  %s more in --json", count(n)))
	}
}

// image tells where in an image the effects are.
func (v *explained) image(im explain.Image) {
	where := "--images FOLDER draws it"
	if im.File != "" {
		where = "drawn in " + im.File
	}
	add, take, best := 0.0, 0.0, 0
	for i, e := range im.Effects {
		add, take = add+max(0, e), take+min(0, e)
		if math.Abs(e) > math.Abs(im.Effects[best]) {
			best = i
		}
	}
	largest, place := im.Effects[best], fmt.Sprintf("row %d, column %d", best/im.Width+1, best%im.Width+1)
	what := fmt.Sprintf("%d × %d pixels add %s and take away %s, most at %s", im.Width, im.Height, signedEffect(add), signedEffect(take), place)
	if im.Method == explain.Occlusion {
		what = fmt.Sprintf("of %d × %d patches, covered one by one, that at %s tells most: %s", im.Width, im.Height, place, signedEffect(largest))
	}
	v.line("")
	v.line(hang("  ", fmt.Sprintf("%s: %s; %s", im.Column, what, where), v.width))
}
