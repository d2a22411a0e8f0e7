package main

import (
	"io"
	"syscall"

	"reversald/agent"
)

// A laptop with Windows runs no daemon: this is only so that the rest compiles.

// signalRetry is one that Windows never sends.
const signalRetry = syscall.Signal(0x1e)

// logSink is where log lines go: Windows has no syslog.
func logSink(_ agent.Config, errout io.Writer) io.Writer { return errout }

// journaldReads tells whether errout goes to journald: Windows has none.
func journaldReads(io.Writer) bool { return false }
