package store

import "time"

// Mark says what an entry does to the index of open keys.
type Mark uint8

// The marks. Zero is none of them, so that a forgotten mark is refused.
const (
	MarkKeep  Mark = iota + 1 // the key stays as it is, open or not
	MarkOpen                  // the key becomes, or stays, open
	MarkClose                 // the key is closed
)

// Draft is what a caller wants written.
type Draft struct {
	Key     uint64        // payment number, at most the Seq of its first entry; 0 belongs to none
	Kind    uint8         // 1 to 255; the meaning belongs to the caller
	Mark    Mark          // MarkKeep when Key is 0
	Wall    time.Time     // kept as data, to the nanosecond, in UTC; zero means not known
	Mono    time.Duration // time since boot, as data
	Payload []byte        // clear bytes, at most PayloadBytesMax
	Secret  []byte        // sealed before it is written, at most SecretBytesMax; nil when there is none
}

// Entry is what was written.
type Entry struct {
	Seq     uint64        // 1, 2, 3 … without gaps
	Key     uint64        // as in the draft
	Prev    uint64        // the entry before it of the same key while that is open; 0 if first
	Kind    uint8         // as in the draft
	Mark    Mark          // as in the draft
	Wall    time.Time     // as in the draft
	Mono    time.Duration // as in the draft
	Boot    [16]byte      // which life of the machine wrote it
	Payload []byte        // as in the draft
	Sealed  []byte        // the draft's Secret, sealed; nil when there was none; see Journal.Unseal
	Chain   [16]byte      // ties this entry to all before it
}
