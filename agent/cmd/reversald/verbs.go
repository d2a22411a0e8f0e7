package main

import (
	"errors"
	"os"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"reversald/agent/doors/api"
	"reversald/agent/verbs"
)

// verbCommand binds one verb to the shell.
func verbCommand(o *options, v *verbs.Verb) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: v.Usage(), Short: o.lang().Tr(v.Short), Long: o.lang().Tr(v.Long),
		Args: cobra.ArbitraryArgs, // the verb knows what it wants
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.session(by)
			if err != nil {
				return err
			}
			in := verbs.Input{Args: args, Values: map[string]string{}}
			cmd.Flags().VisitAll(func(f *pflag.Flag) { in.Values[f.Name] = f.Value.String() })
			err = v.Run(cmd.Context(), s, in)
			var usage verbs.UsageError
			if errors.As(err, &usage) {
				return usageError{err}
			}
			return err
		},
	}
	for _, f := range v.Flags {
		doc := o.lang().Tr(f.Doc)
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
	}
	if v.Order {
		cmd.Flags().StringVar(&by, "by", whoAmI(), o.lang().Tr("who says so; it goes on file"))
	}
	return cmd
}

// session is this shell, to a verb.
func (o *options) session(by string) (*verbs.Session, error) {
	s := &verbs.Session{Out: o.out, Lang: o.lang(), JSON: o.json, Who: by}
	c, err := o.load()
	switch {
	case err == nil:
		s.Config, s.Client = &c, api.NewClient(c.Socket, o.wait)
	case o.socket != "": // whoever names the daemon needs no configuration
		s.Client = api.NewClient(o.socket, o.wait)
	default:
		return nil, err
	}
	return s, nil
}

// lang is the language that the environment asks for.
func (o *options) lang() verbs.Lang {
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
