package agent

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// configBytesMax is a hundred times the longest sensible configuration.
const configBytesMax = 1 << 20

// LoadConfig reads a YAML file over the defaults. Its error names every fault with line and
// column; the configuration is in force only without one.
func LoadConfig(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	if len(data) > configBytesMax {
		return Config{}, fmt.Errorf("%s: larger than %d bytes", path, configBytesMax)
	}
	return ParseConfig(path, data)
}

// ParseConfig reads YAML over the defaults; name is the file's, for the errors.
func ParseConfig(name string, data []byte) (Config, error) {
	c := DefaultConfig()
	var doc, more yaml.Node
	in := yaml.NewDecoder(bytes.NewReader(data))
	err := in.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF):
		return c, nil // an empty file is all defaults
	case err != nil:
		return Config{}, syntaxFault(name, err)
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return c, nil
	}
	if root.Kind != yaml.MappingNode {
		return Config{}, fmt.Errorf("%s:%d:%d: not a list of keys and values",
			name, root.Line, root.Column)
	}
	if err := in.Decode(&more); err == nil {
		return Config{}, fmt.Errorf("%s:%d:%d: a second document begins here, one is wanted",
			name, more.Line, more.Column)
	} else if !errors.Is(err, io.EOF) {
		return Config{}, syntaxFault(name, err)
	}
	reader := configReader{config: &c, name: name, at: map[string]*yaml.Node{}}
	reader.read("", root)
	reader.validate()
	return c, reader.found()
}

// yamlFault is how the YAML library words a mistake in the syntax.
var yamlFault = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntaxFault gives a mistake in the syntax its place; YAML knows the line of it only.
func syntaxFault(name string, err error) error {
	line, text := "1", err.Error()
	if m := yamlFault.FindStringSubmatch(text); m != nil {
		text = m[2]
		if m[1] != "" {
			line = m[1]
		}
	}
	return fmt.Errorf("%s:%s:1: not YAML: %s", name, line, text)
}

// configReader takes the keys of one file, and collects every fault.
type configReader struct {
	config *Config
	name   string
	at     map[string]*yaml.Node // where each key's value stands; nil: it is at fault already
	faults []placed
}

// placed is a fault and where it stands.
type placed struct {
	line, column int
	err          error
}

// found is every fault in the order of the file.
func (r *configReader) found() error {
	sort.SliceStable(r.faults, func(i, j int) bool {
		a, b := r.faults[i], r.faults[j]
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column)) < 0
	})
	var all []error
	for _, f := range r.faults {
		all = append(all, fmt.Errorf("%s:%d:%d: %w", r.name, f.line, f.column, f.err))
	}
	return errors.Join(all...)
}

// read takes every key of the file, and reports every one it can not take. A key that others begin
// with, as support does, may hold those: support: {name: …} is support.name.
func (r *configReader) read(above string, root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		place, name := key, above+key.Value
		if above == "" && value.Kind == yaml.MappingNode && isGroup(name) {
			r.read(name+".", value)
			continue
		}
		var err error
		_, seen := r.at[name]
		switch s := findSetting(name); {
		case seen:
			err = errors.New("is given twice")
		case s == nil:
			err = errors.New("is no setting" + nearestKey(name))
		case value.Tag == "!!null":
			err = errors.New("has no value")
		default:
			place = value
			err = s.set(r.config, value)
		}
		if !seen {
			r.at[name] = value
			if err != nil {
				r.at[name] = nil
			}
		}
		if err != nil {
			r.fault(place, name, err)
		}
	}
}

// validate reports what is wrong with the values taken together, at the first of the keys that
// the file gives. A value that could not be taken is reported once.
func (r *configReader) validate() {
	for _, f := range r.config.faults() {
		place, known := &yaml.Node{Line: 1, Column: 1}, true
		for _, key := range slices.Backward(f.keys) {
			if node, given := r.at[key]; given {
				place, known = node, known && node != nil
			}
		}
		if known {
			r.fault(place, f.keys[0], f.err)
		}
	}
}

func (r *configReader) fault(place *yaml.Node, key string, err error) {
	r.faults = append(r.faults, placed{place.Line, place.Column, fmt.Errorf("%s: %w", key, err)})
}

// isGroup says whether keys begin with this one and a dot.
func isGroup(key string) bool {
	return slices.ContainsFunc(settings, func(s setting) bool {
		return strings.HasPrefix(s.key, key+".")
	})
}

func findSetting(key string) *setting {
	for i := range settings {
		if settings[i].key == key {
			return &settings[i]
		}
	}
	return nil
}

// nearestKey suggests what was meant: the key that shares the most of its beginning.
func nearestKey(key string) string {
	best, longest := "", 2
	for _, s := range settings {
		n := 0
		for n < min(len(key), len(s.key)) && key[n] == s.key[n] {
			n++
		}
		if n > longest {
			best, longest = s.key, n
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// set puts one value where it belongs.
func (s *setting) set(c *Config, node *yaml.Node) error {
	if list, ok := s.value(c).(*[]string); ok {
		return setList(list, node)
	}
	if node.Kind != yaml.ScalarNode {
		return errors.New("one value is wanted here")
	}
	switch into := s.value(c).(type) {
	case *string:
		if len(s.oneOf) > 0 && !slices.Contains(s.oneOf, node.Value) {
			return fmt.Errorf("%q is not one of %s", node.Value, strings.Join(s.oneOf, ", "))
		}
		*into = node.Value
	case *bool:
		v, err := strconv.ParseBool(node.Value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", node.Value)
		}
		*into = v
	case *int:
		v, err := strconv.Atoi(node.Value)
		if err != nil || (v != 0 || s.zero == "") && (v < s.min.(int) || v > s.max.(int)) {
			return fmt.Errorf("%q is not a number from %d to %d", node.Value, s.min, s.max)
		}
		*into = v
	case *time.Duration:
		v, err := time.ParseDuration(node.Value)
		if err != nil ||
			(v != 0 || s.zero == "") && (v < s.min.(time.Duration) || v > s.max.(time.Duration)) {
			return fmt.Errorf("%q is not a time from %s to %s (30s, 5m, 1h30m)",
				node.Value, s.min, s.max)
		}
		*into = v
	}
	return nil
}

func setList(into *[]string, node *yaml.Node) error {
	switch node.Kind {
	case yaml.ScalarNode:
		*into = []string{node.Value}
		return nil
	case yaml.SequenceNode:
		var list []string
		if err := node.Decode(&list); err != nil {
			return errors.New("a list of texts is wanted here")
		}
		*into = list
		return nil
	case yaml.DocumentNode, yaml.MappingNode, yaml.AliasNode:
	}
	return errors.New("a text or a list of texts is wanted here")
}

// bounds says what a setting accepts.
func (s *setting) bounds() string {
	switch {
	case len(s.oneOf) > 0:
		return " (" + strings.Join(s.oneOf, ", ") + ")"
	case s.min != nil:
		text := fmt.Sprintf(" (%v to %v", s.min, s.max)
		if s.zero != "" {
			text += "; 0: " + s.zero
		}
		return text + ")"
	}
	return ""
}

// text is a value as YAML.
func text(value any) string {
	switch v := value.(type) {
	case *string:
		return strconv.Quote(*v)
	case *[]string:
		quoted := make([]string, len(*v))
		for i, s := range *v {
			quoted[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case *bool:
		return strconv.FormatBool(*v)
	case *int:
		return strconv.Itoa(*v)
	case *time.Duration:
		return v.String()
	}
	return ""
}
