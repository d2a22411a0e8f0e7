package iso

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// The schema is made by the reader itself: every primitive that reads a node of a profile, when
// given a node that stands in desk.shapes, writes down what it would take instead of reading. So
// an editor completes exactly what the reader knows.

// shape is what may stand in one place of a profile, in the words of JSON Schema.
type shape struct {
	Schema      string            `json:"$schema,omitempty"`
	ID          string            `json:"$id,omitempty"`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description,omitempty"`
	Type        types             `json:"type,omitempty"`
	Enum        []any             `json:"enum,omitempty"`
	Pattern     string            `json:"pattern,omitempty"`
	Minimum     *int              `json:"minimum,omitempty"`
	Maximum     *int              `json:"maximum,omitempty"`
	Not         *shape            `json:"not,omitempty"`
	AnyOf       []*shape          `json:"anyOf,omitempty"`
	Items       *shape            `json:"items,omitempty"`
	Required    []string          `json:"required,omitempty"`
	Properties  map[string]*shape `json:"properties,omitempty"`
	Names       *shape            `json:"propertyNames,omitempty"`
	Others      any               `json:"additionalProperties,omitempty"` // false, or a *shape

	path string // keys from the top, a star for any
	key  bool   // this is a key, and keys are text
}

// types are the JSON types a value may have.
type types []string

// The forms of values that are text in YAML.
const (
	durationPattern = `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`
	fieldPattern    = `^0*([2-9]|[1-9][0-9]|1[01][0-9]|12[0-8])$`
)

// Schema is the form of a profile as a JSON Schema (draft 2020-12), for editors: what it accepts is
// what the reader accepts. Whether a profile makes sense is for Load to say.
func Schema() []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(profileShape()) // maps, strings and numbers: nothing that could fail
	return out.Bytes()
}

// profileShape asks the reader for the form of a whole profile.
func profileShape() *shape {
	d := &desk{origin: map[*yaml.Node]string{}, shapes: map[*yaml.Node]*shape{}}
	top := &shape{
		Schema:      "https://json-schema.org/draft/2020-12/schema",
		Title:       "reversald profile",
		Description: "How one host speaks ISO 8583. Every key is explained in PROFILES.md.",
		Required:    []string{"name"},
	}
	readDraft(d, d.probe(top))
	top.Properties["extends"] = &shape{
		Type: types{"string"}, Description: keyTexts["extends"], path: "extends",
	}
	return top
}

// probe is a node that stands for anything, and takes down what it could be.
func (d *desk) probe(s *shape) *yaml.Node {
	n := &yaml.Node{}
	d.shapes[n] = s
	return n
}

// under is the path of a key below s.
func (s *shape) under(key string) string {
	if s.path == "" {
		return key
	}
	return s.path + "." + key
}

func (s *shape) table(d *desk, known keys) {
	s.Type, s.Others = types{"object"}, false
	if s.Properties == nil {
		s.Properties = map[string]*shape{}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		child := &shape{path: s.under(name)}
		known[name](d.probe(child))
		child.Description = keyTexts[child.path]
		child.orNull()
		s.Properties[name] = child
	}
}

// pairs may be called for a node that table is called for too; then table knows better.
func (s *shape) pairs(d *desk, each func(key, value *yaml.Node)) {
	if s.Type != nil || s.path == "" {
		return
	}
	value := &shape{path: s.under("*")}
	s.Type, s.Names, s.Others = types{"object"}, &shape{key: true}, value
	each(d.probe(s.Names), d.probe(value))
	value.orNull()
}

func (s *shape) list(d *desk, each func(item *yaml.Node)) {
	s.Type, s.Items = types{"array"}, &shape{path: s.path}
	each(d.probe(s.Items))
}

func (s *shape) either(d *desk, ways ...func(n *yaml.Node)) {
	for _, way := range ways {
		one := &shape{path: s.path}
		way(d.probe(one))
		s.AnyOf = append(s.AnyOf, one)
	}
}

func (s *shape) choice(words []string) {
	for _, word := range words {
		s.Enum = append(s.Enum, word)
		if n, err := strconv.Atoi(word); err == nil {
			s.Enum = append(s.Enum, n) // YAML takes it for a number
		}
	}
}

func (s *shape) fieldNumber() {
	least, most := 2, fieldMax
	s.Pattern, s.Not = fieldPattern, &shape{Enum: []any{65, "65"}}
	if !s.key {
		s.Type, s.Minimum, s.Maximum = types{"integer", "string"}, &least, &most
	}
}

func (s *shape) digits(count int) {
	s.Pattern = "^[0-9]{" + strconv.Itoa(count) + "}$"
	if !s.key {
		s.Type = types{"string", "integer"} // YAML takes unquoted digits for a number
	}
}

// orNull lets a key be taken away: over a profile it extends, a profile writes ~ for that.
func (s *shape) orNull() {
	switch {
	case len(s.AnyOf) > 0:
		s.AnyOf = append(s.AnyOf, &shape{Type: types{"null"}})
	case len(s.Enum) > 0:
		s.Enum = append(s.Enum, nil)
	case s.Type != nil:
		s.Type = append(slices.Clip(s.Type), "null")
	}
}
