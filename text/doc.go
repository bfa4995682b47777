// Package text cuts texts into tokens and puts tokens together again, as
// Hugging Face's library tokenizers does: the same tokens, ids and offsets.
//
// A Spec says what a tokenizer consists of; New makes a Tokenizer of it, which
// is safe for concurrent use. Encode gives tokens with their offsets, AppendIDs
// only ids, quicker. A text goes through, in this order: added tokens that are
// looked for as they are; the Normalizer; added tokens that are looked for in
// normalized text; the PreTokenizer, which cuts it into pieces; the Model,
// which cuts pieces into tokens; truncation; the Processor, which adds special
// tokens; padding. A Decoder leads back. Every step keeps which bytes of the
// original each byte stands for.
//
// Offsets are of bytes. A byte that is no UTF-8 becomes U+FFFD. What a
// character is (a letter, white space, …) is in a table of our own, so that no
// other version of Go cuts a text otherwise.
//
// Trainers are the kinds of tokenizers that can be trained on texts; the same
// texts and options make the same tokenizer on any number of processors.
//
// It imports nothing of hone; format/tokenizer reads and writes Specs as
// tokenizer.json. To add a part: a type in the file of its family with JSON
// tags for its options, `required:"true"` where it has no default, a method
// prepare if it can be wrong, and a line in the family's table (Normalizers,
// PreTokenizers, Models, Processors, Decoders).
package text
