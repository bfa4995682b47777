package lifecycle

import (
	"context"
	"fmt"
	"testing"

	"github.com/hone-ml/hone/evaluate"
)

// TestCompareSeeds: runs with commas are one procedure, by its name or its first run's.
func TestCompareSeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(name string, noise float64, seed int) string {
		return writeFile(t, dir, name, answers(300, "y,score", func(i int, truth, _ string, p float64, _ string) string {
			return fmt.Sprintf("%s,%v", truth, (1-noise)*p+noise*float64((i+1)*(31+2*seed)%17)/17)
		}))
	}
	good := run("g0.csv", 0.1, 0) + "," + run("g1.csv", 0.12, 1) + "," + run("g2.csv", 0.08, 2)
	bad := run("b0.csv", 0.8, 3) + "," + run("b1.csv", 0.78, 4)
	o := CompareOptions{Models: []string{"ours=" + good, bad, run("one.csv", 0.5, 5)}, Dir: dir, RankOptions: evaluate.DefaultRankOptions()}
	o.Resamples = 200
	c, err := Compare(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if c.Standings[0].Name != "ours" || c.Standings[0].Seeds.Runs != 3 || c.Standings[2].Name != "b0.csv and 1 more" || c.Standings[1].Name != "one.csv" || c.Standings[1].Seeds.Runs != 1 {
		t.Errorf("%+v", c.Standings)
	}
	if c.Standings[0].Path == "" || c.Standings[0].Against != nil || c.Standings[2].Against == nil || !c.Standings[2].Against.Apart {
		t.Errorf("%+v", c.Standings)
	}
	o.Models = []string{"ours=" + good, "ours=" + bad}
	_, err = Compare(context.Background(), o)
	wantError(t, err, `two groups are named "ours"`)
	o.Models = []string{good + "," + dir + "/lost.csv"}
	_, err = Compare(context.Background(), o)
	wantError(t, err, "lost.csv")
}
