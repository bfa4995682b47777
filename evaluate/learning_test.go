package evaluate

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/hone-ml/hone/metric"
)

// learnt are predictions of the same rows whose deviation from the truth is what error
// says of each number of rows, of which a part is the same for all.
func learnt(r *rand.Rand, judged int, rows []int, error func(rows float64) float64) LearningInput {
	in := LearningInput{Target: "y", Rows: rows}
	shared := make([]float64, judged)
	for i := range shared {
		shared[i] = r.NormFloat64()
	}
	for _, n := range rows {
		s := &metric.Sample{Kind: metric.Regression, Target: make([]float64, judged)}
		for i := range judged {
			s.Pred = append(s.Pred, error(float64(n))*(0.8*shared[i]+0.6*r.NormFloat64()))
		}
		in.Samples = append(in.Samples, s)
	}
	return in
}

var sixteen = []int{625, 1250, 2500, 5000, 10000}

func rmse(t *testing.T) *metric.Metric {
	t.Helper()
	m, err := metric.Lookup("rmse")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFitLaw(t *testing.T) {
	for _, want := range []PowerLaw{{0.1, 0.05, 0.5, 10000}, {0, 0.3, 0.25, 10000}, {0.2, 0.01, 1, 10000}} {
		var rows, errs, weights []float64
		for _, n := range sixteen {
			rows, errs, weights = append(rows, float64(n)), append(errs, want.At(float64(n))), append(weights, 1)
		}
		got := fitLaw(rows, errs, weights)
		if math.Abs(got.A-want.A) > 1e-3 || math.Abs(got.B-want.B) > 1e-3 || math.Abs(got.C-want.C) > 1e-2 {
			t.Errorf("%+v, expected %+v", got, want)
		}
	}
}

// What is said of twice the rows holds as often as it should, and is said where there
// is something to gain.
func TestLearn(t *testing.T) {
	opts := Options{Bootstrap: 200, Level: 0.95, Seed: 1}
	const rounds = 40
	for _, c := range []struct {
		law     PowerLaw
		verdict string
		often   int // at least, of the rounds
	}{
		{PowerLaw{0.02, 0.2, 0.4, 10000}, MoreDataHelps, rounds / 2},
		{PowerLaw{0.4, 0.002, 0.9, 10000}, LittleToGain, rounds / 3},
	} {
		held, said := 0, 0
		for round := range rounds {
			in := learnt(rand.New(rand.NewPCG(uint64(round), 5)), 2000, sixteen, c.law.At)
			got, err := Learn(in, rmse(t), opts)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict == c.verdict {
				said++
			}
			if got.Next == nil { // says nothing
				held++
				continue
			}
			if truth := c.law.At(20000); got.Next.Rows == 20000 && got.Next.Value.Low <= truth && truth <= got.Next.Value.High {
				held++
			}
		}
		if held < rounds*85/100 {
			t.Errorf("%+v: the interval held %d of %d times", c.law, held, rounds)
		}
		if said < c.often {
			t.Errorf("%+v: %q was said %d of %d times", c.law, c.verdict, said, rounds)
		}
	}
}

func TestLearnSaysNothing(t *testing.T) {
	opts := Options{Bootstrap: 200, Level: 0.95, Seed: 1}
	r := rand.New(rand.NewPCG(3, 5))
	flat, err := Learn(learnt(r, 300, sixteen, func(float64) float64 { return 1 }), rmse(t), opts)
	if err != nil || flat.Verdict != SaysNothing || flat.Law != nil || !strings.Contains(flat.Sentence, "chance explains") {
		t.Errorf("a flat curve: %+v, %v", flat, err)
	}
	few := learnt(r, 300, sixteen[:3], func(n float64) float64 { return 10 / math.Sqrt(n) })
	short, err := Learn(few, rmse(t), opts)
	if err != nil || short.Verdict != SaysNothing || !strings.Contains(short.Sentence, "3 points are too few") || !(short.Last.High < 0) {
		t.Errorf("three points: %+v, %v", short, err)
	}
	again, err := Learn(few, rmse(t), opts)
	if err != nil || !reflect.DeepEqual(short, again) {
		t.Errorf("the same again differs: %+v, %v", again, err)
	}
	if _, err := Learn(learnt(r, 300, sixteen[:1], func(float64) float64 { return 1 }), rmse(t), opts); err == nil {
		t.Error("one point was taken")
	}
}
