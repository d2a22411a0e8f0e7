// Package client is how a payment app in Go sells through reversald: it asks over the daemon's
// Unix socket (or over loopback TCP with a token), and knows what to do when an answer is lost.
//
// It needs nothing but the standard library. A sale is three steps:
//
//	p, err := c.Sell(ctx, key, sale)   // the host's answer, or that nobody knows yet
//	... print, let the card finish, hand over the goods ...
//	p, err = c.Confirm(ctx, p.ID)      // from here on the sale stays
//
// A sale that is not confirmed is reversed by itself. A key names one payment for ever: whoever is
// not sure asks again with the same key, and nothing is sent twice.
package client
