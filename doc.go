// Package hone loads trained models and predicts with them, for services that
// only predict. Training is the command's (cmd/hone), or package train's.
//
//	m, err := hone.Load("churn.hone")
//	out, err := m.Predict(ctx, hone.Row{"tenure": 12, "plan": "pro"})
//	fmt.Println(out.Value, out.Probability)
package hone
