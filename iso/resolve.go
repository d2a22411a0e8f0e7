package iso

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Resolve reads a profile file and what it extends, and returns all of it as one text that extends
// nothing, comments included: what is in force. It proves nothing. The error is a *ProfileError.
func Resolve(path string) ([]byte, error) {
	text, err := readProfile(path)
	if err != nil {
		return nil, err
	}
	return resolve(text, path, findBeside)
}

// ResolveBuiltin is Resolve for a profile that comes with the program.
func ResolveBuiltin(name string) ([]byte, error) {
	text, file, err := findBuiltin(name, "")
	if err != nil {
		return nil, err
	}
	return resolve(text, file, findBuiltin)
}

// resolve is one profile out of several. A profile that extends nothing stays as it was written.
func resolve(text []byte, file string, find source) ([]byte, error) {
	d := &desk{origin: map[*yaml.Node]string{}}
	file = strings.TrimPrefix(file, "./")
	own := d.parse(text, file)
	if own == nil {
		return nil, d.err()
	}
	if pairIndex(own, "extends") < 0 {
		return text, nil
	}
	root := d.tree(text, file, find, 0)
	if root == nil {
		return nil, d.err()
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("write profile: %w", err)
	}
	return out.Bytes(), nil
}
