// Command softsigner keeps MAC keys in a file and makes MACs with them for whoever connects.
//
// Think of it as the understudy of a secure module: it speaks the same protocol (hal/SIGNER.md)
// over the same kind of socket, so that everything around the module can be tried before there is
// one. It is a program for desks: anybody who can read its memory has the keys.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"reversald/hal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 64
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("softsigner", flag.ContinueOnError)
	flags.SetOutput(stderr)
	keys := flags.String("keys", "", "key `file`: JSON, mode 0600, see hal/SIGNER.md")
	socket := flags.String("socket", "", "`path` of the socket to listen at")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitUsage // it was said already
	}
	if *keys == "" || *socket == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "softsigner: want -keys FILE and -socket PATH, and nothing else")
		return exitUsage
	}
	if err := serve(ctx, *keys, *socket, stdout); err != nil {
		fmt.Fprintln(stderr, "softsigner:", err)
		return exitFailed
	}
	return exitOK
}

func serve(ctx context.Context, keys, socket string, stdout io.Writer) error {
	signer, err := hal.OpenSoftKeys(keys)
	if err != nil {
		return err
	}
	defer signer.Close() //nolint:errcheck // it overwrites memory, which does not fail
	ln, err := hal.ListenSigner(ctx, socket)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "softsigner: %v, listening at %s\n", signer, socket)
	return hal.ServeSigner(ctx, ln, signer)
}
