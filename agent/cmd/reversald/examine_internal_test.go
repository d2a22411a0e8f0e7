package main

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"reversald/store"
)

// Whatever ends the child that reads a suspect journal is a finding, and ends nobody else.
func TestTheEndOfTheChildIsAFinding(t *testing.T) {
	for script, want := range map[string]string{
		"exit 0":                    "",
		"echo a page is gone":       "a page is gone",
		"kill -BUS $$":              "the process that read it ended with signal: bus error",
		"kill -SEGV $$":             "the process that read it ended with signal: segmentation fault",
		"echo panic: x >&2; exit 2": "the process that read it ended with exit status 2: panic: x",
		"sleep 60":                  "it could not be read in 5s",
	} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		cmd := exec.CommandContext(ctx, "sh", "-c", "exec 2>&1; "+script)
		if strings.Contains(script, ">&2") {
			cmd = exec.CommandContext(ctx, "sh", "-c", script)
		}
		if script == "sleep 60" {
			cmd = exec.CommandContext(ctx, "sleep", "60")
		}
		found, err := judgeChild(ctx, cmd, "journal.db")
		cancel()
		if err != nil || !strings.HasPrefix(found, want) || (want == "") != (found == "") {
			t.Errorf("%s: found %q, %v", script, found, err)
		}
	}
	_, err := judgeChild(context.Background(), exec.Command("sh", "-c", "exit 69"), "journal.db")
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("a journal in use: %v", err)
	}
	found, err := judgeChild(context.Background(), exec.Command("/not/there"), "journal.db")
	if err != nil || found != "" {
		t.Errorf("no child: %q, %v", found, err)
	}
}
