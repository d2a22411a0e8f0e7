package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"
)

func replayCommand(o *options) *cobra.Command {
	var by, why string
	cmd := &cobra.Command{
		Use:   "replay ID",
		Short: "send a stuck reversal again, now",
		Args:  oneID,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			ctx, cancel := o.asking(cmd)
			defer cancel()
			p, err := client.Replay(ctx, mustID(args[0]), by, why)
			if err != nil {
				return err
			}
			if o.json {
				return o.printJSON(p)
			}
			o.printf("payment %d is being reversed again; reversald show %d tells how it went\n",
				p.ID, p.ID)
			return nil
		},
	}
	cmd.Flags().StringVar(&by, "by", whoAmI(), "who says so; it goes on file")
	cmd.Flags().StringVar(&why, "reason", "", "why; it goes on file")
	return cmd
}

// whoAmI is the user's name, as far as the system knows it.
func whoAmI() string {
	if sudo := os.Getenv("SUDO_USER"); sudo != "" {
		return sudo
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}

// oneID wants a payment's number.
func oneID(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{fmt.Errorf("one payment number is wanted, not %d", len(args))}
	}
	if mustID(args[0]) == 0 {
		return usageError{fmt.Errorf("%q is not a payment's number", args[0])}
	}
	return nil
}

// mustID is the number, after oneID has looked at it; zero if it is none.
func mustID(text string) uint64 {
	if len(text) > 0 && text[0] == '#' {
		text = text[1:]
	}
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return id
}
