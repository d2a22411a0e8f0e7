package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"reversald/iso"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK       = 0
	exitFailed   = 1 // sell: declined
	exitDeclined = 1
	exitUnknown  = 2 // sell: no answer, or one that does not say
	exitUsage    = 64
)

// What zero configuration means.
const (
	defaultListen  = "127.0.0.1:8583"
	defaultProfile = "iso87-ascii"
	defaultBooks   = "acquirer-books.jsonl"
	defaultControl = "acquirer.sock"
)

// errUsage marks what the person at the keyboard can mend by typing something else.
var errUsage = errors.New("wrong usage")

// exitError is an exit code without a message: everything was said already.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// run is the whole program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var exit exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "acquirerd: %v\nacquirerd: hint: acquirerd help\n", err)
		return exitUsage
	}
	fmt.Fprintf(stderr, "acquirerd: %v\n", err)
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "acquirerd",
		Short:         "a bank for rehearsals: keeps books, and misbehaves when told to",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usageArgs(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.AddCommand(newServe(), newBooks(), newBehave(), newStats(), newAway(), newBack(),
		newSell(), newTills())
	return root
}

func usage(err error) error { return fmt.Errorf("%w: %w", errUsage, err) }

// usageArgs makes an argument check fail as wrong usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage(err)
		}
		return nil
	}
}

// profileOf gives a built-in profile by its name, or one from a file.
func profileOf(name string) (*iso.Profile, error) {
	if slices.Contains(iso.BuiltinNames(), name) {
		return iso.Builtin(name)
	}
	if _, err := os.Stat(name); err != nil {
		return nil, usage(fmt.Errorf("no profile %q: neither a file nor one of %v", name,
			iso.BuiltinNames()))
	}
	return iso.Load(name)
}
