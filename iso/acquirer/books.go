package acquirer

import (
	"fmt"
	"io"
	"maps"
	"sort"
	"strings"
	"time"
)

// Books is what the ledger holds, in the order it came.
type Books struct {
	Entries  []Entry          `json:"entries"`
	Totals   Totals           `json:"totals"`
	Balances map[string]Money `json:"balances"` // by currency code; "" where none was sent
}

// Money is one currency's balance in minor units.
type Money struct {
	Debited  int64 `json:"debited_minor"`  // taken from cards right now, holds included
	Held     int64 `json:"held_minor"`     // of which only held (01xx)
	Credited int64 `json:"credited_minor"` // refunded
	Reversed int64 `json:"reversed_minor"` // was booked, and is undone
	Net      int64 `json:"net_minor"`      // owed to the terminals, from their accounts
}

// Totals count entries by state and messages by what they did.
type Totals struct {
	Debited   int `json:"debited"`
	Credited  int `json:"credited"`
	Answered  int `json:"answered"`
	Reversed  int `json:"reversed"`
	Declined  int `json:"declined"`
	NeverSeen int `json:"never_seen"`
	Doubles   int `json:"doubles"`    // requests that came again
	TooLate   int `json:"too_late"`   // requests that came after their reversal
	Conflicts int `json:"conflicts"`  // other payment under a used key
	Reversals int `json:"reversals"`  // reversal messages, repeats included
	Mismatch  int `json:"mismatches"` // reversals with another amount
}

// Filter chooses entries; the zero value chooses all.
type Filter struct {
	Terminal string `json:"tid,omitempty"`
	STAN     string `json:"stan,omitempty"`
	State    State  `json:"state,omitempty"`
}

func (f Filter) fits(e *Entry) bool {
	return (f.Terminal == "" || f.Terminal == e.Terminal) &&
		(f.STAN == "" || f.STAN == e.STAN) && (f.State == "" || f.State == e.State)
}

func (c *counts) add(f Fact) {
	if *c == nil {
		*c = make(counts)
	}
	(*c)[f.What]++
}

// Books lists the entries that fit and adds up all of them, after an audit.
func (l *Ledger) Books(filter Filter) (Books, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.audit(); err != nil {
		return Books{}, err
	}
	b := Books{Entries: []Entry{}, Balances: make(map[string]Money)}
	for _, id := range l.order {
		e := l.entries[id]
		b.count(e)
		if filter.fits(e) {
			b.Entries = append(b.Entries, e.copy())
		}
	}
	if err := b.net(l.money); err != nil {
		return Books{}, err
	}
	b.Totals.Doubles = l.counts[WhatDoubled]
	b.Totals.TooLate = l.counts[WhatTooLate]
	b.Totals.Conflicts = l.counts[WhatConflict]
	b.Totals.Mismatch = l.counts[WhatMismatch]
	return b, nil
}

func (e *Entry) copy() Entry {
	c := *e
	c.MTIs = maps.Clone(e.MTIs)
	return c
}

// WriteTo prints the books as a table for people.
func (b *Books) WriteTo(w io.Writer) (int64, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "%-8s %-6s %-4s %12s %-3s %-10s %-4s %-19s %-19s %s\n", "terminal", "stan",
		"mti", "amount", "cur", "state", "code", "booked (UTC)", "reversed (UTC)", "reversals")
	for i := range b.Entries {
		e := &b.Entries[i]
		reversed := "-"
		if e.ReversedAt != nil {
			reversed = e.ReversedAt.Format(time.DateTime)
		}
		line := fmt.Sprintf("%-8s %-6s %-4s %12s %-3s %-10s %-4s %-19s %-19s %s", e.Terminal,
			e.STAN, e.MTI, FormatMinor(e.Amount), e.Currency, e.State, e.Code,
			e.At.Format(time.DateTime), reversed, e.reversalWords())
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	t := b.Totals
	fmt.Fprintf(&out, "\n%d debited, %d reversed, %d declined, %d never seen, %d credited, "+
		"%d answered\n", t.Debited, t.Reversed, t.Declined, t.NeverSeen, t.Credited, t.Answered)
	fmt.Fprintf(&out, "%d doubles, %d too late, %d conflicts, %d reversal messages, "+
		"%d with another amount\n", t.Doubles, t.TooLate, t.Conflicts, t.Reversals, t.Mismatch)
	currencies := make([]string, 0, len(b.Balances))
	for c := range b.Balances {
		currencies = append(currencies, c)
	}
	sort.Strings(currencies)
	for _, c := range currencies {
		m := b.Balances[c]
		fmt.Fprintf(&out, "currency %s: %s debited (%s held), %s reversed, %s credited, "+
			"%s net\n", orDash(c), FormatMinor(m.Debited), FormatMinor(m.Held),
			FormatMinor(m.Reversed), FormatMinor(m.Credited), FormatMinor(m.Net))
	}
	n, err := io.WriteString(w, out.String())
	return int64(n), err
}

func (b *Books) count(e *Entry) {
	m := b.Balances[e.Currency]
	switch e.State {
	case StateDebited:
		b.Totals.Debited++
		m.Debited += e.Amount
		if e.kind == kindHold {
			m.Held += e.Amount
		}
	case StateCredited:
		b.Totals.Credited++
		m.Credited += e.Amount
	case StateAnswered:
		b.Totals.Answered++
	case StateReversed:
		b.Totals.Reversed++
		m.Reversed += e.Amount
	case StateDeclined:
		b.Totals.Declined++
	case StateNeverSeen:
		b.Totals.NeverSeen++
	}
	b.Totals.Reversals += e.Reversals
	b.Balances[e.Currency] = m
}

// net takes what the terminals are owed from their accounts, which must be what the entries say.
func (b *Books) net(m *money) error {
	for p, owed := range m.terminals {
		balance := b.Balances[p.currency]
		balance.Net += owed
		b.Balances[p.currency] = balance
	}
	for _, balance := range b.Balances {
		if balance.Net != balance.Debited-balance.Credited {
			return fmt.Errorf("%w: terminals are owed %d, entries debit %d and credit %d",
				ErrUnbalanced, balance.Net, balance.Debited, balance.Credited)
		}
	}
	return nil
}

// reversalWords says how many reversals came, by MTI, and what the newest was told.
func (e *Entry) reversalWords() string {
	if e.Reversals == 0 {
		return e.Note
	}
	mtis := make([]string, 0, len(e.MTIs))
	for mti := range e.MTIs {
		mtis = append(mtis, mti)
	}
	sort.Strings(mtis)
	for i, mti := range mtis {
		mtis[i] = fmt.Sprintf("%s x%d", mti, e.MTIs[mti])
	}
	words := fmt.Sprintf("%s (%s)", strings.Join(mtis, " "), e.LastCode)
	if e.Note != "" {
		words += "; " + e.Note
	}
	return words
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// FormatMinor writes an amount with two decimals, as the till of this package reads it.
func FormatMinor(amount int64) string {
	sign := ""
	if amount < 0 {
		sign, amount = "-", -amount
	}
	return fmt.Sprintf("%s%d.%02d", sign, amount/100, amount%100)
}
