package iso

import "bytes"

// Class is what a message is for. A question and its answer have classes of their own, so that a
// payment's answer is never taken for a reversal's, though trace number and terminal are the same.
type Class uint8

// The classes; zero is a bug, not a class.
const (
	ClassPayment Class = iota + 1
	ClassReversal
	ClassPaymentAnswer
	ClassReversalAnswer
	ClassSettlement
	ClassSettlementAnswer
	ClassOther
	ClassOtherAnswer
)

// Glance is what one look at a message tells, without decoding the rest of it.
type Glance struct {
	MTI         string // four digits
	Class       Class
	Key         string // match key, the same for a question and its answer
	OriginalKey string // for ClassReversal: the Key of the payment it reverses
	Terminal    string // DE 41, trailing spaces removed
	STAN        string // DE 11
	RRN         string // DE 37
	Auth        string // DE 38
	Code        string // DE 39
	Processing  string // DE 3
	AmountMinor int64  // DE 4, in the smallest unit of Currency
	Currency    string // DE 49
	Reversible  bool   // a payment that is to be reversed when its outcome is unknown
}

// Glance looks at one message: header and message without the length. It walks every field, so a
// message it accepts is well formed to its last byte; the values it does not show are not checked.
// On error (a *FieldError) the Glance holds what was read before.
func (p *Profile) Glance(body []byte) (Glance, error) {
	var g Glance
	var w walk
	walkErr := p.walk(body, &w)
	if walkErr != nil && w.last == 0 {
		return g, walkErr // not even a message type
	}
	g.MTI, g.Class = p.classify(w.mti)
	if walkErr != nil {
		return g, walkErr
	}
	return g, p.look(&g, &w)
}

// Fields that a Glance shows.
const (
	fieldPAN        = 2
	fieldProcessing = 3
	fieldAmount     = 4
	fieldSent       = 7
	fieldSTAN       = 11
	fieldTime       = 12
	fieldDate       = 13
	fieldExpiry     = 14
	fieldAcquirer   = 32
	fieldForwarder  = 33
	fieldTrack2     = 35
	fieldRRN        = 37
	fieldAuth       = 38
	fieldCode       = 39
	fieldTerminal   = 41
	fieldMerchant   = 42
	fieldCurrency   = 49
	fieldPIN        = 52
	fieldChip       = 55
	fieldBatch      = 60 // UnionPay: type, batch and more
	fieldOriginal   = 90
)

// glanced are the fields of a Glance that are shown as they are, in the order of look.
var glanced = [...]int{
	fieldTerminal, fieldSTAN, fieldRRN, fieldAuth, fieldCode, fieldProcessing, fieldCurrency,
}

// look fills in everything but the type. All the texts share one string, so a Glance costs one
// allocation.
func (p *Profile) look(g *Glance, w *walk) error {
	var room [256]byte
	buf := room[:0]
	var ends [len(glanced)]int
	var err error
	for i, n := range glanced {
		if w.has(n) {
			if buf, err = p.appendField(buf, w, n); err != nil {
				return err
			}
			if n == fieldTerminal {
				buf = bytes.TrimRight(buf, " ")
			}
		}
		ends[i] = len(buf)
	}
	if g.AmountMinor, err = p.amount(w); err != nil {
		return err
	}
	var missing error
	buf, missing = p.appendKey(buf, w, g.Class)
	key := len(buf)
	if g.Class == ClassReversal && missing == nil {
		buf, missing = p.appendOriginalKey(buf, w)
	}
	all := string(buf)
	shown := [...]*string{
		&g.Terminal, &g.STAN, &g.RRN, &g.Auth, &g.Code, &g.Processing, &g.Currency,
	}
	at := 0
	for i, end := range ends {
		*shown[i] = all[at:end]
		at = end
	}
	g.Key, g.OriginalKey = all[at:key], all[key:]
	g.Reversible = g.Class == ClassPayment && p.isReversible(w, g.MTI, g.Processing)
	return missing
}

// amount is field 4 as a number.
func (p *Profile) amount(w *walk) (int64, error) {
	if !w.has(fieldAmount) {
		return 0, nil
	}
	var room [32]byte
	digits, err := p.appendField(room[:0], w, fieldAmount)
	if err != nil {
		return 0, err
	}
	var v int64
	for _, c := range digits {
		v = v*10 + int64(c-'0')
	}
	return v, nil
}

// Answers reports whether a message of class c can be the answer to a question of class q.
func (c Class) Answers(q Class) bool { return q.Answer() == c }

// Answer is the class of the answer to c; zero when c is an answer itself.
func (c Class) Answer() Class {
	switch c {
	case ClassPayment:
		return ClassPaymentAnswer
	case ClassReversal:
		return ClassReversalAnswer
	case ClassSettlement:
		return ClassSettlementAnswer
	case ClassOther:
		return ClassOtherAnswer
	case ClassPaymentAnswer, ClassReversalAnswer, ClassSettlementAnswer, ClassOtherAnswer:
	}
	return 0
}

// Question reports whether c asks for an answer.
func (c Class) Question() bool { return c.Answer() != 0 }

// String names the class as profiles do.
func (c Class) String() string {
	switch c {
	case ClassPayment:
		return "payment"
	case ClassReversal:
		return "reversal"
	case ClassPaymentAnswer:
		return "payment answer"
	case ClassReversalAnswer:
		return "reversal answer"
	case ClassSettlement:
		return "settlement"
	case ClassSettlementAnswer:
		return "settlement answer"
	case ClassOther:
		return "other"
	case ClassOtherAnswer:
		return "other answer"
	}
	return "class unknown"
}
