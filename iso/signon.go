package iso

import (
	"slices"
	"strings"
	"time"
)

// Values are what a message of ours that is no payment is made with: what the profile writes as
// {stan}, {terminal} and so on.
type Values struct {
	STAN     string    // trace number, one of its own
	Terminal string    // DE 41
	Merchant string    // DE 42
	Batch    string    // "": zeros
	Time     time.Time // local time of the terminal
	Header   []byte    // TPDU and the like; nil is the profile's
}

// ValuesOf are the values that the terminal of a payment has: terminal, merchant, header.
func ValuesOf(o Original) Values {
	return Values{
		Terminal: strings.TrimRight(o.Fields[fieldTerminal], " "),
		Merchant: strings.TrimRight(o.Fields[fieldMerchant], " "), Header: o.Header,
	}
}

// timeWords are the words for the time in a message template, and their form in time.Format.
var timeWords = map[string]string{
	"MMDDhhmmss": "0102150405", "hhmmss": "150405", "MMDD": "0102", "YYMMDD": "060102",
	"YYMMDDhhmmss": "060102150405",
}

// word is the value of one word in braces; false when there is no such word.
func (v Values) word(name string) (string, bool) {
	switch name {
	case "stan":
		return v.STAN, true
	case "terminal":
		return v.Terminal, true
	case "merchant":
		return v.Merchant, true
	case "batch":
		return zeros(v.Batch, batchTo-batchAt), true
	}
	layout, ok := timeWords[name]
	if !ok || v.Time.IsZero() {
		return "", ok
	}
	return v.Time.Format(layout), true
}

// fill puts values in the place of words in braces. problem is "" when all was well.
func (v Values) fill(text string) (filled, problem string) {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		out.WriteString(before)
		if !ok {
			return out.String(), ""
		}
		name, after, ok := strings.Cut(rest, "}")
		value, known := v.word(name)
		switch {
		case !ok || !known:
			return "", "has a word in braces that is not one of stan, terminal, merchant, batch, " +
				"MMDDhhmmss, YYMMDDhhmmss, YYMMDD, MMDD, hhmmss"
		case value == "":
			return "", "needs {" + name + "}, which is not known"
		}
		out.WriteString(value)
		text = after
	}
}

// form is a message of ours with words in braces.
type form struct {
	mti    string
	fields map[int]string
}

// compose makes the message.
func (f *form) compose(p *Profile, v Values) ([]byte, error) {
	fields := make(map[int]string, len(f.fields)+1)
	for n, text := range f.fields {
		value, problem := v.fill(text)
		if problem != "" {
			return nil, composing(n, problem)
		}
		fields[n] = value
	}
	_, class := p.classify([4]byte([]byte(f.mti)))
	p.roomForMAC(fields, class)
	return p.ComposeWith(v.Header, f.mti, fields)
}

// SignOn is how the terminal signs on with its host, and when it has to.
type SignOn struct{ p *Profile }

// SignOn is the profile's.
func (p *Profile) SignOn() SignOn { return SignOn{p} }

// signOnRule is the section sign_on. The zero rule is: the host wants none.
type signOnRule struct {
	forms           []form
	linkUp          bool
	beforeReversals bool
	codes           []string // of any answer: sign on again
	requests        []int    // of the header: sign on again
	done            []string
	keys            int // fields of the answer; 0 when it has none
	batch           part
	date, clock     int
	app             string // our answer to an app that signs on itself; "": its message passes
}

// None reports whether this host wants no sign-on.
func (s SignOn) None() bool { return len(s.p.signOn.forms) == 0 }

// AtLinkUp reports whether to sign on whenever the link comes up.
func (s SignOn) AtLinkUp() bool { return s.p.signOn.linkUp }

// BeforeReversals reports whether reversals need the keys of a fresh sign-on.
func (s SignOn) BeforeReversals() bool { return s.p.signOn.beforeReversals }

// Messages is how many messages a sign-on takes; each is sent once the one before was accepted.
func (s SignOn) Messages() int { return len(s.p.signOn.forms) }

// Message is message i of the sign-on, from 0.
func (s SignOn) Message(i int, v Values) ([]byte, error) {
	if i < 0 || i >= len(s.p.signOn.forms) {
		return nil, composing(partMTI, "is not one of the sign-on's messages")
	}
	return s.p.signOn.forms[i].compose(s.p, v)
}

// KeysField is the field of the answer with the working keys; 0 when it brings none.
func (s SignOn) KeysField() int { return s.p.signOn.keys }

// Accepted reports whether an answer says that the host took the message.
func (s SignOn) Accepted(answer Glance) bool {
	return slices.Contains(s.p.signOn.done, answer.Code)
}

// Learned is what the answer to a sign-on brings. What it does not bring is empty.
type Learned struct {
	Keys  []byte // working keys as they came, under the key that the terminal was given by hand
	Batch string // number of the batch that is open
	Date  string // MMDD or YYMMDD, as the host writes it
	Time  string // hhmmss, or with the date in front
}

// Learn reads the answer to a sign-on. The keys are not for any journal or log.
func (s SignOn) Learn(answer []byte) (Learned, error) {
	var w walk
	if err := s.p.walk(answer, &w); err != nil {
		return Learned{}, err
	}
	var l Learned
	var err error
	rule := &s.p.signOn
	if rule.keys > 0 && w.has(rule.keys) {
		if l.Keys, err = s.p.valueBytes(&w, rule.keys); err != nil {
			return Learned{}, err
		}
	}
	for n, into := range map[int]*string{rule.date: &l.Date, rule.clock: &l.Time} {
		if n == 0 {
			continue
		}
		if *into, err = s.p.value(&w, n); err != nil {
			return Learned{}, err
		}
	}
	if rule.batch.field > 0 {
		v, err := s.p.value(&w, rule.batch.field)
		if err != nil {
			return Learned{}, err
		}
		l.Batch = rule.batch.of(v)
	}
	return l, nil
}

// valueBytes is a field as bytes, whether the profile calls it bytes or text.
func (p *Profile) valueBytes(w *walk, n int) ([]byte, error) {
	if p.elements[n].kind == kindBinary {
		return slices.Clone(p.rawBytes(w, n)), nil
	}
	v, err := p.value(w, n)
	if err != nil {
		return nil, err
	}
	raw, _ := appendLatin1Bytes(nil, []byte(v))
	return raw, nil
}

// WantsSignOn reports whether a message of the host says that the terminal must sign on again: by
// its response code, or by the processing request in its header.
func (p *Profile) WantsSignOn(body []byte) bool {
	if p.SignOn().None() {
		return false
	}
	if request, ok := p.HeaderRequest(body); ok && slices.Contains(p.signOn.requests, request) {
		return true
	}
	var w walk
	if p.walk(body, &w) != nil {
		return false
	}
	code, err := p.value(&w, fieldCode)
	return err == nil && code != "" && slices.Contains(p.signOn.codes, code)
}

// Echo is the message that shows whether the line is still alive.
type Echo struct{ p *Profile }

// Echo is the profile's.
func (p *Profile) Echo() Echo { return Echo{p} }

// echoRule is the section echo. The zero rule is: none.
type echoRule struct {
	form form
	idle time.Duration
	app  string // our answer to an app's own; "": it passes
}

// None reports whether this host has no echo.
func (e Echo) None() bool { return e.p.idle.form.mti == "" }

// Idle is how long the line may be silent before an echo goes out; 0 when there is none.
func (e Echo) Idle() time.Duration { return e.p.idle.idle }

// Message is the echo. Any answer to it will do.
func (e Echo) Message(v Values) ([]byte, error) {
	if e.None() {
		return nil, composing(partMTI, "is missing: this host has no echo")
	}
	return e.p.idle.form.compose(e.p, v)
}

// Schedule is how often and how long a reversal is tried, as far as the host has a say in it.
type Schedule struct {
	Quick        int           // sendings one HostTimeout apart, before the waits grow
	RetryMin     time.Duration // the first longer wait
	RetryMax     time.Duration // the longest wait
	OverdueAfter time.Duration // age at which a reversal is shown as overdue
	OverdueSends int           // or so many sendings
	Provisional  time.Duration // how much longer an answer may take after "wait"
}

// Schedule is the profile's.
func (p *Profile) Schedule() Schedule { return p.schedule }

// HoldsSettlement reports whether the host's totals want every reversal answered first.
func (p *Profile) HoldsSettlement() bool { return p.holdSettlement }
