package payment

// Effect is what may be done once the record of the same decision is durable. Losing an effect to
// a power cut is harmless: power-up owes the reversal.
//
//sumtype:decl
type Effect interface{ effect() }

type (
	// SendRequest hands the app's own bytes to the link. It is decided at most once a payment.
	SendRequest struct{}
	// SendReversal hands attempt N (1 is the first) to the link.
	SendReversal struct{ N int }
	// TellApp tells the app the outcome of its request.
	TellApp struct{ Outcome Outcome }
	// TellConfirmed acknowledges the app's confirm.
	TellConfirmed struct{}
	// TellReversed says, to whoever waits for it, that the host has undone the payment.
	TellReversed struct{ Code string }
	// TellStuck says, to whoever waits for the reversal, that a person is needed.
	TellStuck struct{ Code, Cause string }
)

func (SendRequest) effect()   {}
func (SendReversal) effect()  {}
func (TellApp) effect()       {}
func (TellConfirmed) effect() {}
func (TellReversed) effect()  {}
func (TellStuck) effect()     {}

// Outcome is what the app is told about its request. Only NotSent and HostAnswer with a decline
// mean that nothing was charged.
type Outcome uint8

// The outcomes.
const (
	// HostAnswer: the host's own answer, unchanged.
	HostAnswer Outcome = iota + 1
	// NotSent: nothing left the terminal; safe to try again.
	NotSent
	// Unknown: nobody knows; it is being reversed.
	Unknown
)

// String names the outcome for logs and tests.
func (o Outcome) String() string {
	switch o {
	case HostAnswer:
		return "host answer"
	case NotSent:
		return "not sent"
	case Unknown:
		return "unknown"
	}
	return "no outcome"
}
