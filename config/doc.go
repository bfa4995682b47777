// Package config reads and writes YAML documents that are described by plain
// Go structs. It is machinery only: it knows no room's options, and a room
// that declares options does not import it.
//
// Start with [Load], then [Document.Set] for overrides from the command line
// and [Document.Decode]. [Document.Show] prints the result with every default,
// [Schema] describes it for editors, [Write] writes commented documents.
//
// # Options
//
// A struct declares options by tags; fields without a yaml tag are none.
//
//	type Options struct {
//		Rate    float64       `yaml:"learning_rate" default:"1e-3" above:"0" doc:"step size"`
//		Order   string        `yaml:"order" default:"shuffled" enum:"shuffled,kept"`
//		Widths  []int         `yaml:"widths" default:"[256, 128]" min:"1"`
//		Source  string        `yaml:"source" required:"true" doc:"file of rows"`
//		Every   time.Duration `yaml:"checkpoint_every" default:"30s"`
//		Details Details       `yaml:",inline"`
//	}
//
// default is YAML (for text, the text itself) and is applied to what the
// document leaves out and the program left zero. min, max, above and below
// bound numbers, enum lists the values of a text; both reach into lists. A
// pointer is nil where the document leaves it out. A type that implements
// encoding.TextUnmarshaler (and TextMarshaler, to be shown) is read from a
// scalar. A struct with a method Validate() error is asked once it is filled.
//
// # Shorthands
//
// A value that is not a mapping, where a struct is expected, goes to the first
// field tagged shorthand:"true" whose type can hold it. So with
//
//	Fraction float64 `yaml:"fraction" shorthand:"true"`
//	File     string  `yaml:"file" shorthand:"true"`
//
// `validation: 0.1` means {fraction: 0.1} and `validation: v.csv` {file: v.csv}.
//
// An option of type [Strings] is a list of which one alone needs no brackets.
//
// # Variants
//
// A struct with a method Variants that returns a map from names to fresh
// pointers to structs of options is a union:
//
//	type Optimizer struct {
//		Type    string  `yaml:"type" default:"adam"`
//		Options Options `yaml:",variant"` // an interface, or any
//	}
//
//	func (Optimizer) Variants() map[string]Options { return table }
//
// It reads {type: sgd, momentum: 0.9} or just sgd: the options lie beside type
// and whatever fields the struct has in common for all variants. Without a
// default, type must be given, except where it is tagged required:"false";
// then no type leaves the options nil. To add a variant, write its struct of
// options and enter it in the table; nothing here changes.
//
// # Order
//
// A list whose elements have a field tagged `yaml:",key"` is written as a
// mapping and keeps its order, which a Go map does not.
//
// # Limits
//
// A document is UTF-8, at most 1 MiB and 64 levels deep. Anchors, aliases,
// merge keys, tags and directives are refused.
//
// Any room may import this package, except those of the engine; it imports
// none. To support another kind of value, extend decode.go, show.go and
// schema.go alike, and add cases to testdata.
package config
