package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"reversald/agent"
	"reversald/agent/doors/api"
)

func statusCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "is the line up, and is anything owed?",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			s, err := client.Status(cmd.Context())
			if err != nil {
				return err
			}
			if o.json {
				return o.printJSON(s)
			}
			o.printStatus(s)
			return nil
		},
	}
}

func (o *options) printStatus(s api.Status) {
	link := s.Link
	if s.Host != "" {
		link += " to " + s.Host
	}
	if s.LinkNote != "" {
		link += " (" + s.LinkNote + ")"
	}
	o.printf("link      %s\n", link)
	o.printf("owed      %d reversals being sent, %d of them overdue\n", s.Owed, s.Overdue)
	o.printf("stuck     %d payments need a person\n", s.Stuck)
	o.printf("open      %d payments, %d waiting to go out\n", s.Open, s.Waiting)
	o.printf("journal   %s, %d entries, %s\n", s.Journal, s.Entries, journalHealth(s))
	o.printf("apps      %s, profile %s\n", s.Listen, s.Profile)
	o.printf("running   %s, pid %d, since %s\n", s.Version, s.PID, s.Started)
	if len(s.Overrides) > 0 {
		o.printf("WEAKENED  %s\n", strings.Join(s.Overrides, ", "))
	}
}

// journalHealth is what start and background check made of the journal.
func journalHealth(s api.Status) string {
	text := "not checked to the end yet"
	switch {
	case s.Faults > 0:
		text = fmt.Sprintf("%d FAULTS, see the log; the next start mends what it can", s.Faults)
	case s.Checked > 0:
		text = fmt.Sprintf("%d checked, sound", s.Checked)
	}
	if s.Rebuilt != "" {
		text += "; copied at start: " + s.Rebuilt
	}
	if s.Damaged > 0 {
		text += fmt.Sprintf("; %d payments damaged in both files", s.Damaged)
	}
	return text
}

func stuckCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "stuck",
		Short: "payments that need a person (exit 1 if there are any)",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			stuck, err := client.Payments(cmd.Context(), "stuck")
			if err != nil {
				return err
			}
			if o.json {
				if err := o.printJSON(stuck); err != nil {
					return err
				}
			} else {
				o.printStuck(stuck)
			}
			if len(stuck) > 0 {
				return foundError{len(stuck)}
			}
			return nil
		},
	}
}

func (o *options) printStuck(stuck []agent.Payment) {
	if len(stuck) == 0 {
		o.printf("nothing is stuck\n")
		return
	}
	for _, p := range stuck {
		o.printf("%d  %s %s  %s  %s  %s\n", p.ID, p.Terminal, p.STAN, money(p.Amount, p.Currency),
			p.Card, p.Cause)
	}
	o.printf("send one again with: reversald replay ID --by NAME\n")
}

// client asks the daemon behind the configured socket.
func (o *options) client() (*api.Client, error) {
	if o.socket != "" {
		return api.NewClient(o.socket, o.wait), nil
	}
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	return api.NewClient(c.Socket, o.wait), nil
}

func (o *options) printJSON(v any) error {
	out := json.NewEncoder(o.out)
	return out.Encode(v)
}

// money is an amount for people. The smallest unit is a hundredth in nearly every currency a
// terminal sees; the number itself is in the JSON.
func money(minor int64, currency string) string {
	s := fmt.Sprintf("%d.%02d", minor/100, minor%100)
	if currency != "" {
		s += " " + currency
	}
	return s
}
