package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"reversald/agent/doors/api"
	"reversald/store"
)

// Exit codes, as in sysexits.h.
const (
	exitOK          = 0
	exitFound       = 1  // the command worked, and what it found needs somebody (stuck)
	exitUsage       = 64 // the command line is wrong
	exitData        = 65 // a file is not what it should be
	exitNoInput     = 66 // a file is not there
	exitUnavailable = 69 // the daemon does not answer, or the address is taken
	exitSoftware    = 70 // our own fault
	exitIO          = 74 // the journal's disk
	exitAgain       = 75 // the journal failed while running: start again, and find out
	exitPermission  = 77 // not allowed
	exitConfig      = 78 // the configuration is wrong
)

type (
	usageError   struct{ error }
	configError  struct{ error }
	listenError  struct{ error }
	runtimeError struct{ error } // the agent ended by itself
	foundError   struct{ count int }
)

func (e usageError) Unwrap() error   { return e.error }
func (e configError) Unwrap() error  { return e.error }
func (e listenError) Unwrap() error  { return e.error }
func (e runtimeError) Unwrap() error { return e.error }
func (e foundError) Error() string   { return fmt.Sprintf("%d need a person", e.count) }

// complain says what went wrong and what to do, one line each, and returns the exit code.
func complain(w io.Writer, err error) int {
	var found foundError
	if errors.As(err, &found) {
		return exitFound
	}
	code, hint := judge(err)
	text := strings.TrimSuffix(err.Error(), "\n")
	if strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\n", "\nreversald: ")
	}
	_, _ = fmt.Fprintf(w, "reversald: %s\n", text)
	if hint != "" {
		_, _ = fmt.Fprintf(w, "reversald: hint: %s\n", hint)
	}
	return code
}

// judge finds the exit code and the hint of an error.
func judge(err error) (code int, hint string) {
	var config configError
	var usage usageError
	var listen listenError
	var runtime runtimeError
	switch {
	case errors.As(err, &usage):
		return exitUsage, "see reversald --help"
	case errors.As(err, &config):
		if errors.Is(err, fs.ErrNotExist) {
			return exitNoInput, "leave --config out to run on defaults"
		}
		return exitConfig, "reversald config show prints every key with its default"
	case errors.As(err, &listen):
		if errors.Is(err, syscall.EADDRINUSE) {
			return exitUnavailable, "another program listens there, perhaps another reversald"
		}
		return exitUnavailable, "set listen or socket to an address this user may open"
	case errors.As(err, &runtime):
		return exitAgain, "start it again: it finds out what is on the disk before it sends anything"
	case errors.Is(err, api.ErrAway):
		return exitUnavailable, "start it with reversald run, or name its socket with --socket"
	case errors.Is(err, api.ErrRefused):
		return exitData, ""
	}
	if hint := store.Hint(err); hint != "" {
		return storeCode(err), hint
	}
	return exitSoftware, ""
}

// storeCode is the exit code for a journal that can not be opened.
func storeCode(err error) int {
	switch {
	case errors.Is(err, store.ErrLocked):
		return exitUnavailable
	case errors.Is(err, store.ErrPermission), errors.Is(err, store.ErrKeyWide):
		return exitPermission
	case errors.Is(err, store.ErrFilesystem), errors.Is(err, store.ErrOtherTerminal):
		return exitConfig
	case errors.Is(err, store.ErrLost), errors.Is(err, store.ErrKeyLost):
		return exitNoInput
	case errors.Is(err, store.ErrEmpty), errors.Is(err, store.ErrUnreadable),
		errors.Is(err, store.ErrNewer), errors.Is(err, store.ErrOtherKey),
		errors.Is(err, store.ErrCorrupt):
		return exitData
	}
	return exitIO
}
