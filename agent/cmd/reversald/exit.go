package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"reversald/agent/doors/api"
	"reversald/agent/verbs"
	"reversald/hal"
	"reversald/store"
)

// Exit codes, as in sysexits.h; exitCodes below is the table that people read.
const (
	exitOK          = 0
	exitFound       = 1
	exitBad         = 2
	exitUsage       = 64
	exitData        = 65
	exitNoInput     = 66
	exitUnavailable = 69
	exitSoftware    = 70
	exitIO          = 74
	exitAgain       = 75
	exitPermission  = 77
	exitConfig      = 78
)

// exitCodes is every code this program ends with, and what it means. A supervisor restarts after
// 75 and after a signal; after any other a person looks first, because the next start would only
// say the same again.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "done; run: ended by SIGTERM or Ctrl-C"},
	{exitFound, "stuck: there are payments that need a person; ready-to-remove: not ready; " +
		"verify: a bundle of which nobody knows whose it is; doctor: somebody should look"},
	{exitBad, "doctor: payments are in danger, or stuck"},
	{exitUsage, "the command line is wrong"},
	{exitData, "a journal, ring or key is damaged, of a newer version or not a file; " +
		"or the daemon refused what was asked; decode: not a message"},
	{exitNoInput, "a file is missing: the configuration, the journal or its key"},
	{exitUnavailable, "the daemon does not answer; run: the journal is in use, " +
		"or the address is taken"},
	{exitSoftware, "a fault of reversald itself"},
	{exitIO, "the disk failed while the journal was opened"},
	{exitAgain, "the journal failed while running, or the secure module that has its key is away: " +
		"start again, the start finds out"},
	{exitPermission, "not allowed, or the key file can be read by others"},
	{exitConfig, "the configuration or a profile is wrong, or the journal's place is"},
}

func exitCodesTopic() *cobra.Command {
	var b strings.Builder
	b.WriteString("Exit codes, as in sysexits.h. An error is two lines on standard error:\n" +
		"what is wrong, and a hint what to do.\n\n")
	for _, c := range exitCodes {
		fmt.Fprintf(&b, "  %2d  %s\n", c.code, c.meaning)
	}
	b.WriteString("\nOnly after 75, or a signal, does it help to start again without a person.\n")
	return &cobra.Command{
		Use: "exit-codes", Short: "what the exit codes mean",
		Long: strings.TrimSuffix(b.String(), "\n"),
	}
}

type (
	usageError   struct{ error }
	configError  struct{ error }
	journalError struct{ error } // the journal can not be opened
	listenError  struct{ error }
	runtimeError struct{ error } // the agent ended by itself
)

func (e usageError) Unwrap() error   { return e.error }
func (e configError) Unwrap() error  { return e.error }
func (e journalError) Unwrap() error { return e.error }
func (e listenError) Unwrap() error  { return e.error }
func (e runtimeError) Unwrap() error { return e.error }

// complain says what went wrong and what to do, one line each, and returns the exit code.
func complain(w io.Writer, err error, lang verbs.Lang) int {
	var outcome verbs.Outcome
	if errors.As(err, &outcome) {
		return outcome.Code
	}
	code, hint := judge(err)
	lines := strings.Split(strings.TrimSuffix(err.Error(), "\n"), "\n")
	for i, line := range lines {
		lines[i] = verbs.Clean(line) // an error quotes what came from outside
	}
	_, _ = fmt.Fprintf(w, "reversald: %s\nreversald: hint: %s\n",
		strings.Join(lines, "\nreversald: "), lang.Tr(hint))
	return code
}

// judge finds the exit code and the hint of an error.
func judge(err error) (code int, hint string) {
	var config configError
	var usage usageError
	var journal journalError
	var listen listenError
	var runtime runtimeError
	var tool toolError
	switch {
	case errors.As(err, &tool):
		return tool.code, tool.hint
	case errors.As(err, &usage):
		return exitUsage, "see reversald --help"
	case errors.As(err, &config):
		return judgeConfig(err)
	case errors.As(err, &listen):
		return judgeListen(err)
	case errors.As(err, &runtime):
		return exitAgain, "start it again: before it sends anything it finds out what is on disk"
	case errors.As(err, &journal):
		return judgeJournal(err)
	case errors.Is(err, api.ErrAway):
		if errors.Is(err, fs.ErrPermission) {
			return exitPermission, "ask as the user that reversald runs as"
		}
		return exitUnavailable, "start it with reversald run, or name its socket with --socket"
	case errors.Is(err, api.ErrRefused):
		return exitData, "reversald tail shows the numbers of payments, reversald stuck those stuck"
	}
	return exitSoftware, "that is a fault of reversald: please report it"
}

func judgeConfig(err error) (code int, hint string) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return exitNoInput, "leave --config and REVERSALD_CONFIG out to run on defaults"
	case errors.Is(err, fs.ErrPermission):
		return exitPermission, "let this user read the configuration"
	}
	return exitConfig, "reversald config show --defaults prints every key and what it takes"
}

func judgeListen(err error) (code int, hint string) {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return exitUnavailable, "another program listens there, perhaps another reversald"
	case errors.Is(err, errSocketName):
		return exitConfig, "set socket to a shorter path"
	case errors.Is(err, fs.ErrPermission):
		return exitPermission, "set listen or socket to an address this user may open"
	}
	return exitUnavailable, "set listen or socket to an address of this device"
}

// judgeJournal is for a journal that can not be opened.
func judgeJournal(err error) (code int, hint string) {
	hint = store.Hint(err)
	switch {
	case errors.Is(err, store.ErrLocked):
		code = exitUnavailable
	case errors.Is(err, store.ErrKeyAway) &&
		(errors.Is(err, hal.ErrSignerAway) || errors.Is(err, hal.ErrSignerSlow)):
		code = exitAgain
	case errors.Is(err, store.ErrKeyAway), errors.Is(err, store.ErrKeyElsewhere):
		code = exitConfig
	case errors.Is(err, store.ErrPermission), errors.Is(err, store.ErrKeyWide):
		code = exitPermission
	case errors.Is(err, store.ErrFilesystem), errors.Is(err, store.ErrOtherTerminal):
		code = exitConfig
	case errors.Is(err, store.ErrLost), errors.Is(err, store.ErrKeyLost):
		code = exitNoInput
	case errors.Is(err, store.ErrEmpty), errors.Is(err, store.ErrUnreadable),
		errors.Is(err, store.ErrNewer), errors.Is(err, store.ErrOtherKey),
		errors.Is(err, store.ErrCorrupt):
		code = exitData
	case hint != "":
		code = exitIO
	case errors.Is(err, fs.ErrPermission):
		return exitPermission, store.Hint(store.ErrPermission)
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTDIR),
		errors.Is(err, syscall.EISDIR):
		return exitData, "a directory stands where a file should be, or a file for a directory: " +
			"see journal, ring and key in the configuration"
	default:
		return exitIO, store.Hint(store.ErrUnknown)
	}
	return code, hint
}
