// Package acquirer is a bank that keeps books and can misbehave: the other end of the line.
//
// Think of a flight simulator's instructor. The pilot (a terminal, or the daemon in front of it)
// sees a host like any other; the instructor decides which answer gets lost, comes late, comes
// twice or belongs to somebody else, and afterwards opens the books: was money taken that nobody
// got a receipt for? It imports nothing of the daemon and reads messages with eyes of its own, so
// its books are an independent witness.
//
// Rules:
//
//   - A payment is booked when its request is received and approved, whether or not the answer
//     ever arrives. The key is terminal and STAN, with date and batch where both sides state them.
//   - The same request again is answered as before and booked once; another amount under the same
//     key is declined 94.
//   - A reversal undoes it, once. Its repeats are answered the same and do nothing more.
//   - A reversal of something never seen is answered 25 and remembered: should the request still
//     arrive, it is declined 12.
//   - What an answer says is on the disk before the answer is sent, and read back at start.
//   - The books add up after every change, or the bank stops.
//   - A bank that has keys ([Vault]) answers A0 to a payment or a reversal whose authentication
//     code is wrong or missing, and books nothing. A sign-on brings new keys; the old ones end
//     with it.
//   - No card number is kept or shown: six and four digits, and a name made with a keyed hash.
//
// The parts: [Ledger] (decide what becomes true, write it, apply it), [Manners] (how to misbehave,
// as text), [Bank] (one message in, one answer out; no sockets, no clock), [Acquirer] (TCP and the
// control socket).
//
// Sources: ISO 8583:1987 for message types and fields; the answers 25, 94, 12 and 64 are those that
// UnionPay and German terminals expect; 1993 dialects get their action codes (see [CodesFor]).
package acquirer
