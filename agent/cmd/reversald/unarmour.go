package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"reversald/agent/armour"
)

// unarmourCommand gets a file out of the log of a terminal program.
func unarmourCommand(o *options) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "unarmour LOG",
		Short: "get a file out of the log of a terminal program",
		Long: "unarmour finds the file that the console sent as text (send evidence ID text)\n" +
			"in the log of a terminal program, checks it, and writes it under its own\n" +
			"name. - reads standard input.",
		Args: oneWord("the log"),
		RunE: func(_ *cobra.Command, args []string) error {
			in := io.Reader(os.Stdin)
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return toolError{err, exitNoInput, "name the file that the program logged to"}
				}
				defer func() { _ = f.Close() }()
				in = f
			}
			name, content, err := armour.Read(in)
			if err != nil {
				return toolError{err, exitData, "have it sent again, and log the whole of it"}
			}
			path := filepath.Join(dir, name)
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return toolError{err, exitData, "move the old file away, or name another --dir"}
			}
			_, err = f.Write(content)
			if err := errors.Join(err, f.Close()); err != nil {
				return err
			}
			o.printf("%s, %d bytes\n", path, len(content))
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "where to write it")
	return cmd
}
