package iso

import "strconv"

// The parts of a message that are not numbered fields, as FieldError and Line number them.
const (
	partHeader = -1 // TPDU and the like, or bytes after the last field
	partMTI    = 0
	partBitmap = 1
)

// FieldError says where a message stops making sense. It never holds a value.
type FieldError struct {
	Field   int    // 0 message type, 1 bitmap, 2 to 128 fields, -1 outside of them
	Offset  int    // in bytes from the start of the body; -1 when we were composing
	Problem string // "is cut short"
}

// Error names the field, the offset and the problem.
func (e *FieldError) Error() string {
	where := "field " + strconv.Itoa(e.Field)
	switch e.Field {
	case partHeader:
		where = "message"
	case partMTI:
		where = "message type"
	case partBitmap:
		where = "bitmap"
	}
	if e.Offset >= 0 {
		where += " at byte " + strconv.Itoa(e.Offset)
	}
	return where + ": " + e.Problem
}

// tlvProblem is the problem with chip data whose tags end at byte at of it.
func tlvProblem(at int) string {
	return "is not whole tags from its byte " + strconv.Itoa(at) + " on"
}
