package kernel

import "math"

const lanes = 16

func sumGeneric(x []float32) float32 {
	var l [lanes]float32
	for i, v := range x {
		l[i%lanes] += v
	}
	return sumLanes(&l)
}

func sumLanes(l *[lanes]float32) float32 {
	for n := lanes / 2; n > 0; n /= 2 {
		for i := range n {
			l[i] += l[i+n]
		}
	}
	return l[0]
}

func reduceMaxGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

func sumRowsGeneric(dst, x []float32, rows, stride int, accumulate bool) {
	if !accumulate {
		clear(dst)
	}
	for r := range rows {
		for c, v := range x[r*stride:][:len(dst)] {
			dst[c] += v
		}
	}
}
