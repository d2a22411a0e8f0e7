// Package hal is the terminal's devices behind interfaces: the links to the host, the clock, and
// the signer that owns the MAC keys.
//
// Think of the back of the terminal, where the cables go in. Whoever works at the counter asks for
// a line to the host and is told, truthfully, what became of each byte; which plug it went through,
// and what that plug is known to do wrong, stays back here. The package knows no payments.
//
// The rules:
//
//   - A count of bytes is a promise. Zero with an error means that provably nothing left, because
//     a payment may then be called "not sent"; any other count means that so many may have.
//   - The end of a line is told once, as io.EOF or [ErrLinkGone], and at once: nobody waits for a
//     timeout to learn what the system already knows, and nobody spins on a dead device.
//   - Nothing blocks for ever. Close unblocks everything and returns promptly.
//   - Every interface has a fake in package haltest that misbehaves on request.
package hal
