package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"reversald/agent"
	"reversald/hal"
	"reversald/store"
)

// keyPatience is how long the module that makes the journal's key may take to be there: when the
// device starts, its program may start after ours.
const keyPatience = 5 * time.Second

// keySource asks the signer for the journal's key, or is nil where the key file has it.
func keySource(c agent.Config) func(salt []byte) ([]byte, error) {
	if c.KeySigner == "" {
		return nil
	}
	return func(salt []byte) ([]byte, error) {
		signer, err := signerOf(c.Signer)
		if err != nil {
			return nil, err
		}
		defer signer.Close()
		module, can := signer.(hal.KeyDeriver)
		if !can {
			return nil, fmt.Errorf("signer %q makes no keys", c.Signer)
		}
		ctx, stop := context.WithTimeout(context.Background(), keyPatience)
		defer stop()
		return derive(ctx, module, hal.DeriveRequest{
			KeyName: c.KeySigner, Length: len(salt), Data: salt,
		})
	}
}

// derive asks again while nobody is there.
func derive(ctx context.Context, m hal.KeyDeriver, r hal.DeriveRequest) ([]byte, error) {
	const pause = 200 * time.Millisecond
	for {
		key, err := m.DeriveKey(ctx, r)
		if !errors.Is(err, hal.ErrSignerAway) {
			return key, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause):
		}
	}
}

func keyCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "key", Short: "change the key that seals card numbers", Args: knownCommand,
		SuggestionsMinimumDistance: 2,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	inClear := false
	rotate := &cobra.Command{
		Use:   "rotate",
		Short: "seal everything with a new key and destroy the old one; the daemon must be stopped",
		Long: "rotate copies the journal under a new key. The old key is destroyed: what was\n" +
			"forgotten, and the card numbers in every copy and quarantine file, can not be\n" +
			"opened by anybody from then on. Where the configuration has key_signer, the new key\n" +
			"is made by the secure module; --in-clear puts it into the key file instead, and\n" +
			"key_signer must then be taken out.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := o.load()
			if err != nil {
				return err
			}
			if _, err := os.Stat(c.Journal); err != nil {
				return journalError{fmt.Errorf("%w: %w", store.ErrLost, err)}
			}
			so := storeOptions(c)
			so.KeyInClear = inClear
			if err := store.RotateKey(so); err != nil {
				return journalError{err}
			}
			o.printf("%s has a new key\n", c.Journal)
			return nil
		},
	}
	rotate.Flags().BoolVar(&inClear, "in-clear", false,
		"put the new key into the key file, away from the secure module")
	cmd.AddCommand(rotate)
	return cmd
}
