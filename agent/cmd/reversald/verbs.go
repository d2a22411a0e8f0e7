package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"reversald/agent/doors/api"
	"reversald/agent/verbs"
)

// verbCommand binds one verb to the shell.
func verbCommand(o *options, v *verbs.Verb) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: v.Usage(), Short: o.lang.Tr(v.Short), Long: o.lang.Tr(v.Long),
		Args:              cobra.ArbitraryArgs, // the verb knows what it wants
		ValidArgsFunction: o.completeIDs(v),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.session(by)
			if err != nil {
				return err
			}
			in := verbs.Input{Args: args, Values: map[string]string{}}
			cmd.Flags().VisitAll(func(f *pflag.Flag) { in.Values[f.Name] = f.Value.String() })
			ctx := cmd.Context()
			if v.Live { // Ctrl-C has seen enough; it is no fault
				giveWay()
				var stop context.CancelFunc
				ctx, stop = signal.NotifyContext(ctx, os.Interrupt)
				defer stop()
			}
			err = v.Run(ctx, s, in)
			var usage verbs.UsageError
			if errors.As(err, &usage) {
				return usageError{err}
			}
			return err
		},
	}
	bindFlags(cmd, o.lang, v.Flags)
	if v.Order || v.Name == "evidence" {
		cmd.Flags().StringVar(&by, "by", whoAmI(), o.lang.Tr("who says so; it goes on file"))
	}
	return cmd
}

// bindFlags gives a command a verb's flags.
func bindFlags(cmd *cobra.Command, lang verbs.Lang, flags []verbs.Flag) {
	for _, f := range flags {
		doc := lang.Tr(f.Doc)
		switch f.Kind {
		case verbs.Switch:
			cmd.Flags().BoolP(f.Name, f.Letter, f.Default == "true", doc)
		case verbs.Number:
			n, err := strconv.ParseUint(f.Default, 10, 63)
			if err != nil {
				n = 0
			}
			cmd.Flags().Uint64P(f.Name, f.Letter, n, doc)
		case verbs.Text:
			cmd.Flags().StringP(f.Name, f.Letter, f.Default, doc)
		}
		if len(f.OneOf) > 0 {
			// It fails only for a flag that is not there.
			_ = cmd.RegisterFlagCompletionFunc(f.Name,
				cobra.FixedCompletions(f.OneOf, cobra.ShellCompDirectiveNoFileComp))
		}
	}
}

// completeTime is how long somebody who presses Tab waits for the daemon.
const completeTime = time.Second

// completeIDs offers the numbers of open payments, where a verb takes one.
func (o *options) completeIDs(v *verbs.Verb) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		const only = cobra.ShellCompDirectiveNoFileComp
		if !v.IDs || len(args) > 0 {
			return nil, only
		}
		o.wait = completeTime
		s, err := o.session("")
		if err != nil {
			return nil, only
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
		defer cancel()
		return v.Complete(ctx, s), only
	}
}

// session is this shell, to a verb.
func (o *options) session(by string) (*verbs.Session, error) {
	s := &verbs.Session{Out: o.out, Lang: o.lang, JSON: o.json, Who: by}
	c, err := o.load()
	switch {
	case err == nil:
		s.Config, s.Client = &c, api.NewClient(c.Socket, o.wait)
	case o.socket != "": // whoever names the daemon needs no configuration
		s.Client = api.NewClient(o.socket, o.wait)
	default:
		return nil, err
	}
	tty := isTerminal(o.out)
	s.Width, s.Height = screenSize(o.out, tty)
	s.Color, err = wantsColor(o.color, tty)
	return s, err
}

// wantsColor: what the flag says, else what the environment says (no-color.org, clicolors), else
// whether a person is looking.
func wantsColor(flag string, tty bool) (bool, error) {
	switch flag {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
	default:
		return false, usageError{fmt.Errorf("--color is auto, always or never, not %q", flag)}
	}
	switch force := os.Getenv("CLICOLOR_FORCE"); {
	case os.Getenv("NO_COLOR") != "":
		return false, nil
	case force != "" && force != "0":
		return true, nil
	}
	return tty && os.Getenv("TERM") != "dumb", nil
}

// langOf is the language that the command line asks for, or else the environment. Help is worded
// before the flags are read, so they are looked through here.
func langOf(args []string) verbs.Lang {
	for i, arg := range args {
		switch {
		case arg == "--":
			args = nil
		case arg == "--lang" && i+1 < len(args):
			return verbs.LangOf(args[i+1])
		case len(arg) > 7 && arg[:7] == "--lang=":
			return verbs.LangOf(arg[7:])
		}
		if args == nil {
			break
		}
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if set := os.Getenv(name); set != "" {
			return verbs.LangOf(set)
		}
	}
	return verbs.English
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
