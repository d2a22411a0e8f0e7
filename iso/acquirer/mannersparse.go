package acquirer

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

const (
	specMax   = 4096             // bytes of a manners text
	rulesMax  = 64               // rules at once
	countMax  = 1_000_000        // largest #n and xN
	lateMax   = 10 * time.Minute // longest late=, refuse=
	splitMax  = time.Second      // longest split=
	splitZero = time.Millisecond // split without a duration
)

// SpecError is a fault in a manners text.
type SpecError struct {
	Column int // byte it starts at, from 1
	Fault  string
}

func (e *SpecError) Error() string {
	return fmt.Sprintf("manners, column %d: %s", e.Column, e.Fault)
}

// ParseManners reads a manners text:
//
//	text    = clause { ";" clause }              a line end is as good as a semicolon
//	clause  = "seed=" number | rule
//	rule    = [ when ":" ] manner { "+" manner } [ " x" count ]
//	when    = condition { "," condition }        all must hold; no condition: every message
//	cond.   = MTI [ "#" n ] | "#" n              0200, 04xx; the answer's MTI (0210) will do
//	        | "tid=" text | "stan=" digits | "amount=" minor units | "p=" probability
//
// "#n" is the nth message for which all else holds, counted from when the rule was given; "x3" is
// at most three times. The manners:
//
//	good               behaves (an exception before a wider rule)
//	silent             does it, never answers
//	unbooked-silent    never saw it
//	late=3s            does it, answers later; the next message is served meanwhile
//	twice              answers twice
//	decline=51         does nothing, answers 51
//	code=96            books a payment, answers 96; undoes a reversal only when the code says so
//	wrong-stan, wrong-mti, wrong-tid   the answer is of another question
//	cut-before         closes the connection instead of doing anything
//	cut-booked         does it, closes before answering
//	cut-middle         does it, closes after half of the answer
//	cut-after          does it, answers, closes
//	half-frame         does it, sends half of the answer, keeps the connection
//	garbage            does it, answers a proper frame of noise
//	bad-mac, no-mac    does it, answers with a wrong authentication code, or with none
//	ask=3              does it; the UnionPay header of the answer asks for something (3: sign on)
//	split[=5ms]        does it, answers byte by byte
//	refuse[=10s]       drops every connection and stops listening, until told (or for so long)
//
// Examples: "0200:silent", "0200#2:twice", "stan=000123:cut-after", "tid=T1,0200:decline=51",
// "0400:code=96 x3", "seed=7; 02xx,p=0.1:late=3s+twice".
func ParseManners(text string) (*Manners, error) {
	if len(text) > specMax {
		return nil, &SpecError{specMax + 1, fmt.Sprintf("longer than %d bytes", specMax)}
	}
	m := &Manners{}
	for start := 0; start <= len(text); {
		end := len(text)
		if i := strings.IndexAny(text[start:], ";\n"); i >= 0 {
			end = start + i
		}
		if err := m.clause(text[start:end], start+1); err != nil {
			return nil, err
		}
		start = end + 1
	}
	m.chance = rand.New(rand.NewPCG(m.seed, 0x7e5e_55a1))
	return m, nil
}

// clause reads one clause that starts at the given column.
func (m *Manners) clause(text string, column int) error {
	body := strings.TrimLeft(text, " \t\r")
	column += len(text) - len(body)
	body = strings.TrimRight(body, " \t\r")
	if body == "" {
		return nil
	}
	if digits, ok := strings.CutPrefix(body, "seed="); ok {
		seed, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return &SpecError{column + len("seed="), "want a seed, a number from 0"}
		}
		m.seed = seed
		return nil
	}
	if len(m.rules) == rulesMax {
		return &SpecError{column, fmt.Sprintf("more than %d rules", rulesMax)}
	}
	r := &rule{amount: -1, chance: 1}
	body, err := r.readTimes(body, column)
	if err != nil {
		return err
	}
	if i := strings.IndexAny(body, " \t\r"); i >= 0 {
		return &SpecError{column + i, `a space belongs only before "xN"; rules are parted by ";"`}
	}
	if when, rest, ok := strings.Cut(body, ":"); ok {
		if err := r.readWhen(when, column); err != nil {
			return err
		}
		column += len(when) + 1
		body = rest
	}
	if err := r.plan.read(body, column); err != nil {
		return err
	}
	m.rules = append(m.rules, r)
	return nil
}

// readTimes takes a trailing " xN" off the text.
func (r *rule) readTimes(text string, column int) (rest string, err error) {
	i := strings.LastIndexAny(text, " \t\r")
	if i < 0 || i+1 >= len(text) || text[i+1] != 'x' {
		return text, nil
	}
	r.times, err = readCount(text[i+2:], column+i+2)
	return strings.TrimRight(text[:i], " \t\r"), err
}

func readCount(digits string, column int) (int, error) {
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > countMax || !isDigits(digits) {
		return 0, &SpecError{column, fmt.Sprintf("want a count from 1 to %d", countMax)}
	}
	return n, nil
}

func (r *rule) readWhen(text string, column int) error {
	for _, cond := range strings.Split(text, ",") {
		if err := r.readCondition(cond, column); err != nil {
			return err
		}
		column += len(cond) + 1
	}
	return nil
}

func (r *rule) readCondition(cond string, column int) error {
	name, value, isPair := strings.Cut(cond, "=")
	at := column + len(name) + 1
	switch {
	case isPair && name == "tid":
		if value == "" || len(value) > 16 {
			return &SpecError{at, "want a terminal of 1 to 16 characters"}
		}
		r.terminal = value
	case isPair && name == "stan":
		if !isDigits(value) || len(value) > 6 {
			return &SpecError{at, "want a STAN of 1 to 6 digits"}
		}
		r.stan = strings.Repeat("0", 6-len(value)) + value
	case isPair && name == "amount":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || !isDigits(value) {
			return &SpecError{at, "want an amount in minor units, 1234 for 12.34"}
		}
		r.amount = n
	case isPair && name == "p":
		p, err := strconv.ParseFloat(value, 64)
		if err != nil || !(p >= 0 && p <= 1) {
			return &SpecError{at, "want a probability from 0 to 1"}
		}
		r.chance = p
	case isPair:
		return &SpecError{
			column, fmt.Sprintf("no condition %q; there are tid, stan, amount, p", name),
		}
	default:
		return r.readMTI(cond, column)
	}
	return nil
}

func (r *rule) readMTI(cond string, column int) error {
	mti, nth, counted := strings.Cut(cond, "#")
	if counted {
		n, err := readCount(nth, column+len(mti)+1)
		if err != nil {
			return err
		}
		r.nth = n
	}
	if mti == "" && counted {
		return nil
	}
	if len(mti) != 4 || strings.Trim(mti, "0123456789x") != "" {
		return &SpecError{
			column, `want an MTI such as 0200 or 04xx, or a condition such as "tid=T1"`,
		}
	}
	r.mti = mti
	return nil
}

// read reads the manners of one rule.
func (p *Plan) read(text string, column int) error {
	for _, manner := range strings.Split(text, "+") {
		name, value, hasValue := strings.Cut(manner, "=")
		fault := p.set(name, value, hasValue)
		if fault != "" {
			return &SpecError{column, fault}
		}
		column += len(manner) + 1
	}
	p.Text = text
	return nil
}

// set takes on one manner; it returns what is wrong with it, or "".
func (p *Plan) set(name, value string, hasValue bool) (fault string) {
	if hasValue {
		return p.setValue(name, value)
	}
	switch name {
	case "good":
	case "twice":
		p.Twice = true
	case "wrong-stan":
		p.WrongSTAN = true
	case "wrong-mti":
		p.WrongMTI = true
	case "wrong-tid":
		p.WrongTID = true
	case "garbage":
		p.Garbage = true
	case "bad-mac":
		p.BadMAC = true
	case "no-mac":
		p.NoMAC = true
	case "split":
		p.Split = splitZero
	case "decline", "code", "late":
		return fmt.Sprintf("%q wants a value, as in %q", name, name+"="+
			map[string]string{"decline": "51", "code": "96", "late": "3s"}[name])
	default:
		end, known := endings[name]
		if !known {
			return fmt.Sprintf("no manner %q", name)
		}
		return p.endWith(end)
	}
	return ""
}

var endings = map[string]Ending{
	"silent": EndSilent, "unbooked-silent": EndUnseen, "cut-before": EndCutBefore,
	"cut-booked": EndCutBooked, "cut-middle": EndCutMiddle, "cut-after": EndCutAfter,
	"half-frame": EndHalf, "refuse": EndAway,
}

func (p *Plan) endWith(end Ending) (fault string) {
	if p.End != EndAnswer {
		return "two endings; one of silent, unbooked-silent, cut-…, half-frame, refuse"
	}
	p.End = end
	return ""
}

func (p *Plan) setValue(name, value string) (fault string) {
	switch name {
	case "decline", "code":
		if !isDigitsOrLetters(value) || len(value) < 2 || len(value) > 3 {
			return "want an answer code of two or three characters"
		}
		if p.Refuse != "" || p.Say != "" {
			return "two answer codes"
		}
		if name == "decline" {
			p.Refuse = value
		} else {
			p.Say = value
		}
	case "late":
		p.Late, fault = readDuration(value, lateMax)
	case "ask":
		if len(value) != 1 || !isDigits(value) || value == "0" {
			return "want a request from 1 to 9; 3 is: sign on"
		}
		p.Ask = int(value[0] - '0')
	case "split":
		p.Split, fault = readDuration(value, splitMax)
	case "refuse":
		if p.AwayFor, fault = readDuration(value, lateMax); fault == "" {
			fault = p.endWith(EndAway)
		}
	default:
		return fmt.Sprintf("no manner %q with a value", name)
	}
	return fault
}

func readDuration(text string, most time.Duration) (d time.Duration, fault string) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > most {
		return 0, fmt.Sprintf("want a duration up to %s, such as 200ms or 3s", most)
	}
	return d, ""
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func isDigitsOrLetters(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}
