package payment

import (
	"errors"
	"fmt"
)

// ID numbers the payments of one journal, in the order they were asked: a smaller one is older.
type ID uint64

// Phase is what the entries of one payment add up to. Phases are facts in the past tense: the
// journal can prove each of them.
type Phase uint8

// The phases of a payment. Zero is a payment nobody has asked for yet.
const (
	// Asked: the request may have left; nobody knows yet what the host makes of it.
	Asked Phase = iota + 1
	// Unsent: provably no byte left. Closed; the sale may be tried again.
	Unsent
	// Approved: the host said yes, and the sale is not finished at the till yet.
	Approved
	// Declined: the host said no. Closed.
	Declined
	// Confirmed: the sale is finished at the till. Closed, unless the app reverses it itself.
	Confirmed
	// Doubted: a reversal is owed, and is sent until the host answers it.
	Doubted
	// Reversed: the host has undone it, or never knew it. Closed, unless the host approves late.
	Reversed
	// Stuck: a person is needed. Still on file, still counted, never dropped.
	Stuck
	// Resolved: a person closed it, with name and reason.
	Resolved
)

// Phases lists every phase in the order of the constants.
func Phases() []Phase {
	return []Phase{Asked, Unsent, Approved, Declined, Confirmed, Doubted, Reversed, Stuck, Resolved}
}

// Open says whether the payment still needs somebody: the host, the app, or a person.
func (p Phase) Open() bool {
	return p == Asked || p == Approved || p == Doubted || p == Stuck
}

// String is the phase as the journal, the reports and the API name it.
func (p Phase) String() string {
	switch p {
	case Asked:
		return "asked"
	case Unsent:
		return "unsent"
	case Approved:
		return "approved"
	case Declined:
		return "declined"
	case Confirmed:
		return "confirmed"
	case Doubted:
		return "doubted"
	case Reversed:
		return "reversed"
	case Stuck:
		return "stuck"
	case Resolved:
		return "resolved"
	}
	if p == 0 {
		return "new"
	}
	return fmt.Sprintf("phase %d", uint8(p))
}

// ConfirmBy says what finishes an approved sale at the till.
type ConfirmBy uint8

// The two ways a sale is confirmed.
const (
	// ByDelivery: the app has no confirm of its own; the answer written to it in full is one.
	ByDelivery ConfirmBy = iota + 1
	// ByApp: the app confirms (or cancels) explicitly, and is reversed when it does neither.
	ByApp
)

// String names the way for the journal.
func (c ConfirmBy) String() string {
	if c == ByApp {
		return "app"
	}
	return "delivery"
}

// State is one payment: what its entries add up to. The zero State is a payment nobody asked for.
type State struct {
	Phase     Phase
	ConfirmBy ConfirmBy
	// Reason is why the reversal is owed; zero before the first doubt.
	Reason Reason
	// Attempts counts the reversals that may have left, since the doubt that is settled now.
	Attempts int
	// Answered is true once the host has answered a reversal without settling the payment.
	Answered bool
	// Held is true while a person has stopped the attempts to reverse it. It is still owed.
	Held bool
	// HostApproved is true once an approval was seen in time or late: the host may hold a debit.
	HostApproved bool
	// Code is the host's last response code (DE39), of the answer that decided the phase.
	Code string
	// Cause says in words why the payment is stuck; empty otherwise.
	Cause string
}

// Invariant reports what must never be true of a state, whatever happened.
func Invariant(s State) error {
	switch {
	case s.Phase > Resolved:
		return fmt.Errorf("payment: no such phase %d", s.Phase)
	case s.Attempts < 0:
		return fmt.Errorf("payment: %d reversal attempts", s.Attempts)
	case s.Phase == Reversed && s.Attempts == 0:
		return errors.New("payment: reversed without a reversal ever sent")
	case s.Phase != 0 && s.ConfirmBy == 0:
		return fmt.Errorf("payment: %s, but nothing says how it is confirmed", s.Phase)
	case s.Phase == Doubted && s.Reason == 0:
		return errors.New("payment: doubted without a reason")
	case s.Held && s.Phase != Doubted:
		return fmt.Errorf("payment: %s and held: only what is owed can be held", s.Phase)
	case s.Phase == Approved && !s.HostApproved:
		return errors.New("payment: approved, but the host never said so")
	case s.Phase == Confirmed && !s.HostApproved:
		return errors.New("payment: confirmed, but the host never approved it")
	}
	return nil
}
