package acquirer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"reversald/iso"
)

// Bank turns a message into an answer: it reads the message, asks its manners what to do about it,
// asks the books, and words the answer. It has no sockets and no clock, so a simulation can use it
// alone. Safe for use by several goroutines.
type Bank struct {
	profile *iso.Profile
	ledger  *Ledger

	mu      sync.Mutex
	manners *Manners
	vault   *Vault
}

// NewBank opens a bank that speaks the profile and keeps the given books.
func NewBank(profile *iso.Profile, ledger *Ledger, manners *Manners) *Bank {
	return &Bank{profile: profile, ledger: ledger, manners: manners}
}

// Guard gives the bank keys: from now on it asks for authentication codes where the profile has
// them, and makes its own. Without keys it looks at none.
func (b *Bank) Guard(v *Vault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.vault = v
}

// guard is the vault in force; nil when there is none, or nothing to guard.
func (b *Bank) guard() *Vault {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.profile.MAC().None() {
		return nil
	}
	return b.vault
}

// Behave gives the bank other manners; nil makes it behave.
func (b *Bank) Behave(m *Manners) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.manners = m
}

// Manners gives the manners in force; nil when the bank behaves.
func (b *Bank) Manners() *Manners {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.manners
}

// Service is what becomes of one message. Plan says how Answer is to be delivered.
type Service struct {
	Plan     Plan
	Answer   []byte // body without frame; nil: there is none to deliver
	Question Seen
	Reply    Seen
}

// Seen is one message for the log and the counters: nothing secret in it.
type Seen struct {
	MTI, Terminal, STAN, Card, Code, RRN string
	AmountMinor                          int64
	HasAmount                            bool
	Note                                 string
}

// Receive serves one message body that arrived at the given time. When it returns, what the answer
// says is in the books. An error means that the books are closed: the bank must stop. Bytes that
// are no message are no error: the Service has a note and, where that is possible, an answer 30.
func (b *Bank) Receive(at time.Time, body []byte) (Service, error) {
	message, err := b.profile.Decode(body)
	if err == nil && len(message.MTI) != 4 {
		err = errors.New("message type is not four digits")
	}
	if err != nil {
		return b.unreadable(body, err), nil
	}
	q := b.read(message)
	s := Service{Question: q.seen()}
	s.Plan = b.Manners().Plan(Asked{
		MTI: q.MTI, AnswerMTI: answerMTI(q.MTI), Terminal: q.Terminal, STAN: q.STAN,
		AmountMinor: q.Amount,
	})
	if s.Plan.End == EndUnseen || s.Plan.End == EndCutBefore || s.Plan.End == EndAway {
		s.Question.Note = "not processed"
		return s, nil
	}
	if answerMTI(q.MTI) == "" {
		s.Question.Note = "asks for nothing"
		return s, nil
	}
	q.Refuse, q.Say = s.Plan.Refuse, s.Plan.Say
	if q.Reversal && q.Say != "" && q.Say != q.Codes.Reversed {
		q.Refuse, q.Say = q.Say, "" // what it says is that nothing was undone
	}
	if problem := b.unproven(q, body); problem != "" {
		b.answer(&s, message, at, Reply{Code: q.Codes.BadMAC, Said: problem})
		s.Question.Note = problem
		return s, nil
	}
	reply, err := b.decide(at, q)
	if err != nil {
		return s, err
	}
	s.Question.Note = reply.words()
	b.answer(&s, message, at, reply)
	return s, nil
}

// asked is a message as the bank understands it.
type asked struct {
	Question
	class     byte // '1', '2' payment, '4' reversal, '5' settlement, '8' network; 0: none of ours
	hasAmount bool
}

func (q asked) seen() Seen {
	return Seen{
		MTI: q.MTI, Terminal: q.Terminal, STAN: q.STAN, Card: q.Card, AmountMinor: q.Amount,
		HasAmount: q.hasAmount,
	}
}

// decide answers by the class of the message; only payments and reversals touch the books.
func (b *Bank) decide(at time.Time, q asked) (Reply, error) {
	honest := Reply{Code: q.Codes.Approved}
	switch q.class {
	case '1', '2', '4':
		if fault := q.fault(); fault != "" {
			return Reply{Code: q.Codes.Format, Said: fault}, nil
		}
		return b.ledger.Ask(at, q.Question)
	case '5':
		honest.Code = q.Codes.Settled
	case '8':
		honest.Code = q.Codes.Network
	default:
		honest = Reply{Code: q.Codes.Invalid, Said: "message not supported"}
	}
	if q.Refuse != "" {
		honest.Code = q.Refuse
	}
	if q.Say != "" {
		honest.Code = q.Say
	}
	return honest, nil
}

// fault says what a payment or a reversal lacks; without it there is nothing to book under.
func (q asked) fault() string {
	switch {
	case q.STAN == "":
		return "DE 11 (STAN) is missing"
	case q.Terminal == "":
		return "DE 41 (terminal) is missing"
	case !q.hasAmount && !q.Reversal && kindOf(q.Question) != kindNone:
		return "DE 4 (amount) is missing"
	}
	return ""
}

// answer words the answer and lets the manners spoil it.
func (b *Bank) answer(s *Service, m iso.Message, at time.Time, r Reply) {
	mti := answerMTI(m.MTI)
	fields := answerFields(m, at, r)
	b.signOn(m, r, fields)
	spoil(s.Plan, &mti, fields)
	header := b.profile.AnswerHeader(m.Header)
	if s.Plan.Ask > 0 {
		header = b.profile.SetHeaderRequest(header, s.Plan.Ask)
	}
	body, err := b.authentic(s.Plan, header, mti, fields)
	if err != nil {
		s.Question.Note = join(s.Question.Note, fmt.Sprintf("no answer: %v", err))
		return
	}
	if s.Plan.Garbage {
		noise := rand.New(rand.NewPCG(s.Plan.Noise, 1))
		for i := range body {
			body[i] = byte(noise.Uint32() & 0xff)
		}
	}
	s.Answer = body
	s.Reply = Seen{
		MTI: mti, Terminal: printable(fields[41]), STAN: printable(fields[11]),
		Code: r.Code, RRN: r.RRN, Note: s.Plan.Text,
		AmountMinor: s.Question.AmountMinor, HasAmount: s.Question.HasAmount,
	}
}

// echoed are the fields a host gives back as they came (ISO 8583:1987, table of 0210 and 0410;
// 60 is UnionPay's, 70 is of 0800).
var echoed = []int{3, 4, 7, 11, 12, 13, 24, 25, 32, 41, 42, 49, 60, 70}

func answerFields(m iso.Message, at time.Time, r Reply) map[int]string {
	fields := make(map[int]string, len(echoed)+3)
	for _, f := range echoed {
		if v, ok := m.Fields[f]; ok {
			fields[f] = v
		}
	}
	if m.MTI[0] == '0' { // a terminal without a clock takes the host's
		if fields[12] == "" && fields[13] == "" && m.MTI[1] != '8' {
			fields[12], fields[13] = at.Format("150405"), at.Format("0102")
		}
	}
	fields[39] = r.Code
	if r.RRN != "" {
		fields[37] = r.RRN
	}
	if r.Auth != "" && m.MTI[1] != '4' {
		fields[38] = r.Auth
	}
	return fields
}

// spoil makes the answer that of another question.
func spoil(p Plan, mti *string, fields map[int]string) {
	if p.WrongSTAN {
		n, _ := strconv.Atoi(fields[11])
		fields[11] = fmt.Sprintf("%06d", (n+1)%1_000_000)
	}
	if p.WrongTID && fields[41] != "" {
		id := []byte(fields[41])
		if id[0] != 'Z' {
			id[0] = 'Z'
		} else {
			id[0] = 'Y'
		}
		fields[41] = string(id)
	}
	if p.WrongMTI {
		other := byte('4') // a reversal's answer where a payment's is due, and the other way round
		if (*mti)[1] == '4' {
			other = '2'
		}
		*mti = (*mti)[:1] + string(other) + (*mti)[2:]
	}
}

// unreadable is what becomes of bytes that are no message.
func (b *Bank) unreadable(body []byte, why error) Service {
	s := Service{Question: Seen{MTI: "????", Note: fmt.Sprintf("unreadable: %v", why)}}
	answer, err := b.profile.LocalAnswer(body, "30")
	if err != nil {
		return s
	}
	s.Answer = answer
	s.Reply = Seen{MTI: "????", Code: "30"}
	return s
}

// answerMTI is the type that answers mti: 0200 0210, 0420 0430, a repeat (0401) as its first. It
// is empty for a message that is an answer itself.
func answerMTI(mti string) string {
	if len(mti) != 4 || (mti[2]-'0')%2 != 0 || mti[2] > '8' {
		return ""
	}
	origin := mti[3]
	if (origin-'0')%2 == 1 {
		origin--
	}
	return mti[:2] + string(mti[2]+1) + string(origin)
}

func (r Reply) words() string { return join(string(r.What), r.Said) }

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// printable keeps the characters that are safe to show, write down and compare.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s))
}
