// Package splitmix has the bijection behind numbers that follow from a key, and
// hashes that are the same everywhere and for ever: SplitMix64 (Steele, Lea and
// Flood, "Fast splittable pseudorandom number generators", 2014, figure 19).
// Every room may import it; it imports nothing.
package splitmix
