//go:build terminal

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// laptopCommands say where the commands of the laptop are, to whoever looks for them here.
func laptopCommands(*options) []*cobra.Command {
	var all []*cobra.Command
	for _, name := range []string{"tech", "relay", "unarmour"} {
		all = append(all, &cobra.Command{
			Use: name, Hidden: true, DisableFlagParsing: true,
			RunE: func(*cobra.Command, []string) error {
				return usageError{fmt.Errorf(
					"%s is for a technician's laptop, and not in what runs on terminals: "+
						"take a reversald made with make laptop", name)}
			},
		})
	}
	return all
}
