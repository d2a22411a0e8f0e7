package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"reversald/iso/acquirer"
)

func newServe() *cobra.Command {
	var o acquirer.Options
	var profile, manners, master string
	var papers papers
	var log bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "be the bank, until SIGTERM or Ctrl-C",
		Long: `serve listens for terminals and answers them as a host would, keeping books.

When it is ready it prints "acquirerd: listening on ADDRESS". The books are one JSON line a fact,
synced before the answer is sent, and are read back at the next start. They hold no card number: six
and four digits, and an account name made with the key in FILE.key.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Profile, err = profileOf(profile); err != nil {
				return err
			}
			if manners != "" {
				if o.Manners, err = acquirer.ParseManners(manners); err != nil {
					return usage(err)
				}
			}
			key, err := parseMaster(master)
			if err != nil {
				return usage(err)
			}
			if key != nil {
				if o.Keys, err = acquirer.NewVault(key); err != nil {
					return usage(err)
				}
			}
			if o.TLS, err = papers.config(); err != nil {
				return usage(err)
			}
			if o.Books == "none" {
				o.Books = ""
			}
			if o.Control == "none" {
				o.Control = ""
			}
			if log {
				o.Log = cmd.OutOrStdout()
			}
			return serve(cmd.Context(), cmd.OutOrStdout(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", defaultListen, "TCP address; port 0 takes a free one")
	f.StringVar(&o.Serial, "serial", "", `serial device instead of a TCP address; frames go as STX,
packed length, body, ETX, LRC, so the profile's framing is bcd2`)
	f.StringVar(&papers.cert, "tls-cert", "", "certificate, PEM: the line is encrypted")
	f.StringVar(&papers.key, "tls-key", "", "its key, PEM")
	f.StringVar(&papers.clients, "client-ca", "",
		"authority of the terminals, PEM: those without a certificate of its are refused")
	f.StringVar(&profile, "profile", defaultProfile, "built-in profile, or a profile file")
	f.StringVar(&o.Books, "books", defaultBooks, `file of the books; "none" keeps them in memory`)
	f.StringVar(&o.Control, "control", defaultControl, `control socket; "none" for none`)
	f.StringVar(&manners, "manners", "", `misbehave from the start: "0200:silent; 0400:late=3s"`)
	f.StringVar(&master, "tmk", "", `terminals' master key for rehearsals, 32 hexadecimal digits:
authentication codes are asked for and made, where the profile has them`)
	f.BoolVar(&log, "log", false, "print a line a message, card numbers masked")
	return cmd
}

func serve(ctx context.Context, stdout io.Writer, o acquirer.Options) error {
	bank, err := acquirer.New(ctx, o)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(stdout, "acquirerd: listening on %s\n", bank.Address()); err != nil {
		return errors.Join(err, bank.Close())
	}
	return errors.Join(bank.Run(ctx), bank.Close())
}
