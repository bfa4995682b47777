package text

import (
	"encoding/base64"
	"encoding/binary"
	"sync"
	"unicode/utf8"
)

// A class says what a code point is: a set of the bits below. They are kept
// in a table of our own so that neither another Go nor another edition of
// Unicode changes how a trained model's text is cut.
type class uint16

const (
	white   class = 1 << iota // White_Space
	word                      // \w: alphabetic, marks, decimal digits, connectors, joiners
	letter                    // \p{L}
	number                    // \p{N}
	numeric                   // Nd, Nl, No as the pre-tokenizer Digits knows them
	punct                     // ASCII punctuation and \p{P}
	control                   // what BERT's cleaning removes
	accent                    // \p{Mn}, as BERT's stripping of accents knows it
	mark                      // \p{M}, as StripAccents knows it
	fresh                     // younger than the normalization tables of tokenizers
)

const blockSize = 256

var classes struct {
	once  sync.Once
	ascii [utf8.RuneSelf]class
	block [(utf8.MaxRune + 1) / blockSize]*[blockSize]class
}

// loadClasses fills the table. Whoever makes a Tokenizer calls it before the
// first use of classOf.
func loadClasses() {
	classes.once.Do(func() {
		runs, err := base64.StdEncoding.DecodeString(classRuns)
		if err != nil {
			panic(err) // programmer error: the table is generated
		}
		same := map[[blockSize]class]*[blockSize]class{}
		var block [blockSize]class
		at := 0
		for len(runs) > 0 {
			n, k := binary.Uvarint(runs)
			runs = runs[k:]
			c, k := binary.Uvarint(runs)
			runs = runs[k:]
			for range n {
				block[at%blockSize] = class(c)
				if at++; at%blockSize == 0 {
					if same[block] == nil {
						same[block] = &[blockSize]class{}
						*same[block] = block
					}
					classes.block[at/blockSize-1] = same[block]
				}
			}
		}
		copy(classes.ascii[:], classes.block[0][:])
	})
}

func classOf(r rune) class {
	if r < utf8.RuneSelf {
		return classes.ascii[r]
	}
	return classes.block[r/blockSize][r%blockSize]
}

// runeAt decodes the code point of b, which is valid, at i.
func runeAt(b []byte, i int) (rune, int) {
	if c := b[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRune(b[i:])
}
