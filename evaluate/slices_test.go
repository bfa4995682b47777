package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/metric"
)

// TestSlices plants one weak slice among columns of chance; and none, where few
// may be found.
func TestSlices(t *testing.T) {
	m, err := metric.Lookup("accuracy")
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	const trials = 60
	for trial := range trials {
		r := rand.New(rand.NewPCG(uint64(trial), 3))
		s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}}
		color := &data.Column{Name: "color", Type: data.Category, Dict: []string{"red", "blue", "green"}}
		age := &data.Column{Name: "age", Type: data.Number}
		rare := &data.Column{Name: "rare", Type: data.Category, Dict: []string{"often", "never"}}
		planted := trial == 0
		for i := range 900 {
			c, y := int32(r.IntN(3)), float64(r.IntN(2))
			color.Codes = append(color.Codes, c)
			age.Numbers = append(age.Numbers, float64(18+r.IntN(60)))
			rare.Codes = append(rare.Codes, map[bool]int32{true: 1}[i < 10])
			p := y
			if limit := map[bool]float64{true: 0.35, false: 0.1}[planted && c == 1]; r.Float64() < limit {
				p = 1 - y
			}
			s.Target, s.Pred = append(s.Target, y), append(s.Pred, p)
		}
		found, err := Slices(s, m, []*data.Column{color, age, rare}, 0.95, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 7 {
			t.Fatalf("%d slices, want three colors and four of age: %+v", len(found), found)
		}
		told := 0
		for _, f := range found {
			if f.Worse {
				told++
			}
		}
		if planted {
			if found[0].Value != "blue" || !found[0].Worse || told != 1 {
				t.Errorf("the weak slice: %+v", found)
			}
		} else if told > 0 {
			wrong++
		}
	}
	if wrong > 8 { // 5 % of 59 is 3
		t.Errorf("in %d of %d samples without a weak slice one is told", wrong, trials-1)
	}
}

// A slice with one positive row, which was missed, is no weak slice by recall:
// every fifth is.
func TestSliceOfOnePositive(t *testing.T) {
	m, err := metric.Lookup("recall")
	if err != nil {
		t.Fatal(err)
	}
	s := &metric.Sample{Kind: metric.Binary}
	group := &data.Column{Name: "group", Type: data.Category, Dict: []string{"large", "small"}}
	for i := range 1030 {
		y := float64(i % 2)
		p := y
		if i%10 == 1 {
			p = 0
		}
		code := int32(0)
		if i < 30 {
			y, p, code = 0, 0, 1
			if i == 0 {
				y = 1
			}
		}
		s.Target, s.Pred, group.Codes = append(s.Target, y), append(s.Pred, p), append(group.Codes, code)
	}
	found, err := Slices(s, m, []*data.Column{group}, 0.95, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 || found[0].Value != "small" || found[0].Score.Value != 0 || found[0].Adjusted < 0.01 || found[1].Adjusted < 0.01 {
		t.Errorf("%+v", found)
	}
}

// Rows without a number are a slice of their own beside the quarters.
func TestSliceOfMissingNumbers(t *testing.T) {
	c := &data.Column{Name: "age", Type: data.Number}
	for i := range 100 {
		v := float64(i)
		if i%5 == 0 {
			v = math.NaN()
		}
		c.Numbers = append(c.Numbers, v)
	}
	var got []string
	for _, g := range groupsOf(c) {
		got = append(got, fmt.Sprintf("%s: %d", g.name, len(g.rows)))
	}
	if want := "[1 to 24: 20 26 to 49: 20 51 to 74: 20 76 to 99: 20 (missing): 20]"; fmt.Sprint(got) != want {
		t.Errorf("found %v, expected %s", got, want)
	}
}
