package splitmix

// Gamma is what a generator's state grows by from number to number.
const Gamma = 0x9e3779b97f4a7c15

// Finish is the finaliser: a bijection whose output bits depend on all input
// bits. It leaves 0 as it is.
func Finish(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Next is the number of a generator whose state was z: Finish one step on.
func Next(z uint64) uint64 { return Finish(z + Gamma) }
