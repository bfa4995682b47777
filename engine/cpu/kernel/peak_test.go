package kernel

import "testing"

func TestMultiplyAdds(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		if n := MultiplyAdds(0); n != 0 {
			t.Errorf("no rounds: %d operations", n)
		}
		if n, want := MultiplyAdds(10), 10*12*2*width[active]; n != want {
			t.Errorf("10 rounds: %d operations, want %d", n, want)
		}
	})
}
