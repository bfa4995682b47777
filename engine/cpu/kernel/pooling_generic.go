package kernel

import "math"

// poolMaxGeneric finds the maximum of each of a row of windows of kh by kw, for
// every channel, and its place. Windows lie window apart in x and their rows
// row. Places are counted from from on, with skip left out after a row. A
// window with a NaN gives one. y or place may be empty where it is not wanted.
func poolMaxGeneric(y []float32, place []int32, x []float32, windows, channels, kh, kw, window, row, from, skip int) {
	for w := range windows {
		for c := range channels {
			best, where, i := float32(math.Inf(-1)), from, from
			for p := range kh {
				for q := range kw {
					if v := x[w*window+p*row+q*channels+c]; v > best || v != v {
						best, where = v, i
					}
					i++
				}
				i += skip
			}
			if len(y) > 0 {
				y[w*channels+c] = best
			}
			if len(place) > 0 {
				place[w*channels+c] = int32(where)
			}
		}
	}
}

// maxSpreadGeneric adds each window's dy to dx at the place of its maximum, and
// 0 at the others.
func maxSpreadGeneric(dx, dy []float32, place []int32, windows, channels, kh, kw, window, row, from, skip int) {
	for w := range windows {
		for c := range channels {
			i := from
			for p := range kh {
				for q := range kw {
					hit := float32(0)
					if place[w*channels+c] == int32(i) {
						hit = dy[w*channels+c]
					}
					dx[w*window+p*row+q*channels+c] += hit
					i++
				}
				i += skip
			}
		}
	}
}
