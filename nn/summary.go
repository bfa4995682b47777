package nn

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hone-ml/hone/engine/graph"
)

// Outline builds a network on an input of a type, as float32 [rows 20], and
// returns its layers, without drawing initial values.
func Outline(net Layer, input graph.Type) ([]Part, error) {
	c := &Context{B: graph.New("outline"), State: graph.NewState()}
	c.Blank()
	c.B.Output("y", net.Apply(c, c.B.Input("x", input.DType, input.Shape...)))
	if err := c.B.Err(); err != nil {
		return nil, err
	}
	return c.parts, nil
}

// Summary returns a table of layers, the shapes of their results and their
// parameters, with the total in the last line. The parts are those of Outline
// or of Context.Parts.
func Summary(parts []Part) string {
	rows := [][3]string{{"layer", "output", "parameters"}}
	total := 0
	for _, p := range parts {
		rows = append(rows, [3]string{p.Name, p.Output.Shape.String(), grouped(p.Parameters)})
		total += p.Parameters
	}
	rows = append(rows, [3]string{"total", "", grouped(total)})
	var width [3]int
	for _, r := range rows {
		for i, s := range r {
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	var sb strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&sb, "%-*s  %-*s  %*s\n", width[0], r[0], width[1], r[1], width[2], r[2])
	}
	return sb.String()
}

// grouped writes a number as 1,234,567.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
