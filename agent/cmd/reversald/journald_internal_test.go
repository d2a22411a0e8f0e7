//go:build !windows

package main

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"

	"reversald/agent"
)

// Rule: where journald reads standard error, a line has its priority, unless the configuration asks
// for another form; whose standard error goes elsewhere has inherited somebody's JOURNAL_STREAM.
func TestTextIsForJournaldWhereItReads(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = read.Close(), write.Close() })
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(write.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	ours := fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
	for _, c := range []struct{ format, stream, want string }{
		{"text", ours, "journald"},
		{"text", "", "text"},
		{"text", ours + "0", "text"},
		{"json", ours, "json"},
	} {
		t.Setenv("JOURNAL_STREAM", c.stream)
		config := agent.Config{LogFormat: c.format}
		if got := logFormat(config, write); got != c.want {
			t.Errorf("%s with JOURNAL_STREAM=%q, ours is %s: got %s, want %s", c.format, c.stream,
				ours, got, c.want)
		}
		if got := logFormat(config, &bytes.Buffer{}); got != c.format {
			t.Errorf("%s into memory: got %s", c.format, got)
		}
	}
}
