package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"reversald/agent/doors/api"
	"reversald/store"
)

func verifyCommand(o *options) *cobra.Command {
	var ring, key, public string
	cmd := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "prove a journal or an evidence bundle, or say exactly where it breaks",
		Long: "verify reads a journal, its ring and its key, and writes nothing: every page and\n" +
			"checksum, the chain, that the index of open payments is what the entries add up\n" +
			"to, that the ring agrees, and that no card number stands in clear. Without FILE it\n" +
			"takes the configuration's; with FILE, its ring and key are looked for beside it.\n\n" +
			"Where a running daemon has the configuration's journal open, the daemon proves it,\n" +
			"page by page, while payments go on; verify asks it over the socket.\n\n" +
			"FILE may be a bundle of reversald evidence as well. With the journal's key every\n" +
			"entry is proven to be one of this journal; without it the signature proves that\n" +
			"nothing was changed since it was made, and by whom if --public names the key that\n" +
			"reversald doctor showed for this terminal.",
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && isBundle(args[0]) {
				return o.verifyBundle(args[0], key, public)
			}
			so, err := o.journalFiles(args, ring, key)
			if err != nil {
				return err
			}
			v, err := store.Verify(so)
			if errors.Is(err, store.ErrLocked) && len(args) == 0 {
				return o.verifyRunning(cmd.Context())
			}
			if err != nil {
				return journalError{err}
			}
			return o.judge(api.NewProof(&v))
		},
	}
	cmd.Flags().StringVar(&ring, "ring", "", "the ring, if it is not beside FILE")
	cmd.Flags().StringVar(&key, "key", "", "the key, if it is not beside FILE; none: without")
	cmd.Flags().StringVar(&public, "public", "", "bundle: the terminal's evidence key")
	return cmd
}

// journalFiles are those of the file that was named, or of the configuration.
func (o *options) journalFiles(args []string, ring, key string) (store.Options, error) {
	c, err := o.load()
	if err != nil {
		return store.Options{}, err
	}
	so := storeOptions(c)
	if len(args) == 1 {
		so = store.Options{Path: args[0], AnyFilesystem: true, DeriveKey: keySource(c)}
	}
	if ring != "" {
		so.RingPath = ring
	}
	if key != "" {
		so.KeyPath = key
	}
	return so, nil
}

// verifyRunning has the daemon prove its journal.
func (o *options) verifyRunning(ctx context.Context) error {
	c, err := o.load()
	if err != nil {
		return err
	}
	client := api.NewClient(c.Socket, o.wait)
	p, err := client.Verify(ctx, func(api.ProofStep) {})
	if err != nil {
		return err
	}
	return o.judge(p)
}

// judge prints a proof, and is an error if it is none.
func (o *options) judge(p api.Proof) error {
	if o.json {
		if err := o.printJSON(p); err != nil {
			return err
		}
	} else {
		o.printProof(&p)
	}
	switch n := len(p.Faults); {
	case n > 0:
		return journalError{fmt.Errorf("%w: %s has %d faults, the first: %s", store.ErrCorrupt,
			p.Journal, n, p.Faults[0])}
	case p.Keyless:
		return journalError{fmt.Errorf("%w: without it the chain of %s is not proven",
			store.ErrKeyLost, p.Journal)}
	}
	return nil
}

func (o *options) printProof(p *api.Proof) {
	o.printf("journal   %s, format %d, terminal %q\n", p.Journal, p.Format, p.Terminal)
	o.printf("entries   %d, %d to %d; %d more wait in the ring\n",
		p.Entries, p.First, p.Last, p.Waiting)
	o.printf("payments  %d, %d of them open\n", p.Payments, len(p.Open))
	for _, r := range p.Lost {
		o.printf("lost      entries %s, in an earlier damage\n", r)
	}
	for _, f := range p.Faults {
		o.printf("FAULT     %s\n", f)
	}
	if len(p.Faults) == 0 && !p.Keyless {
		o.printf("proven    pages, checksums, chain, index and ring agree; " +
			"no card number in clear\n")
	}
}
