package main

import (
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"reversald/store"
)

// proof is what verify --json prints. Its keys are stable.
type proof struct {
	Journal  string   `json:"journal"`
	ID       string   `json:"id"`
	Terminal string   `json:"terminal"`
	Format   int      `json:"format"`
	First    uint64   `json:"first"`
	Last     uint64   `json:"last"`
	Entries  int      `json:"entries"`
	Payments uint64   `json:"payments"`
	Open     []uint64 `json:"open"`
	Waiting  int      `json:"waiting"`
	Keyless  bool     `json:"keyless"`
	Lost     []string `json:"lost"`
	Faults   []string `json:"faults"`
}

func verifyCommand(o *options) *cobra.Command {
	var ring, key, public string
	cmd := &cobra.Command{
		Use:   "verify [FILE]",
		Short: "prove a journal that no daemon has open, or an evidence bundle",
		Long: "verify reads a journal, its ring and its key, and writes nothing: every page and\n" +
			"checksum, the chain, that the index of open payments is what the entries add up\n" +
			"to, that the ring agrees, and that no card number stands in clear. Without FILE it\n" +
			"takes the configuration's; with FILE, its ring and key are looked for beside it.\n\n" +
			"A running daemon checks its own journal: reversald status. To verify it, stop\n" +
			"it.\n\n" +
			"FILE may be a bundle of reversald evidence as well. With the journal's key every\n" +
			"entry is proven to be one of this journal; without it the signature proves that\n" +
			"nothing was changed since it was made, and by whom if --public names the key that\n" +
			"reversald doctor showed for this terminal.",
		Args: oneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && isBundle(args[0]) {
				return o.verifyBundle(args[0], key, public)
			}
			so, err := o.journalFiles(args, ring, key)
			if err != nil {
				return err
			}
			v, err := store.Verify(so)
			if err != nil {
				return journalError{err}
			}
			if err := o.printVerdict(&v); err != nil {
				return err
			}
			return judgeVerdict(&v, so)
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

func judgeVerdict(v *store.Verdict, so store.Options) error {
	switch n := len(v.Faults); {
	case n > 0:
		return journalError{fmt.Errorf("%w: %s has %d faults, the first: %s", store.ErrCorrupt,
			v.Path, n, v.Faults[0])}
	case v.Keyless:
		return journalError{fmt.Errorf("%w: without it the chain of %s is not proven",
			store.ErrKeyLost, so.Path)}
	}
	return nil
}

func (o *options) printVerdict(v *store.Verdict) error {
	if o.json {
		out := proof{
			Journal: v.Path, ID: hex.EncodeToString(v.ID[:]), Terminal: v.Terminal,
			Format: v.Format, First: v.First, Last: v.Last, Entries: v.Entries,
			Payments: v.Payments, Open: v.Open, Waiting: v.Waiting, Keyless: v.Keyless,
			Lost: []string{}, Faults: []string{},
		}
		for _, r := range v.Lost {
			out.Lost = append(out.Lost, r.String())
		}
		for _, f := range v.Faults {
			out.Faults = append(out.Faults, f.String())
		}
		return o.printJSON(out)
	}
	o.printf("journal   %s, format %d, terminal %q\n", v.Path, v.Format, v.Terminal)
	o.printf("entries   %d, %d to %d; %d more wait in the ring\n",
		v.Entries, v.First, v.Last, v.Waiting)
	o.printf("payments  %d, %d of them open\n", v.Payments, len(v.Open))
	for _, r := range v.Lost {
		o.printf("lost      entries %s, in an earlier damage\n", r)
	}
	for _, f := range v.Faults {
		o.printf("FAULT     %s\n", f)
	}
	if len(v.Faults) == 0 && !v.Keyless {
		o.printf("proven    pages, checksums, chain, index and ring agree; " +
			"no card number in clear\n")
	}
	return nil
}
