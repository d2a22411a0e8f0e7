// Package haltest holds the devices of package hal as fakes that misbehave on request.
//
// Think of a test bench with switches: this one cuts the line after the twelfth byte, that one
// makes the host deaf, a third takes the battery out of the clock. The fakes start no goroutines
// and touch no sockets, and they wait on channels and timers only, so that inside a
// testing/synctest bubble a waiting fake lets the bubble's time go on. Make them inside the bubble
// that uses them. Pty is the exception: it is a real device of the machine.
package haltest
