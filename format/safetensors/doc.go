// Package safetensors reads and writes safetensors files, the format of named
// tensors that Hugging Face's library of that name defines: an 8-byte
// little-endian length, a JSON header, and the tensors' bytes.
//
// Reading never runs code, and checks every size against the file before it
// allocates. Writing is deterministic: the same tensors give the same bytes.
// It imports tensor and internal/atomicfile; train and model import it. A new
// element type is one line in the table of sizes.
package safetensors
