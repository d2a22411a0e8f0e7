package store

import (
	"maps"
	"slices"
)

// story is where the entries of one open key lie.
type story struct {
	since uint64 // its first entry
	last  uint64 // its newest
	count int    // how many

	damage Damage // what is missing of it; stays until the key is closed
}

// pending is the index of keys that are open: derived from the entries, changed with them.
type pending map[uint64]story

// apply folds one entry in and returns the seq of the entry before it of the same story, or 0.
func (p pending) apply(seq, key uint64, mark Mark) (prev uint64) {
	if key == 0 {
		return 0
	}
	s, open := p[key]
	switch {
	case mark == MarkClose:
		delete(p, key)
	case open:
		p[key] = story{since: s.since, last: seq, count: s.count + 1, damage: s.damage}
	case mark == MarkOpen:
		p[key] = story{since: seq, last: seq, count: 1}
	}
	return s.last
}

// live holds for an entry that belongs to a story still open.
func (p pending) live(seq, key uint64) bool {
	s, open := p[key]
	return open && seq >= s.since
}

// keys lists what is open, ascending.
func (p pending) keys() []uint64 { return sortedKeys(p) }

// begins holds for the first entry of a story.
func begins(e *Entry) bool { return e.Key != 0 && e.Mark == MarkOpen && e.Prev == 0 }

// foldMark is the mark of an entry where entries before it may be missing: one with a predecessor
// belongs to a key that was open, even if the entry that opened it is lost. Better a key too many
// than one too few.
func foldMark(e *Entry) Mark {
	if e.Mark == MarkKeep && e.Prev != 0 {
		return MarkOpen
	}
	return e.Mark
}

func sortedKeys[V any](m map[uint64]V) []uint64 { return slices.Sorted(maps.Keys(m)) }
