package loss

// Balanced returns the weight of each of k classes by which the classes that
// occur weigh the same in total and a row weighs 1 on average: rows / (classes
// that occur · rows of the class), as scikit-learn's "balanced". A class
// without rows gets 0; labels outside 0 … k−1 are left out.
func Balanced(labels []int32, k int) []float32 {
	count := make([]int, k)
	rows, occur := 0, 0
	for _, c := range labels {
		if c >= 0 && int(c) < k {
			if rows++; count[c] == 0 {
				occur++
			}
			count[c]++
		}
	}
	w := make([]float32, k)
	for i, n := range count {
		if n > 0 {
			w[i] = float32(float64(rows) / (float64(occur) * float64(n)))
		}
	}
	return w
}

// RowWeights returns for each row the weight of its class, which training
// takes as the row's weight. Labels that have no weight get 0.
func RowWeights(labels []int32, class []float32) []float32 {
	w := make([]float32, len(labels))
	for i, c := range labels {
		if c >= 0 && int(c) < len(class) {
			w[i] = class[c]
		}
	}
	return w
}
