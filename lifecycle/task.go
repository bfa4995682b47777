package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

// What a file of predictions holds, where looking does not tell.
const (
	TaskSet      = "set"      // sets of labels
	TaskText     = "text"     // texts that were to be written
	TaskRanking  = "ranking"  // scores that rank the rows of each query
	TaskLanguage = "language" // how likely a language model finds texts, or tokens
)

// Tasks are all of them.
var Tasks = []string{TaskSet, TaskText, TaskRanking, TaskLanguage}

// A likelihood is a column of a file of a language model.
type likelihood struct {
	name string
	sign float64 // that makes a negative log-likelihood of its values
	list bool    // a value for each token
}

// likelihoods are the columns that such a file has one of.
var likelihoods = []likelihood{
	{"nll", 1, false}, {"negative_log_likelihood", 1, false},
	{"log_probability", -1, false}, {"logprob", -1, false}, {"log_likelihood", -1, false},
	{"token_logprobs", -1, true}, {"log_probabilities", -1, true},
}

// written says which of text, ranking and language a file holds, whose rows have no
// class and no number to be predicted; "" for others.
func (o *CompareOptions) written(path string) (string, error) {
	switch {
	case o.Task != "" && !slices.Contains(Tasks, o.Task):
		return "", mistake("--task: found %q, expected one of %s", o.Task, strings.Join(Tasks, ", "))
	case o.Query != "" && o.Task != "" && o.Task != TaskRanking:
		return "", mistake("--query is of --task ranking, found --task %s: remove one of them", o.Task)
	case o.Query != "":
		return TaskRanking, nil
	case o.Task == TaskRanking:
		return "", mistake("--task ranking needs --query COLUMN, whose rows are ranked together")
	case o.Task == TaskSet:
		return "", nil
	case o.Task != "":
		return o.Task, nil
	case o.File != "" || o.Target != "":
		return "", nil
	}
	have, err := data.Columns(path, o.Data)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(truthNames, func(n string) bool { return slices.Contains(have, n) }) {
		return "", nil
	}
	for _, l := range likelihoods {
		if slices.Contains(have, l.name) {
			return TaskLanguage, nil
		}
	}
	return "", nil
}

// readWritten reads such a file, which has the truth itself.
func (o *CompareOptions) readWritten(path, kind string) (*metric.Sample, []string, error) {
	switch {
	case o.File != "":
		return nil, nil, mistake("--data: a file of predictions of the task %s has the truth itself: put both into one file", kind)
	case o.Weight != "" && kind == TaskRanking:
		return nil, nil, mistake("--weight: every query counts the same: leave it out")
	case kind == TaskLanguage:
		return o.readLikelihoods(path)
	}
	if err := o.findTruth([]*candidate{{name: path, path: path}}); err != nil {
		return nil, nil, err
	}
	o.File = ""
	have, err := data.Columns(path, o.Data)
	if err != nil {
		return nil, nil, err
	}
	prediction := o.Columns["prediction"]
	for _, name := range []string{"prediction", "predicted", "score"} {
		if prediction == "" && slices.Contains(have, name) {
			prediction = name
		}
	}
	if prediction == "" {
		return nil, nil, mistake("%s has no predictions: expected a column prediction, or one that --columns prediction=COLUMN names; found %q", path, have)
	}
	of := data.Number
	if kind == TaskText {
		of = data.Text
	}
	schema := data.Schema{{Name: o.Target, Type: of}, {Name: prediction, Type: of}}
	if kind == TaskRanking {
		schema = append(schema, data.Field{Name: o.Query, Type: data.Identifier})
	}
	t, err := o.readColumns(path, have, schema)
	if err != nil {
		return nil, nil, err
	}
	truth, answer := t.Column(o.Target), t.Column(prediction)
	if kind == TaskText {
		s := &metric.Sample{Kind: metric.Text, Weight: weightsOf(t, o.Weight)}
		for i := range t.Rows {
			s.Answers, s.References = append(s.Answers, answer.Text(i)), append(s.References, []string{truth.Text(i)})
		}
		signature, err := metric.BLEUSignature("bleu", 1)
		if err != nil {
			return nil, nil, err
		}
		return s, []string{"signature of bleu: " + signature}, nil
	}
	s := &metric.Sample{Kind: metric.Ranking, Target: truth.Numbers, Pred: answer.Numbers}
	queries := map[string]int{}
	for i := range t.Rows {
		for _, col := range t.Columns {
			if col.Missing(i) {
				return nil, nil, mistake("%s, row %d: %s is missing: every row needs its query, relevance and score", path, i+1, col.Name)
			}
		}
		if s.Target[i] < 0 {
			return nil, nil, mistake("%s, row %d: the relevance %s is %v, expected 0 (not relevant) or more", path, i+1, o.Target, s.Target[i])
		}
		id := t.Column(o.Query).Text(i)
		if _, ok := queries[id]; !ok {
			queries[id] = len(queries)
		}
		s.Query = append(s.Query, queries[id])
	}
	return s, []string{fmt.Sprintf("%d queries, each counting the same", len(queries))}, nil
}

// readColumns reads columns of a file, and the weights.
func (o *CompareOptions) readColumns(path string, have []string, schema data.Schema) (*data.Table, error) {
	if o.Weight != "" {
		schema = append(schema, data.Field{Name: o.Weight, Type: data.Number})
	}
	for _, f := range schema {
		if !slices.Contains(have, f.Name) {
			return nil, mistake("%s has no column %q%s", path, f.Name, didYouMean(f.Name, have))
		}
	}
	read := o.Data
	read.Schema = schema
	t, _, err := data.Read(path, read)
	if err != nil {
		return nil, err
	}
	return t, checkWeights(t, o.Weight, path, nil)
}

// readLikelihoods reads a file of a language model: for each row nll (in nats) or a
// log-probability, of a whole text with its tokens, of one token, or a list with one
// for each token of a text; and bytes, or the text itself.
func (o *CompareOptions) readLikelihoods(path string) (*metric.Sample, []string, error) {
	have, err := data.Columns(path, o.Data)
	if err != nil {
		return nil, nil, err
	}
	of := slices.IndexFunc(likelihoods, func(l likelihood) bool { return slices.Contains(have, l.name) })
	column := o.Columns["prediction"]
	switch {
	case column != "":
		of = 0 // in nats, as nll
	case of >= 0:
		column = likelihoods[of].name
	default:
		var names []string
		for _, l := range likelihoods {
			names = append(names, l.name)
		}
		return nil, nil, mistake("%s has no likelihoods: expected a column %s, or one of nll that --columns prediction=COLUMN names; found %q", path, strings.Join(names, ", "), have)
	}
	l := likelihoods[of]
	kind := data.Number
	if l.list {
		kind = data.Text
	}
	schema := data.Schema{{Name: column, Type: kind}}
	has := map[string]bool{}
	for name, kind := range map[string]data.Type{"tokens": data.Number, "bytes": data.Number, "text": data.Text} {
		if has[name] = slices.Contains(have, name) && name != column; has[name] {
			schema = append(schema, data.Field{Name: name, Type: kind})
		}
	}
	t, err := o.readColumns(path, have, schema)
	if err != nil {
		return nil, nil, err
	}
	s := &metric.Sample{Kind: metric.Language, Weight: weightsOf(t, o.Weight)}
	var notes []string
	for i := range t.Rows {
		for _, col := range t.Columns {
			if col.Missing(i) && col.Name != o.Weight {
				return nil, nil, mistake("%s, row %d: %s is missing: every row needs its own", path, i+1, col.Name)
			}
		}
		nll, tokens := 0.0, 1.0
		if l.list {
			values, err := numbersOf(t.Column(column).Text(i))
			if err != nil {
				return nil, nil, mistake("%s, row %d: %s: %v", path, i+1, column, err)
			}
			for _, v := range values {
				nll -= v
			}
			tokens = float64(len(values))
		} else {
			nll = l.sign * t.Column(column).Numbers[i]
		}
		if has["tokens"] {
			tokens = t.Column("tokens").Numbers[i]
		}
		if nll < 0 {
			return nil, nil, mistake("%s, row %d: %s says that the text is likelier than certain (%v nats): log-probabilities are 0 or less, nll is 0 or more", path, i+1, column, nll)
		}
		s.Pred, s.Target = append(s.Pred, nll), append(s.Target, tokens)
		switch {
		case has["bytes"]:
			s.Bytes = append(s.Bytes, t.Column("bytes").Numbers[i])
		case has["text"]:
			s.Bytes = append(s.Bytes, float64(len(t.Column("text").Text(i))))
		}
	}
	if !has["tokens"] && !l.list {
		notes = append(notes, "each row is one token: there is no column tokens")
	}
	if s.Bytes == nil {
		notes = append(notes, "bits per byte are left out: there is no column bytes, and no text")
	}
	o.Target = column
	return s, notes, nil
}

// numbersOf reads a list of numbers, as JSON or with spaces between.
func numbersOf(text string) ([]float64, error) {
	var values []float64
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			return nil, fmt.Errorf("found %.40q, expected a list of numbers", text)
		}
	} else {
		for _, f := range strings.Fields(text) {
			v, err := strconv.ParseFloat(f, 64)
			if err != nil {
				return nil, fmt.Errorf("found %.40q, expected numbers with spaces between", text)
			}
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return nil, errors.New("the list is empty, expected a number for each token")
	}
	return values, nil
}

// compareWritten is Compare of files that hold texts, rankings or likelihoods; nil
// where they hold something else.
func (o CompareOptions) compareWritten(all []*candidate, groups runGroups) (*Comparison, error) {
	if all[0].model != nil && o.Task == "" && o.Query == "" {
		return nil, nil
	}
	kind, err := o.written(all[0].path)
	if err != nil || kind == "" {
		return nil, err
	}
	c := &Comparison{File: all[0].path, Notes: []string{}, Weight: o.Weight}
	var entries []evaluate.Entry
	for i, one := range all {
		if one.model != nil {
			return nil, mistake("%s is a bundle, which predicts no %s: give files of predictions alone", one.name, kind)
		}
		of := o
		s, notes, err := of.readWritten(one.path, kind)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			c.Target = of.Target
		}
		for _, n := range notes {
			if i == 0 || kind == TaskLanguage {
				c.Notes = append(c.Notes, n)
			}
		}
		entries = append(entries, evaluate.Entry{Name: one.name, Sample: s})
	}
	c.Notes = slices.Compact(c.Notes)
	board, err := rank(entries, groups, o.RankOptions)
	if err != nil {
		return nil, mistake("%s: %v", o.Models[0], err)
	}
	c.Leaderboard = *board
	for _, s := range board.Standings {
		at := slices.IndexFunc(all, func(one *candidate) bool { return one.name == groups.first(s.Name) })
		c.Standings = append(c.Standings, Compared{Kind: "predictions", Path: all[at].path, Standing: s})
	}
	return c, nil
}
