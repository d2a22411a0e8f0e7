package acquirer

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Manners are how the bank misbehaves: rules, asked in the order they were given, of which the
// first that fits a message decides what becomes of it. See [ParseManners] for the language.
// A nil *Manners is a bank that behaves. Safe for use by several goroutines.
type Manners struct {
	mu     sync.Mutex
	rules  []*rule
	seed   uint64
	chance *rand.Rand
}

// Asked is what the rules look at.
type Asked struct {
	MTI, AnswerMTI, Terminal, STAN string
	AmountMinor                    int64
}

// rule is one clause: when it fits, what is done then, and how often.
type rule struct {
	mti      string // digits and x; fits the question or its answer; empty: any
	terminal string
	stan     string
	amount   int64 // -1: any
	chance   float64
	nth      int // only the nth fitting message; 0: every one
	times    int // at most so often; 0: no end
	plan     Plan

	seen  int
	taken int
}

// Ending is how the exchange over one message ends.
type Ending uint8

// The endings. All but EndCutBefore and EndUnseen do what was asked first.
const (
	EndAnswer    Ending = iota // the answer goes out whole
	EndUnseen                  // unbooked-silent: as if the message was lost on its way here
	EndSilent                  // silent: done, no answer, the connection stays
	EndCutBefore               // cut-before: the connection ends, nothing is done
	EndCutBooked               // cut-booked: done, then the connection ends
	EndCutMiddle               // cut-middle: done, half of the answer, the connection ends
	EndCutAfter                // cut-after: done, the answer, the connection ends
	EndHalf                    // half-frame: done, half of the answer, the connection stays
	EndAway                    // refuse: nothing done, all connections end, nobody listens
)

// Plan is what the bank does about one message. The zero value is to behave.
type Plan struct {
	Refuse    string        // decline=CC: do nothing, answer CC
	Say       string        // code=CC: do it, answer CC
	Late      time.Duration // late=D: the answer waits, the next message does not
	Split     time.Duration // split=D: the answer goes byte by byte, D apart
	AwayFor   time.Duration // refuse=D: back after D; 0: when told
	Twice     bool          // twice: the answer goes out twice
	WrongSTAN bool          // wrong-stan: DE 11 of the answer is another one
	WrongMTI  bool          // wrong-mti: the MTI of the answer is of another class
	WrongTID  bool          // wrong-tid: DE 41 of the answer is another one
	Garbage   bool          // garbage: a proper frame, noise inside
	BadMAC    bool          // bad-mac: the authentication code of the answer is wrong
	NoMAC     bool          // no-mac: the answer carries none
	Ask       int           // ask=3: what the UnionPay header of the answer asks for
	End       Ending
	Noise     uint64 // seed of the noise
	Text      string // the rule, for the log; empty when none fitted
}

// Plan decides about one message, and counts it.
func (m *Manners) Plan(q Asked) Plan {
	if m == nil {
		return Plan{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var taken *rule
	for _, r := range m.rules { // every rule counts every message, or #2 would mean nothing
		if r.fits(q, m.chance) && taken == nil && (r.times == 0 || r.taken < r.times) {
			taken = r
		}
	}
	if taken == nil {
		return Plan{}
	}
	taken.taken++
	plan := taken.plan
	plan.Noise = m.chance.Uint64()
	return plan
}

// Uses says how often each rule was taken, in their order.
func (m *Manners) Uses() []Use {
	uses := []Use{}
	if m == nil {
		return uses
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rules {
		uses = append(uses, Use{Rule: r.String(), Taken: r.taken})
	}
	return uses
}

// Use is a rule and how often it was taken.
type Use struct {
	Rule  string `json:"rule"`
	Taken int    `json:"taken"`
}

// String writes the manners in the language of [ParseManners].
func (m *Manners) String() string {
	if m == nil {
		return ""
	}
	var clauses []string
	if m.seed != 0 {
		clauses = append(clauses, "seed="+strconv.FormatUint(m.seed, 10))
	}
	for _, r := range m.rules {
		clauses = append(clauses, r.String())
	}
	return strings.Join(clauses, "; ")
}

func (r *rule) String() string {
	var when []string
	head := r.mti
	if r.nth > 0 {
		head += "#" + strconv.Itoa(r.nth)
	}
	if head != "" {
		when = append(when, head)
	}
	if r.terminal != "" {
		when = append(when, "tid="+r.terminal)
	}
	if r.stan != "" {
		when = append(when, "stan="+r.stan)
	}
	if r.amount >= 0 {
		when = append(when, "amount="+strconv.FormatInt(r.amount, 10))
	}
	if r.chance < 1 {
		when = append(when, "p="+strconv.FormatFloat(r.chance, 'g', -1, 64))
	}
	text := r.plan.Text
	if len(when) > 0 {
		text = strings.Join(when, ",") + ":" + text
	}
	if r.times > 0 {
		text += " x" + strconv.Itoa(r.times)
	}
	return text
}

func (r *rule) fits(q Asked, chance *rand.Rand) bool {
	if !fitsMTI(r.mti, q.MTI) && !fitsMTI(r.mti, q.AnswerMTI) {
		return false
	}
	if (r.terminal != "" && r.terminal != q.Terminal) || (r.stan != "" && r.stan != q.STAN) ||
		(r.amount >= 0 && r.amount != q.AmountMinor) {
		return false
	}
	if r.chance < 1 && chance.Float64() >= r.chance {
		return false
	}
	r.seen++
	return r.nth == 0 || r.seen == r.nth
}

func fitsMTI(pattern, mti string) bool {
	if pattern == "" {
		return true
	}
	if len(mti) != len(pattern) {
		return false
	}
	for i := range len(pattern) {
		if pattern[i] != 'x' && pattern[i] != mti[i] {
			return false
		}
	}
	return true
}
