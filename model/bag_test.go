package model

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestBagIsTheMean saves and loads a bag of each task: it predicts the mean of
// its members, bit for bit, of one row as of many.
func TestBagIsTheMean(t *testing.T) {
	rows, unseen := table(t, 120, 3), table(t, 700, 4) // more than a block
	for _, target := range []string{"churn", "product", "price"} {
		for name, network := range map[string]Network{"mlp": &MLP{Widths: []int{8}, Activation: "relu", Norm: "batch", Dropout: 0.2}, "linear": &Linear{}} {
			first := fitted(t, rows, target, network)
			var members []*Model
			for i := range 3 {
				m := first.With(first.Output, network)
				m.Member = i
				learn(t, m, rows.Slice(30*i, 30*i+60), 3)
				members = append(members, m)
			}
			bag, err := Bag(members)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "bag.hone")
			if err := bag.Save(path, "test"); err != nil {
				t.Fatal(err)
			}
			loaded, _, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := loaded.Parameters(); n != 3*members[0].Parameters() {
				t.Errorf("%d parameters, a member has %d", n, members[0].Parameters())
			}
			got := predict(t, loaded, unseen)
			if !sameBits(got, predict(t, bag, unseen)) {
				t.Errorf("%s, %s: the loaded bag predicts otherwise", target, name)
			}
			each := []*Predictions{predict(t, members[0], unseen), predict(t, members[1], unseen), predict(t, members[2], unseen)}
			for i, v := range got.Prob {
				if want := (each[0].Prob[i] + each[1].Prob[i] + each[2].Prob[i]) / 3; v != want {
					t.Fatalf("%s, %s: probability %d is %v, want %v", target, name, i, v, want)
				}
			}
			for i, v := range got.Value {
				if want := (each[0].Value[i] + each[1].Value[i] + each[2].Value[i]) / 3; v != want {
					t.Fatalf("%s, %s: value %d is %v, want %v", target, name, i, v, want)
				}
			}
			for i, class := range got.Class {
				for k := range got.Classes {
					if got.ClassProbability(i, k) > got.ClassProbability(i, class)+1e-15 {
						t.Fatalf("%s: row %d is of class %d, the more probable is %d", target, i, class, k)
					}
				}
			}
			for _, i := range []int{0, 511, 699} {
				one := predict(t, loaded, unseen.Slice(i, i+1))
				if !sameBits(one, rowOf(got, i)) {
					t.Errorf("%s, %s: row %d is predicted otherwise by itself", target, name, i)
				}
			}
		}
	}
}

func rowOf(p *Predictions, i int) *Predictions {
	q := &Predictions{Kind: p.Kind, Classes: p.Classes}
	if p.Value != nil {
		q.Value = p.Value[i : i+1]
		return q
	}
	width := len(p.Prob) / len(p.Class)
	q.Prob, q.Class = p.Prob[i*width:(i+1)*width], p.Class[i:i+1]
	return q
}

func TestBagErrors(t *testing.T) {
	rows := table(t, 60, 3)
	a := fitted(t, rows, "churn", &Linear{})
	learn(t, a, rows, 1)
	b := fitted(t, rows.Slice(0, 30), "churn", &Linear{}) // features fitted on other rows
	learn(t, b, rows, 1)
	b.Member = 1
	bag, err := Bag([]*Model{a})
	if err != nil {
		t.Fatal(err)
	}
	for want, models := range map[string][]*Model{
		"needs a model":                            nil,
		"at most 100":                              make([]*Model, MaxMembers+1),
		"model 2 of a bag has other":               {a, b},
		"or is a bag itself":                       {bag},
		"model 2 of a bag was trained as number 1": {a, a},
	} {
		if _, err := Bag(models); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
	parts, err := bag.Parts()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"2", "-1"} {
		text := strings.ReplaceAll(string(parts[0].Content), `"members": 1`, `"members": `+n)
		if _, err := fromParts([]byte(text), parts[1].Content); err == nil {
			t.Errorf("a bundle with %s members is loaded", n)
		}
	}
	if _, err := fromParts([]byte(strings.ReplaceAll(string(parts[0].Content), `"members": 1`, `"members": 1000000000`)), parts[1].Content); err == nil || !strings.Contains(err.Error(), "at most 100") {
		t.Errorf("a billion members: %v", err)
	}
}
