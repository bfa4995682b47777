// Package store keeps the register of runs: what was run on what, how it
// ended and what it measured. Files of a run (checkpoints, bundle, report)
// stay in its folder; the register holds their paths.
//
// Store is the interface; sqlite.go implements it in one SQLite file, which
// several processes of one machine may use at once (its write-ahead log does
// not work on network file systems). A change of its tables is one more
// migration; another database is one more file with its own implementation. The lifecycle floor above imports store; it imports
// nothing of hone.
package store
