package kernel

// SumAt sets dst to the sum of the rows of x whose numbers at holds, in the
// order in which they stand there: row i begins at x[i*stride]. A negative number
// stands for no row. dst[c] = ((0 + x[at[0]*stride+c]) + x[at[1]*stride+c]) + …
// With scale, which is nil or as long as at, each row is multiplied by its number
// first. Rows that x does not have are a programmer's error, and panic.
func SumAt(dst, x []float32, at []int32, scale []float32, stride int) {
	if len(dst) == 0 {
		return
	}
	rows := int32(-1)
	for _, i := range at {
		rows = max(rows, i)
	}
	if rows < 0 {
		clear(dst)
		return
	}
	x = fit(x, int(rows)*stride+len(dst))
	block := max(1, apartAtOnce/max(len(dst), lanes))
	for lo := 0; lo < len(at); lo += block {
		hi := min(lo+block, len(at))
		if scale == nil {
			sumAt(dst, x, at[lo:hi], stride, lo > 0)
		} else {
			sumAtScaled(dst, x, at[lo:hi], scale[lo:hi], stride, lo > 0)
		}
	}
}

// FetchRows begins to fetch n numbers of each of the rows of x that at holds, as
// SumAt has them, into the cache. It does not wait for them: who has other work
// meanwhile finds them there. Of many it fetches the first. Rows that x does not have do no harm.
func FetchRows(x []float32, at []int32, stride, n int) {
	if at = at[:min(len(at), apartAtOnce/max(n, 1))]; len(at) > 0 && n > 0 {
		fetchRows(x, at, stride, n)
	}
}

// apartAtOnce is how many numbers of rows that lie apart one call into assembly
// reads: memory gives them at a fraction of its rate, and a garbage collection
// waits.
const apartAtOnce = 16 << 10
