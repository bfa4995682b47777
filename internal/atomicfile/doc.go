// Package atomicfile writes files so that a reader, or the next start after a
// kill or a power cut, finds the old content or the new, never a part: to a
// temporary file in the same folder, synced, then renamed. It also locks a
// file against other processes, for folders that only one may write in.
//
// Every room that writes a file a user keeps writes it through here; it
// imports nothing of hone. What differs between systems has a file for each.
package atomicfile
