package feature

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hone-ml/hone/data"
	"github.com/hone-ml/hone/engine/tensor"
)

// TestNumberAgreesWithScikitLearn holds fits against values recorded from
// scikit-learn 1.9.1: StandardScaler().fit(x), its mean_, scale_ and
// transform(SimpleImputer(strategy=…).fit_transform(x)).
func TestNumberAgreesWithScikitLearn(t *testing.T) {
	x := numbers(3.5, nan, -1.25, 100, 3.5, 0, nan, 7.75)
	for _, c := range []struct {
		imputation string
		want       []float64
	}{
		{"mean", []float64{-0.42381949264836544, 0.0, -0.5544017147075915, 2.229061439712754, -0.42381949264836544, -0.5200379720604268, 0.0, -0.30698276764800525}},
		{"median", []float64{-0.42381949264836544, -0.42381949264836544, -0.5544017147075915, 2.229061439712754, -0.42381949264836544, -0.5200379720604268, -0.42381949264836544, -0.30698276764800525}},
	} {
		f := fitInput(t, withDefaults(t, func(o *NumberOptions) { o.Imputation, o.Indicator = c.imputation, "never" }), x).(*Number)
		if math.Abs(f.Mean-18.916666666666668) > 1e-14 || math.Abs(f.Deviation-36.37554886947488) > 1e-13 {
			t.Errorf("mean %v and deviation %v", f.Mean, f.Deviation)
		}
		near(t, c.imputation, transform(t, f, x)[0].Floats(), c.want, 1e-7)
	}
	constant := numbers(0.1, 0.1, 0.1, 0.1, 0.1)
	f := fitInput(t, withDefaults[NumberOptions](t, nil), constant)
	near(t, "constant", transform(t, f, constant)[0].Floats(), make([]float64, 5), 0)
	large := numbers(1e9+1, 1e9+2, 1e9+3, 1e9+4)
	f = fitInput(t, withDefaults[NumberOptions](t, nil), large)
	near(t, "large", transform(t, f, large)[0].Floats(), []float64{-1.34164079, -0.4472136, 0.4472136, 1.34164079}, 1e-6)
}

func TestNumberOptions(t *testing.T) {
	x := numbers(1, nan, 3)
	for _, c := range []struct {
		change func(*NumberOptions)
		at     *data.Column
		want   []float64
	}{
		// mean 2, deviation 1
		{nil, numbers(2, nan, 3, 1e9, -1e9), []float64{0, 0, 0, 1, 1, 0, 10, 0, -10, 0}},
		{func(o *NumberOptions) { o.Clip = 2.5 }, numbers(9, nan), []float64{2.5, 0, 0, 1}},
		{func(o *NumberOptions) { o.Clip = 0 }, numbers(102), []float64{100, 0}},
		{func(o *NumberOptions) { o.Imputation = "zero" }, numbers(nan), []float64{-2, 1}},
		{func(o *NumberOptions) { o.Scaling = "none" }, numbers(50, nan), []float64{50, 0, 2, 1}},
		{func(o *NumberOptions) { o.Indicator = "never" }, numbers(3, nan), []float64{1, 0}},
	} {
		f := fitInput(t, withDefaults(t, c.change), x)
		near(t, f.Describe(), transform(t, f, c.at)[0].Floats(), c.want, 1e-6)
	}
	// Without missing values in training there is no indicator, unless asked for,
	// and a value that is missing later stands at the mean.
	f := fitInput(t, withDefaults[NumberOptions](t, nil), numbers(1, 3))
	near(t, "none missing in training", transform(t, f, numbers(nan, 3))[0].Floats(), []float64{0, 1}, 1e-7)
	f = fitInput(t, withDefaults(t, func(o *NumberOptions) { o.Indicator, o.Embedding = "always", "none" }), numbers(1, 3))
	near(t, "always", transform(t, f, numbers(nan, 3))[0].Floats(), []float64{0, 1, 1, 0}, 1e-7)
	encoded, _ := encode(t, f, numbers(1, nan), false)
	near(t, "encoded", encoded.Floats(), []float64{-1, 0, 0, 1}, 1e-7)
}

func TestInputErrors(t *testing.T) {
	all := map[string]InputOptions{"number": withDefaults[NumberOptions](t, nil), "category": withDefaults[CategoryOptions](t, nil), "boolean": &BooleanOptions{}, "datetime": withDefaults[DatetimeOptions](t, nil)}
	empty := map[string]*data.Column{"number": numbers(nan, nan), "category": categories("", ""), "boolean": booleans("??"), "datetime": dates(nan)}
	for name, o := range all {
		if f, err := o.Fit(empty[name]); err == nil || !strings.Contains(err.Error(), `column "c" has no `) || !strings.HasSuffix(err.Error(), "leave it out of inputs") {
			t.Errorf("%s: without any value: %v, %v", name, f, err)
		}
		text := coded(data.Text, "a", "b")
		if _, err := o.Fit(text); err == nil || !strings.Contains(err.Error(), `column "c" holds text values`) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s of text: %v", name, err)
		}
	}
	if _, err := withDefaults[NumberOptions](t, nil).Fit(numbers(math.MaxFloat64, -math.MaxFloat64)); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("numbers that cannot be averaged: %v", err)
	}
	// A column of another type at prediction time.
	for name, c := range map[string]*data.Column{"number": numbers(1, 2), "category": categories("a", "a", "a"), "boolean": booleans("ny"), "datetime": dates(0, 1)} {
		f := fitInput(t, all[name], c)
		var out []*tensor.Tensor
		for _, s := range f.Specs() {
			out = append(out, s.New(1))
		}
		if err := f.Transform(coded(data.Text, "a"), out); err == nil || !strings.Contains(err.Error(), "holds text values") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBoolean(t *testing.T) {
	f := fitInput(t, &BooleanOptions{}, booleans("nyn"))
	near(t, "no indicator", transform(t, f, booleans("ny?"))[0].Floats(), []float64{-1, 1, 0}, 0)
	f = fitInput(t, &BooleanOptions{}, booleans("ny?"))
	encoded, _ := encode(t, f, booleans("ny?"), true)
	near(t, "indicator", encoded.Floats(), []float64{-1, 0, 1, 0, 0, 1}, 0)
}

func TestCategory(t *testing.T) {
	// b four times, a and c three times, d twice
	c := categories("b", "a", "c", "b", "d", "a", "", "c", "b", "a", "c", "d", "b")
	f := fitInput(t, withDefaults[CategoryOptions](t, nil), c).(*Category)
	if !slices.Equal(f.Values, []string{"b", "a", "c"}) {
		t.Errorf("values %q, expected the frequent ones, the most frequent first, then by name", f.Values)
	}
	// Another table has another dictionary.
	got := transform(t, f, categories("d", "c", "never seen", "", "a", "b"))[0].Ints()
	if want := []int32{unseenIndex, 4, unseenIndex, missingIndex, 3, 2}; !slices.Equal(got, want) {
		t.Errorf("indices %v, expected %v", got, want)
	}
	f = fitInput(t, withDefaults(t, func(o *CategoryOptions) { o.MinCount, o.MaxValues = 1, 2 }), c).(*Category)
	if !slices.Equal(f.Values, []string{"b", "a"}) {
		t.Errorf("values %q, expected two", f.Values)
	}
	if f := fitInput(t, &CategoryOptions{}, c).(*Category); len(f.Values) != 4 {
		t.Errorf("values %q, expected all without bounds", f.Values)
	}
	if f := fitInput(t, withDefaults[CategoryOptions](t, nil), categories("x", "y", "z")).(*Category); len(f.Values) != 0 {
		t.Errorf("values %q, expected none of what is rare", f.Values)
	}
	// Length by the number of values, up to 32, unless given.
	for _, d := range []struct{ values, given, want int }{{2, 0, 4}, {20, 0, 10}, {500, 0, 32}, {500, 7, 7}} {
		var values []string
		for i := range d.values {
			values = append(values, strings.Repeat("v", i+1))
		}
		f := fitInput(t, withDefaults(t, func(o *CategoryOptions) { o.MinCount, o.Dimension = 1, d.given }), categories(values...)).(*Category)
		if f.Dimension != d.want {
			t.Errorf("%d values: length %d, expected %d", d.values, f.Dimension, d.want)
		}
	}
}

func TestCategoryReadsOtherTypes(t *testing.T) {
	f := fitInput(t, withDefaults[CategoryOptions](t, nil), numbers(1, 1, 1, 2.5, 2.5, 2.5, nan)).(*Category)
	if got := transform(t, f, numbers(2.5, 7, nan, 1))[0].Ints(); !slices.Equal(got, []int32{3, 0, 1, 2}) || !slices.Equal(f.Values, []string{"1", "2.5"}) {
		t.Errorf("numbers %q are %v", f.Values, got)
	}
	f = fitInput(t, withDefaults[CategoryOptions](t, nil), booleans("nnnyyyy?")).(*Category)
	if got := transform(t, f, booleans("yn?"))[0].Ints(); !slices.Equal(got, []int32{2, 3, 1}) {
		t.Errorf("booleans %q are %v", f.Values, got)
	}
	f = fitInput(t, withDefaults[CategoryOptions](t, nil), coded(data.Identifier, "x", "x", "x", "y")).(*Category)
	if got := transform(t, f, coded(data.Identifier, "y", "x"))[0].Ints(); !slices.Equal(got, []int32{0, 2}) {
		t.Errorf("identifiers %q are %v", f.Values, got)
	}
}

func TestCategoryEncode(t *testing.T) {
	f := fitInput(t, withDefaults(t, func(o *CategoryOptions) { o.MinCount, o.Dimension = 1, 3 }), categories("a", "a", "b"))
	at := categories("b", "", "new", "a")
	hot, _ := encode(t, f, at, true)
	near(t, "one-hot", hot.Floats(), []float64{0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0}, 0)
	vectors, state := encode(t, f, at, false)
	table := state.Lookup("embedding_1/table").Value
	if !tensor.SameShape(table.Shape(), []int{4, 3}) {
		t.Fatalf("the table is %v", table)
	}
	for i, k := range []int{3, 1, 0, 2} {
		if !slices.Equal(vectors.Rows(i, i+1).Floats(), table.Rows(k, k+1).Floats()) {
			t.Errorf("row %d is %v, expected row %d of the table", i, vectors.Rows(i, i+1).Floats(), k)
		}
	}
}

func unix(t *testing.T, s string) float64 {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		t.Fatal(err)
	}
	return float64(at.Unix())
}

func TestDatetime(t *testing.T) {
	o := withDefaults[DatetimeOptions](t, nil)
	train := dates(unix(t, "2024-01-01 00:00:00"), unix(t, "2024-06-17 06:00:00"), nan, unix(t, "2024-12-31 18:30:00"))
	f := fitInput(t, o, train).(*Datetime)
	if !slices.Equal(f.Cycles, []string{"hour", "weekday", "day", "month"}) || !f.Time.Indicator {
		t.Fatalf("fitted %+v", f)
	}
	got := transform(t, f, dates(
		unix(t, "2024-03-01 12:00:00"), // a Friday
		nan,
		unix(t, "1969-12-31 18:00:00"),     // a Wednesday, before 1970
		unix(t, "1969-12-31 17:59:59")+0.9, // a fraction of a second is below the next
		unix(t, "2024-03-31 02:30:00"),     // an hour that summer time skips, in places
	))[0]
	row := func(i int) []float64 {
		var out []float64
		for _, v := range got.Rows(i, i+1).Floats() {
			out = append(out, float64(v))
		}
		return out
	}
	cycle := func(x float64) (sin, cos float64) { return math.Sincos(2 * math.Pi * x) }
	check := func(i int, phases ...float64) {
		t.Helper()
		for k, p := range phases {
			sin, cos := cycle(p)
			if g := row(i)[2+2*k:]; math.Abs(g[0]-sin) > 1e-6 || math.Abs(g[1]-cos) > 1e-6 {
				t.Errorf("row %d, %s: %v, %v, expected %v, %v", i, f.Cycles[k], g[0], g[1], sin, cos)
			}
		}
	}
	check(0, 0.5, 5.0/7, 0, 2.0/12)
	check(2, 0.75, 3.0/7, 30.0/31, 11.0/12)
	check(3, (18*3600-1)/86400.0, 3.0/7, 30.0/31, 11.0/12)
	check(4, 2.5/24, 0, 30.0/31, 2.0/12)
	if r := row(1); slices.ContainsFunc(r[:1], func(v float64) bool { return v != 0 }) || r[1] != 1 || slices.ContainsFunc(r[2:], func(v float64) bool { return v != 0 }) {
		t.Errorf("a missing date is %v, expected 0 but for the indicator", r)
	}
	if r := row(2); r[0] != -10 || r[1] != 0 {
		t.Errorf("a date of 54 years before is %v, expected to be clipped to −10 deviations", r[:2])
	}
	// The time itself is standardised: the mean of what was fitted is 0.
	sum := 0.0
	fitted := transform(t, f, train)[0]
	for _, i := range []int{0, 1, 3} {
		sum += float64(fitted.Rows(i, i+1).Floats()[0])
	}
	if math.Abs(sum) > 1e-5 {
		t.Errorf("the scaled times have the sum %v", sum)
	}
}

func TestDatetimeCyclesThatVary(t *testing.T) {
	// Mondays at midnight, in June.
	f := fitInput(t, withDefaults[DatetimeOptions](t, nil), dates(unix(t, "2024-06-03 00:00:00"), unix(t, "2024-06-10 00:00:00"))).(*Datetime)
	if !slices.Equal(f.Cycles, []string{"day"}) || !tensor.SameShape(f.Specs()[0].Row, []int{3}) {
		t.Errorf("fitted %+v", f)
	}
	f = fitInput(t, withDefaults(t, func(o *DatetimeOptions) { o.Cycles = false }), dates(0, 86400)).(*Datetime)
	encoded, _ := encode(t, f, dates(0, 86400), false)
	near(t, "no cycles", encoded.Floats(), []float64{-1, 1}, 1e-6)
	// Half a second before and after the first of 1970 are two days.
	f = fitInput(t, withDefaults[DatetimeOptions](t, nil), dates(-0.5, 0.5)).(*Datetime)
	if !slices.Contains(f.Cycles, "weekday") {
		t.Errorf("fitted %+v", f)
	}
}

func TestInputTypes(t *testing.T) {
	for typ, want := range map[data.Type]string{data.Number: "number", data.Category: "category", data.Boolean: "boolean", data.Datetime: "datetime", data.Text: "text", data.Identifier: ""} {
		if got := InputFor(typ); got != want {
			t.Errorf("a %s column is read by %q, expected %q", typ, got, want)
		}
	}
	if got := ColumnTypes(false, "category"); !slices.Contains(got, data.Boolean) {
		t.Errorf("category reads %v", got)
	}
	if got := ColumnTypes(true, "number"); !slices.Equal(got, []data.Type{data.Number}) {
		t.Errorf("number output reads %v", got)
	}
	if ColumnTypes(false, "no such type") != nil {
		t.Error("an unknown type reads columns")
	}
	if len(InputTypes()) != 6 || len(OutputTypes()) != 4 {
		t.Errorf("%v and %v", names(inputs), names(outputs))
	}
}
