package public

import (
	"fmt"
	"strings"
)

// A Set is a table with a test file of its own.
type Set struct {
	Name        string
	Train, Test string // files in the folder of that name
	Target      string
	Positive    string   // the class that scores speak of; empty: the target is a number
	Overrides   []string // of hone run, each with its reason in Note
	Note        string
	Drop        []string // columns that peers leave out: row numbers, what gives the target away
	Categories  []string // columns of codes that are numbers, told to peers
	Small       bool     // too small for one division to say much: cross-validated
}

// Metrics are the names of what is measured.
func (s *Set) Metrics() []string {
	if s.Positive == "" {
		return []string{"rmse", "r2", "mae"}
	}
	return []string{"accuracy", "roc_auc", "log_loss"}
}

// Higher reports whether more of a metric is better.
func Higher(metric string) bool {
	return metric == "accuracy" || metric == "roc_auc" || metric == "r2"
}

// Sets are the tables that the data folder has.
var Sets = []Set{
	{Name: "adult", Train: "train.csv.gz", Test: "test.csv", Target: "income", Positive: ">50K"},
	{Name: "breast-cancer", Train: "train.csv", Test: "test.csv", Target: "diagnosis", Positive: "M", Drop: []string{"id"}, Small: true},
	{Name: "heart-disease", Train: "train.csv", Test: "test.csv", Target: "disease", Positive: "1", Small: true,
		Categories: []string{"cp", "restecg", "slope", "thal"}},
	{Name: "pima-diabetes", Train: "train.csv", Test: "test.csv", Target: "Outcome", Positive: "1", Small: true},
	{Name: "california-housing", Train: "train.csv", Test: "test.csv", Target: "median_house_value"},
	{Name: "bike-sharing", Train: "train.csv", Test: "test.csv", Target: "cnt",
		Overrides:  []string{"data.split.method=time", "data.split.column=dteday"},
		Note:       "the test file is the period after the train file, so the validation rows are the last of the train file",
		Drop:       []string{"instant", "dteday", "casual", "registered"},
		Categories: []string{"season", "weathersit", "weekday", "mnth", "hr"}},
}

// Choose returns the sets whose names stand in a list with commas, all of an
// empty one, in the order of Sets.
func Choose(list string) ([]Set, error) {
	if list == "" {
		return Sets, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		wanted[strings.TrimSpace(name)] = true
	}
	var chosen []Set
	var names []string
	for _, s := range Sets {
		names = append(names, s.Name)
		if wanted[s.Name] {
			chosen = append(chosen, s)
			delete(wanted, s.Name)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("there is no table %q, expected some of %s", name, strings.Join(names, ", "))
	}
	return chosen, nil
}
