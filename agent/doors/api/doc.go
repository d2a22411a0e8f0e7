// Package api is the door for payment apps and people on this device: HTTP and JSON on a Unix
// socket, and on loopback TCP for those who know a token.
//
// An app sells here with a key of its own for every payment, and says when the sale is finished:
// what is not confirmed in time is reversed. Whoever is an operator sees the journal as it grows,
// asks about one payment, and, with a name and a reason, has a stuck reversal sent again. Who is
// what, the kernel says (SO_PEERCRED). API.md is the guide, openapi.yaml the description that the
// tests hold the server to, and package client asks from Go.
package api
