// Package search finds the rows of a table whose texts answer a query.
//
// A Scorer gives every row a score for a query: BM25 by the words that both
// have, NGrams by their runs of characters, Vectors by an encoder's vectors.
// Each is exact: every row is scored, in the time that the postings of the
// query's terms, or all vectors, take to be read; which is enough up to about a
// million rows. Fused is the mean of several. Top chooses the hits.
//
// Nothing is trained or tuned, the same texts and query give the same scores to
// the bit, and rows of equal score stand in their order.
//
// It imports text alone; to add a method, write a Scorer in a file of its own.
package search
