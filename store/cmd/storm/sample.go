package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

//go:embed testdata/*.tar.gz
var samples embed.FS

// sample unpacks a journal as an older version has left it. The archives are copies of those in
// store/testdata, which a test compares.
func sample(args []string, _, stderr io.Writer) error {
	flags := flag.NewFlagSet("storm sample", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "", "where to put its files")
	name := flags.String("name", "format-1", "which")
	if err := flags.Parse(args); err != nil || *dir == "" {
		return exitError{exitUsage, errors.Join(errors.New("sample wants -dir"), err)}
	}
	packed, err := samples.ReadFile("testdata/" + *name + ".tar.gz")
	if err != nil {
		return exitError{exitUsage, err}
	}
	zipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	for files := tar.NewReader(zipped); ; {
		head, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := io.ReadAll(io.LimitReader(files, 64<<20))
		if err != nil {
			return err
		}
		path := filepath.Join(*dir, filepath.Base(head.Name))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("unpack %s: %w", head.Name, err)
		}
	}
}
