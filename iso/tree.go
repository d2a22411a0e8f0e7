package iso

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	profileBytesMax = 1 << 20 // a profile is a page or two; this is not a data format for bulk
	extendsMax      = 8       // profiles above one another
	treeDepthMax    = 12      // nesting of a profile's own keys is four
)

// source finds the text of the profile that extends names, as seen from the file that names it. It
// returns the name to report faults under.
type source func(name, from string) (text []byte, file string, err error)

// tree reads a profile and what it extends into one mapping. Faults go to the desk; nil means that
// there is nothing to go on with.
func (d *desk) tree(text []byte, file string, find source, depth int) *yaml.Node {
	root := d.parse(text, file)
	if root == nil {
		return nil
	}
	at := pairIndex(root, "extends")
	if at < 0 {
		return root
	}
	name := root.Content[at+1]
	root.Content = slices.Delete(slices.Clone(root.Content), at, at+2)
	if name.Kind != yaml.ScalarNode || name.Value == "" {
		d.fault(name, "extends names one other profile")
		return nil
	}
	if pairIndex(root, "name") < 0 {
		d.fault(root, "key \"name\" is missing: a profile has a name of its own")
	}
	if depth >= extendsMax {
		d.fault(name, "profiles extend one another more than %d deep, or in a circle", extendsMax)
		return nil
	}
	text, baseFile, err := find(name.Value, file)
	if err != nil {
		d.fault(name, "cannot be extended: %v", err)
		return nil
	}
	base := d.tree(text, baseFile, find, depth+1)
	if base == nil {
		return nil
	}
	return d.merge(base, root)
}

// parse reads one YAML document that is a mapping.
func (d *desk) parse(text []byte, file string) *yaml.Node {
	whole := Fault{File: file}
	if len(text) > profileBytesMax {
		whole.What = fmt.Sprintf("is longer than %d bytes", profileBytesMax)
		d.faults = append(d.faults, whole)
		return nil
	}
	doc, err := parseYAML(text)
	if err != nil {
		d.faults = append(d.faults, syntaxFault(file, err))
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		whole.What = "is not a profile: a profile is a list of keys and values"
		d.faults = append(d.faults, whole)
		return nil
	}
	root := doc.Content[0]
	before := len(d.faults)
	d.adopt(root, file, 0)
	if len(d.faults) > before {
		return nil
	}
	spellOut(d, root, "encoding", encodingShorthand)
	spellOut(d, root, "framing", framingShorthand)
	return root
}

// parseYAML keeps a panic of the YAML package from becoming ours.
func parseYAML(text []byte) (doc yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("no document")
		}
	}()
	err = yaml.Unmarshal(text, &doc)
	return doc, err
}

// syntaxFault gives a mistake in the syntax its place, of which the YAML package knows the line.
func syntaxFault(file string, err error) Fault {
	what := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(what, "line "); ok {
		number, text, _ := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); err == nil {
			return Fault{File: file, Line: line, Col: 1, What: "is not YAML: " + text}
		}
	}
	return Fault{File: file, What: "is not YAML: " + what}
}

// adopt notes the file of every node and refuses what would make a profile mean something other
// than what one reads: aliases, keys given twice, keys that are not plain words.
func (d *desk) adopt(n *yaml.Node, file string, depth int) {
	d.origin[n] = file
	switch {
	case depth > treeDepthMax:
		d.fault(n, "is nested too deep")
		return
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fault(n, "anchors and aliases are not used in profiles; see extends")
		return
	}
	seen := map[string]bool{}
	for i, child := range n.Content {
		d.adopt(child, file, depth+1)
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			continue
		}
		if child.Kind != yaml.ScalarNode || child.Tag == "!!merge" || child.Tag == "!!null" {
			d.fault(child, "a key is a word or a number")
			continue
		}
		if seen[child.Value] {
			d.fault(child, "key %q is given twice", child.Value)
		}
		seen[child.Value] = true
	}
}

// merge lays over on base: mappings key by key, everything else replaced, and a key whose value is
// empty (~) taken out. Neither tree is changed.
func (d *desk) merge(base, over *yaml.Node) *yaml.Node {
	merged := *over
	merged.Content = slices.Clone(base.Content)
	d.origin[&merged] = d.origin[over]
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		at := pairIndex(&merged, key.Value)
		switch {
		case value.Tag == "!!null" && at >= 0:
			merged.Content = slices.Delete(merged.Content, at, at+2)
		case at < 0:
			merged.Content = append(merged.Content, key, value)
		case value.Kind == yaml.MappingNode && merged.Content[at+1].Kind == yaml.MappingNode:
			merged.Content[at], merged.Content[at+1] = key, d.merge(merged.Content[at+1], value)
		default:
			merged.Content[at], merged.Content[at+1] = key, value
		}
	}
	return &merged
}

// pairIndex is where key stands in a mapping; -1 when it does not.
func pairIndex(n *yaml.Node, key string) int {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// spellOut replaces a one-word value of key by the mapping it is short for, so that extends can
// change a part of it.
func spellOut(d *desk, root *yaml.Node, key string, short func(word string) [][2]string) {
	at := pairIndex(root, key)
	if at < 0 || root.Content[at+1].Kind != yaml.ScalarNode {
		return
	}
	word := root.Content[at+1]
	pairs := short(word.Value)
	if pairs == nil {
		return // the reader of this key will say what it wants
	}
	full := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: word.Line, Column: word.Column}
	d.origin[full] = d.origin[word]
	for _, pair := range pairs {
		for _, text := range pair {
			n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
			n.Line, n.Column = word.Line, word.Column
			d.origin[n] = d.origin[word]
			full.Content = append(full.Content, n)
		}
	}
	root.Content[at+1] = full
}
