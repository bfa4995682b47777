package kernel

// MultiplyAdds runs rounds of independent multiply-adds in registers and
// returns how many floating-point operations that were, two each. Their rate
// is the ceiling of a core's matrix products with the implementation in use.
func MultiplyAdds(rounds int) (operations int) {
	if rounds > 0 {
		multiplyAdds(rounds)
	}
	return rounds * 12 * 2 * width[active]
}

// width is how many float32 a vector of each implementation has.
var width = [...]int{pathGeneric: 1, pathAVX2: 8, pathAVX512: 16}

func multiplyAddsGeneric(rounds int) {
	var sums [12]float32
	for range rounds {
		for i := range sums {
			sums[i] = fma32(0, 0, sums[i])
		}
	}
}
