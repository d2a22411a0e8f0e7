package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"reversald/store"
)

// examineTime is how long a look at a journal that was not closed well may take. What is read does
// not grow with the journal; a page that leads to itself would be read for ever.
const examineTime = 5 * time.Second

// examineCommand is the child that reads suspect files, so that their damage ends nobody else.
func examineCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "examine FILE", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			found, err := store.Examine(store.Options{Path: args[0]})
			if err != nil {
				return journalError{err}
			}
			o.printf("%s", found)
			return nil
		},
	}
}

// examineInChild runs this program again to read the journal. Whatever ends the child, but a
// journal in use, is a finding.
func examineInChild(so store.Options) (found string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), examineTime)
	defer cancel()
	//nolint:gosec // this program itself, with a path of its own configuration
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "examine", "--", so.Path)
	cmd.Args[0] = filepath.Base(os.Args[0])
	return judgeChild(ctx, cmd, so.Path)
}

// judgeChild runs the child, and says what its end means.
func judgeChild(ctx context.Context, cmd *exec.Cmd, path string) (found string, err error) {
	var out, errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errout
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return strings.TrimSpace(out.String()), nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Sprintf("it could not be read in %s", examineTime), nil
	case errors.As(err, &exit) && exit.ExitCode() == exitUnavailable:
		return "", fmt.Errorf("%w: %s", store.ErrLocked, path)
	case errors.As(err, &exit) && exit.ExitCode() == exitPermission:
		return "", fmt.Errorf("%w: %s", store.ErrPermission, path)
	case errors.As(err, &exit):
		first, _, _ := strings.Cut(strings.TrimSpace(errout.String()), "\n")
		return fmt.Sprintf("the process that read it ended with %s: %s", exit, first), nil
	}
	return "", nil // no child can be had: damage is met as it comes
}
