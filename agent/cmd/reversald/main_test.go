package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes real programs of what the scripts run: reversald is this test binary under another
// name, so that the race detector watches it too, and acquirerd is built as anybody builds it.
func TestMain(m *testing.M) {
	testscript.Main(withTools{m}, map[string]func(){"reversald": main})
}

// withTools puts acquirerd, softsigner, and reversald as it is shipped, on the path while the tests run.
type withTools struct{ tests *testing.M }

func (w withTools) Run() int {
	dir, err := os.MkdirTemp("", "reversald-tools-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for name, source := range map[string]string{
		"acquirerd":         "reversald/iso/cmd/acquirerd",
		"softsigner":        "reversald/hal/cmd/softsigner",
		"reversald-shipped": "reversald/agent/cmd/reversald",
	} {
		build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, name), source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", name, err, out)
			return 1
		}
	}
	if err := os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return w.tests.Run()
}
