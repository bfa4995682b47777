// Package huggingface reads folders of pre-trained text encoders as Hugging
// Face's transformers and sentence-transformers write them: config.json, the
// weights in model.safetensors (whole, or in shards with their index), the
// tokenizer in tokenizer.json or vocab.txt, and how a text's one vector is made
// of those of its tokens (modules.json and what it names). Start with Read.
//
// Reading runs no code, and nothing is guessed: an architecture, a pooling or an
// activation that is not known, and weights that are missing, left over or of
// another shape are errors that name the file and what was expected.
//
// It imports tensor, text, format/safetensors and format/tokenizer; embed makes
// networks of what it reads. A new architecture of the same kind is an entry in
// the table architectures.
package huggingface
