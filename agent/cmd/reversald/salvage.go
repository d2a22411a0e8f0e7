package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"reversald/store"
)

func salvageCommand(o *options) *cobra.Command {
	var acceptLoss bool
	cmd := &cobra.Command{
		Use:   "salvage",
		Short: "copy what is good of a damaged journal into a new one; the daemon must be stopped",
		Long: "salvage takes every good entry from the journal, its ring and pages nothing\n" +
			"leads to any more, into new files, and keeps the old journal as .quarantine-N. The\n" +
			"daemon does the same by itself when it meets damage. It refuses when the newest\n" +
			"entries are gone in both files, because there may have been payments nobody knows\n" +
			"of any more: compare with the host's file, and then use --accept-loss.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := o.load()
			if err != nil {
				return err
			}
			facts, err := store.Salvage(storeOptions(c), acceptLoss)
			if err != nil {
				return journalError{err}
			}
			o.printSalvaged(facts)
			return nil
		},
	}
	cmd.Flags().BoolVar(&acceptLoss, "accept-loss", false,
		"go on although the newest entries are gone in both files")
	return cmd
}

func (o *options) printSalvaged(f store.Facts) {
	o.printf("journal   %s, up to entry %d, %d payments open\n", f.Path, f.Last, f.OpenKeys)
	if f.Quarantine != "" {
		o.printf("kept      %s\n", f.Quarantine)
	}
	o.printf("lost      %d entries that neither file had whole\n", f.LostEntries)
	for _, key := range f.Damaged {
		o.printf("damaged   payment %d: an entry of it is gone in both files; it is held\n", key)
	}
	o.printf("next: reversald run reverses what is open before it sells\n")
}

func compactCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "compact",
		Short: "copy the journal into a file without free pages; the daemon must be stopped",
		Long: "compact gives back the space of payments that were forgotten. A power cut leaves\n" +
			"the old file or the new one. The daemon does it by itself when it starts on a file\n" +
			"of mostly free pages.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := o.load()
			if err != nil {
				return err
			}
			if _, err := os.Stat(c.Journal); err != nil {
				return journalError{fmt.Errorf("%w: %w", store.ErrLost, err)}
			}
			before, after, err := store.Compact(storeOptions(c))
			if err != nil {
				return journalError{err}
			}
			o.printf("%s: %d bytes, %d before\n", c.Journal, after, before)
			return nil
		},
	}
}
