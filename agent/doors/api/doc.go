// Package api is the door for people and programs on this device: HTTP and JSON on a Unix socket.
//
// Think of the window in a shop's back office: whoever may open the socket sees the journal as it
// grows, asks about one payment, and, with a name and a reason, has a stuck reversal sent again.
// The file mode of the socket says who that is.
package api
