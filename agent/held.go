package agent

import (
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"time"

	"reversald/agent/payment"
	"reversald/iso"
)

// recentMax is how many closed payments stay in memory: enough to know a question that an app
// asks again after a crash, and an answer that comes late.
const recentMax = 512

// openMax is how many payments may be open at once. Above it a new one is refused as busy: a shop
// with a thousand open payments has lost its host, and more of them help nobody.
const openMax = 1000

// held is one payment in memory. It is owned by Run.
type held struct {
	id       payment.ID
	state    payment.State
	original iso.Original // with the card: a closed payment may have to be reversed after all
	kept     *iso.Kept    // of the host's approval
	key      string       // what its answers are matched by
	terminal string
	stan     string
	amount   int64
	currency string
	appName  string
	confirms
	host  string // the address that got the request
	since time.Time

	questionLost bool // what it asked for is gone in both files: no reversal can be built

	request      []byte   // the app's bytes, until they are sent
	answer       []byte   // the host's bytes, until they are delivered
	asker        App      // who waits for the answer; nil when nobody does
	question     []byte   // what asker asked, where it asked again: its answer is built from it
	reverser     App      // the app that sent its own reversal and waits for its answer
	taking       []byte   // that reversal
	reversalKeys []string // match keys of its reversals, where they differ from its own
	reversalSTAN string   // of the newest attempt, where it has one of its own
	unsigned     int      // attempts that the signer did not sign, since the host last answered one
	deadline     instant  // when the phase's time is up; zero: never
}

// confirms is what a payment has whose app confirms it.
type confirms struct {
	idem      string // its key
	reference string
	digest    [sha256.Size]byte // of what was asked for
	raw       bool              // the app gave the whole message
	ours      bool              // we worded it, and sign it where the host wants that
	counters  []*counter        // who waits for the outcome
}

// instant is a point on the monotonic clock, counted from the agent's start.
type instant = time.Duration

// books are the payments in memory and the ways to find them. Owned by Run.
type books struct {
	byID       map[payment.ID]*held
	byKey      map[string]*held // the newest payment with a match key
	byIdem     map[string]*held // by app and idempotency key
	byReversal map[string]*held // whose reversal is answered under a key of its own
	open       []*held          // those not closed, oldest first: all that a round looks at
	recent     []payment.ID     // closed ones, oldest first
}

func newBooks() books {
	return books{
		byID: map[payment.ID]*held{}, byKey: map[string]*held{}, byReversal: map[string]*held{},
		byIdem: map[string]*held{},
	}
}

func (b *books) add(p *held) {
	b.byID[p.id] = p
	if p.key != "" { // empty: its entry is damaged, and nothing is matched to it
		b.byKey[p.key] = p
	}
	if p.idem != "" {
		b.byIdem[idemName(p.appName, p.idem)] = p
	}
	if p.state.Phase.Open() || p.state.Phase == 0 {
		b.reopen(p)
	} else {
		b.recent = append(b.recent, p.id)
	}
}

// remove forgets an open payment as if it had never been asked for.
func (b *books) remove(p *held) {
	b.drop(p)
	b.open = slices.DeleteFunc(b.open, func(o *held) bool { return o == p })
}

// answersTo says that answers with a key are to a payment's reversal. An app may use for a sale
// what was the number of another payment's reversal: then it is whoever sent last.
func (b *books) answersTo(p *held, key string) {
	if was := b.byReversal[key]; was == p || was == nil && key == p.key {
		return
	}
	b.byReversal[key] = p
	p.reversalKeys = append(p.reversalKeys, key)
}

// moved keeps the counts after a payment went from one phase to another.
func (b *books) moved(p *held, was payment.Phase) {
	wasOpen := was.Open() || was == 0
	switch is := p.state.Phase.Open(); {
	case wasOpen && !is:
		b.open = slices.DeleteFunc(b.open, func(o *held) bool { return o == p })
		p.request, p.deadline = nil, 0
		b.recent = append(b.recent, p.id)
		b.forget()
	case !wasOpen && is:
		b.reopen(p)
		b.recent = slices.DeleteFunc(b.recent, func(id payment.ID) bool { return id == p.id })
	}
}

// reopen puts a payment among the open ones, in its place.
func (b *books) reopen(p *held) {
	i, found := slices.BinarySearchFunc(b.open, p.id, func(o *held, id payment.ID) int {
		return cmp.Compare(o.id, id)
	})
	if !found {
		b.open = slices.Insert(b.open, i, p)
	}
}

// forget lets the oldest closed payments go.
func (b *books) forget() {
	for len(b.recent) > recentMax {
		p := b.byID[b.recent[0]]
		b.recent = b.recent[1:]
		b.drop(p)
	}
}

// drop takes a payment out of every index.
func (b *books) drop(p *held) {
	delete(b.byID, p.id)
	if b.byKey[p.key] == p {
		delete(b.byKey, p.key)
	}
	if name := idemName(p.appName, p.idem); b.byIdem[name] == p {
		delete(b.byIdem, name)
	}
	for _, key := range p.reversalKeys {
		if b.byReversal[key] == p {
			delete(b.byReversal, key)
		}
	}
}

// overdue lists the payments whose time is up, oldest first.
func (b *books) overdue(now instant) []*held {
	var late []*held
	for _, p := range b.open {
		if p.deadline != 0 && p.deadline <= now {
			late = append(late, p)
		}
	}
	return late
}

// listOpen is a copy of the open payments, oldest first, for loops that change them.
func (b *books) listOpen() []*held { return slices.Clone(b.open) }

// same says whether two requests ask for the same payment. The transmission time (DE7) may differ:
// an app that asks again stamps it anew.
func same(p, q iso.Original) bool {
	const transmissionTime = 7
	x, y := maps.Clone(p.Fields), maps.Clone(q.Fields)
	delete(x, transmissionTime)
	delete(y, transmissionTime)
	return maps.Equal(x, y) && p.Card == q.Card
}
