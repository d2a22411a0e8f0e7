package store

import "errors"

// Errors of opening. Each is wrapped with the path and the details; Hint says what to do.
var (
	ErrLocked        = errors.New("journal is in use by another process")
	ErrPermission    = errors.New("journal may not be read or written by this user")
	ErrFilesystem    = errors.New("file system cannot keep a journal")
	ErrEmpty         = errors.New("journal has zero length")
	ErrUnreadable    = errors.New("journal cannot be read")
	ErrNewer         = errors.New("journal was written by a newer version")
	ErrLost          = errors.New("journal is missing or older than its ring")
	ErrOtherTerminal = errors.New("journal belongs to another terminal")
	ErrOtherKey      = errors.New("journal was written with another key")
	ErrKeyLost       = errors.New("key file is missing or damaged")
	ErrKeyWide       = errors.New("key file can be read by others")
)

// Errors of writing. ErrRefused and ErrFull leave the journal as it was; after ErrUnknown it is
// dead: nobody knows whether the entries are on the disk, and the process should end.
var (
	ErrRefused = errors.New("draft is outside the limits")
	ErrFull    = errors.New("journal is full")
	ErrUnknown = errors.New("journal write failed, what is on disk is unknown")
	ErrClosed  = errors.New("journal is closed")
)

// Errors of reading.
var (
	ErrCorrupt = errors.New("entry is damaged")
	ErrNotOpen = errors.New("key is not open")
	ErrNoSeal  = errors.New("entry has no secret or it was not sealed with this key")
)

// Hint says in one line, for a person, what to do about an error of this package, or "".
func Hint(err error) string {
	switch {
	case errors.Is(err, ErrLocked):
		return "stop the service that uses it, or ask that service instead"
	default:
		return ""
	}
}
