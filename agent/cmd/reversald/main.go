// Command reversald stands between a payment app and its acquirer on a POS terminal: a sale that
// failed leaves no debit, and a sale that succeeded is not taken back.
//
// `reversald run` is the daemon; the other commands ask a running one over its Unix socket, or
// check a file without one.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"reversald/agent"
	"reversald/agent/verbs"
)

// version is set at build time from the tag.
var version = "v0.0.0"

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	lang := langOf(args)
	root := newRoot(stdout, stderr, lang)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		return complain(stderr, err, lang)
	}
	return exitOK
}

// options are what every command knows.
type options struct {
	config string // path of the configuration file; empty: defaults
	socket string // overrides the configuration's
	json   bool
	lang   verbs.Lang
	color  string
	wait   time.Duration // for the daemon's answer
	out    io.Writer
	errout io.Writer
}

func newRoot(stdout, stderr io.Writer, lang verbs.Lang) *cobra.Command {
	o := &options{out: stdout, errout: stderr, lang: lang}
	root := &cobra.Command{
		Use:   "reversald",
		Short: lang.Tr("a failed sale leaves no debit"),
		Long: "reversald journals every authorization before it leaves the terminal, and sends\n" +
			"the reversal by itself when the sale fails. Nothing is dropped until the host has\n" +
			"answered.\n\n" +
			"  reversald run        the daemon; without a file it runs on loopback defaults\n" +
			"  reversald tail -f    watch the journal\n" +
			"  reversald stuck      what needs a person",
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.StringVarP(&o.config, "config", "c", os.Getenv("REVERSALD_CONFIG"),
		"configuration file (or REVERSALD_CONFIG); none: defaults on loopback")
	flags.StringVar(&o.socket, "socket", os.Getenv("REVERSALD_SOCKET"),
		"socket of the daemon (or REVERSALD_SOCKET); none: the configuration's")
	flags.BoolVar(&o.json, "json", false, lang.Tr("print JSON for programs"))
	flags.String("lang", lang.String(),
		lang.Tr("en or zh; else LC_ALL, LC_MESSAGES or LANG decides")) // langOf has read it
	flags.StringVar(&o.color, "color", "auto",
		lang.Tr("colours: auto, always or never (NO_COLOR and CLICOLOR_FORCE count too)"))
	flags.DurationVar(&o.wait, "wait", 10*time.Second, "how long the daemon may take to answer")
	root.AddCommand(
		runCommand(o), verifyCommand(o), salvageCommand(o), compactCommand(o),
		examineCommand(o), keyCommand(o), configCommand(o), decodeCommand(o),
		profileCommand(o), exitCodesTopic(),
	)
	root.AddCommand(laptopCommands(o)...)
	for _, v := range verbs.All() {
		root.AddCommand(verbCommand(o, v))
	}
	return root
}

// knownCommand refuses what is no subcommand as a mistake in the command line, and says what may
// have been meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	meant := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		meant = " (did you mean " + strings.Join(near, " or ") + "?)"
	}
	return usageError{fmt.Errorf("%s has no command %q%s", cmd.CommandPath(), args[0], meant)}
}

// load is the configuration in force.
func (o *options) load() (agent.Config, error) {
	c := agent.DefaultConfig()
	if o.config != "" {
		loaded, err := agent.LoadConfig(o.config)
		if err != nil {
			return c, configError{err}
		}
		c = loaded
	}
	if o.socket != "" {
		c.Socket = o.socket
	}
	return c, nil
}

// printf writes for people; a closed pipe is their business.
func (o *options) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(o.out, format, args...)
}

func (o *options) printJSON(v any) error { return json.NewEncoder(o.out).Encode(v) }
