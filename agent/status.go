package agent

import (
	"context"
	"maps"
	"time"

	"reversald/agent/payment"
	"reversald/agent/reversal"
	"reversald/iso"
)

// Status is what somebody who looks at the agent sees: a copy, taken by Run between two rounds.
type Status struct {
	Profile   string    `json:"profile"`
	Started   string    `json:"started"` // wall time, RFC 3339
	Link      string    `json:"link"`    // down, dialling, signing on, up, draining
	Host      string    `json:"host,omitempty"`
	LinkSince time.Time `json:"link_since"`
	LinkNote  string    `json:"link_note,omitempty"` // why it is down
	Open      int       `json:"open"`                // payments not closed
	Owed      int       `json:"owed"`                // reversals the agent is sending
	Overdue   int       `json:"overdue"`             // of those, older than the limit
	Held      int       `json:"held"`                // of those, stopped by a person
	// HeardAgo is how long ago the host was last heard; nil: not since the start.
	HeardAgo *Countdown `json:"heard_ago,omitempty"`
	Stuck    int        `json:"stuck"`             // payments that need a person
	Waiting  int        `json:"waiting"`           // payments that may not go out yet
	Entries  uint64     `json:"entries"`           // in the journal
	Checked  int        `json:"checked"`           // of those, by the check in the background
	Faults   int        `json:"faults"`            // that it found
	Damaged  int        `json:"damaged"`           // open payments damaged in both files
	Rebuilt  string     `json:"rebuilt,omitempty"` // why the start made a new journal
	Size     int64      `json:"size"`              // of the journal, in bytes
	SizeMax  int64      `json:"size_max"`
	// EvidenceKey is the public key that signs evidence, hexadecimal.
	EvidenceKey string `json:"evidence_key"`
	Counts      Counts `json:"counts"`
	// Printer is how the slip printer does; nil where there is none.
	Printer *Printing `json:"printer,omitempty"`
	Watched
}

// Printing is how a slip printer does.
type Printing struct {
	Printed uint64 `json:"printed"`           // slips it has taken
	Lost    uint64 `json:"lost"`              // slips that nobody gets
	Waiting int    `json:"waiting"`           // slips
	Trouble string `json:"trouble,omitempty"` // why they wait
}

// Payment is one payment as it is seen from outside. It holds no card data but the masked number.
type Payment struct {
	ID       uint64     `json:"id"`
	Phase    string     `json:"phase"`
	App      string     `json:"app,omitempty"`             // who asked
	Key      string     `json:"idempotency_key,omitempty"` // what it calls the payment
	Ref      string     `json:"reference,omitempty"`       // its own word for it
	Terminal string     `json:"terminal"`
	Merchant string     `json:"merchant,omitempty"`
	STAN     string     `json:"stan"`
	RRN      string     `json:"rrn,omitempty"`
	Auth     string     `json:"auth,omitempty"`
	Amount   int64      `json:"amount"`
	Currency string     `json:"currency,omitempty"`
	Card     string     `json:"card,omitempty"` // masked
	Since    time.Time  `json:"since"`
	Host     string     `json:"host,omitempty"`
	Reason   string     `json:"reason,omitempty"` // why a reversal is owed
	Code     string     `json:"code,omitempty"`   // the host's last
	Cause    string     `json:"cause,omitempty"`  // why it is stuck
	Attempts int        `json:"attempts"`         // reversals that may have left
	Overdue  bool       `json:"overdue,omitempty"`
	Held     bool       `json:"held,omitempty"`      // a person has stopped the attempts
	InFlight bool       `json:"in_flight,omitempty"` // an attempt waits for its answer
	Ahead    int        `json:"ahead,omitempty"`     // others of its terminal that go first
	NextIn   *Countdown `json:"next_in,omitempty"`   // until the next attempt, or the answer is due

	Confirms  bool       `json:"confirms,omitempty"`   // its app confirms or cancels it
	ConfirmBy *time.Time `json:"confirm_by,omitempty"` // it is reversed when it is not by then

	// Told once, with the answer, and not kept on file.
	Answer []byte `json:"answer,omitempty"` // the host's message, where the app gave its own
	Chip   string `json:"chip,omitempty"`   // what the card waits for, in hexadecimal
	// Warnings are what the guard rails that warn have found.
	Warnings []Warning `json:"warnings,omitempty"`
	Replayed bool      `json:"replayed,omitempty"` // the key was on file already
}

// Countdown is a time span that reads well: "28s".
type Countdown time.Duration

// MarshalText writes the span in whole seconds.
func (c Countdown) MarshalText() ([]byte, error) {
	return []byte(time.Duration(c).Round(time.Second).String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (c *Countdown) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*c = Countdown(d)
	return err
}

// Status asks the agent how it is.
func (a *Agent) Status(ctx context.Context) (Status, error) {
	answer, err := a.ask(ctx, func(a *Agent) (any, error) { return a.status(), nil })
	if err != nil {
		return Status{}, err
	}
	return answer.(Status), nil
}

// Open lists the open payments, oldest first.
func (a *Agent) Open(ctx context.Context) ([]Payment, error) {
	answer, err := a.ask(ctx, func(a *Agent) (any, error) {
		open := []Payment{}
		for _, p := range a.books.listOpen() {
			if p.state.Phase.Open() {
				open = append(open, a.view(p))
			}
		}
		return open, nil
	})
	if err != nil {
		return nil, err
	}
	return answer.([]Payment), nil
}

// Look is one payment that is in memory; false when it is not.
func (a *Agent) Look(ctx context.Context, id uint64) (Payment, bool, error) {
	answer, err := a.ask(ctx, func(a *Agent) (any, error) {
		if p := a.books.byID[payment.ID(id)]; p != nil {
			return []Payment{a.view(p)}, nil
		}
		return []Payment{}, nil
	})
	if err != nil {
		return Payment{}, false, err
	}
	if found := answer.([]Payment); len(found) > 0 {
		return found[0], true, nil
	}
	return Payment{}, false, nil
}

func (a *Agent) status() Status {
	s := Status{
		Profile: a.profile.Name(), Started: a.begun.Format(time.RFC3339),
		Link: a.line.State().String(), Host: a.host, LinkSince: a.lineSince,
		LinkNote: a.lineNote, Open: len(a.books.open), Owed: a.queue.Len(),
		Waiting: len(a.waiting), Entries: a.journal.Last(), Counts: a.counts,
	}
	facts := a.journal.Facts()
	s.Checked, s.Faults, s.Damaged = facts.Checked, len(facts.Faults), len(facts.Damaged)
	s.Rebuilt, s.Size, s.SizeMax = facts.Rebuilt, facts.Size, facts.SizeMax
	s.EvidenceKey = a.evidenceKey
	s.Counts.Records = maps.Clone(a.counts.Records)
	s.Watched = a.watched()
	if a.printing != nil {
		printing := a.printing()
		s.Printer = &printing
	}
	if a.keeping.heardEver {
		ago := Countdown(a.now() - a.keeping.heardLast)
		s.HeardAgo = &ago
	}
	for _, p := range a.books.open {
		switch {
		case p.state.Phase == payment.Stuck:
			s.Stuck++
		case p.state.Held:
			s.Held++
		}
		if p.state.Phase == payment.Doubted && a.overdue(p) {
			s.Overdue++
		}
	}
	return s
}

// overdue: a reversal that has been owed for longer than anybody expects. The wall clock may be
// wrong, so a payment from the future is not overdue, only odd.
func (a *Agent) overdue(p *held) bool {
	return a.clock.Wall().Sub(p.since) > a.limits.OverdueAfter
}

func (a *Agent) view(p *held) Payment {
	v := onFile(p)
	if p.state.Phase == payment.Doubted {
		v.Overdue = a.overdue(p)
		a.viewTurn(&v)
	}
	if v.Confirms && p.state.Phase == payment.Approved && p.deadline != 0 {
		by := a.clock.Wall().Add(p.deadline - a.now()).Truncate(time.Second)
		v.ConfirmBy = &by
	}
	return v
}

// onFile is the view of a payment as far as the journal knows it. It may be called by anybody.
func onFile(p *held) Payment {
	v := Payment{
		ID: uint64(p.id), Phase: p.state.Phase.String(), Terminal: p.terminal, STAN: p.stan,
		App: p.appName, Key: p.idem, Ref: p.reference,
		Merchant: iso.ValuesOf(p.original).Merchant,
		Confirms: p.state.ConfirmBy == payment.ByApp,
		Amount:   p.amount, Currency: p.currency, Since: p.since, Host: p.host,
		Code: p.state.Code, Cause: p.state.Cause, Attempts: p.state.Attempts,
	}
	if !p.original.Card.Zero() {
		v.Card = p.original.Card.PAN.Masked()
	}
	if p.kept != nil {
		v.RRN, v.Auth = p.kept.RRN, p.kept.Auth
	}
	if p.state.Reason != 0 {
		v.Reason = p.state.Reason.String()
	}
	v.Held = p.state.Held
	return v
}

// viewTurn is when something happens to an owed reversal, and what it waits for. While the line is
// down, or a person has stopped it, nobody knows when.
func (a *Agent) viewTurn(v *Payment) {
	ahead := 0
	for _, it := range a.queue.Items() {
		switch {
		case it.ID == v.ID:
			v.InFlight = it.InFlight
			if a.host != "" && (it.InFlight || !it.Held) {
				left := Countdown(max(0, nextOf(it)-a.now()))
				v.NextIn = &left
			}
		case it.Terminal != v.Terminal:
		case it.InFlight, it.ID < v.ID && !it.Held && it.Due <= a.now():
			ahead++
		}
	}
	if !v.InFlight {
		v.Ahead = ahead
	}
}

func nextOf(it reversal.Item) instant {
	if it.InFlight {
		return it.AnswerBy
	}
	return it.Due
}
