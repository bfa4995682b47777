// Package public has the public tables that measurements are made on, and hone
// as its user calls it: the command, built from this tree. Only measurements of
// bench import it. A new table is one more entry of Sets.
package public
