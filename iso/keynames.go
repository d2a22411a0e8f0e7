package iso

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Keys and values that are names of things: subfields, message types, response codes.

const (
	partPattern  = `^([2-9]|[1-9][0-9]|1[01][0-9]|12[0-8])\.[0-9]{1,2}$`
	namePattern  = `^([2-9]|[1-9][0-9]|1[01][0-9]|12[0-8])(\.[0-9]{1,2})?$`
	macPieceName = `^(mti|bitmap|[2-9]|[1-9][0-9]|1[01][0-9]|12[0-8])$`
)

// partName reads the name of a subfield, such as 60.1.
func (d *desk) partName(n *yaml.Node) (string, bool) {
	if s := d.shapes[n]; s != nil {
		s.Pattern = partPattern
		return "", false
	}
	field, piece, ok := strings.Cut(n.Value, ".")
	v := leadingNumber(field)
	if n.Kind != yaml.ScalarNode || !ok || !digitsOnly(field) || !digitsOnly(piece) ||
		len(piece) > 2 || len(field) > 3 || field[0] == '0' || v < 2 || v > fieldMax || v == 65 {
		d.fault(n, "wants the name of a subfield, such as \"60.1\"")
		return "", false
	}
	return n.Value, true
}

// partOrField reads the name of a subfield or the number of a field; "" when it is neither.
func (d *desk) partOrField(n *yaml.Node) string {
	if s := d.shapes[n]; s != nil {
		s.Pattern = namePattern
		if !s.key {
			least, most := 2, fieldMax+1
			s.Type, s.Minimum, s.Maximum = types{"string", "number"}, &least, &most
		}
		return ""
	}
	if strings.Contains(n.Value, ".") {
		name, _ := d.partName(n)
		return name
	}
	if _, ok := d.fieldNumber(n); !ok {
		return ""
	}
	return n.Value
}

// mtiKey reads a message type that is a key.
func (d *desk) mtiKey(n *yaml.Node) {
	if s := d.shapes[n]; s != nil {
		s.Pattern = "^[0-9]{4}$"
		return
	}
	if len(n.Value) != 4 || !digitsOnly(n.Value) {
		d.fault(n, problemMTI)
	}
}

// problemMTI is the fault of a message type that is none.
const problemMTI = "a message type is four digits, in quotes"

// codeKey reads a response code that is a key.
func (d *desk) codeKey(n *yaml.Node) {
	if s := d.shapes[n]; s != nil {
		s.Pattern = "^[0-9A-Za-z]{1,4}$"
		return
	}
	if len(n.Value) > 4 || strings.Trim(strings.ToUpper(n.Value), codeLetters) != "" {
		d.fault(n, "wants a response code, such as \"51\"")
	}
}

// codeLetters are what response codes are made of.
const codeLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// fieldOrNone reads a field number, or the word none for 0.
func (d *desk) fieldOrNone(n *yaml.Node) int {
	if s := d.shapes[n]; s != nil {
		s.fieldNumber()
		s.Pattern = "^none$|" + s.Pattern
		return 0
	}
	if n.Kind == yaml.ScalarNode && n.Value == "none" {
		return 0
	}
	v, _ := d.fieldNumber(n)
	return v
}
