// Package reversal decides which doubtful payment is reversed next, and when.
//
// Think of a shopkeeper who will not serve the next customer before the last one has the change
// back: reversals of one terminal go out one at a time, the oldest first, before its next sale,
// at once when the line is back, and for ever until the host answers.
//
// It is pure: time arrives as an [Instant], nothing is sent and nothing is written here. What it
// knows is rebuilt at power-up from the journal, so it is never on disk itself.
package reversal
