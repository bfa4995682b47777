package lifecycle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/hone-ml/hone/internal/atomicfile"
)

// outcome is the file of a finished part of a run, so that an interrupted one
// need not do it again.
type outcome struct {
	Fingerprint string          `json:"fingerprint"`
	Sum         string          `json:"sha256"` // of Outcome
	Outcome     json.RawMessage `json:"outcome"`
}

func writeOutcome(path, fingerprint string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(raw)
	file, err := json.Marshal(outcome{fingerprint, hex.EncodeToString(sum[:]), raw})
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, file)
}

// readOutcome reports whether there is such a file; where it cannot be used, the
// error goes on from the file's name.
func readOutcome(path, fingerprint string, v any) (bool, error) {
	file, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot be read: %w", err)
	}
	var s outcome
	if err := json.Unmarshal(file, &s); err != nil {
		return false, fmt.Errorf("is damaged: %w", err)
	}
	if s.Fingerprint != fingerprint {
		return false, errors.New("belongs to a run with another configuration, data or version")
	}
	if sum := sha256.Sum256(s.Outcome); s.Sum != hex.EncodeToString(sum[:]) {
		return false, errors.New("is damaged: its checksum is not that of its content")
	}
	if err := json.Unmarshal(s.Outcome, v); err != nil {
		return false, fmt.Errorf("is damaged: %w", err)
	}
	return true, nil
}
