package acquirer

import (
	"slices"
	"strings"
)

// decide says which fact a question makes true. It changes nothing. A fact without What means that
// there is nothing to write down, only Code to answer.
func (l *Ledger) decide(q Question) Fact {
	if q.Reversal {
		return l.decideReversal(q)
	}
	return l.decidePayment(q)
}

func (l *Ledger) decidePayment(q Question) Fact {
	f := Fact{MTI: q.MTI}
	same, rival := l.findPayment(q)
	switch {
	case same == nil && rival == nil && len(l.order) >= entriesMax:
		f.Code, f.Note = q.Codes.Full, "the books are full"
	case same == nil && rival != nil && l.crowded(q):
		f.Code, f.Note = q.Codes.Duplicate, "too many payments with this terminal and STAN"
	case same == nil && rival != nil:
		f.What, f.Code, f.Question = WhatConflict, q.Codes.Duplicate, &q
		f.Note = "same terminal and STAN as another payment"
	case same == nil && q.Refuse != "":
		f.What, f.Code, f.Question = WhatDeclined, q.Refuse, &q
	case same == nil:
		f.What, f.Code, f.Question = WhatBooked, q.Codes.Approved, &q
		if q.Say != "" {
			f.Code, f.Note = q.Say, "booked, yet answered "+q.Say
		}
	case same.State == StateNeverSeen:
		f.What, f.Code, f.Entry, f.Question = WhatTooLate, q.Codes.Invalid, same.ID, &q
		f.Note = "came after its reversal"
	case same.State == StateReversed || same.late:
		f.What, f.Code, f.Entry = WhatTooLate, q.Codes.Invalid, same.ID
		f.Note = "came again after its reversal"
	default:
		f.What, f.Code, f.Entry = WhatDoubled, same.Code, same.ID
		f.Note = "same request again, answered as before"
	}
	return f
}

func (l *Ledger) crowded(q Question) bool {
	return len(l.byTrace[traceKey(q.Terminal, q.STAN)]) >= rivalsMax
}

// findPayment looks for the same payment, and failing that for a different one under the same key.
func (l *Ledger) findPayment(q Question) (same, rival *Entry) {
	list := l.byTrace[traceKey(q.Terminal, q.STAN)]
	for _, e := range slices.Backward(list) {
		if !agree(e.Date, q.Date) || !agree(e.Batch, q.Batch) {
			continue
		}
		if e.isSame(q) {
			return e, nil
		}
		if rival == nil {
			rival = e
		}
	}
	return nil, rival
}

func (l *Ledger) decideReversal(q Question) Fact {
	f := Fact{MTI: q.MTI, Code: q.Codes.Reversed}
	e, near := l.findOriginal(q)
	if e != nil {
		f.Entry = e.ID
	}
	switch {
	case q.Refuse != "" && e == nil:
		f.Code, f.Note = q.Refuse, "reversal refused, nothing remembered"
	case q.Refuse != "":
		f.What, f.Code, f.Note = WhatRefused, q.Refuse, "reversal refused, nothing undone"
	case e == nil && (len(l.order) >= entriesMax || l.crowded(q)):
		f.Code, f.Note = q.Codes.Full, "the books are full"
	case e == nil:
		f.What, f.Code, f.Question = WhatNeverSeen, q.Codes.NotFound, &q
		f.Note = "reversal of something never seen" + near
	case q.Amount != 0 && e.Amount != 0 && q.Amount != e.Amount:
		f.What, f.Code = WhatMismatch, q.Codes.AmountDiffers
		f.Note = "reversal with another amount, nothing undone"
	case e.State == StateNeverSeen:
		f.What, f.Code, f.Note = WhatRepeated, q.Codes.NotFound, "still never seen"
	case e.State == StateReversed:
		f.What, f.Note = WhatRepeated, "already reversed"
	case e.effect() == 0:
		f.What, f.Note = WhatHarmless, "nothing was booked"
	default:
		f.What = WhatReversed
	}
	if q.Say != "" && f.What != WhatRefused {
		f.Code = q.Say
	}
	return f
}

// findOriginal finds what a reversal is about. The link field (DE 90, DE 56), when it carries the
// time of the original, decides; else terminal, STAN and what both carry of date and batch. Among
// several the amount decides, then what is booked, then the newest. near says, when there is none,
// which known payment only just did not fit: in a rehearsal that is the thing to look at.
func (l *Ledger) findOriginal(q Question) (found *Entry, near string) {
	list := l.byTrace[traceKey(q.Terminal, q.STAN)]
	best := -1
	for _, e := range slices.Backward(list) {
		if why := e.refutes(q); why != "" {
			near = "; terminal and STAN are known, but " + why
			continue
		}
		score := 0
		if q.Amount == e.Amount || q.Amount == 0 {
			score += 2
		}
		if e.effect() != 0 {
			score++
		}
		if score > best {
			best, found = score, e
		}
	}
	return found, near
}

// refutes says why this entry cannot be the original of a reversal; empty when it can.
func (e *Entry) refutes(q Question) string {
	switch {
	case !agree(e.Account, q.Account):
		return "the card differs"
	case !agree(e.Batch, q.Batch):
		return "the batch differs"
	case q.Sent != "" && e.sent != "":
		if q.Sent != e.sent {
			return "the link field names another time"
		}
		return ""
	case !agree(e.Date, q.Date):
		return "the date differs"
	}
	return ""
}

// isSame tells a repeated request from a different payment under the same key.
func (e *Entry) isSame(q Question) bool {
	if e.Amount != q.Amount && (e.State != StateNeverSeen || e.Amount != 0) {
		return false
	}
	if e.State == StateNeverSeen && e.sent != "" && q.Sent != "" && e.sent != q.Sent {
		return false // the reversal named another time: it was about another payment
	}
	return agree(e.Account, q.Account) && agree(e.Currency, q.Currency) &&
		(e.State == StateNeverSeen || (e.Processing == q.Processing && e.kind == kindOf(q)))
}

// agree is equality of what both sides state.
func agree(a, b string) bool { return a == "" || b == "" || a == b }

// kind is what an approved request does to the money.
type kind uint8

const (
	kindDebit  kind = iota + 1 // financial request, 0200
	kindHold                   // authorization, 0100: reserved, not yet taken
	kindCredit                 // refund, processing code 2x: the money goes the other way
	kindNone                   // inquiry, processing code 3x: nothing moves
)

// kindOf reads the kind from the MTI and DE 3 (processing codes: ISO 8583:1987, 4.3.8).
func kindOf(q Question) kind {
	switch {
	case strings.HasPrefix(q.Processing, "3"):
		return kindNone
	case strings.HasPrefix(q.Processing, "2"):
		return kindCredit
	case len(q.MTI) == 4 && q.MTI[1] == '1':
		return kindHold
	}
	return kindDebit
}
