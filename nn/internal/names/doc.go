// Package names words the error for a name that no table has. The packages
// under nn import it; it imports nothing of hone. Another wording for them all
// is one more function.
package names
