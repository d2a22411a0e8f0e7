// Package store keeps the journal: opaque entries in order, on disk in two places before
// [Journal.Append] returns.
//
// Think of a shopkeeper who writes every promise into the ledger and at the same time onto a
// carbon slip kept in another drawer. The ledger is a bbolt file; the slip is the ring, a small
// file of self-checking blocks that is overwritten round and round. The ledger is the journal.
// The ring is why damage to any one of the two loses nothing.
//
// Rules:
//   - Nothing is acknowledged before both are synced; the two syncs run side by side.
//   - An error from a write or a sync means unknown. The journal is dead from then on: the caller
//     stops, and the next [Open] finds out what is on the disk.
//   - A journal that vanished, shrank to nothing or was swapped is refused, never recreated.
//   - Payloads are opaque. What must not be readable goes into Secret and is sealed with a key
//     that lives in a file of its own.
//   - No clock: wall and monotonic time come with the draft, as data.
//
// The byte layout of all three files is in FORMAT.md.
package store
