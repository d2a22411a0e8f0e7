package payment

// Decide says what a payment does about an event. An event that means nothing in the phase gives
// the zero Decision: nothing is written and nothing is done.
//
// The rules, with their reasons:
//   - the request is sent once, in the decision that records it as asked;
//   - what is not provably unsent, declined or confirmed is reversed: the host answers 25 to a
//     reversal of what it never saw, so a needless one costs a message, a missing one a debit;
//   - a late approval never cancels a reversal and never answers one;
//   - an approval after the payment was closed without a debit owes a new reversal: the request
//     may have overtaken nothing, but reached the host after the reversal did;
//   - only a person closes a stuck payment, and nothing closes a doubted one but the host;
//   - a person may hold the attempts of a doubted one: it is owed all the same, and an answer to an
//     attempt that had left still settles it.
func Decide(s State, e Event) Decision {
	switch s.Phase {
	case 0:
		if ask, ok := e.(Ask); ok {
			return Decision{
				Record: Record{Kind: RecordAsked, ConfirmBy: ask.ConfirmBy},
				After:  []Effect{SendRequest{}},
			}
		}
		return Decision{}
	case Asked:
		return decideAsked(e)
	case Approved:
		return decideApproved(s, e)
	case Doubted:
		return decideDoubted(s, e)
	case Stuck:
		return decideStuck(s, e)
	case Unsent, Declined, Confirmed, Reversed, Resolved:
		return decideClosed(s, e)
	}
	return Decision{}
}

// decideAsked: the request may have left, the answer is awaited.
func decideAsked(e Event) Decision {
	switch e := e.(type) {
	case NeverLeft:
		return Decision{
			Record: Record{Kind: RecordUnsent},
			After:  []Effect{TellApp{NotSent}},
		}
	case HostApproved:
		return Decision{
			Record: Record{Kind: RecordApproved, Code: e.Code},
			After:  []Effect{TellApp{HostAnswer}},
		}
	case HostDeclined:
		return Decision{
			Record: Record{Kind: RecordDeclined, Code: e.Code},
			After:  []Effect{TellApp{HostAnswer}},
		}
	case HostUnclear:
		return doubt(e.Reason, e.Code, TellApp{Unknown})
	case TimeUp:
		return doubt(NoAnswerInTime, "", TellApp{Unknown})
	case LinkLost:
		return doubt(LinkDropped, "", TellApp{Unknown})
	case Cancel:
		return doubt(Cancelled, "", TellApp{Unknown})
	case PowerUp:
		return doubt(PowerCut, "")
	case Ask, Delivered, Undeliverable, Confirm, ReversalDue, ReversalNeverLeft,
		ReversalAccepted, ReversalPutOff, ReversalRefused, Replay, Resolve, Hold, Release:
		return Decision{} // an app that is gone may still be declined: the host's answer decides
	}
	return Decision{}
}

// decideApproved: the host said yes, the till has not finished.
func decideApproved(s State, e Event) Decision {
	switch e := e.(type) {
	case Delivered:
		if s.ConfirmBy == ByDelivery {
			return Decision{Record: Record{Kind: RecordConfirmed}, Soon: true}
		}
		return Decision{}
	case Confirm:
		return Decision{
			Record: Record{Kind: RecordConfirmed},
			After:  []Effect{TellConfirmed{}},
		}
	case Undeliverable:
		if s.ConfirmBy == ByDelivery {
			return doubt(AppGone, "")
		}
		return Decision{} // the app may come back and confirm until its time is up
	case TimeUp:
		return doubt(NotConfirmed, "")
	case Cancel:
		return doubt(Cancelled, "")
	case PowerUp:
		if e.KeepUnconfirmed && s.ConfirmBy == ByDelivery {
			return Decision{Record: Record{Kind: RecordConfirmed, Why: "kept at power-up"}}
		}
		return doubt(PowerCut, "")
	case HostApproved:
		return late(e.Code, true)
	case HostDeclined:
		return late(e.Code, false)
	case HostUnclear:
		return late(e.Code, false)
	case Ask, NeverLeft, LinkLost, ReversalDue, ReversalNeverLeft, ReversalAccepted,
		ReversalPutOff, ReversalRefused, Replay, Resolve, Hold, Release:
		return Decision{}
	}
	return Decision{}
}

// decideDoubted: a reversal is owed.
func decideDoubted(s State, e Event) Decision {
	switch e := e.(type) {
	case ReversalDue:
		if s.Held {
			return Decision{}
		}
		n := s.Attempts + 1
		return Decision{
			Record: Record{Kind: RecordReversalSent, Attempt: n},
			After:  []Effect{SendReversal{n}},
		}
	case ReversalNeverLeft:
		if s.Attempts == 0 {
			return Decision{}
		}
		return Decision{
			Record: Record{Kind: RecordReversalUnsent, Attempt: s.Attempts},
			Soon:   true,
		}
	case ReversalAccepted:
		return accepted(s, e)
	case ReversalPutOff:
		return Decision{Record: Record{Kind: RecordReversalAnswered, Code: e.Code}, Soon: true}
	case ReversalRefused:
		return Decision{
			Record: Record{Kind: RecordStuck, Code: e.Code, Why: e.Cause},
			After:  []Effect{TellStuck(e)},
		}
	case HostApproved:
		return late(e.Code, true)
	case HostDeclined:
		return late(e.Code, false)
	case HostUnclear:
		return late(e.Code, false)
	case Replay:
		if s.Held {
			return Decision{} // who held it meant it: it is released first
		}
		return Decision{Record: Record{Kind: RecordReplayed, By: e.By, Why: e.Why}}
	case Hold, Release:
		return decideHold(s, e)
	case Ask, NeverLeft, TimeUp, LinkLost, Delivered, Undeliverable, Confirm, Cancel, PowerUp,
		Resolve:
		return Decision{}
	}
	return Decision{}
}

// decideHold: a person stops the attempts, or lets them go on. Neither closes anything.
func decideHold(s State, e Event) Decision {
	if hold, ok := e.(Hold); ok && !s.Held {
		return Decision{Record: Record{Kind: RecordHeld, By: hold.By, Why: hold.Why}}
	}
	if release, ok := e.(Release); ok && s.Held {
		return Decision{Record: Record{Kind: RecordReleased, By: release.By, Why: release.Why}}
	}
	return Decision{}
}

// decideStuck: a person is needed.
func decideStuck(s State, e Event) Decision {
	switch e := e.(type) {
	case Replay:
		return Decision{Record: Record{Kind: RecordReplayed, By: e.By, Why: e.Why}}
	case Resolve:
		return Decision{Record: Record{Kind: RecordResolved, By: e.By, Why: e.Why}}
	case ReversalAccepted:
		return accepted(s, e)
	case HostApproved:
		return late(e.Code, true)
	case HostDeclined:
		return late(e.Code, false)
	case HostUnclear:
		return late(e.Code, false)
	case Ask, NeverLeft, TimeUp, LinkLost, Delivered, Undeliverable, Confirm, Cancel, PowerUp,
		ReversalDue, ReversalNeverLeft, ReversalPutOff, ReversalRefused, Hold, Release:
		return Decision{}
	}
	return Decision{}
}

// decideClosed: nothing more is owed, unless the host or the app says otherwise.
func decideClosed(s State, e Event) Decision {
	switch e := e.(type) {
	case HostApproved:
		if s.Phase == Reversed || s.Phase == Declined {
			return doubt(LateApproval, e.Code)
		}
		return late(e.Code, true)
	case HostDeclined:
		return late(e.Code, false)
	case HostUnclear:
		return late(e.Code, false)
	case Cancel:
		// The card refused the host's approval, say: the app reverses what it had accepted.
		if s.Phase == Confirmed {
			return doubt(Cancelled, "")
		}
		return Decision{}
	case Ask, NeverLeft, TimeUp, LinkLost, Delivered, Undeliverable, Confirm, PowerUp,
		ReversalDue, ReversalNeverLeft, ReversalAccepted, ReversalPutOff, ReversalRefused,
		Replay, Resolve, Hold, Release:
		return Decision{}
	}
	return Decision{}
}

// doubt owes a reversal. Nobody waits for the record: power-up would infer it.
func doubt(why Reason, code string, after ...Effect) Decision {
	return Decision{
		Record: Record{Kind: RecordDoubted, Reason: why, Code: code},
		Soon:   true,
		After:  after,
	}
}

// late keeps an answer nobody waited for as evidence.
func late(code string, approves bool) Decision {
	return Decision{
		Record: Record{Kind: RecordLateAnswer, Code: code, Approves: approves},
		Soon:   true,
	}
}

// accepted closes a payment the host has undone. An answer to a reversal that was never sent is
// nobody's: it settles nothing.
func accepted(s State, e ReversalAccepted) Decision {
	if s.Attempts == 0 {
		return Decision{}
	}
	return Decision{
		Record: Record{Kind: RecordReversed, Code: e.Code},
		After:  []Effect{TellReversed(e)},
	}
}
