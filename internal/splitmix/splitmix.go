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

// Draws are numbers that follow from a key: the state of a generator.
type Draws uint64

// Float returns the next number, from 0 up to 1.
func (d *Draws) Float() float64 {
	z := Next(uint64(*d))
	*d += Gamma
	return float64(z>>11) / (1 << 53)
}

// Around returns a number from -most up to most.
func (d *Draws) Around(most float64) float64 { return (2*d.Float() - 1) * most }
