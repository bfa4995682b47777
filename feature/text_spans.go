package feature

// A Gram is an n-gram where it stands in a text.
type Gram struct {
	Place      int32 // its number, as Transform writes it
	Start, End int   // in the text, in bytes
}

// Grams returns the n-grams of a text that have a vector, each as often as it stands
// there. In scripts and signs that the Unicode form writes otherwise, a gram
// reaches over whole characters of the text.
func (f *NGrams) Grams(text string) []Gram {
	// from and to are where a byte of the Unicode form came from.
	var from, to []int
	for lo := 0; lo < len(text); {
		hi := lo + f.boundary(text[lo:])
		for range len(f.appendTo(nil, text[lo:hi])) {
			from, to = append(from, lo), append(to, hi)
		}
		lo = hi
	}
	s := ngramScanner{trace: true}
	var out []Gram
	for i, h := range s.scan(text, f) {
		place, ok := f.index[h]
		if at := s.spans[i]; ok && at.lo < at.hi {
			out = append(out, Gram{place, from[at.lo], to[at.hi-1]})
		}
	}
	return out
}
