// Package safetensors reads and writes safetensors files, the format of named
// tensors that Hugging Face's library of that name defines: an 8-byte
// little-endian length, a JSON header, and the tensors' bytes.
//
// Reading never runs code, and checks every size against the file before it
// allocates. Tensors that overlap, leave holes or stand in the header twice
// are refused. Writing is deterministic: the same tensors give the same bytes.
// Start with ReadFile, or with Parse for bytes that are in memory; fill a File
// and call WriteFile. Element types of less than a byte are not read.
//
// It imports tensor (in tensor.go alone) and internal/atomicfile; train and
// model import it. A new element type is one line in the table dtypes.
package safetensors
