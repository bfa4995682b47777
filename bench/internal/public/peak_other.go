//go:build !unix

package public

import "os"

// PeakMB is 0: this system does not tell.
func PeakMB(*os.ProcessState) float64 { return 0 }
