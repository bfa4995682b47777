package customers

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"slices"
	"testing"
)

func TestFileIsReproduced(t *testing.T) {
	f, err := os.Open("../churn.csv.gz")
	if err != nil {
		t.Fatalf("%v; make it with: go run ./examples/churn -o examples/churn/churn.csv.gz", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := Write(&got, Rows, Seed); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Fatal("churn.csv.gz is not what the generator makes; make it with: go run ./examples/churn -o examples/churn/churn.csv.gz")
	}
}

// What is to be learned is neither everything nor nothing.
func TestSignal(t *testing.T) {
	list := Generate(Rows, Seed)
	ids := map[string]bool{}
	churned := 0
	for _, c := range list {
		ids[c.ID] = true
		if c.Churn {
			churned++
		}
		if (c.Reason != "") != c.Churn {
			t.Fatalf("customer %s has the reason %q and churn %v", c.ID, c.Reason, c.Churn)
		}
	}
	if len(ids) != Rows {
		t.Errorf("%d distinct identifiers, want %d", len(ids), Rows)
	}
	if share := float64(churned) / Rows; share < 0.22 || share > 0.28 {
		t.Errorf("%.3f of the customers left, want about 0.25", share)
	}
	// The area under the ROC curve of the true probability is the best that any
	// model can reach.
	slices.SortFunc(list, func(a, b Customer) int {
		if a.Probability < b.Probability {
			return -1
		}
		return 1
	})
	area, stayed := 0, 0
	for _, c := range list {
		if c.Churn {
			area += stayed
		} else {
			stayed++
		}
	}
	best := float64(area) / float64(churned*stayed)
	t.Logf("the best reachable AUC is %.4f", best)
	if best < 0.90 || best > 0.94 {
		t.Errorf("the best reachable AUC is %.4f, want about 0.92", best)
	}
}
