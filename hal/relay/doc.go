// Package relay carries a terminal's host link over a serial cable to a laptop that has a network.
//
// Think of two people passing numbered notes through a hatch in a noisy workshop: a note that
// arrives torn is thrown away, each answer says which notes have arrived, and what has not is
// passed again. Neither reads the notes: TLS between terminal and host goes through untouched, so
// the laptop sees ciphertext only.
//
// Three layers, each in its file. A [Frame] is found between two flag bytes and believed only when
// its checksum holds. The engine numbers packets, acknowledges and repeats them; it is pure, and
// starts anew when the other end has. A [Line] owns the port and gives out one [Call] at a time: a
// stream of bytes with an open, a close and a reset, which is a [hal.Link].
//
// The terminal opens calls, to addresses that its own configuration allows; the laptop answers
// them, for addresses that its user has named. RELAY.md beside this file lists every byte.
package relay
