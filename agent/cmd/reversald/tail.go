package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"reversald/agent"
	"reversald/agent/doors/api"
)

func tailCommand(o *options) *cobra.Command {
	var follow bool
	var last uint64
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "the newest journal entries; -f waits for more",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			query := fmt.Sprintf("last=%d&follow=%t", last, follow)
			if err := client.Journal(cmd.Context(), query, o.printLine); err != nil || !follow {
				return err
			}
			return fmt.Errorf("%w: it has ended", api.ErrAway) // or there would be more to wait for
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more entries")
	cmd.Flags().Uint64VarP(&last, "lines", "n", 20, "how many entries to begin with")
	return cmd
}

func showCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "everything on file about one payment",
		Args:  oneID,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			story, err := client.Payment(cmd.Context(), mustID(args[0]))
			if err != nil {
				return err
			}
			if o.json {
				return o.printJSON(story)
			}
			for _, l := range story.Entries {
				if err := o.printLine(l); err != nil {
					return err
				}
			}
			o.printNext(story.Payment.Payment)
			return nil
		},
	}
}

// printNext says what happens next to a payment.
func (o *options) printNext(p agent.Payment) {
	switch {
	case p.Phase == "stuck":
		o.printf("next: a person must decide (%s); reversald replay %d --by NAME sends it again\n",
			p.Cause, p.ID)
	case p.Phase == "doubted" && p.NextIn != nil:
		text, _ := p.NextIn.MarshalText()
		o.printf("next: the reversal is sent, or its answer due, in %s; "+
			"nobody needs to do anything\n", text)
	case p.Phase == "doubted":
		o.printf("next: the reversal is sent when the line is back; nobody needs to do anything\n")
	case p.Phase == "approved" && p.Confirms:
		o.printf("next: its app confirms or cancels it, or it is reversed by itself\n")
	case p.Phase == "asked":
		o.printf("next: the host's answer, or the reversal by itself\n")
	}
}

// printLine prints one entry, aligned, or as JSON.
func (o *options) printLine(l agent.Line) error {
	if o.json {
		return o.printJSON(l)
	}
	o.printf("%6d  %s  %5s  %-17s  %s\n", l.Seq, l.Time.Local().Format("2006-01-02 15:04:05.000"),
		number(l.ID), l.Kind, story(l))
	return nil
}

func number(id uint64) string {
	if id == 0 {
		return "-"
	}
	return fmt.Sprintf("#%d", id)
}

// story is what an entry says besides its kind.
func story(l agent.Line) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if l.Terminal != "" {
		add("%s %s", l.Terminal, l.STAN)
	}
	if l.MTI != "" {
		add("%s", l.MTI)
	}
	if l.Amount != 0 {
		add("%s", money(l.Amount, l.Currency))
	}
	if l.Card != "" {
		add("%s", l.Card)
	}
	if l.Reason != "" {
		add("%s", l.Reason)
	}
	if l.Attempt != 0 {
		add("attempt %d", l.Attempt)
	}
	if l.Host != "" {
		add("to %s", l.Host)
	}
	if l.Code != "" {
		add("code %s", l.Code)
	}
	if l.Kept != nil && l.Kept.RRN != "" {
		add("RRN %s", l.Kept.RRN)
	}
	if l.Approves {
		add("an approval")
	}
	if l.By != "" {
		add("by %s", l.By)
	}
	if l.Why != "" {
		add("%s", l.Why)
	}
	return strings.Join(parts, "  ")
}
