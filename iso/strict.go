package iso

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// keys says which keys a mapping may have and what reads each of them.
type keys map[string]func(value *yaml.Node)

// table reads a mapping with known keys; an unknown one is a fault that says which are known.
func (d *desk) table(n *yaml.Node, known keys) {
	if s := d.shapes[n]; s != nil {
		s.table(d, known)
		return
	}
	d.pairs(n, func(key, value *yaml.Node) {
		read, ok := known[key.Value]
		if !ok {
			d.fault(key, "unknown key %q; known here: %s", key.Value,
				strings.Join(slices.Sorted(maps.Keys(known)), ", "))
			return
		}
		read(value)
	})
}

// pairs calls each for every key and value of a mapping.
func (d *desk) pairs(n *yaml.Node, each func(key, value *yaml.Node)) {
	if s := d.shapes[n]; s != nil {
		s.pairs(d, each)
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, "wants keys and values, not %s", kindName(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		each(n.Content[i], n.Content[i+1])
	}
}

// list calls each for every item of a sequence.
func (d *desk) list(n *yaml.Node, each func(item *yaml.Node)) {
	if s := d.shapes[n]; s != nil {
		s.list(d, each)
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fault(n, "wants a list, not %s", kindName(n))
		return
	}
	for _, item := range n.Content {
		each(item)
	}
}

// either reads a value that may be written as keys and values, or shorter.
func (d *desk) either(n *yaml.Node, mapping, short func(n *yaml.Node)) {
	if s := d.shapes[n]; s != nil {
		s.either(d, mapping, short)
		return
	}
	if n.Kind == yaml.MappingNode {
		mapping(n)
	} else {
		short(n)
	}
}

// listOr reads a list, or something shorter.
func (d *desk) listOr(n *yaml.Node, each, short func(item *yaml.Node)) {
	list := func(n *yaml.Node) { d.list(n, each) }
	if s := d.shapes[n]; s != nil {
		s.either(d, list, short)
		return
	}
	if n.Kind == yaml.SequenceNode {
		list(n)
	} else {
		short(n)
	}
}

// digits reads text that must be made of so many digits.
func (d *desk) digits(n *yaml.Node, count int) (string, bool) {
	if s := d.shapes[n]; s != nil {
		s.digits(count)
		return "", false
	}
	v, ok := d.text(n)
	if ok && (len(v) != count || !digitsOnly(v)) {
		d.fault(n, "wants %d digits, in quotes", count)
		return "", false
	}
	return v, ok
}

// text reads a scalar as it is written: 00 and "00" are both two zeros, whatever YAML makes of
// them.
func (d *desk) text(n *yaml.Node) (string, bool) {
	if s := d.shapes[n]; s != nil {
		s.Type = types{"string", "number"}
		return "", false
	}
	if n.Kind == yaml.ScalarNode {
		switch n.ShortTag() {
		case "!!str", "!!int", "!!float":
			return n.Value, true
		}
	}
	d.fault(n, "wants text, not %s", kindName(n))
	return "", false
}

// number reads a decimal number from least to most.
func (d *desk) number(n *yaml.Node, least, most int) (int, bool) {
	if s := d.shapes[n]; s != nil {
		s.Type, s.Minimum, s.Maximum = types{"integer"}, &least, &most
		return 0, false
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!int" {
		if v, err := strconv.Atoi(n.Value); err == nil && v >= least && v <= most {
			return v, true
		}
	}
	d.fault(n, "wants a number from %d to %d", least, most)
	return 0, false
}

// boolean reads true or false.
func (d *desk) boolean(n *yaml.Node) (value, ok bool) {
	if s := d.shapes[n]; s != nil {
		s.Type = types{"boolean"}
		return false, false
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" {
		return n.Value == "true", true
	}
	d.fault(n, "wants true or false, not %s", kindName(n))
	return false, false
}

// duration reads "30s" from least to most.
func (d *desk) duration(n *yaml.Node, least, most time.Duration) time.Duration {
	if s := d.shapes[n]; s != nil {
		s.Type, s.Pattern = types{"string"}, durationPattern
		return 0
	}
	if n.Kind == yaml.ScalarNode {
		if v, err := time.ParseDuration(n.Value); err == nil && v >= least && v <= most {
			return v
		}
	}
	d.fault(n, "wants a time from %v to %v, such as 30s", least, most)
	return 0
}

// choice reads one of some words.
func choice[T any](d *desk, n *yaml.Node, words map[string]T) (T, bool) {
	if s := d.shapes[n]; s != nil {
		var zero T
		s.choice(slices.Sorted(maps.Keys(words)))
		return zero, false
	}
	if n.Kind == yaml.ScalarNode {
		if v, ok := words[n.Value]; ok {
			return v, true
		}
	}
	var zero T
	d.fault(n, "wants one of %s", strings.Join(slices.Sorted(maps.Keys(words)), ", "))
	return zero, false
}

// fieldNumber reads the number of a field that can be in a message: 2 to 128, but not 65, which
// would announce a third bitmap.
func (d *desk) fieldNumber(n *yaml.Node) (int, bool) {
	if s := d.shapes[n]; s != nil {
		s.fieldNumber()
		return 0, false
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < 2 || v > fieldMax || v == 65 {
		d.fault(n, "wants a field number: 2 to %d, and not 65", fieldMax)
		return 0, false
	}
	return v, true
}

// kindName says what a node is, for a person.
func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!null":
			return "nothing"
		case "!!bool":
			return "true or false"
		case "!!str", "!!int", "!!float":
			return strconv.Quote(n.Value)
		}
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return "something else"
}
