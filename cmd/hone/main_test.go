package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var updateScripts = flag.Bool("update", false, "write the expected texts of testdata/script anew")

// TestMain makes the test binary stand for the program: scripts run it as
// hone, in processes of their own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hone": main})
}

// TestScripts runs testdata/script. Each file is named after its area, begins
// with what it shows, and runs in an empty folder; commands_test.go holds the
// commands that scripts have beside testscript's own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *updateScripts,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Cmds:                scriptCommands,
		Condition:           scriptCondition,
		Setup: func(e *testscript.Env) error {
			encoder, err := filepath.Abs("../../embed/testdata/sentence")
			if err != nil {
				return err
			}
			e.Setenv("ENCODER", encoder) // the folder of one, of random weights
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("GOMAXPROCS", "2")
			e.Setenv("EPOCHS", "--set=train.epochs=2")
			e.Setenv("BOOT", "--set=evaluate.bootstrap=50")
			return nil
		},
	})
}

// scriptCondition is [root]: rights of files do not bind this user.
func scriptCondition(cond string) (bool, error) {
	return cond == "root" && os.Geteuid() == 0, nil
}
