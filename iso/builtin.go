package iso

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed profiles/*.yaml
var builtinFiles embed.FS

// Builtin returns a profile that comes with the program.
func Builtin(name string) (*Profile, error) {
	text, file, err := findBuiltin(name, "")
	if err != nil {
		return nil, err
	}
	return parseProfile(text, file, findBuiltin)
}

// BuiltinNames lists the profiles that come with the program, sorted.
func BuiltinNames() []string {
	files, _ := builtinFiles.ReadDir("profiles") // it is embedded
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(file.Name(), ".yaml")
	}
	slices.Sort(names)
	return names
}

// findBuiltin is the source of profiles that come with the program.
func findBuiltin(name, _ string) (text []byte, file string, err error) {
	if !slices.Contains(BuiltinNames(), name) {
		return nil, "", fmt.Errorf("profile %q does not come with the program; these do: %s",
			name, strings.Join(BuiltinNames(), ", "))
	}
	file = "profiles/" + name + ".yaml"
	text, err = builtinFiles.ReadFile(file)
	return text, file, err
}

// Parse reads a profile from text, reporting faults under the name file. It may extend the profiles
// that come with the program. The error is a *ProfileError.
func Parse(text []byte, file string) (*Profile, error) {
	return parseProfile(text, file, findBuiltin)
}

// parseProfile reads, judges and proves a profile.
func parseProfile(text []byte, file string, find source) (*Profile, error) {
	d := &desk{origin: map[*yaml.Node]string{}}
	root := d.tree(text, strings.TrimPrefix(file, "./"), find, 0)
	if root == nil {
		return nil, d.err()
	}
	draft := readDraft(d, root)
	p := draft.judge()
	if len(d.faults) > 0 {
		return nil, d.err() // proving a profile that is wrong already would only add noise
	}
	p.codec = newCodec(p)
	draft.prove(p)
	if err := d.err(); err != nil {
		return nil, err
	}
	return p, nil
}
