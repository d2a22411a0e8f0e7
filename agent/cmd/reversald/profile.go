package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"reversald/iso"
)

func profileCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "profile", Short: "check, show or start the description of a host",
		Long: "A profile is one YAML file that says how one host speaks ISO 8583. Write yours\n" +
			"in three steps:\n\n" +
			"  reversald profile new --extends iso87-bcd > my-host.yaml\n" +
			"  reversald profile check my-host.yaml     names line and column of what is wrong\n" +
			"  reversald decode -p my-host.yaml FILE    shows a message of your host with it",
		Args: knownCommand, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(profileCheckCommand(o), profileShowCommand(o), profileNewCommand(o),
		profileListCommand(o), profileSchemaCommand(o))
	return cmd
}

// openProfile takes a built-in profile by its name, and any other from its file.
func openProfile(name string) (*iso.Profile, error) {
	if slices.Contains(iso.BuiltinNames(), name) {
		return iso.Builtin(name)
	}
	p, err := iso.Load(name)
	return p, profileError(err)
}

// profileError says what to do about a profile that can not be used; nil stays nil.
func profileError(err error) error {
	var faults *iso.ProfileError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &faults):
		return toolError{
			err, exitConfig,
			"iso/PROFILES.md explains every key; reversald profile show prints those in force",
		}
	case errors.Is(err, fs.ErrNotExist):
		return toolError{err, exitNoInput, "give a file, or one that reversald profile list shows"}
	case errors.Is(err, fs.ErrPermission):
		return toolError{err, exitPermission, "let this user read the profile"}
	}
	return toolError{err, exitData, "a profile is one YAML file"}
}

// checked is the outcome of profile check in JSON.
type checked struct {
	File    string  `json:"file"`
	Good    bool    `json:"good"`
	Profile string  `json:"profile,omitempty"`
	About   string  `json:"about,omitempty"`
	Faults  []fault `json:"faults"`
}

// fault is one thing that is wrong; line and column are from 1, 0 when it is the whole file.
type fault struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	What   string `json:"what"`
}

func profileCheckCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "prove a profile with its own samples, and say all that is wrong",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("the file of a profile is wanted")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			var first error
			for _, file := range args {
				p, err := openProfile(file)
				if o.json {
					if err := o.printJSON(verdict(file, p, err)); err != nil {
						return err
					}
				} else if err == nil {
					o.printf("%s: the profile %s is good: %s\n", file, p.Name(), p.About())
				}
				switch {
				case first == nil:
					first = err
				case err != nil && !o.json:
					_ = complain(o.errout, err, o.lang)
				}
			}
			return first
		},
	}
}

// verdict is what check found, for programs.
func verdict(file string, p *iso.Profile, err error) checked {
	c := checked{File: file, Good: err == nil, Faults: []fault{}}
	var wrong *iso.ProfileError
	switch {
	case err == nil:
		c.Profile, c.About = p.Name(), p.About()
	case errors.As(err, &wrong):
		for _, f := range wrong.Faults {
			c.Faults = append(c.Faults, fault{f.File, f.Line, f.Col, f.What})
		}
	default:
		c.Faults = append(c.Faults, fault{File: file, What: err.Error()})
	}
	return c
}

func profileShowCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "show PROFILE",
		Short: "print all that is in force, with what it extends",
		Args:  oneProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := resolveProfile(args[0])
			if err != nil {
				return err
			}
			o.printf("%s", text)
			return nil
		},
	}
}

func oneProfile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{errors.New("one profile is wanted: a file, or a built-in one's name")}
	}
	return nil
}

// resolveProfile is the text of a profile with what it extends.
func resolveProfile(name string) ([]byte, error) {
	if slices.Contains(iso.BuiltinNames(), name) {
		return iso.ResolveBuiltin(name)
	}
	text, err := iso.Resolve(name)
	return text, profileError(err)
}

func profileListCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "the profiles that come with the program",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, name := range iso.BuiltinNames() {
				p, err := iso.Builtin(name)
				if err != nil {
					return err
				}
				if !o.json {
					o.printf("%-12s  %s\n", name, p.About())
					continue
				}
				err = o.printJSON(map[string]string{"name": name, "about": p.About()})
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func profileNewCommand(o *options) *cobra.Command {
	var extends, name string
	cmd := &cobra.Command{
		Use:   "new",
		Short: "print a starting point for your host, with comments",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			base, err := resolveProfile(extends)
			if err != nil {
				return err
			}
			if _, err := openProfile(extends); err != nil {
				return err
			}
			text := startingPoint(name, extends, string(base))
			if _, err := iso.Parse([]byte(text), name); err != nil && isBuiltin(extends) {
				return toolError{err, exitUsage, "give it another --name"}
			}
			o.printf("%s", text)
			return nil
		},
	}
	cmd.Flags().StringVar(&extends, "extends", "iso87-bcd",
		"the profile that is most like your host's: a built-in one, or a file beside yours")
	cmd.Flags().StringVar(&name, "name", "my-host", "what logs will call it")
	return cmd
}

func isBuiltin(name string) bool { return slices.Contains(iso.BuiltinNames(), name) }

// startingPoint is base, in a profile of another name that extends it.
func startingPoint(name, extends, base string) string {
	if !isBuiltin(extends) {
		extends = strconv.Quote(extends)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# How your host speaks ISO 8583. iso/PROFILES.md explains every key.
#
# All that stands below is inherited. Change what your host does differently, and delete the rest;
# "key: ~" takes away what is inherited. Then
#
#   reversald profile check FILE    proves it, and names line and column of what is wrong
#   reversald decode -p FILE HEX    shows a message of your host with it
name: %[1]s
about: one line for people
extends: %[2]s
`, name, extends)
	var comment []string // above the next key
	skipped := true      // the key we are below is ours, not the base's
	for _, line := range strings.SplitAfter(base, "\n") {
		key, _, _ := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "#"):
			comment = append(comment, line)
			continue
		case strings.TrimSpace(line) == "":
			continue
		case line[0] != ' ' && line[0] != '-':
			skipped = key == "name" || key == "about"
			if !skipped {
				b.WriteString("\n" + strings.Join(comment, "") + advice[key])
			}
		case !skipped:
			b.WriteString(strings.Join(comment, ""))
		}
		comment = nil
		if !skipped {
			b.WriteString(line)
		}
	}
	return b.String()
}

// advice stands above a key of a new profile, besides what the base says there.
var advice = map[string]string{
	"framing":  "# What stands in front of a message.\n",
	"limits":   "# The longest message; a longer length means that the stream is out of step.\n",
	"timers":   "# How long the host may take to answer.\n",
	"reversal": "# What of a payment is kept and sent again, and how its reversal is worded.\n",
	"samples": `# What proves the profile. The best ones are your host's own, from its documents or
# its test line, as whole messages without the length in front, and with test cards only:
#   approval, as the host sent it: {wire: "60 00 03 ...", class: payment answer}
`,
}

func profileSchemaCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON Schema, with which editors complete a profile",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			o.printf("%s", iso.Schema())
			return nil
		},
	}
}
