package agent

import (
	"cmp"
	"log/slog"

	"reversald/iso"
)

// RefusalKind says why a payment was not sent. Of none of them anything has left the terminal.
type RefusalKind uint8

// The kinds of refusal; zero is a bug.
const (
	// RefusedMessage: it can not be worded, read, or reversed.
	RefusedMessage RefusalKind = iota + 1
	// RefusedKind: the profile reverses no such payment; this door carries only those.
	RefusedKind
	// RefusedKey: the key names another payment, or this one with something else in it.
	RefusedKey
	// RefusedTrace: the trace number is that of another payment.
	RefusedTrace
	// RefusedBusy: too much at once.
	RefusedBusy
	// RefusedFull: the journal keeps its last room for what is open.
	RefusedFull
	// RefusedLine: the line is down, and stayed so.
	RefusedLine
	// RefusedOwed: a reversal is owed first, and was not answered in time.
	RefusedOwed
	// RefusedPower: the power is failing, and no sale begins.
	RefusedPower
	// RefusedGuard: a guard rail that refuses; Rail and Why say which and why.
	RefusedGuard
	// RefusedTakenBack: the app itself took it back while it waited.
	RefusedTakenBack
)

// String names the kind for logs.
func (k RefusalKind) String() string {
	switch k {
	case RefusedMessage:
		return "message"
	case RefusedKind:
		return "kind of payment"
	case RefusedKey:
		return "key"
	case RefusedTrace:
		return "trace number"
	case RefusedBusy:
		return "busy"
	case RefusedFull:
		return "journal is full"
	case RefusedLine:
		return "link is down"
	case RefusedOwed:
		return "a reversal is owed"
	case RefusedPower:
		return "power is failing"
	case RefusedGuard:
		return "guard rail"
	case RefusedTakenBack:
		return "taken back"
	}
	return "refusal unknown"
}

// Refusal is why a payment was not sent. Nothing of it is on file.
type Refusal struct { //nolint:errname // an answer as much as an error
	Kind  RefusalKind
	Field int    // of the message, as iso.FieldError counts; 0: of none
	ID    uint64 // the payment in the way; 0: none
	Why   string // in words; holds no value of the message
	Rail  string // of RefusedGuard: its name
	Code  string // of RefusedGuard: what an app that speaks ISO 8583 hears, DE 39
}

// Error says why.
func (r *Refusal) Error() string {
	if r.Why != "" {
		return "not sent: " + r.Why
	}
	return "not sent: " + r.Kind.String()
}

// turnDown tells an app that its payment was not sent: an app that confirms in words, any other by
// an answer with the profile's code.
func (a *Agent) turnDown(app App, question []byte, r Refusal) {
	if c, ok := app.(*counter); ok {
		a.later(func() { c.refuse(r) })
		return
	}
	a.answerLocally(app, question, cmp.Or(r.Code, a.refusalCode(r.Kind)))
}

func (a *Agent) refusalCode(k RefusalKind) string {
	codes := a.profile.Codes()
	switch k {
	case RefusedMessage, RefusedKind, RefusedKey, RefusedTrace, RefusedGuard:
		return codes.Refused
	case RefusedBusy, RefusedFull:
		return codes.Busy
	case RefusedOwed:
		return codes.Owed
	case RefusedLine, RefusedTakenBack, RefusedPower:
		return codes.NotSent
	}
	return codes.Refused
}

// Situation is what a cashier is told about it.
func (r *Refusal) Situation() iso.Situation {
	switch r.Kind {
	case RefusedMessage, RefusedKind, RefusedKey, RefusedTrace, RefusedGuard:
		return iso.SituationRefused
	case RefusedBusy, RefusedFull:
		return iso.SituationBusy
	case RefusedOwed:
		return iso.SituationOwed
	case RefusedLine, RefusedTakenBack, RefusedPower:
		return iso.SituationNotSent
	}
	return iso.SituationRefused
}

// refused is the line in the log about a payment that this door did not take.
func (a *Agent) refused(app, stan string, r *Refusal) {
	const stanMax = 6 // what an app calls a trace number may be anything, a card's number too
	if len(stan) > stanMax {
		stan = ""
	}
	a.counts.Refused++
	a.log.Warn("payment refused, nothing was sent", slog.String("app", app),
		slog.String("stan", stan), slog.String("why", r.Error()))
}
