//go:build man

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"reversald/agent/verbs"
)

// With the tag man this program is another one: it writes the manual pages of every command into
// the directories man1 and zh_CN/man1 of its one argument, and ends. What ships has none of it.
//
//nolint:gochecknoinits // the tag makes another program of this package; main stays as it is
func init() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run -tags man ./agent/cmd/reversald DIRECTORY")
		os.Exit(exitUsage)
	}
	for lang, dir := range map[verbs.Lang]string{verbs.English: "man1", verbs.Chinese: "zh_CN/man1"} {
		if err := writeManual(filepath.Join(os.Args[1], dir), lang); err != nil {
			fmt.Fprintln(os.Stderr, "man:", err)
			os.Exit(exitIO)
		}
	}
	os.Exit(exitOK)
}

// writeManual writes a page for every command that help shows.
func writeManual(dir string, lang verbs.Lang) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return eachCommand(newRoot(io.Discard, io.Discard, lang), func(c *cobra.Command) error {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		return os.WriteFile(filepath.Join(dir, name+".1"), []byte(manPage(c, name)), 0o644)
	})
}

func eachCommand(c *cobra.Command, do func(*cobra.Command) error) error {
	if c.Hidden {
		return nil
	}
	if err := do(c); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if err := eachCommand(sub, do); err != nil {
			return err
		}
	}
	return nil
}

// manPage is one command in the words of man(7). It has no date: the same source gives the same
// bytes.
func manPage(c *cobra.Command, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH \"%s\" 1 \"\" \"reversald\" \"reversald\"\n", strings.ToUpper(name))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", name, roff(c.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", roff(c.UseLine()))
	if c.Long != "" {
		fmt.Fprintf(&b, ".SH DESCRIPTION\n.nf\n%s\n.fi\n", roff(c.Long))
	}
	section := func(title string, flags *pflag.FlagSet) {
		if !flags.HasAvailableFlags() {
			return
		}
		fmt.Fprintf(&b, ".SH %s\n", title)
		flags.VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				return
			}
			word := "--" + f.Name
			if f.Shorthand != "" {
				word = "-" + f.Shorthand + ", " + word
			}
			if f.Value.Type() != "bool" {
				word += " " + strings.ToUpper(f.Value.Type())
			}
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(word), roff(f.Usage))
		})
	}
	section("OPTIONS", c.NonInheritedFlags())
	section("OPTIONS OF EVERY COMMAND", c.InheritedFlags())
	var also []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			also = append(also, strings.ReplaceAll(sub.CommandPath(), " ", "-")+"(1)")
		}
	}
	if c.HasParent() {
		also = append(also, strings.ReplaceAll(c.Parent().CommandPath(), " ", "-")+"(1)")
	}
	if len(also) > 0 {
		fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", roff(strings.Join(also, ", ")))
	}
	return b.String()
}

// roff keeps a text from being read as requests.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
