package main

import (
	"fmt"
	"strconv"
)

// decimal is the value of a flag that people write with leading zeros: 000010 is ten. The library's
// own numbers read that as octal, eight, and 000018 not at all.
type decimal int

// Set takes digits only.
func (d *decimal) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return fmt.Errorf("%q is not a number of digits 0 to 9", text)
	}
	*d = decimal(n)
	return nil
}

// String is the number without leading zeros.
func (d *decimal) String() string { return strconv.Itoa(int(*d)) }

// Type is what the help calls it.
func (*decimal) Type() string { return "int" }
