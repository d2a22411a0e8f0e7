package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"reversald/agent"
)

func configCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "check or show the configuration",
		Args: knownCommand, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "check [FILE]",
			Short: "say whether a configuration is good, without starting",
			Args:  oneFile,
			RunE: func(_ *cobra.Command, args []string) error {
				c, err := o.configFor(args)
				if err != nil {
					return err
				}
				if _, err := loadProfile(c.Profile); err != nil {
					return configError{err}
				}
				o.printf("the configuration is good\n")
				return nil
			},
		},
		configShowCommand(o),
	)
	return cmd
}

func configShowCommand(o *options) *cobra.Command {
	var defaults bool
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "print every key, what it means, and the value in force",
		Args:  oneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			c := agent.DefaultConfig()
			if !defaults {
				var err error
				if c, err = o.configFor(args); err != nil {
					return err
				}
			}
			o.printf("%s", c.Show())
			return nil
		},
	}
	cmd.Flags().BoolVar(&defaults, "defaults", false, "without any file")
	return cmd
}

// oneFile wants the name of a file, or nothing.
func oneFile(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("one file at most is wanted, not %d", len(args))}
	}
	return nil
}

// configFor is the configuration of the file that was named, or the one in force.
func (o *options) configFor(args []string) (agent.Config, error) {
	if len(args) == 1 {
		o.config = args[0]
	}
	return o.load()
}
