package store

import (
	"errors"
	"io/fs"
)

// Errors of opening. Each comes wrapped with the path and the details; Hint says what to do.
var (
	ErrLocked        = errors.New("journal is in use by another process")
	ErrPermission    = errors.New("no permission")
	ErrFilesystem    = errors.New("file system cannot keep a journal")
	ErrEmpty         = errors.New("journal has zero length")
	ErrUnreadable    = errors.New("journal cannot be read")
	ErrNewer         = errors.New("journal was written by a newer version")
	ErrLost          = errors.New("journal is missing, older than its ring, or another one")
	ErrOtherTerminal = errors.New("journal belongs to another terminal")
	ErrOtherKey      = errors.New("journal was written with another key")
	ErrKeyLost       = errors.New("key file is missing or damaged")
	ErrKeyAway       = errors.New("whoever makes the key of the journal does not")
	ErrKeyElsewhere  = errors.New("the key file has no key, a secure module makes it")
	ErrKeyWide       = errors.New("key file can be read by others")
)

// Errors of writing. After ErrRefused and ErrFull the journal is as it was; after ErrUnknown it
// is dead.
var (
	ErrRefused = errors.New("outside the limits")
	ErrFull    = errors.New("journal is full")
	ErrUnknown = errors.New("journal write failed, what is on disk is unknown")
	ErrClosed  = errors.New("journal is closed")
	ErrBusy    = errors.New("journal is busy")
)

// Errors of reading.
var (
	ErrCorrupt = errors.New("entry is damaged")
	ErrNotOpen = errors.New("key is not open")
	ErrNoSeal  = errors.New("secret does not open")
)

var hints = []struct {
	err  error
	hint string
}{
	{ErrLocked, "stop the service that uses it, or ask that service instead"},
	{ErrPermission, "run as the user that owns the journal, and check that the file system " +
		"is mounted for writing"},
	{ErrFilesystem, "put journal and ring on ext4, f2fs or ubifs"},
	{ErrEmpty, "do not delete anything: the ring still has what was open; put back a copy " +
		"or run salvage"},
	{ErrNewer, "install the version that wrote it, or a newer one"},
	{ErrLost, "put the journal back where it was, with its ring and its key; to give it up, " +
		"move all three away together"},
	{ErrOtherTerminal, "this disk comes from another device: settle its open payments there first"},
	{ErrOtherKey, "put back the key file that was made with the journal; where a secure module makes " +
		"the key, the module, or its key, was changed"},
	{ErrKeyLost, "put back the key file that was made with the journal; without it no card " +
		"number in the journal can be read"},
	{ErrKeyAway, "see that the secure module runs, answers at its socket and has its key; nothing " +
		"is lost, and no other key is made"},
	{ErrKeyElsewhere, "set signer and key_signer as they were when the journal got this key"},
	{ErrKeyWide, "chmod 600 the key file, and find out who could read it"},
	{ErrFull, "free space on the disk or raise the size limit; what is open can still be finished"},
	{ErrBusy, "try again in a minute"},
	{ErrUnknown, "look at the disk: kernel messages, free space, mount state; the next start " +
		"checks everything"},
	{ErrCorrupt, "keep the files; the entry is held, never guessed"},
	{fs.ErrNotExist, "make the directory, or mount what belongs there"},
	{ErrUnreadable, "keep the files: the ring still has what was open; put back a copy or " +
		"run salvage"},
}

// Hint says in one line, for a person, what to do about an error of this package, or "".
func Hint(err error) string {
	for _, h := range hints {
		if errors.Is(err, h.err) {
			return h.hint
		}
	}
	return ""
}
