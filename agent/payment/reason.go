package payment

import "fmt"

// Reason is why a reversal is owed. The profile turns it into the host's own code (DE39 or DE25).
type Reason uint8

// The reasons, each with the trigger it comes from.
const (
	// NoAnswerInTime: the host's time is up (timeout).
	NoAnswerInTime Reason = iota + 1
	// LinkDropped: the line broke after the first byte may have left.
	LinkDropped
	// PowerCut: found open at power-up.
	PowerCut
	// AppGone: approved, but the answer could not be handed to the app.
	AppGone
	// NotConfirmed: approved and delivered, but the app did not confirm in time.
	NotConfirmed
	// Cancelled: the app or the cashier took it back (its own reversal, or cancel).
	Cancelled
	// Unclear: the host answered with a code that says neither yes nor no.
	Unclear
	// BadAnswer: the host's answer could not be understood.
	BadAnswer
	// MACWrong: the host's answer carried a wrong MAC.
	MACWrong
	// LateApproval: the host approved after the payment had been closed without a debit.
	LateApproval
)

// Reasons lists every reason in the order of the constants.
func Reasons() []Reason {
	return []Reason{
		NoAnswerInTime, LinkDropped, PowerCut, AppGone, NotConfirmed,
		Cancelled, Unclear, BadAnswer, MACWrong, LateApproval,
	}
}

// String is the reason as the journal and the reports name it.
func (r Reason) String() string {
	switch r {
	case NoAnswerInTime:
		return "no answer in time"
	case LinkDropped:
		return "link dropped"
	case PowerCut:
		return "power cut"
	case AppGone:
		return "app gone"
	case NotConfirmed:
		return "not confirmed"
	case Cancelled:
		return "cancelled"
	case Unclear:
		return "unclear code"
	case BadAnswer:
		return "bad answer"
	case MACWrong:
		return "MAC wrong"
	case LateApproval:
		return "late approval"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}
