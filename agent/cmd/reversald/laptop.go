//go:build !terminal

package main

import "github.com/spf13/cobra"

// laptopCommands are what a technician does on the laptop. What ships to terminals is built with
// the tag terminal and has none of it: a technician's private key has no business there.
func laptopCommands(o *options) []*cobra.Command {
	return []*cobra.Command{techCommand(o), relayCommand(o), unarmourCommand(o)}
}
