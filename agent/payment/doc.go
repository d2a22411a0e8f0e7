// Package payment decides the life of one payment: what must be on disk first, and what may be
// done then.
//
// Think of a clerk with a carbon-copy book. Whatever happens, the clerk writes the line first and
// moves a hand second, so whoever opens the book after a fire knows at least as much as the clerk
// did, and can only be wrong in the harmless direction: reversing a sale that never arrived.
//
// [Decide] says which [Record] must be durable and which [Effect]s follow it; [Apply] is the only
// way a [State] changes, live and at power-up alike. Both are pure: no clock, no disk, no network,
// and the same input gives the same output. Deadlines are the agent's: it turns them into events.
//
// The rules and their sources are in the table above [Decide]; STATES.md beside this file shows
// every phase against every event and is generated from this code.
package payment
