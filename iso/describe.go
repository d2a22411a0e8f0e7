package iso

// Line is one field of a message for people, masked.
type Line struct {
	Field   int    // 0 message type, 1 bitmap, -1 header and what belongs to no field
	Offset  int    // where it starts in the body, in bytes
	Name    string // what the profile calls it
	Value   string // masked; control characters escaped
	Problem string // what is wrong here; the message cannot be read any further
}

// Describe shows a message field by field, with card data masked. It works on anything: where the
// bytes stop making sense the last line has a Problem.
func (p *Profile) Describe(body []byte) []Line { return nil }
