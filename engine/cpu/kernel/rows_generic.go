package kernel

import "math"

func normRowGeneric(dst, x, gain, shift []float32, m, s float32) {
	for i := range dst {
		dst[i] = float32(float32(float32(x[i]-m)*s)*gain[i]) + shift[i]
	}
}

func normGradRowGeneric(dst, x, gain, dy []float32, m, a, c, s float32) {
	for i := range dst {
		dst[i] = float32(float32(float32(dy[i]*gain[i])-a)-float32(float32(x[i]-m)*c)) * s
	}
}

func addNormRowGeneric(dst, sum, x, dy []float32, m, s float32) {
	for i := range dst {
		dst[i] = sum[i] + float32(dy[i]*float32(float32(x[i]-m)*s))
	}
}

func sumSquaresGeneric(x []float32, m float32) float32 {
	var l [lanes]float32
	for i, v := range x {
		d := v - m
		l[i%lanes] += float32(d * d)
	}
	return sumLanes(&l)
}

func sumExpGeneric(x []float32, m float32) float32 {
	var l [lanes]float32
	for i, v := range x {
		l[i%lanes] += exp32(v - m)
	}
	return sumLanes(&l)
}

func sumProductsGeneric(x, y []float32) float32 {
	var l [lanes]float32
	for i, v := range x {
		l[i%lanes] += float32(v * y[i])
	}
	return sumLanes(&l)
}

func sumTriplesGeneric(x, y, z []float32, m float32) float32 {
	var l [lanes]float32
	for i, v := range x {
		l[i%lanes] += float32(float32(v*y[i]) * float32(z[i]-m))
	}
	return sumLanes(&l)
}

func softmaxRowGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	var l [lanes]float32
	for i, v := range x {
		x[i] = exp32(v - m)
		l[i%lanes] += x[i]
	}
	return sumLanes(&l)
}

func softmaxRowsGeneric(x, sums []float32, rows, stride, n, more, most int) {
	for r := range rows {
		sums[r] = softmaxRowGeneric(x[r*stride:][:min(n+r*more, most)])
	}
}

func scaleRowsGeneric(dst, x, s []float32, rows, n, apart, row int) {
	for r := range rows {
		mulSGeneric(dst[r*apart:][:n], x[r*row:], s[r])
	}
}

func dotRowsGeneric(dst, x, y []float32, rows, n, rowX, rowY int) {
	for r := range rows {
		dst[r] = sumProductsGeneric(x[r*rowX:][:n], y[r*rowY:])
	}
}

func slopeRowsGeneric(dst, e, d []float32, rows, stride, n, more, most int) {
	for r := range rows {
		for i := r * stride; i < r*stride+min(n+r*more, most); i++ {
			dst[i] = e[i] * float32(dst[i]-d[r])
		}
	}
}

func maxRowGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m + 0
}
