// Package embed makes vectors of texts by encoders that others have trained: a
// folder that format/huggingface reads, or a bundle that holds one. Start with Load
// and Embed; a Model by itself is the network, for those who train it further.
//
// A text's vector does not depend on the texts beside it, to the bit. Texts are
// computed with others of about their length, filled up to one of a few, for each of
// which a program is compiled: what is behind a text's end has no part in its vector.
//
// It imports nn, format, text and the engine; feature, lifecycle and cmd import it.
package embed
