// Package embed makes vectors of texts by encoders that others have trained: a
// folder that format/huggingface reads, or a bundle that holds one. Start with Load
// and Embed; a Model by itself is the network, for those who train it further.
//
// A text's vector does not depend on the texts beside it, to the bit: texts are
// sorted by their number of tokens, and each is computed by the program of the next
// longer step of a ladder, whatever the others are.
//
// It imports nn, format, text and the engine; feature, lifecycle and cmd import it.
package embed
