package iso

import "time"

// Profile is one host's dialect, loaded and proven. It does not change and may be shared.
type Profile struct {
	name        string
	about       string
	framing     framing
	frameMax    int
	header      []byte // what we put in front of messages of our own
	headerParts []headerPart
	enc         encoding
	elements    [fieldMax + 1]element
	codec       *codec

	types      map[[4]byte]messageType
	reversible []reversibleRule
	match      [ClassOther + 1][]int // by the class of the question
	hidden     [fieldMax + 1]bool    // never kept, never shown

	outcomes    map[string]Outcome
	verdicts    map[string]Verdict
	reasons     [ReasonRefused + 1]string
	template    template
	keep        []int // of an answer
	echo        []int // of a question, in an answer of ours
	local       LocalCodes
	texts       map[string]phrase
	hostTimeout time.Duration

	parts          map[string]part
	stan           StanPolicy
	mac            macRule
	signOn         signOnRule
	idle           echoRule
	schedule       Schedule
	holdSettlement bool
	anyAmount      bool // in an answer
}

// messageType is one message type the profile knows.
type messageType struct {
	mti    string
	class  Class
	answer string // the type that answers it; "" for an answer
}

// reversibleRule says which payments of one message type are taken back.
type reversibleRule struct {
	mti    string
	except []string   // beginnings of field 3 that are not
	only   []string   // beginnings of field 3 that are; none: all others
	unless []partRule // any of these, and it is not
	where  []partRule // all of these, where the message has the part
}

// template is how a reversal is worded.
type template struct {
	mti, repeatMTI string
	copied         []int // from the original, card and chip data apart
	pan, expiry    bool  // whether fields 2 and 14 are in it
	set            map[int]string
	fromAnswer     []int
	reasonField    int
	chipTags       []string // of field 55, upper-case hex
	links          []*link
}

// Name is what the profile calls itself.
func (p *Profile) Name() string { return p.name }

// About is the profile in one line, for people.
func (p *Profile) About() string { return p.about }

// FrameMax is the longest body, header included, in bytes.
func (p *Profile) FrameMax() int { return p.frameMax }

// HostTimeout is how long the host may take to answer.
func (p *Profile) HostTimeout() time.Duration { return p.hostTimeout }

// FieldName is what the profile calls a field; "" when it has none of that number.
func (p *Profile) FieldName(field int) string {
	if field < 0 || field > fieldMax {
		return ""
	}
	return p.elements[field].name
}

// AnswerMTI is the message type that answers mti; "" when mti asks for nothing. A type the
// profile does not list is answered like the first of its kind (0201 like 0200), and a kind it
// does not know as ISO 8583 counts: the function digit and one.
func (p *Profile) AnswerMTI(mti string) string {
	if len(mti) != 4 || !digitsOnly(mti) {
		return ""
	}
	return p.typeOf([4]byte([]byte(mti))).answer
}

// ClassOf is what a message type is for; zero when it is not four digits. What repeats a listed
// type is of its class, and what is neither is "other".
func (p *Profile) ClassOf(mti string) Class {
	if len(mti) != 4 || !digitsOnly(mti) {
		return 0
	}
	return p.typeOf([4]byte([]byte(mti))).class
}

// ReversalMTI is the message type of sending n of a reversal, counted from 1.
func (p *Profile) ReversalMTI(n int) string {
	if n > 1 {
		return p.template.repeatMTI
	}
	return p.template.mti
}

// classify says what a message type is for.
func (p *Profile) classify(mti [4]byte) (string, Class) {
	t := p.typeOf(mti)
	return t.mti, t.class
}

// typeOf finds or works out a message type. What repeats a payment is a payment, listed or not: a
// question that passed for "other" would not be reversed.
func (p *Profile) typeOf(mti [4]byte) messageType {
	if t, ok := p.types[mti]; ok {
		return t
	}
	first := mti
	first[3] = '0'
	if t, ok := p.types[first]; ok {
		t.mti = string(mti[:])
		return t
	}
	if (mti[2]-'0')%2 == 1 {
		return messageType{mti: string(mti[:]), class: ClassOtherAnswer}
	}
	t := messageType{mti: string(mti[:]), class: ClassOther}
	first[2]++
	t.answer = string(first[:])
	for _, class := range questionClasses {
		if p.types[first].class == class.Answer() {
			t.class = class
		}
	}
	return t
}

// isReversible reports whether a payment of this type and processing code is taken back when its
// outcome is unknown.
func (p *Profile) isReversible(w *walk, mti, processing string) bool {
	for i := range p.reversible {
		rule := &p.reversible[i]
		if rule.mti == mti || rule.mti[:3] == mti[:3] && !p.listed(mti) {
			return rule.takes(p, w, processing)
		}
	}
	return false
}

// listed reports whether the profile names a message type itself.
func (p *Profile) listed(mti string) bool {
	_, ok := p.types[[4]byte([]byte(mti))]
	return ok
}
