package metric

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkStream sums up a million rows.
func BenchmarkStream(b *testing.B) {
	const n, batch = 1 << 20, 1 << 15
	r := rand.New(rand.NewPCG(1, 1))
	s := &Sample{Kind: Binary}
	num := &Sample{Kind: Regression}
	for range n {
		y := float64(r.IntN(2))
		p := (y + r.Float64()) / 2
		s.Target, s.Prob, s.Pred = append(s.Target, y), append(s.Prob, p), append(s.Pred, float64(int(p+0.5)))
		v := r.ExpFloat64() + 0.1
		num.Target, num.Pred = append(num.Target, v), append(num.Pred, v*(0.5+r.Float64()))
	}
	part := func(s *Sample, from int) *Sample {
		c := *s
		c.Target, c.Pred = s.Target[from:from+batch], s.Pred[from:from+batch]
		if s.Prob != nil {
			c.Prob = s.Prob[from : from+batch]
		}
		return &c
	}
	for _, c := range []struct {
		s     *Sample
		names []string
	}{
		{s, []string{"accuracy"}}, {s, []string{"log_loss"}}, {s, []string{"roc_auc"}}, {s, []string{"accuracy", "log_loss", "roc_auc", "average_precision"}},
		{num, []string{"mae"}}, {num, []string{"median_ae"}}, {num, []string{"spearman"}},
	} {
		b.Run(c.names[0]+map[bool]string{true: "+"}[len(c.names) > 1], func(b *testing.B) {
			var ms []*Metric
			for _, name := range c.names {
				m, err := Lookup(name)
				if err != nil {
					b.Fatal(err)
				}
				ms = append(ms, m)
			}
			for b.Loop() {
				st, err := NewStream(c.s.Kind, nil, ms, StreamOptions{Memory: 8 << 20, Dir: b.TempDir()})
				if err != nil {
					b.Fatal(err)
				}
				for i := 0; i < n; i += batch {
					if err := st.Add(part(c.s, i)); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := st.Values(); err != nil {
					b.Fatal(err)
				}
				if err := st.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTenThousandResamples is of 100,000 rows.
func BenchmarkTenThousandResamples(b *testing.B) {
	s := churnLike(100_000, 1)
	for _, m := range []*Metric{&accuracy, &logLoss, &rocAUC} {
		b.Run(m.Name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Bootstrap(s, []*Metric{m}, 10_000, 0.95, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
