package iso

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Load reads a profile file. What it extends is a profile that comes with the program, or, when the
// name ends in .yaml or .yml, another file beside it. Every fault is reported, in a *ProfileError,
// as file:line:column: what.
func Load(path string) (*Profile, error) {
	text, err := readProfile(path)
	if err != nil {
		return nil, err
	}
	return parseProfile(text, path, findBeside)
}

// findBeside is the source of profiles that may stand in a file beside the one that names them.
func findBeside(name, from string) (text []byte, file string, err error) {
	if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" {
		return findBuiltin(name, from)
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(from), name)
	}
	text, err = readProfile(name)
	return text, name, err
}

// readProfile reads a file that may be a profile, and not more of it than one can be.
func readProfile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, fmt.Errorf("read profile %s: %w", path, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read profile %s: not a file", path)
	case info.Size() > profileBytesMax:
		return nil, fmt.Errorf("read profile %s: longer than %d bytes", path, profileBytesMax)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	return text, nil
}
