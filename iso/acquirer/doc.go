// Package acquirer is a bank that keeps books and can misbehave.
package acquirer
