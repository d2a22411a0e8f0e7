package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"reversald/agent/badge"
)

// techCommand is what a technician does on the laptop.
func techCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tech",
		Short: "a technician's key, and what it signs",
		Long: "tech is for a technician's laptop. keygen makes a key, once; its public line\n" +
			"goes into the terminals' configuration (console.keys). sign answers the\n" +
			"challenge that a terminal's serial console shows.",
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(techKeygenCommand(o), techSignCommand(o), techPINCommand(o))
	return cmd
}

func techKeygenCommand(o *options) *cobra.Command {
	var file string
	var open bool
	cmd := &cobra.Command{
		Use:   "keygen NAME",
		Short: "make a technician's key, and print its public line",
		Args:  oneWord("the technician's name"),
		RunE: func(_ *cobra.Command, args []string) error {
			var passphrase string
			if !open {
				var err error
				if passphrase, err = o.secret("passphrase (empty: none): "); err != nil {
					return err
				}
			}
			key, text, err := badge.NewSecret(args[0], passphrase)
			if err != nil {
				return usageError{err}
			}
			if err := writeNew(file, text); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(o.errout, "reversald: the key is in %s; this is for console.keys:\n",
				file)
			o.printf("%s\n", key)
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "key", defaultKeyFile(), "where the key is kept")
	cmd.Flags().BoolVar(&open, "no-passphrase", false, "do not ask for one")
	return cmd
}

func techSignCommand(o *options) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "sign CHALLENGE",
		Short: "print the answer to a terminal's challenge",
		Args:  oneWord("the challenge"),
		RunE: func(_ *cobra.Command, args []string) error {
			challenge, err := badge.ParseChallenge(args[0])
			if err != nil {
				return usageError{err}
			}
			answer, who, err := o.sign(file, challenge)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(o.errout, "reversald: %s signs for terminal %s: is it the one in "+
				"front of you?\n", who, challenge.Terminal)
			o.printf("%s\n", answer)
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "key", defaultKeyFile(), "the key")
	return cmd
}

func techPINCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "pin",
		Short: "print what a PIN file holds for a PIN that is asked for",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			digits, err := o.secret("PIN: ")
			if err != nil {
				return err
			}
			pin, err := badge.NewPIN(digits)
			if err != nil {
				return usageError{err}
			}
			o.printf("%s\n", pin)
			return nil
		},
	}
}

// sign answers a challenge with the key of a file.
func (o *options) sign(file string, c badge.Challenge) (answer, who string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", "", toolError{
			err, exitNoInput, "make a key with reversald tech keygen, or name it with --key",
		}
	}
	key, private, err := badge.OpenSecret(string(text), func() (string, error) {
		return o.secret("passphrase: ")
	})
	if err != nil {
		return "", "", toolError{err, exitData, "try the passphrase again, or another --key"}
	}
	return badge.Sign(c, private), key.Name, nil
}

// secret asks for what nobody else should see. A program may give it in a line of standard input.
func (o *options) secret(prompt string) (string, error) {
	fd := int(os.Stdin.Fd())
	if term.IsTerminal(fd) {
		_, _ = fmt.Fprint(o.errout, prompt)
		text, err := term.ReadPassword(fd)
		_, _ = fmt.Fprintln(o.errout)
		return string(text), err
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// writeNew writes a file that is not there yet, for its owner alone.
func writeNew(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return toolError{err, exitData, "a key is never written over: move the old one away, or " +
			"name another file with --key"}
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// defaultKeyFile is where a technician's key is looked for.
func defaultKeyFile() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "tech.key"
	}
	return filepath.Join(dir, "reversald", "tech.key")
}

// oneWord wants exactly one argument.
func oneWord(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s is wanted, and nothing else", what)}
		}
		return nil
	}
}
