// Package verbs is what a person can say to a terminal, and what the terminal says back: the same
// words in the shell and on the serial console.
//
// Think of the phrase book of a hotel: one line a phrase, in two languages, and whoever stands at
// the desk reads from it, be it by telephone or in person. A [Verb] is one phrase: a name, what it
// wants, and what it does in a [Session], which knows to whom we speak, how wide their screen is
// and in which language. The shell and the console each find their verbs in [All] and bring a
// parser of their own.
//
// Verbs decide nothing: they ask the agent through a [Client] and word its answer. Whatever comes
// from outside (a host's text, a reason that somebody typed) passes [Clean] on its way to a screen.
package verbs
