package iso

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
// message it accepts is well formed to its last byte. On error (a *FieldError) the Glance holds
// what was read before.
func (p *Profile) Glance(body []byte) (Glance, error) { return Glance{}, errNotYet }

// Near is the waiting question that an unmatched answer resembles most.
type Near struct {
	Index  int    // into the waiting questions
	Fields []int  // which match fields differ; 0 stands for the message type
	Why    string // the same in words: "field 41 (terminal) differs"
}

// Nearest finds the waiting question that arrived resembles most; false when nothing is waiting.
func (p *Profile) Nearest(arrived Glance, waiting []Glance) (Near, bool) { return Near{}, false }

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
