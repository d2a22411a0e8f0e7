package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"reversald/agent/payment"
	"reversald/iso"
	"reversald/store"
)

// payload is the clear part of a journal entry, as JSON (store/FORMAT.md lists the keys). It holds
// no card data by construction: an iso.Original marshals without its card, and nothing else here
// comes from a message that could carry one.
type payload struct {
	// asked
	Confirm  string        `json:"confirm,omitempty"` // delivery or app
	App      string        `json:"app,omitempty"`
	Host     string        `json:"host,omitempty"`
	Profile  string        `json:"profile,omitempty"`
	Terminal string        `json:"terminal,omitempty"` // DE41
	STAN     string        `json:"stan,omitempty"`     // DE11
	Key      string        `json:"key,omitempty"`      // what its answer is matched by
	Amount   int64         `json:"amount,omitempty"`   // DE4, in the smallest unit
	Currency string        `json:"currency,omitempty"` // DE49
	Original *iso.Original `json:"original,omitempty"`
	// asked, by an app that confirms
	Idem      string `json:"idempotency_key,omitempty"`
	Reference string `json:"reference,omitempty"`
	// approved
	Kept *iso.Kept `json:"kept,omitempty"`
	// all others
	Reason   string `json:"reason,omitempty"`
	Attempt  int    `json:"attempt,omitempty"`
	MTI      string `json:"mti,omitempty"`
	Code     string `json:"code,omitempty"` // DE39
	RRN      string `json:"rrn,omitempty"`  // DE37
	Approves bool   `json:"approves,omitempty"`
	By       string `json:"by,omitempty"`
	Why      string `json:"why,omitempty"`
	Part     string `json:"part,omitempty"` // stray: which part of its bytes is sealed here
	// command: what was said, and how many more were not written, because there were too many
	What   string `json:"what,omitempty"`
	Missed int    `json:"missed,omitempty"`
	// of any
	Clock string `json:"clock,omitempty"` // "untrusted": the entry's time is not to be believed
}

// draft turns a record of a payment into what the journal writes.
func (a *Agent) draft(p *held, r payment.Record) (store.Draft, error) {
	d := store.Draft{
		Key:  uint64(p.id),
		Kind: uint8(r.Kind),
		Mark: store.MarkClose,
		// What is on file is owed its end, even where a new payment finds no room.
		Again: r.Kind != payment.RecordAsked,
		Wall:  a.clock.Wall(),
		Mono:  a.clock.SinceBoot(),
	}
	if p.state.Phase.Open() {
		d.Mark = store.MarkOpen
	}
	data := payload{
		Attempt: r.Attempt, Code: r.Code, Approves: r.Approves, By: r.By, Why: r.Why,
		Clock: a.clockMark(),
	}
	if r.Reason != 0 {
		data.Reason = r.Reason.String()
	}
	switch r.Kind {
	case payment.RecordAsked:
		data.Confirm, data.App, data.Host = r.ConfirmBy.String(), p.appName, p.host
		data.Profile, data.Terminal, data.STAN = a.profile.Name(), p.terminal, p.stan
		data.Key, data.Amount, data.Currency = p.key, p.amount, p.currency
		data.MTI, data.Original = p.original.MTI, &p.original
		data.Idem, data.Reference = p.idem, p.reference
		d.Secret = sealed(p)
	case payment.RecordApproved:
		data.Kept = p.kept
	case payment.RecordReversalSent:
		p.reversalSTAN = a.reversalSTANFor(p, r.Attempt)
		data.Host, data.STAN = p.host, p.reversalSTAN
	case payment.RecordUnsent, payment.RecordDeclined, payment.RecordConfirmed,
		payment.RecordDoubted, payment.RecordReversalUnsent, payment.RecordReversalAnswered,
		payment.RecordReversed, payment.RecordStuck, payment.RecordReplayed,
		payment.RecordResolved, payment.RecordLateAnswer, payment.RecordStray,
		payment.RecordHeld, payment.RecordReleased, payment.RecordCommand:
	}
	var err error
	d.Payload, err = json.Marshal(data)
	return d, err
}

// sealed is what of a payment is on file only under seal: its card, and behind a line feed the
// digest of what was asked for, where its app gave a key. In the clear the digest would give the
// card number away to whoever tries them all.
func sealed(p *held) []byte {
	secret := p.original.Card.Seal()
	if p.idem != "" {
		secret = append(append(secret, '\n'), p.digest[:]...)
	}
	return secret
}

// unseal reads what sealed wrote.
func unseal(secret []byte) (card iso.Card, digest [sha256.Size]byte, err error) {
	text, sum, _ := bytes.Cut(secret, []byte{'\n'})
	copy(digest[:], sum)
	card, err = iso.ParseCard(text)
	return card, digest, err
}

// strays are the drafts of an answer that belongs to no payment on file, or that could not be read
// or believed. Its bytes go along, sealed, in as many entries as they take.
func (a *Agent) strays(g iso.Glance, body []byte, why string) ([]store.Draft, error) {
	data := payload{
		MTI: g.MTI, Terminal: g.Terminal, STAN: g.STAN, Code: g.Code, RRN: g.RRN, Why: why,
		Clock: a.clockMark(),
	}
	chunks := slices.Collect(slices.Chunk(body, store.SecretBytesMax))
	if len(chunks) == 0 {
		chunks = [][]byte{nil}
	}
	var drafts []store.Draft
	for i, chunk := range chunks {
		if len(chunks) > 1 {
			data.Part = fmt.Sprintf("%d/%d", i+1, len(chunks))
		}
		text, err := json.Marshal(data)
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, store.Draft{
			Kind: uint8(payment.RecordStray), Mark: store.MarkKeep,
			Wall: a.clock.Wall(), Mono: a.clock.SinceBoot(), Payload: text, Secret: chunk,
		})
	}
	return drafts, nil
}

// record turns a journal entry back into the record it was made from.
func record(e store.Entry) (payment.Record, payload, error) {
	var data payload
	if err := json.Unmarshal(e.Payload, &data); err != nil {
		return payment.Record{}, data, fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	r := payment.Record{
		Kind: payment.Kind(e.Kind), Attempt: data.Attempt, Code: data.Code,
		Approves: data.Approves, By: data.By, Why: data.Why,
	}
	if r.Kind == payment.RecordAsked {
		r.ConfirmBy = payment.ByDelivery
		if data.Confirm == payment.ByApp.String() {
			r.ConfirmBy = payment.ByApp
		}
	}
	for _, reason := range payment.Reasons() {
		if data.Reason == reason.String() {
			r.Reason = reason
		}
	}
	return r, data, nil
}

// Line is one journal entry for people and programs: what tail, show and the API print. Its JSON
// keys are stable. It holds no card data but the masked number.
type Line struct {
	Seq     uint64        `json:"seq"`
	ID      uint64        `json:"id,omitempty"` // the payment; 0 for what belongs to none
	Time    time.Time     `json:"time"`
	Uptime  time.Duration `json:"uptime_ns"`
	Boot    string        `json:"boot"`
	Kind    string        `json:"kind"`
	Card    string        `json:"card,omitempty"` // masked 6+4
	Chain   string        `json:"chain"`
	payload               // inlined
}

// line turns an entry into what people read; card is the masked number, where known.
func line(e store.Entry, card string) (Line, error) {
	_, data, err := record(e)
	if data.Original != nil {
		data.Original = nil // the fields are for rebuilding a reversal, not for reading
	}
	return Line{
		Seq: e.Seq, ID: e.Key, Time: e.Wall, Uptime: e.Mono, Boot: hex.EncodeToString(e.Boot[:4]),
		Kind: payment.Kind(e.Kind).String(), Card: card, Chain: hex.EncodeToString(e.Chain[:8]),
		payload: data,
	}, err
}
