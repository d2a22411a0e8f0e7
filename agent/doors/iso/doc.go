// Package iso is the door for a payment app that speaks its own ISO 8583: the app's host address
// is set to this door, and nothing else about the app changes.
//
// Think of a mail slot: what comes in is carried to the agent as it is, what the agent hands back
// is pushed through at once or kept for a moment; an app that jams the slot (garbage, half a
// frame, not reading) is shut out, and nobody else notices.
package iso
