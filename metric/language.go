package metric

import (
	"fmt"
	"math"
)

// The metrics of a language model's likelihood of given texts.

var (
	perplexity = Metric{
		Name: "perplexity", Aliases: []string{"ppl"}, Label: "Perplexity",
		Doc:     "Among how many equally likely tokens the model would be as unsure. It depends on the tokens: compare models of one tokenizer.",
		Formula: "exp(Σ w·nll / Σ w·tokens)",
		Source:  "Jelinek et al. 1977, Perplexity: a measure of the difficulty of speech recognition tasks; torchmetrics Perplexity",
		Kinds:   []Kind{Language}, Needs: Pred,
		Compute: func(s *Sample) float64 { return math.Exp(s.nats(s.Target)) },
		Partial: func(*Sample, StreamOptions) Partial {
			return &natsPartial{size: func(s *Sample) []float64 { return s.Target }, of: math.Exp}
		},
	}

	bitsPerByte = Metric{
		Name: "bits_per_byte", Aliases: []string{"bpb"}, Label: "Bits per byte",
		Doc:     "To how many bits a byte of the text would be packed by the model: the same for every tokenizer.",
		Formula: "Σ w·nll / ln 2 / Σ w·bytes",
		Source:  "Gao et al. 2020, The Pile, section 3.1",
		Kinds:   []Kind{Language}, Needs: Pred | Bytes,
		Compute: func(s *Sample) float64 { return s.nats(s.Bytes) / math.Ln2 },
		Partial: func(*Sample, StreamOptions) Partial {
			return &natsPartial{size: func(s *Sample) []float64 { return s.Bytes }, of: func(v float64) float64 { return v / math.Ln2 }}
		},
	}
)

// nats is the negative log-likelihood over the size of all texts.
func (s *Sample) nats(size []float64) float64 {
	nll, all := 0.0, 0.0
	for i, w := range s.Weight {
		nll += w * s.Pred[i]
		all += w * size[i]
	}
	return nll / all
}

func (s *Sample) checkLengths() error {
	for i, n := range s.Target {
		if !(n > 0) {
			return fmt.Errorf("row %d: the number of tokens is %v, expected more than 0", i, n)
		}
	}
	for i, n := range s.Bytes {
		if !(n > 0) || math.IsInf(n, 0) {
			return fmt.Errorf("row %d: the number of bytes is %v, expected more than 0", i, n)
		}
	}
	return nil
}

type natsPartial struct {
	nll, all float64
	size     func(s *Sample) []float64
	of       func(nats float64) float64
}

func (p *natsPartial) Add(s *Sample) error {
	size := p.size(s)
	for i, w := range s.Weight {
		p.nll += w * s.Pred[i]
		p.all += w * size[i]
	}
	return nil
}

func (p *natsPartial) Merge(other Partial) error {
	o := other.(*natsPartial)
	p.nll += o.nll
	p.all += o.all
	return nil
}

func (p *natsPartial) Value() (float64, error) { return p.of(p.nll / p.all), nil }
func (p *natsPartial) Close() error            { return nil }
