// Package console is the serial maintenance console: a technician, a cable, and a terminal whose
// network may be dead.
//
// Think of the counter window of a bank at night. Whoever knocks is asked who they are, in a way
// that cannot be overheard; what they ask is written down before it is done; the shutter closes
// when they walk away. And since a knock may be the wind, what was not clearly said is not done.
//
// One goroutine owns a port for as long as the daemon runs, and one reads it. A [Console] opens the
// port, waits for somebody to press ENTER, has them log in ([badge]), and then takes the same verbs
// as the shell (package verbs), through the same client. It never touches a payment itself, and a
// laptop that stops reading costs the agent nothing.
//
// What comes from a cable is hostile until proven otherwise: our own words echoed back by a laptop,
// noise, zeroes of a BREAK, half escape sequences. So input passes three sieves: bytes that arrive
// at the wrong moment are thrown away (feed.go), bytes that are no key are (keys.go), and our own
// words are (echo.go). CONSOLE.md beside this file is for the technician.
package console
