package splitmix

import "testing"

// TestNext: the first numbers from seed 1234567, as the algorithm's public
// implementation gives them (Rosetta Code, "Pseudo-random numbers/Splitmix64").
func TestNext(t *testing.T) {
	state := uint64(1234567)
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		if got := Next(state); got != want {
			t.Errorf("number %d is %d, expected %d", i, got, want)
		}
		state += Gamma
	}
}
