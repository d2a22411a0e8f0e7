package acquirer

import (
	"fmt"
	"math"
)

// auditWhole is up to how many entries every change is followed by a count of the whole books.
// Above it each change checks its own entry, and the whole is counted so seldom that it costs no
// more than the changes do.
const auditWhole = 128

// purse names one balance: who, and in which currency.
type purse struct{ owner, currency string }

// money is double entry: what leaves a card arrives at a terminal, so both sides are equal at all
// times. The two sides are kept apart on purpose; [Ledger.audit] compares them with the entries.
type money struct {
	cards     map[purse]int64 // taken from each account
	terminals map[purse]int64 // owed to each terminal
}

func newMoney() *money {
	return &money{cards: make(map[purse]int64), terminals: make(map[purse]int64)}
}

// post moves an amount from the entry's card to its terminal; negative moves it back.
func (m *money) post(e *Entry, amount int64) error {
	if amount == 0 {
		return nil
	}
	card := purse{e.Account, e.Currency}
	terminal := purse{e.Terminal, e.Currency}
	if overflows(m.cards[card], amount) || overflows(m.terminals[terminal], amount) {
		return fmt.Errorf("%w: a balance overflows", ErrUnbalanced)
	}
	m.cards[card] += amount
	m.terminals[terminal] += amount
	return nil
}

func overflows(a, b int64) bool {
	return (b > 0 && a > math.MaxInt64-b) || (b < 0 && a < math.MinInt64-b)
}

// check is the invariant after a change of one entry: the entry can be in its state, and now and
// then the whole.
func (l *Ledger) check(e *Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	if n := uint64(len(l.order)); n <= auditWhole || l.seq >= l.auditAt {
		l.auditAt = l.seq + n
		return l.audit()
	}
	return nil
}

func (e *Entry) check() error {
	switch e.State {
	case StateDebited, StateCredited, StateAnswered:
		if e.Requests == 0 || e.RRN == "" || e.ReversedAt != nil {
			return fmt.Errorf("%w: entry %d is %s without a proper approval",
				ErrUnbalanced, e.ID, e.State)
		}
	case StateReversed:
		if e.ReversedAt == nil || e.Reversals == 0 {
			return fmt.Errorf("%w: entry %d is reversed, yet no reversal came", ErrUnbalanced, e.ID)
		}
	case StateDeclined:
		if e.RRN != "" {
			return fmt.Errorf("%w: entry %d is declined and approved", ErrUnbalanced, e.ID)
		}
	case StateNeverSeen:
		if e.Requests != 0 || e.Reversals == 0 {
			return fmt.Errorf("%w: entry %d was seen after all", ErrUnbalanced, e.ID)
		}
	default:
		return fmt.Errorf("%w: entry %d has no state", ErrUnbalanced, e.ID)
	}
	return nil
}

// audit counts the books from the entries and compares both sides of the money with the result.
func (l *Ledger) audit() error {
	want := newMoney()
	for _, id := range l.order {
		e := l.entries[id]
		if err := e.check(); err != nil {
			return err
		}
		if err := want.post(e, e.effect()); err != nil {
			return err
		}
	}
	if err := equal("card accounts", l.money.cards, want.cards); err != nil {
		return err
	}
	if err := equal("terminals", l.money.terminals, want.terminals); err != nil {
		return err
	}
	var cards, terminals int64
	for _, v := range l.money.cards {
		cards += v
	}
	for _, v := range l.money.terminals {
		terminals += v
	}
	if cards != terminals {
		return fmt.Errorf("%w: cards gave %d, terminals got %d", ErrUnbalanced, cards, terminals)
	}
	return nil
}

// equal compares balances; a balance that is absent is zero.
func equal(side string, have, want map[purse]int64) error {
	for p, v := range have {
		if want[p] != v {
			return fmt.Errorf("%w: %s hold %d, entries say %d", ErrUnbalanced, side, v, want[p])
		}
	}
	for p, v := range want {
		if have[p] != v {
			return fmt.Errorf("%w: %s hold %d, entries say %d", ErrUnbalanced, side, have[p], v)
		}
	}
	return nil
}

// counts are how often each thing became true.
type counts map[What]int
