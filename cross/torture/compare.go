package main

import (
	"fmt"
	"slices"
	"strings"
)

// sale names one sale: a terminal and its trace number.
type sale struct{ terminal, stan string }

func (s sale) String() string { return s.terminal + " " + s.stan }

// told is what a till was told of one sale, a line of `acquirerd tills`.
type told struct {
	TID     string `json:"tid"`
	STAN    string `json:"stan"`
	Amount  int64  `json:"amount_minor"`
	Outcome string `json:"outcome"`
	Code    string `json:"code"`
	Why     string `json:"why"`

	near bool // it was told within moments of a kill
}

// booked is one entry of the host's books.
type booked struct {
	Terminal string `json:"terminal"`
	STAN     string `json:"stan"`
	State    string `json:"state"`
	Kind     string `json:"kind"`
	Amount   int64  `json:"amount_minor"`
	Requests int    `json:"requests"`
}

// filed is one entry of the journal, a line of `reversald tail --json`.
type filed struct {
	ID       uint64 `json:"id"`
	Kind     string `json:"kind"`
	Terminal string `json:"terminal"`
	STAN     string `json:"stan"`
	Reason   string `json:"reason"`
}

// tally is what a comparison comes to.
type tally struct {
	sales, approved, declined, unknown int
	debits, reversed                   int
	// window counts sales approved to the till of which the journal has no confirmation, because
	// the process ended between writing the answer and noting it: reversed, as it says in the
	// README, and the only ones of which nobody can know.
	window int
	stops  int // daemons that stopped by themselves, because they met damage
	gaps   int // stories of closed payments of which damage has taken the end
	faults []string
}

// lenience is what is known of a journal that does not tell every story.
type lenience struct {
	forgets bool // closed payments are gone, from the oldest on
	damaged bool // entries of closed payments are gone, and the journal says so
}

func (t *tally) fault(format string, args ...any) {
	t.faults = append(t.faults, fmt.Sprintf(format, args...))
}

func (t *tally) add(o tally) {
	t.sales += o.sales
	t.approved += o.approved
	t.declined += o.declined
	t.unknown += o.unknown
	t.debits += o.debits
	t.reversed += o.reversed
	t.window += o.window
	t.gaps += o.gaps
	t.stops += o.stops
	t.faults = append(t.faults, o.faults...)
}

// story is what is on file of a sale.
type story struct {
	kinds   []string
	reasons []string
}

func (s *story) has(kind string) bool { return slices.Contains(s.kinds, kind) }

// inWindow holds for an approval of which nobody can know whether the app saw it.
func (s *story) inWindow() bool {
	return s.has("approved") && s.has("doubted") && !s.has("confirmed") &&
		slices.Contains(s.reasons, "power cut")
}

// cutShort holds for a story without an end, though everything is settled.
func (s *story) cutShort() bool {
	return !s.has("confirmed") && !s.has("reversed") && !s.has("declined") && !s.has("unsent")
}

func (s *story) String() string { return strings.Join(s.kinds, " > ") }

func storiesOf(lines []filed) map[sale]*story {
	names := map[uint64]sale{}
	stories := map[sale]*story{}
	for _, l := range lines {
		if l.Kind == "asked" {
			names[l.ID] = sale{l.Terminal, l.STAN}
		}
		name, known := names[l.ID]
		if !known {
			continue // its beginning was forgotten
		}
		s := stories[name]
		if s == nil {
			s = &story{}
			stories[name] = s
		}
		s.kinds = append(s.kinds, l.Kind)
		s.reasons = append(s.reasons, l.Reason)
	}
	return stories
}

// unfinished says whether a story has no end yet.
func unfinished(lines []filed) bool {
	for _, s := range storiesOf(lines) {
		if !s.has("confirmed") && !s.has("reversed") && !s.has("declined") && !s.has("unsent") {
			return true
		}
	}
	return false
}

// compare holds the three against each other: a receipt if and only if money moved, nothing sent
// twice, and what is on file agrees with both. Everything is settled when it is called.
func compare(tolds []told, books []booked, lines []filed, l lenience) tally {
	var t tally
	host := map[sale]booked{}
	for _, b := range books {
		name := sale{b.Terminal, b.STAN}
		if _, twice := host[name]; twice {
			t.fault("%s: two entries in the books", name)
		}
		host[name] = b
		if b.Requests > 1 {
			t.fault("%s: sent %d times", name, b.Requests)
		}
		switch b.State {
		case "debited":
			t.debits++
		case "reversed":
			t.reversed++
		}
	}
	stories := storiesOf(lines)
	receipts := map[sale]bool{}
	for _, s := range tolds {
		name := sale{s.TID, s.STAN}
		t.sales++
		b := host[name]
		switch s.Outcome {
		case "approved":
			t.approved++
			receipts[name] = true
			t.receipt(name, s, b, stories[name], l)
		case "declined":
			t.declined++
		default:
			t.unknown++
		}
	}
	for name, b := range host {
		if b.State == "debited" && !receipts[name] {
			t.fault("%s: ORPHAN DEBIT of %d; on file: %s", name, b.Amount, stories[name])
		}
	}
	for name, s := range stories {
		t.file(name, s, host[name], l)
	}
	return t
}

// receipt looks at a sale whose till was told yes.
func (t *tally) receipt(name sale, s told, b booked, on *story, l lenience) {
	switch {
	case b.State == "debited" && b.Amount == s.Amount:
	case on != nil && on.inWindow():
		t.window++
	case on == nil && s.near && (l.forgets || l.damaged):
		t.window++ // its story was forgotten since
	case on != nil && on.cutShort() && s.near && l.damaged:
		t.window++ // damage has taken the end of its story
	case on == nil:
		t.fault("%s: LOST APPROVAL, the host has it as %q, nothing on file", name, b.State)
	default:
		t.fault("%s: LOST APPROVAL, the host has it as %q; on file: %s", name, b.State, on)
	}
}

// file looks at what the journal says of a sale.
func (t *tally) file(name sale, on *story, b booked, l lenience) {
	debited := b.State == "debited"
	switch {
	case on.has("resolved"), on.has("stuck"):
		t.fault("%s: needs a person; on file: %s", name, on)
	case on.has("confirmed") && !debited:
		t.fault("%s: on file as confirmed, the host has it as %q: %s", name, b.State, on)
	case (on.has("reversed") || on.has("declined") || on.has("unsent")) && debited:
		t.fault("%s: on file as undone, the host has it as %q: %s", name, b.State, on)
	case l.damaged && !on.has("reversed") && !on.has("confirmed"):
		t.gaps++
	case !on.has("confirmed") && !on.has("reversed") && !on.has("declined") && !on.has("unsent"):
		t.fault("%s: left open; on file: %s", name, on)
	}
}

// String is the line of the report.
func (t *tally) String() string {
	return fmt.Sprintf("%d sales: %d approved, %d declined, %d unknown; host: %d debits, "+
		"%d reversed; what does not balance %d; told in the window %d; closed stories without "+
		"their end, after damage, %d; stopped by damage %d", t.sales, t.approved, t.declined,
		t.unknown, t.debits, t.reversed, len(t.faults), t.window, t.gaps, t.stops)
}
