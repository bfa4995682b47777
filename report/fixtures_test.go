package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/hone-ml/hone/evaluate"
	"github.com/hone-ml/hone/metric"
)

const config = `name: churn
data:
  source: churn.csv # 20,000 rows
outputs:
  - {name: churned, type: category}
train: {epochs: 30, batch_size: 64}
`

// facts are what the three reports have in common.
func facts(name string, res *evaluate.Result) *Report {
	return &Report{
		Name: name, RunID: "2026-11-24-7f3a", Seed: 42, Date: "24 November 2026, 16:20 UTC", Version: "0.1.0",
		Machine: "linux/amd64, 2 cores, AVX-512", Config: config, Network: "mlp 128–64, dropout 0.1",
		Parameters: 23937, TrainingSeconds: 21.4, LatencyMS: 0.043, Bundle: name + ".hone", Result: res,
		Data: Data{
			Rows: 20000,
			Sources: []Source{
				{Role: "train", Path: "churn.csv", Rows: 20000, Fingerprint: "9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab"},
			},
			Used: []Column{
				{"tenure", "number", "0 to 72, 1.2% missing"}, {"plan", "category", "4 values"},
				{"signed_up", "datetime", "2019-01-02 to 2024-12-30"}, {"paperless", "boolean", ""},
			},
			LeftOut: []LeftOut{
				{"customer_id", "identifier: 20,000 different values in 20,000 rows"},
				{"cancel_reason", "gives the target away: known for 99.8% of churned rows and for no other"},
			},
			Findings: []Finding{{"31 rows occur twice.", "Set data.duplicates: drop to train on each once."}},
		},
	}
}

func evaluated(t testing.TB, in evaluate.Input) *evaluate.Result {
	t.Helper()
	res, err := evaluate.Evaluate(in, evaluate.Options{Bootstrap: 100, Level: 0.95, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func binarySample(rng *rand.Rand, scores []float64, truth []float64, blur, bias float64) *metric.Sample {
	s := &metric.Sample{Kind: metric.Binary, Classes: []string{"no", "yes"}, Target: truth}
	for _, z := range scores {
		p := sigmoid(z*(1-blur/2) + blur*rng.NormFloat64() + bias)
		s.Prob = append(s.Prob, p)
		s.Pred = append(s.Pred, math.Round(p))
	}
	return s
}

func curves(epochs int, floor, gap float64) []evaluate.Epoch {
	rng := rand.New(rand.NewPCG(5, 5))
	var out []evaluate.Epoch
	for e := 1; e <= epochs; e++ {
		x := float64(e)
		fall := math.Exp(-x / 4)
		val := floor + 0.28*fall + gap*math.Max(0, x-12)/40 + 0.002*rng.NormFloat64()
		out = append(out, evaluate.Epoch{
			Epoch: e, TrainLoss: evaluate.Number(floor - 0.01 + 0.3*fall - gap*x/150), ValidationLoss: evaluate.Number(val),
			Metric: evaluate.Number(0.9 - 0.2*fall - gap*math.Max(0, x-12)/100 + 0.001*rng.NormFloat64()), LearningRate: evaluate.Number(1e-3 * (1 + math.Cos(math.Pi*x/float64(epochs))) / 2),
		})
	}
	return out
}

func binaryReport(t testing.TB) *Report {
	rng := rand.New(rand.NewPCG(1, 2))
	var scores, truth []float64
	for range 1500 {
		z := 2.2*rng.NormFloat64() - 1.2
		y := 0.0
		if rng.Float64() < sigmoid(z) {
			y = 1
		}
		scores, truth = append(scores, z), append(truth, y)
	}
	model := binarySample(rng, scores, truth, 0.3, 0)
	return facts("churn", evaluated(t, evaluate.Input{
		Target: "churned", Rows: evaluate.Rows{Train: 14000, Validation: 2000, Test: 1500}, Test: model, Validation: model,
		Baselines: map[string]*metric.Sample{
			"linear":  binarySample(rng, scores, truth, 0.9, 0.2),
			"trivial": binarySample(rng, make([]float64, len(scores)), truth, 0, -1),
		},
		Training: evaluate.Training{Epochs: curves(24, 0.33, 0.06), Best: 13, Metric: "roc_auc"},
	}))
}

func multiclassSample(rng *rand.Rand, truth []float64, classes []string, skill float64) *metric.Sample {
	k := len(classes)
	s := &metric.Sample{Kind: metric.Multiclass, Classes: classes, Target: truth}
	for _, t := range truth {
		p := make([]float64, k)
		sum, best := 0.0, 0
		for c := range p {
			z := 0.8 * rng.NormFloat64()
			d := math.Abs(float64(c) - t)
			z -= skill * math.Min(d, 2)
			p[c] = math.Exp(z)
			sum += p[c]
			if p[c] > p[best] {
				best = c
			}
		}
		for c := range p {
			p[c] /= sum
		}
		s.Prob = append(s.Prob, p...)
		s.Pred = append(s.Pred, float64(best))
	}
	return s
}

func multiclassReport(t testing.TB) *Report {
	rng := rand.New(rand.NewPCG(3, 4))
	classes := []string{"billing", "technical problem with the line", "cancellation", "upgrade", "投诉", "other"}
	var truth []float64
	for range 900 {
		truth = append(truth, math.Floor(6*math.Pow(rng.Float64(), 1.4)))
	}
	model := multiclassSample(rng, truth, classes, 1.4)
	return facts("tickets", evaluated(t, evaluate.Input{
		Target: "topic", Rows: evaluate.Rows{Train: 7000, Validation: 800, Test: 900}, Test: model, Validation: model,
		Baselines: map[string]*metric.Sample{
			"linear":  multiclassSample(rng, truth, classes, 1.38),
			"trivial": multiclassSample(rng, truth, classes, 0),
		},
		Training: evaluate.Training{Epochs: curves(30, 0.7, 0), Best: 28, Metric: "accuracy"},
	}))
}

func regressionReport(t testing.TB) *Report {
	rng := rand.New(rand.NewPCG(5, 6))
	sample := func(truth []float64, noise, slope, bias float64) *metric.Sample {
		s := &metric.Sample{Kind: metric.Regression, Target: truth}
		for _, y := range truth {
			s.Pred = append(s.Pred, 200000*(1-slope)+slope*y+bias+noise*(0.4+y/300000)*rng.NormFloat64())
		}
		return s
	}
	var truth []float64
	for range 1200 {
		truth = append(truth, math.Min(500001, math.Exp(12.1+0.5*rng.NormFloat64())))
	}
	model := sample(truth, 42000, 0.95, 0)
	r := facts("housing", evaluated(t, evaluate.Input{
		Target: "median_house_value", Rows: evaluate.Rows{Train: 14860, Validation: 1652, Test: 1200}, Test: model, Validation: model,
		Baselines: map[string]*metric.Sample{
			"linear":  sample(truth, 60000, 0.8, 2000),
			"trivial": sample(truth, 0, 0, 0),
		},
		Training: evaluate.Training{Epochs: curves(18, 0.2, 0), Best: 18, Metric: "r2"},
	}))
	r.Data.LeftOut, r.Data.Findings = nil, nil
	return r
}
