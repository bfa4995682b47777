package data

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// real returns the path of a real data set's file, and skips the test where it
// is not: it is looked for under HONE_DATA, else beside the checkout.
func real(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("HONE_DATA")
	if dir == "" {
		wd, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for wd != filepath.Dir(wd) {
			if _, err := os.Stat(filepath.Join(wd, "go.mod")); err == nil {
				break
			}
			wd = filepath.Dir(wd)
		}
		dir = filepath.Join(wd, "..", "shared", "data")
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s: set HONE_DATA to the folder of the real data sets", path)
	}
	return path
}

// types returns the columns that are not numbers, as name:type.
func types(t *Table) []string {
	var s []string
	for _, c := range t.Columns {
		if c.Type != Number {
			s = append(s, c.Name+":"+string(c.Type))
		}
	}
	return s
}

// Counts are those of pandas 2.3 (read_csv, na_values="?").
func TestAdult(t *testing.T) {
	table, _, err := Read(real(t, "adult/train.csv.gz"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if table.Rows != 32561 || len(table.Columns) != 15 {
		t.Fatalf("%d rows of %d columns, want 32561 of 15", table.Rows, len(table.Columns))
	}
	want := []string{"workclass:category", "education:category", "marital-status:category", "occupation:category", "relationship:category", "race:category", "sex:category", "native-country:category", "income:category"}
	if got := types(table); !slices.Equal(got, want) {
		t.Errorf("the columns that are not numbers are %v", got)
	}
	for name, want := range map[string]int{"workclass": 1836, "occupation": 1843, "native-country": 583, "age": 0} {
		c, n := table.Column(name), 0
		for i := range c.Len() {
			if c.Missing(i) {
				n++
			}
		}
		if n != want {
			t.Errorf("%s lacks %d values, want %d", name, n, want)
		}
	}
	s, findings, err := Profile(table, "income")
	if err != nil || len(findings) != 0 {
		t.Errorf("found %+v, %v; want nothing", findings, err)
	}
	if m := s[0].Numbers.Mean; m < 38.5816 || m > 38.5817 {
		t.Errorf("the mean age is %v, want 38.58165", m)
	}
	if kind, _, err := TargetKind(table.Column("income")); kind != TargetBinary || err != nil {
		t.Errorf("the target is %s, %v", kind, err)
	}

	// The original: no header, a space after every comma.
	o := Options{Names: table.Names()}
	original, _, err := Read(real(t, "adult/adult.data.gz"), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := equalTables(original, table); err != nil {
		t.Errorf("the original differs from the file made of it: %v", err)
	}
	o.SkipLines = 1
	test, _, err := Read(real(t, "adult/adult.test.gz"), o)
	if err != nil || test.Rows != 16281 {
		t.Errorf("the original test file: %v", err)
	}
	_, _, err = Read(real(t, "adult/adult.test.gz"), Options{})
	if err == nil || !strings.Contains(err.Error(), `line 1: is "|1x3 Cross validator"`) {
		t.Errorf("its first line gives %v", err)
	}
}

func TestRealTables(t *testing.T) {
	for _, c := range []struct {
		file, target, kind string
		rows               int
		types, findings    []string
	}{
		{"california-housing/housing.csv", "median_house_value", TargetNumber, 20640, []string{"ocean_proximity:category"}, nil},
		{"breast-cancer/wdbc.csv", "diagnosis", TargetBinary, 569, []string{"id:identifier", "diagnosis:category"}, []string{"id:identifier"}},
		{"heart-disease/cleveland.csv", "disease", TargetBinary, 303, nil, nil},
		{"heart-disease/all-sites.csv", "disease", TargetBinary, 920, []string{"site:category"}, nil},
		{"pima-diabetes/diabetes.csv", "Outcome", TargetBinary, 768, nil, nil},
		{"bike-sharing/hour.csv", "cnt", TargetNumber, 17379, []string{"instant:identifier", "dteday:datetime"}, []string{"instant:identifier", "casual:leak", "registered:leak"}},
		{"bike-sharing/day.csv", "cnt", TargetNumber, 731, []string{"instant:identifier", "dteday:datetime"}, []string{"instant:identifier", "casual:leak", "registered:leak"}},
		{"banking77/train.csv", "category", TargetCategory, 10003, []string{"text:text", "category:category"}, nil},
	} {
		t.Run(c.file, func(t *testing.T) {
			table, _, err := Read(real(t, c.file), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if table.Rows != c.rows {
				t.Errorf("%d rows, want %d", table.Rows, c.rows)
			}
			if got := types(table); !slices.Equal(got, c.types) {
				t.Errorf("the columns that are not numbers are %v, want %v", got, c.types)
			}
			if got, all := find(t, table, c.target); !slices.Equal(got, c.findings) {
				t.Errorf("found %v, want %v: %+v", got, c.findings, all)
			}
			if kind, _, err := TargetKind(table.Column(c.target)); kind != c.kind || err != nil {
				t.Errorf("the target is %s, %v; want %s", kind, err, c.kind)
			}
		})
	}
}

func TestBikeSharingByTime(t *testing.T) {
	table, _, err := Read(real(t, "bike-sharing/hour.csv"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := Split(table, SplitSpec{Method: "time", Fractions: []float64{0.8, 0.2}, Column: "dteday"}, "cnt", 0)
	if err != nil {
		t.Fatal(err)
	}
	// The given split cuts within a day, at 11:00; a day is not divided here.
	day := table.Column("dteday")
	first := time.Unix(int64(day.Numbers[parts[1][0]]), 0).UTC().Format(time.DateOnly)
	if len(parts[0]) < 13903 || len(parts[0]) > 13903+24 || first != "2012-08-08" {
		t.Errorf("the first part has %d rows and the second begins on %s", len(parts[0]), first)
	}
}

// The example of the repository has one of each finding.
func TestChurnExample(t *testing.T) {
	table, _, err := Read(filepath.Join("..", "examples", "churn", "churn.csv.gz"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"customer_id:identifier", "signup_date:datetime", "last_contact:datetime", "region:category", "plan:category", "contract:category", "payment_method:category", "autopay:boolean", "currency:category", "cancellation_reason:category", "churn:boolean"}
	if got := types(table); table.Rows != 20000 || !slices.Equal(got, want) {
		t.Errorf("%d rows, the columns that are not numbers are %v", table.Rows, got)
	}
	if got, _ := find(t, table, "churn"); !slices.Equal(got, []string{"customer_id:identifier", "currency:constant", "cancellation_reason:leak"}) {
		t.Errorf("found %v", got)
	}
}

func TestRealImages(t *testing.T) {
	for _, c := range []struct {
		path, test      string
		rows, classes   int
		width, channels int
	}{
		{"fashion-mnist/train-images-idx3-ubyte.gz", "fashion-mnist/t10k-images-idx3-ubyte.gz", 60000, 10, 28, 1},
		{"cifar10-subset/train", "cifar10-subset/test", 10000, 10, 32, 3},
		{"pneumoniamnist/pneumoniamnist.npz", "", 4708, 2, 28, 1},
	} {
		path, test := real(t, c.path), ""
		if c.test != "" {
			test = real(t, c.test)
		} else {
			path, test = path+"#train", path+"#test"
		}
		table, schema, err := Read(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		other, _, err := Read(test, Options{Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(distinct(table.Column("label")).Dict); table.Rows != c.rows || n != c.classes {
			t.Errorf("%s: %d rows of %d classes, want %d of %d", c.path, table.Rows, n, c.rows, c.classes)
		}
		for i := 0; i < table.Rows; i += 97 {
			if p, err := table.Columns[0].Picture(i).Decode(); err != nil || p.Width != c.width || p.Channels != c.channels {
				t.Fatalf("%s: row %d: %+v, %v", c.path, i, p, err)
			}
		}
		_, findings, err := Profile(table, "label")
		if err != nil || len(findings) > 0 {
			t.Errorf("%s: %v, %v", c.path, findings, err)
		}
		for _, f := range CheckRows(table, CheckOptions{Target: "label", Against: other}, findings) {
			if f.Kind == FindingSharedRows {
				t.Errorf("%s: %s", c.path, f.Message)
			}
		}
	}
}

// What is known to be wrong with the MedMNIST sets at hand is found.
func TestRealImageDefects(t *testing.T) {
	for _, c := range []struct {
		file, part, against string
		want                map[string]float64 // kind to number of rows; 0: any
	}{
		{"pneumoniamnist/pneumoniamnist.npz", "train", "test", map[string]float64{FindingRepeatedRows: 18, FindingDrift: 0}},
		{"pneumoniamnist/pneumoniamnist.npz", "train", "val", map[string]float64{FindingRepeatedRows: 18, FindingSharedRows: 8}},
		{"breastmnist/breastmnist.npz", "train", "test", map[string]float64{FindingSharedRows: 1}},
	} {
		path := real(t, c.file)
		table, schema, err := Read(path+"#"+c.part, Options{})
		if err != nil {
			t.Fatal(err)
		}
		other, _, err := Read(path+"#"+c.against, Options{Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		_, findings, err := Check(table, CheckOptions{Target: "label", Against: other})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range findings {
			got[f.Kind] = f.Evidence["rows"]
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("%s, %s against %s: %v, want %v", c.file, c.part, c.against, got, c.want)
		}
	}
}
