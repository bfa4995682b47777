// Package tokenizer reads and writes tokenizers: tokenizer.json, the format
// of Hugging Face's library tokenizers (its version 1.0), and BERT's
// vocab.txt. Start with ReadFile and WriteFile.
//
// Reading runs no code, and refuses what it does not know: an unknown type or
// key is an error that names its place and what is known, since a tokenizer
// that is read almost right makes wrong tokens in silence. Writing is
// deterministic, and what is written is read back equal.
//
// It imports text, which says what the parts are and does the work, and
// internal/atomicfile; feature and model import it. A new part is a line in a
// table of text; nothing changes here.
package tokenizer
