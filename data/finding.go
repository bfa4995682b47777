package data

// Severity says what a finding asks for.
type Severity string

// Severities, from the gravest.
const (
	SeverityError   Severity = "error"   // what is measured on these rows would be wrong
	SeverityWarning Severity = "warning" // somebody should decide
	SeverityNote    Severity = "note"    // good to know, or dealt with by itself
)

// Severities lists them from the gravest.
var Severities = []Severity{SeverityError, SeverityWarning, SeverityNote}

// AtLeast says whether s is as grave as t or graver.
func (s Severity) AtLeast(t Severity) bool { return s.rank() <= t.rank() }

func (s Severity) rank() int {
	for i, t := range Severities {
		if s == t {
			return i
		}
	}
	return len(Severities)
}

// Kinds of findings.
const (
	FindingIdentifier = "identifier" // tells rows apart, not what they are
	FindingConstant   = "constant"   // never differs
	FindingDuplicate  = "duplicate"  // equals an earlier column in every row
	FindingLeak       = "leak"       // gives the target away

	FindingRepeatedRows  = "repeated_rows" // rows that stand in the file more than once
	FindingSharedRows    = "shared_rows"   // rows that stand in two files or parts
	FindingContradiction = "contradiction" // equal inputs, different outcomes
	FindingAlike         = "alike"         // says nearly what another column says
	FindingZeros         = "zeros"         // zeros that look like missing values
	FindingSentinel      = "sentinel"      // a number such as -1 or 999 that looks like a missing value
	FindingUnits         = "units"         // the same quantity in two units
	FindingMixed         = "mixed"         // nearly all numbers, and some that are not
	FindingReading       = "reading"       // read in a way that the user may want otherwise
	FindingRare          = "rare"          // categories that hardly occur
	FindingSpelling      = "spelling"      // one category, spelled in several ways
	FindingEncoding      = "encoding"      // characters that were damaged on the way
	FindingUnreadable    = "unreadable"    // images that cannot be read
	FindingDates         = "dates"         // dates far from all others
	FindingDateOrder     = "date_order"    // dates that stand in the wrong order
	FindingTime          = "time"          // rows in the order of time
	FindingGroup         = "group"         // rows that belong together, such as those of one customer
	FindingDrift         = "drift"         // distributed otherwise in the other file
	FindingApart         = "apart"         // a linear model tells the rows of the two files apart
	FindingUnseen        = "unseen"        // values of the other file that this one never has
	FindingImbalance     = "imbalance"     // an outcome that is rare
	FindingWeights       = "weights"       // how much rows count
	FindingFewRows       = "few_rows"      // too little to learn from or to measure on
)

// Finding is what is suspicious about a column, or about rows when Column is "".
type Finding struct {
	Column   string             `json:"column"`
	Kind     string             `json:"kind"`
	Severity Severity           `json:"severity"`
	Evidence map[string]float64 `json:"evidence"`
	// Message continues the column's name, as in "has the same value in all rows";
	// without a column it is a sentence of its own.
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
	// Change is the remedy where a configuration can carry it out.
	Change Change `json:"change,omitzero"`
}

// A DeclaredStep is an entry of data.clean: its type and options by their keys.
type DeclaredStep map[string]any

// Change is what a finding would have a configuration say.
type Change struct {
	LeaveOut string              `json:"leave_out,omitempty"` // of the inputs
	Types    map[string]Type     `json:"types,omitempty"`     // data.types
	Missing  map[string][]string `json:"missing,omitempty"`   // data.missing
	Split    SplitSpec           `json:"split,omitzero"`      // data.split
	Clean    []DeclaredStep      `json:"clean,omitempty"`     // data.clean
	// Balance asks for train.class_weights: balanced.
	Balance bool `json:"balance,omitempty"`
}
