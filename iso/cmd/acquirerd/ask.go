package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"reversald/iso/acquirer"
)

// asker is a subcommand that puts one command to a running acquirer.
type asker struct {
	socket string
	asJSON bool
}

func (a *asker) flags(cmd *cobra.Command, withJSON bool) {
	cmd.Flags().StringVar(&a.socket, "control", defaultControl, "control socket of the acquirer")
	if withJSON {
		cmd.Flags().BoolVar(&a.asJSON, "json", false, "print JSON")
	}
}

func (a *asker) ask(cmd *cobra.Command, c acquirer.Command) (acquirer.Result, error) {
	return acquirer.Control(cmd.Context(), a.socket, c)
}

// show prints a table for people, or the same as JSON.
func (a *asker) show(cmd *cobra.Command, v io.WriterTo) error {
	if a.asJSON {
		encoder := json.NewEncoder(cmd.OutOrStdout())
		encoder.SetIndent("", "  ")
		return encoder.Encode(v)
	}
	_, err := v.WriteTo(cmd.OutOrStdout())
	return err
}

func newBooks() *cobra.Command {
	var a asker
	var filter acquirer.Filter
	var state string
	cmd := &cobra.Command{
		Use:   "books",
		Short: "list every debit, and whether it was taken back",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter.State = acquirer.State(state)
			result, err := a.ask(cmd, acquirer.Command{Do: "books", Filter: filter})
			if err != nil {
				return err
			}
			return a.show(cmd, result.Books)
		},
	}
	a.flags(cmd, true)
	f := cmd.Flags()
	f.StringVar(&filter.Terminal, "tid", "", "only this terminal (totals stay of all)")
	f.StringVar(&filter.STAN, "stan", "", "only this STAN, six digits")
	f.StringVar(&state, "state", "",
		"only debited, reversed, declined, never-seen, credited or answered")
	return cmd
}

func newBehave() *cobra.Command {
	var a asker
	var forget bool
	cmd := &cobra.Command{
		Use:   "behave [SPEC...]",
		Short: "give the acquirer manners, or take them away with --forget",
		Long: `behave replaces the manners in force by the rules given; several are parted by ";" or
are arguments of their own. The first rule that fits a message is followed.

  RULE    [WHEN:]MANNER[+MANNER...][ xN]      xN: at most N times
  WHEN    0200  04xx  0200#2  #3  tid=T1  stan=000123  amount=1234  p=0.1    joined by ","
  seed=N  makes p= and garbage repeatable

  good               behaves (an exception before a wider rule)
  silent             does it, never answers
  unbooked-silent    never saw it
  late=3s            does it, answers later
  twice              answers twice
  decline=51         does nothing, answers 51
  code=96            books a payment, answers 96; a reversal it undoes only if the code says so
  wrong-stan, wrong-mti, wrong-tid    the answer is of another question
  cut-before         closes the connection instead of doing anything
  cut-booked         does it, closes before answering
  cut-middle         does it, closes after half of the answer
  cut-after          does it, answers, closes
  half-frame         does it, sends half of the answer, keeps the connection
  garbage            does it, answers a proper frame of noise
  bad-mac, no-mac    does it, answers with a wrong authentication code, or with none
  ask=3              does it; the UnionPay header of the answer asks for something (3: sign on)
  split[=5ms]        does it, answers byte by byte
  refuse[=10s]       drops all connections and stops listening, until told or for so long`,
		Example: "  acquirerd behave '0200:silent x1' '0400:late=3s'\n  acquirerd behave --forget",
		RunE: func(cmd *cobra.Command, args []string) error {
			command := acquirer.Command{Do: "behave", Spec: strings.Join(args, ";")}
			switch {
			case forget && len(args) > 0, !forget && len(args) == 0:
				return usage(errors.New("want rules, or --forget"))
			case forget:
				command.Do = "forget"
			default:
				if _, err := acquirer.ParseManners(command.Spec); err != nil {
					return usage(err)
				}
			}
			result, err := a.ask(cmd, command)
			if err != nil {
				return err
			}
			words := "the acquirer behaves"
			if result.Manners != "" {
				words = "manners: " + result.Manners
			}
			return say(cmd, words)
		},
	}
	a.flags(cmd, false)
	cmd.Flags().BoolVar(&forget, "forget", false, "behave again")
	return cmd
}

func newStats() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "count what came in and what went out",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			result, err := a.ask(cmd, acquirer.Command{Do: "stats"})
			if err != nil {
				return err
			}
			return a.show(cmd, result.Stats)
		},
	}
	a.flags(cmd, true)
	return cmd
}

func newAway() *cobra.Command {
	return newOrder("away", "close every connection and stop listening, as a host that is down",
		"the acquirer is away")
}

func newBack() *cobra.Command {
	return newOrder("back", "listen again on the same port", "the acquirer is back")
}

// newOrder is a subcommand that is one word.
func newOrder(name, short, done string) *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := a.ask(cmd, acquirer.Command{Do: name}); err != nil {
				return err
			}
			return say(cmd, done)
		},
	}
	a.flags(cmd, false)
	return cmd
}

func say(cmd *cobra.Command, words string) error {
	_, err := fmt.Fprintln(cmd.OutOrStdout(), words)
	return err
}
