// Package link keeps one line to the host open, and knows what left over it.
//
// Think of a telephone operator who redials for ever, says the moment the line drops, and never
// says "it was not sent" unless not one byte was. [State] and [Next] are the pure part; the
// [Supervisor] does what they say with real lines, and reports to the agent's inbox.
package link
