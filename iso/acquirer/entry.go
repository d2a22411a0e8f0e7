package acquirer

import (
	"fmt"
	"time"
)

// State is what the books hold of one payment, a word for people and programs alike.
type State string

// The states of an entry.
const (
	StateDebited   State = "debited"    // approved: the cardholder's money is taken or held
	StateCredited  State = "credited"   // approved refund
	StateAnswered  State = "answered"   // approved inquiry: no money moved
	StateReversed  State = "reversed"   // was booked, and is undone
	StateDeclined  State = "declined"   // refused: no money moved
	StateNeverSeen State = "never-seen" // only its reversal came
)

// Entry is one payment in the books.
type Entry struct {
	ID         uint64         `json:"id"` // number of the fact that opened it, from 1
	Terminal   string         `json:"terminal"`
	STAN       string         `json:"stan"`
	Date       string         `json:"date,omitempty"`  // DE 13 as received: MMDD
	Batch      string         `json:"batch,omitempty"` // DE 60.2, where the dialect has one
	MTI        string         `json:"mti"`             // of the request, or of what came first
	Kind       string         `json:"kind,omitempty"`  // debit, hold, credit, none
	Processing string         `json:"processing,omitempty"`
	Amount     int64          `json:"amount_minor"`
	Currency   string         `json:"currency,omitempty"`
	Card       string         `json:"card,omitempty"` // masked 6+4
	Account    string         `json:"account,omitempty"`
	State      State          `json:"state"`
	Code       string         `json:"code"` // DE 39 of the answer to the request
	RRN        string         `json:"rrn,omitempty"`
	Auth       string         `json:"auth,omitempty"`
	At         time.Time      `json:"at"`
	ReversedAt *time.Time     `json:"reversed_at,omitempty"`
	Requests   int            `json:"requests"`  // how often the request came
	Reversals  int            `json:"reversals"` // how often its reversal came
	MTIs       map[string]int `json:"reversal_mtis,omitempty"`
	LastCode   string         `json:"reversal_code,omitempty"` // answer to the newest reversal
	Note       string         `json:"note,omitempty"`          // the newest remarkable thing

	kind kind
	sent string
	late bool // its request came after its reversal
}

func newEntry(f Fact) *Entry {
	e := &Entry{ID: f.Entry, At: f.At}
	e.fill(f)
	return e
}

// fill takes over what a message says of the payment.
func (e *Entry) fill(f Fact) {
	q := f.Question
	e.Terminal, e.STAN, e.Date, e.Batch = q.Terminal, q.STAN, q.Date, q.Batch
	e.MTI, e.Processing, e.sent = q.MTI, q.Processing, q.Sent
	e.Amount, e.Currency, e.Card, e.Account = q.Amount, q.Currency, q.Card, q.Account
	e.kind = kindOf(*q)
	e.Kind = e.kind.String()
}

// become is the only way an entry changes.
func (e *Entry) become(f Fact) error {
	if f.Note != "" {
		e.Note = f.Note
	}
	switch f.What {
	case WhatBooked:
		e.State, e.Code, e.RRN, e.Auth = e.kind.booked(), f.Code, f.RRN, f.Auth
		e.Requests++
	case WhatDeclined, WhatConflict:
		e.State, e.Code = StateDeclined, f.Code
		e.Requests++
	case WhatNeverSeen:
		e.State, e.Kind = StateNeverSeen, ""
		e.reversalCame(f)
	case WhatDoubled:
		e.Requests++
	case WhatTooLate:
		e.Requests++
		if e.State == StateNeverSeen {
			if f.Question == nil {
				return fmt.Errorf("fact %d completes entry %d without a question", f.Seq, e.ID)
			}
			e.fill(f)
			e.State, e.Code, e.late = StateDeclined, f.Code, true
		}
	case WhatReversed:
		if e.effect() == 0 {
			return fmt.Errorf("fact %d reverses entry %d, which is %s", f.Seq, e.ID, e.State)
		}
		at := f.At
		e.State, e.ReversedAt = StateReversed, &at
		e.reversalCame(f)
	case WhatRepeated, WhatHarmless, WhatMismatch, WhatRefused:
		e.reversalCame(f)
	default:
		return fmt.Errorf("fact %d: %q is not something the books know", f.Seq, f.What)
	}
	return nil
}

func (e *Entry) reversalCame(f Fact) {
	e.Reversals++
	e.LastCode = f.Code
	if e.MTIs == nil {
		e.MTIs = make(map[string]int)
	}
	e.MTIs[f.MTI]++
}

// effect is the money the entry has taken from the card right now, in minor units; a credit is
// negative, everything not booked is zero.
func (e *Entry) effect() int64 {
	switch e.State {
	case StateDebited:
		return e.Amount
	case StateCredited:
		return -e.Amount
	case StateAnswered, StateReversed, StateDeclined, StateNeverSeen:
	}
	return 0
}

func (k kind) booked() State {
	switch k {
	case kindCredit:
		return StateCredited
	case kindNone:
		return StateAnswered
	case kindDebit, kindHold:
	}
	return StateDebited
}

func (k kind) String() string {
	switch k {
	case kindDebit:
		return "debit"
	case kindHold:
		return "hold"
	case kindCredit:
		return "credit"
	case kindNone:
		return "none"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}
