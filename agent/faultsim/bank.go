package faultsim

import "time"

// account is what the bank's books say of one sale.
type account struct {
	asked    bool   // the request has come, and was answered
	debit    bool   // the cardholder's money moved
	reversed bool   // and moved back, or will not move: a reversal has come
	byHand   bool   // a person put it right
	code     string // what was answered
}

// net says whether the debit stands.
func (a *account) net() bool { return a.debit && !a.reversed && !a.byHand }

// bank keeps books. It knows of the terminal what comes over the line. It honours reversals
// idempotently, answers 25 for what it never saw, and remembers that it did: the request that
// comes after its reversal is declined.
type bank struct {
	books []account
}

func (b *bank) byHand(sale uint32) { b.books[sale].byHand = true }

// bankHears is a frame that has come through to the bank.
func (w *world) bankHears(m *Message, gen uint32) {
	w.line.flying--
	if m.Garbled {
		w.note("bank", "can not read", m)
		return
	}
	silent := w.now < w.line.silentUntil
	if silent && w.oneIn(2) {
		return // not even booked
	}
	var answer Message
	delay := w.between(0, 300*time.Millisecond)
	switch m.Kind {
	case Sale:
		answer, delay = w.bankSells(m, gen, delay)
	case Reversal:
		answer = w.bankReverses(m)
	case SignOn, Settle, Echo:
		answer = *m
		answer.Code = "00"
		answer.NewKey = m.Kind == SignOn
	case SaleAnswer, ReversalAnswer, SignOnAnswer, SettleAnswer, EchoAnswer:
		return
	}
	answer.Kind, answer.raw = m.Kind.answer(), nil
	w.note("bank", "says", &answer)
	if !silent {
		w.fly(delay, event{what: bankSpeaks, m: &answer, gen: gen})
	}
}

func (w *world) bankSpeaks(m *Message, gen uint32) {
	w.line.flying--
	w.answers(m, gen, 0)
}

// declines are codes of a request that is declined, some of which ask for a sign-on.
var declines = [...]string{"05", "51", "54", "61", "91", "96", "98", "A0", "99", "77", "25", "94"}

// bankSells decides on a sale, once; asked again it says the same.
func (w *world) bankSells(m *Message, gen uint32, delay time.Duration) (Message, time.Duration) {
	a := &w.bank.books[m.Sale]
	answer := *m
	switch {
	case a.reversed:
		answer.Code = "12" // overtaken by its own reversal
		return answer, delay
	case a.asked:
		answer.Code = a.code
		return answer, delay
	}
	a.asked = true
	switch {
	case w.hit(Unclear):
		a.code, a.debit = "68", w.oneIn(2)
	case w.oneIn(12):
		a.code = declines[w.chance.IntN(len(declines))]
	default:
		a.code, a.debit = "00", true
		if w.oneIn(20) {
			a.code = "11"
		}
	}
	w.note("bank", "books", m)
	answer.Code = a.code
	if w.hit(Provisional) {
		wait := answer
		wait.Kind, wait.Code = SaleAnswer, "09"
		w.answers(&wait, gen, delay)
		delay += w.between(time.Second, 40*time.Second)
	}
	return answer, delay
}

// Codes of an answer to a reversal, by what they ask for.
var (
	putOffCodes = [...]string{"09", "68", "90", "91", "92", "96", "98"}
	signOnCodes = [...]string{"77", "99", "A0"}
)

// bankReverses undoes a sale, or says that it will not.
func (w *world) bankReverses(m *Message) Message {
	a := &w.bank.books[m.Sale]
	answer := *m
	switch {
	case m.BadMAC: // made with a key of before
		answer.Code = signOnCodes[w.chance.IntN(len(signOnCodes))]
		answer.BadMAC = false
		return answer
	case w.hit(ReversalRefused):
		answer.Code = w.anyRefusal()
	case w.hit(ReversalPutOff):
		answer.Code = putOffCodes[w.chance.IntN(len(putOffCodes))]
	case w.hit(SignOnAsked):
		answer.Code = signOnCodes[w.chance.IntN(len(signOnCodes))]
	}
	if answer.Code != "" && w.oneIn(2) {
		return answer // and does nothing
	}
	done := "00"
	switch {
	case a.reversed && w.oneIn(3):
		done = "12" // has been reversed before
	case !a.debit && w.oneIn(2):
		done = "25" // never seen, or never debited
	}
	if w.o.Plant != DeafBank {
		a.reversed = true
	}
	if answer.Code == "" { // otherwise: done, and says it is not
		answer.Code = done
	}
	return answer
}

// anyRefusal is any code there is but the three that settle a reversal.
func (w *world) anyRefusal() string {
	const characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for {
		code := string([]byte{
			characters[w.chance.IntN(36)], characters[w.chance.IntN(10)],
		})
		if code != "00" && code != "12" && code != "25" {
			return code
		}
	}
}
