package main

import (
	"github.com/spf13/cobra"

	"reversald/agent"
)

func configCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "check or show the configuration"}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "check [FILE]",
			Short: "say whether a configuration is good, without starting",
			Args:  cobra.MaximumNArgs(1),
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
		&cobra.Command{
			Use:   "show [FILE]",
			Short: "print every key, what it means, and the value in force",
			Args:  cobra.MaximumNArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				c, err := o.configFor(args)
				if err != nil {
					return err
				}
				o.printf("%s", c.Show())
				return nil
			},
		},
	)
	return cmd
}

// configFor is the configuration of the file that was named, or the one in force.
func (o *options) configFor(args []string) (agent.Config, error) {
	if len(args) == 1 {
		o.config = args[0]
	}
	return o.load()
}
