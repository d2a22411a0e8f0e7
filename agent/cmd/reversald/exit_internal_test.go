package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"reversald/agent/doors/api"
	"reversald/agent/verbs"
	"reversald/hal"
	"reversald/store"
)

// TestExitCodes: every kind of error ends with its code and two lines, and the table that people
// read has all codes that occur and no other. The scripts see most of them happen.
func TestExitCodes(t *testing.T) {
	fault := func(err error) error { return fmt.Errorf("do something: %w", err) }
	seen := map[int]bool{exitOK: true}
	for _, test := range []struct {
		err  error
		want int
	}{
		{verbs.Outcome{Code: 1}, 1},
		{verbs.Outcome{Code: 2}, 2},
		{usageError{errors.New("no such flag")}, 64},
		{api.ErrRefused, 65},
		{journalError{fault(store.ErrEmpty)}, 65},
		{journalError{fault(store.ErrUnreadable)}, 65},
		{journalError{fault(store.ErrNewer)}, 65},
		{journalError{fault(store.ErrOtherKey)}, 65},
		{journalError{fault(store.ErrCorrupt)}, 65},
		{journalError{fault(syscall.ENOTDIR)}, 65},
		{journalError{fault(syscall.EISDIR)}, 65},
		{journalError{fault(store.ErrLost)}, 66},
		{journalError{fault(store.ErrKeyLost)}, 66},
		{configError{fault(fs.ErrNotExist)}, 66},
		{fault(api.ErrAway), 69},
		{journalError{fault(store.ErrLocked)}, 69},
		{listenError{fault(syscall.EADDRINUSE)}, 69},
		{listenError{fault(syscall.EADDRNOTAVAIL)}, 69},
		{errors.New("nobody thought of this"), 70},
		{journalError{fault(store.ErrFull)}, 74},
		{journalError{fault(syscall.EIO)}, 74},
		{journalError{fault(syscall.ENOSPC)}, 74},
		{runtimeError{fault(store.ErrUnknown)}, 75},
		{journalError{fmt.Errorf("%w: %w", store.ErrKeyAway, hal.ErrSignerAway)}, 75},
		{journalError{fmt.Errorf("%w: %w", store.ErrKeyAway, hal.ErrSignerSlow)}, 75},
		{runtimeError{fault(store.ErrEmpty)}, 75}, // whatever it was, it ran
		{journalError{fault(store.ErrPermission)}, 77},
		{journalError{fault(syscall.EACCES)}, 77},
		{journalError{fault(store.ErrKeyWide)}, 77},
		{listenError{fault(syscall.EACCES)}, 77},
		{configError{fault(syscall.EACCES)}, 77},
		{fmt.Errorf("%w: %w", api.ErrAway, syscall.EACCES), 77},
		{configError{errors.New("many.yaml:1:1: colour: is no setting")}, 78},
		{listenError{fault(errSocketName)}, 78},
		{journalError{fmt.Errorf("%w: %w", store.ErrKeyAway, hal.ErrSignerNoKey)}, 78},
		{journalError{fault(store.ErrKeyElsewhere)}, 78},
		{journalError{fault(store.ErrFilesystem)}, 78},
		{journalError{fault(store.ErrOtherTerminal)}, 78},
	} {
		var said bytes.Buffer
		if got := complain(&said, test.err, verbs.English); got != test.want {
			t.Errorf("%v: exit code %d, want %d", test.err, got, test.want)
		}
		seen[test.want] = true
		if test.want == exitFound || test.want == exitBad {
			continue // it was said on standard output
		}
		lines := strings.Split(said.String(), "\n")
		if len(lines) != 3 || lines[1] == "reversald: hint: " ||
			!strings.HasPrefix(lines[1], "reversald: hint: ") {
			t.Errorf("%v: not two lines: %q", test.err, said.String())
		}
	}

	var help bytes.Buffer
	if code := run(t.Context(), []string{"help", "exit-codes"}, &help, &help); code != exitOK {
		t.Fatalf("help exit-codes: %d", code)
	}
	rows := regexp.MustCompile(`(?m)^  ([ \d]\d)  \S`).FindAllStringSubmatch(help.String(), -1)
	for _, row := range rows {
		code, err := strconv.Atoi(strings.TrimSpace(row[1]))
		if err != nil || !seen[code] {
			t.Errorf("%s is in the table, but nothing ends with it (%v)", row[1], err)
		}
	}
	if len(rows) != len(seen) {
		t.Errorf("the table has %d codes, want %d:\n%s", len(rows), len(seen), help.String())
	}
}
