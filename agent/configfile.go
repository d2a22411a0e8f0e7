package agent

import (
	"errors"
	"fmt"
	"os"
	"slices"
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
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	if doc.Kind == 0 {
		return c, nil // an empty file is all defaults
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return Config{}, fmt.Errorf("%s:%d:%d: not a list of keys and values",
			name, root.Line, root.Column)
	}
	faults := setAll(&c, name, root)
	if len(faults) == 0 {
		if err := c.Validate(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	return c, errors.Join(faults...)
}

// setAll takes every key of the file, and reports every one it can not take.
func setAll(c *Config, name string, root *yaml.Node) []error {
	var faults []error
	seen := map[string]bool{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		err := errors.New("is no setting" + nearestKey(key.Value))
		at := key
		switch s := findSetting(key.Value); {
		case seen[key.Value]:
			err = errors.New("is given twice")
		case s != nil:
			at = value
			err = s.set(c, value)
		}
		seen[key.Value] = true
		if err != nil {
			faults = append(faults,
				fmt.Errorf("%s:%d:%d: %s: %w", name, at.Line, at.Column, key.Value, err))
		}
	}
	return faults
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
		if err != nil || v < s.min.(int) || v > s.max.(int) {
			return fmt.Errorf("%q is not a number from %d to %d", node.Value, s.min, s.max)
		}
		*into = v
	case *time.Duration:
		v, err := time.ParseDuration(node.Value)
		if err != nil || v < s.min.(time.Duration) || v > s.max.(time.Duration) {
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
		return fmt.Sprintf(" (%v to %v)", s.min, s.max)
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
