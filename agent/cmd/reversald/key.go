package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"reversald/store"
)

func keyCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "key", Short: "change the key that seals card numbers", Args: knownCommand,
		SuggestionsMinimumDistance: 2,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(&cobra.Command{
		Use:   "rotate",
		Short: "seal everything with a new key and destroy the old one; the daemon must be stopped",
		Long: "rotate copies the journal under a new key. The old key is destroyed: what was\n" +
			"forgotten, and the card numbers in every copy and quarantine file, can not be\n" +
			"opened by anybody from then on.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := o.load()
			if err != nil {
				return err
			}
			if _, err := os.Stat(c.Journal); err != nil {
				return journalError{fmt.Errorf("%w: %w", store.ErrLost, err)}
			}
			if err := store.RotateKey(storeOptions(c)); err != nil {
				return journalError{err}
			}
			o.printf("%s has a new key\n", c.Journal)
			return nil
		},
	})
	return cmd
}
