package iso

// Outcome is what the host's answer to a payment means.
type Outcome uint8

// The outcomes; zero is a bug.
const (
	OutcomeApproved    Outcome = iota + 1 // the host holds the debit
	OutcomeDeclined                       // the host holds no debit
	OutcomeAmbiguous                      // an answer that does not say which: reverse
	OutcomeProvisional                    // "wait": the answer is still to come
)

// Verdict is what the host's answer to a reversal means.
type Verdict uint8

// The verdicts; zero is a bug.
const (
	VerdictDone   Verdict = iota + 1 // there is no debit any more, or never was
	VerdictRetry                     // not now: send it again later
	VerdictSignOn                    // keys are out of step: sign on, then send it again
	VerdictStuck                     // sending it again will not help: a person must look
)

// Reason is why a payment is taken back. The profile turns it into the host's reason code.
type Reason uint8

// The reasons; zero is a bug.
const (
	ReasonTimeout   Reason = iota + 1 // no answer in time
	ReasonLinkLost                    // the line dropped after the request may have left
	ReasonPowerCut                    // found open at power-up
	ReasonCancelled                   // a person or the app cancelled it
	ReasonAppGone                     // the app went away before it had the outcome
	ReasonBadAnswer                   // the answer could not be read, or contradicts the question
	ReasonMACWrong                    // the answer's MAC is wrong
	ReasonNotStored                   // the outcome could not be kept
	ReasonAmbiguous                   // the host's answer is OutcomeAmbiguous
	ReasonRefused                     // the host answered an earlier reversal, and did not take it
)

// LocalCodes are the response codes (DE 39) the app gets from us when the host did not speak.
// An empty code means: do not answer, close the connection.
type LocalCodes struct {
	Unknown  string // the outcome is not known, it is being reversed
	NotSent  string // nothing left the terminal; safe to try again
	Busy     string // too much at once; nothing was sent
	Refused  string // the message cannot be read or cannot be reversed; nothing was sent
	Owed     string // a reversal is owed first; nothing was sent
	Reversed string // asked again after the payment was reversed

	// What a guard rail refused; nothing was sent. A profile that does not say has Refused here.
	Amount       string // the amount is out of range, or looks like one zero too many
	Card         string // the card number's check digit is wrong
	Expired      string // the card's last month is over
	Repeated     string // the same card and amount were approved a moment ago
	Irreversible string // its processing code can not be reversed
}

// Outcome says what response code code means for a payment. No code at all is ambiguous; a code the
// profile does not list declines.
func (p *Profile) Outcome(code string) Outcome {
	if o, ok := p.outcomes[code]; ok {
		return o
	}
	if code == "" {
		return OutcomeAmbiguous
	}
	return OutcomeDeclined
}

// Verdict says what response code code means for a reversal. No code at all is no answer: again; a
// code the profile does not list needs a person.
func (p *Profile) Verdict(code string) Verdict {
	if v, ok := p.verdicts[code]; ok {
		return v
	}
	if code == "" {
		return VerdictRetry
	}
	return VerdictStuck
}

// Codes returns the codes the app gets from us.
func (p *Profile) Codes() LocalCodes { return p.local }

// String names the outcome.
func (o Outcome) String() string {
	switch o {
	case OutcomeApproved:
		return "approved"
	case OutcomeDeclined:
		return "declined"
	case OutcomeAmbiguous:
		return "ambiguous"
	case OutcomeProvisional:
		return "provisional"
	}
	return "outcome unknown"
}

// String names the verdict as profiles do.
func (v Verdict) String() string {
	switch v {
	case VerdictDone:
		return "done"
	case VerdictRetry:
		return "retry"
	case VerdictSignOn:
		return "sign_on"
	case VerdictStuck:
		return "stuck"
	}
	return "verdict unknown"
}

// reasonNames are the names of the reasons in profiles and journals, by Reason.
var reasonNames = [...]string{
	ReasonTimeout:   "timeout",
	ReasonLinkLost:  "link_lost",
	ReasonPowerCut:  "power_cut",
	ReasonCancelled: "cancelled",
	ReasonAppGone:   "app_gone",
	ReasonBadAnswer: "bad_answer",
	ReasonMACWrong:  "mac_wrong",
	ReasonNotStored: "not_stored",
	ReasonAmbiguous: "ambiguous",
	ReasonRefused:   "refused",
}

// String names the reason as profiles do.
func (r Reason) String() string {
	if r == 0 || int(r) >= len(reasonNames) {
		return "reason unknown"
	}
	return reasonNames[r]
}

// ParseReason reads what Reason.String wrote; false for anything else.
func ParseReason(name string) (Reason, bool) {
	for r := ReasonTimeout; int(r) < len(reasonNames); r++ {
		if reasonNames[r] == name {
			return r, true
		}
	}
	return 0, false
}
