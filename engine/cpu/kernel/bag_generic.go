package kernel

func sumAtGeneric(dst, x []float32, at []int32, stride int, accumulate bool) {
	if !accumulate {
		clear(dst)
	}
	for _, i := range at {
		if i < 0 {
			continue
		}
		for c, v := range x[int(i)*stride:][:len(dst)] {
			dst[c] += v
		}
	}
}

func sumAtScaledGeneric(dst, x []float32, at []int32, scale []float32, stride int, accumulate bool) {
	if !accumulate {
		clear(dst)
	}
	for j, i := range at {
		if i < 0 {
			continue
		}
		for c, v := range x[int(i)*stride:][:len(dst)] {
			t := v * scale[j]
			dst[c] += float32(t)
		}
	}
}

// fetchRowsGeneric has no result, and Go no such instruction.
func fetchRowsGeneric([]float32, []int32, int, int) {}
