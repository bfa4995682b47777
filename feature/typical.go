package feature

// Typical returns a value that stands for a column where nothing else is known of a
// row, from what was fitted on the training rows: the median of numbers and dates,
// the commonest category, for everything else a missing value (nil). A boolean that
// is missing lies between false and true, a text is empty, an image all mean.
func Typical(in Input) any {
	switch f := in.(type) {
	case *Number:
		return f.middle()
	case *Datetime:
		return f.Time.middle() * secondsPerDay
	case *Category:
		if len(f.Values) > 0 {
			return f.Values[0]
		}
	}
	return nil
}

// middle is the median, or the mean in a bundle that was written without.
func (n *Number) middle() float64 {
	if n.Median == nil {
		return n.Mean
	}
	return *n.Median
}
