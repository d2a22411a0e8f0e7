package verbs

import (
	"fmt"

	"reversald/agent"
	"reversald/iso"
)

// f is a text of ours in the session's language, filled in.
func (s *Session) f(format string, args ...any) string {
	return fmt.Sprintf(s.Tr(format), cleaned(args)...)
}

// sentence is what an entry says, for somebody who has never seen a journal.
func (s *Session) sentence(l agent.Line) string {
	switch l.Kind {
	case "asked":
		return s.f("The app %s asked for %s. The request was written down, then sent to %s.",
			l.App, iso.Money(l.Amount, l.Currency), l.Host)
	case "unsent":
		return s.f("Not one byte of it left this terminal. The app was told: safe to try again.")
	case "approved":
		return s.approved(l)
	case "declined":
		return s.f("The host declined: %s. Nothing was charged.", s.code(l.Code))
	case "confirmed":
		if l.Why != "" {
			return s.f("The sale counts as finished (%s).", l.Why)
		}
		return s.f("The app has the answer: the sale is finished.")
	case "doubted":
		return s.f("In doubt: %s. The host may hold a debit, so it is being reversed.",
			s.reason(l.Reason))
	case "late answer":
		if l.Approves {
			return s.f("An approval came late (%s). It is kept as evidence; it stops no reversal.",
				l.Code)
		}
		return s.f("An answer came late (%s). It is kept as evidence.", s.code(l.Code))
	}
	return s.reversalSentence(l)
}

// reversalSentence is for entries about the reversal.
func (s *Session) reversalSentence(l agent.Line) string {
	switch l.Kind {
	case "reversal sent":
		return s.f("Reversal %d was written down, then sent to %s.", l.Attempt, l.Host)
	case "reversal unsent":
		return s.f("Reversal %d did not leave: the line took not one byte.", l.Attempt)
	case "reversal answered":
		return s.f("The host answered %s: not now. It will be sent again.", s.code(l.Code))
	case "reversed":
		if l.Code == "25" {
			return s.f("The host answered %s: it never booked the sale. Nothing is owed any more.",
				s.code(l.Code))
		}
		return s.f("The host answered %s: the sale is undone. Nothing is owed any more.",
			s.code(l.Code))
	case "stuck":
		return s.f("Stuck: %s. A person must decide.", s.cause(l.Code, l.Why))
	case "replayed":
		return s.act("%s had the reversal sent again.", "%s had the reversal sent again: %s", l)
	case "held":
		return s.act("%s stopped the attempts.", "%s stopped the attempts: %s", l)
	case "released":
		return s.act("%s let the attempts go on.", "%s let the attempts go on: %s", l)
	case "resolved":
		return s.act("%s closed it by hand.", "%s closed it by hand: %s", l)
	case "damaged":
		return s.f("An entry can not be read: %s", l.Why)
	}
	return s.f("%s: %s", l.Kind, details(l)) // of a later version
}

func (s *Session) act(alone, why string, l agent.Line) string {
	if l.Why == "" {
		return s.f(alone, l.By)
	}
	return s.f(why, l.By, l.Why)
}

func (s *Session) approved(l agent.Line) string {
	if l.Kept != nil && l.Kept.RRN != "" {
		return s.f("The host approved (%s), reference %s.", codeOf(l), l.Kept.RRN)
	}
	return s.f("The host approved (%s).", codeOf(l))
}

// codeOf is the code of an approval, wherever it was kept.
func codeOf(l agent.Line) string {
	if l.Code == "" && l.Kept != nil {
		return Clean(l.Kept.Code)
	}
	return Clean(l.Code)
}

// code is a response code with what it means.
func (s *Session) code(code string) string {
	if code == "" {
		return s.Tr("no code")
	}
	words, _ := iso.Words(code, s.Lang.String())
	return Clean(code) + " (" + words + ")"
}

// causeDamaged is the agent's word for a payment that it can not read.
const causeDamaged = "both copies damaged"

// cause is why a payment is stuck.
func (s *Session) cause(code, why string) string {
	switch {
	case why == causeDamaged:
		return s.Tr("both copies of it on disk are damaged")
	case code != "":
		return s.f("the host refuses the reversal with %s", s.code(code))
	}
	return Clean(why)
}

// reason is why a reversal is owed.
func (s *Session) reason(reason string) string {
	switch reason {
	case "no answer in time":
		return s.Tr("the host did not answer in time")
	case "link dropped":
		return s.Tr("the line broke while the answer was awaited")
	case "power cut":
		return s.Tr("the terminal lost power, or was restarted, before it was finished")
	case "app gone":
		return s.Tr("it was approved, but the app was not there to hear it")
	case "not confirmed":
		return s.Tr("it was approved, but the app did not confirm it in time")
	case "cancelled":
		return s.Tr("the app or the cashier took it back")
	case "unclear code":
		return s.Tr("the host's code says neither yes nor no")
	case "bad answer":
		return s.Tr("the host's answer could not be understood")
	case "MAC wrong":
		return s.Tr("the host's answer was not authenticated")
	case "late approval":
		return s.Tr("the host approved it after it was closed without a debit")
	}
	return Clean(reason)
}

// phase is what a payment is now, in words.
func (s *Session) phase(p *agent.Payment) string {
	switch {
	case p.Held:
		return s.Tr("in doubt, and HELD by a person")
	case p.Phase == "doubted" && p.Overdue:
		return s.Tr("being reversed, OVERDUE")
	}
	return s.phaseWord(p.Phase)
}

func (s *Session) phaseWord(phase string) string {
	switch phase {
	case "asked":
		return s.Tr("waiting for the host's answer")
	case "unsent":
		return s.Tr("closed: not sent")
	case "approved":
		return s.Tr("approved, waiting for the app to finish")
	case "declined":
		return s.Tr("closed: declined")
	case "confirmed":
		return s.Tr("closed: a good sale")
	case "doubted":
		return s.Tr("being reversed")
	case "reversed":
		return s.Tr("closed: reversed")
	case "stuck":
		return s.Tr("STUCK: a person must decide")
	case "resolved":
		return s.Tr("closed by a person")
	}
	return Clean(phase)
}
