package agent

import (
	"errors"
	"strings"

	"reversald/agent/payment"
	"reversald/iso"
	"reversald/store"
)

// Frame is a message of a payment, masked. The journal keeps no frames, because they hold card
// data: it is built again from what is on file, the way it was built when it left. A request is
// rebuilt as far as its fields are kept, and nothing of a MAC is.
type Frame struct {
	Seq     uint64       `json:"seq"` // the entry that says it may have left
	What    string       `json:"what"`
	MTI     string       `json:"mti,omitempty"`
	Hex     string       `json:"hex,omitempty"` // a star for every half byte of card data
	Fields  []FrameField `json:"fields,omitempty"`
	Problem string       `json:"problem,omitempty"` // why it can not be built
}

// FrameField is one field of it.
type FrameField struct {
	Field int    `json:"field"` // 0 message type, -1 header
	Name  string `json:"name"`
	Value string `json:"value"` // masked
}

// What a frame is.
const (
	FrameRequest  = "request, the fields on file"
	FrameReversal = "reversal, rebuilt from file"
)

// framesMax bounds what is built for one payment: a reversal that nobody answered for a year was
// sent twenty thousand times.
const framesMax = 100

// Frames are the messages of one payment that may have left, masked, oldest first: at most
// [framesMax], the first of them and the newest.
func (a *Agent) Frames(id uint64) ([]Frame, error) {
	entries, err := a.storyEntries(id)
	if err != nil {
		return nil, err
	}
	return a.frames(entries), nil
}

func (a *Agent) frames(entries []store.Entry) []Frame {
	var out []Frame
	p := &remade{}
	for _, e := range entries {
		r, data, err := record(e)
		if err != nil {
			continue // a damaged entry is shown elsewhere
		}
		switch r.Kind {
		case payment.RecordAsked:
			if err := a.remake(p, e, data); err != nil {
				out = append(out, Frame{Seq: e.Seq, What: FrameRequest, Problem: err.Error()})
				break
			}
			out = append(out, a.rebuilt(e, FrameRequest, p, func(o iso.Original) ([]byte, error) {
				return a.profile.Question(o)
			}))
		case payment.RecordApproved:
			p.kept = data.Kept
		case payment.RecordReversalSent:
			at := iso.Attempt{
				N: r.Attempt, Reason: isoReason(p.state.Reason), STAN: data.STAN, Time: e.Wall,
				Refused: p.state.Answered,
			}
			out = append(out, a.rebuilt(e, FrameReversal, p, func(o iso.Original) ([]byte, error) {
				return a.profile.Reversal(o, p.kept, at)
			}))
		case payment.RecordUnsent, payment.RecordDeclined, payment.RecordConfirmed,
			payment.RecordDoubted, payment.RecordReversalUnsent, payment.RecordReversalAnswered,
			payment.RecordReversed, payment.RecordStuck, payment.RecordReplayed,
			payment.RecordResolved, payment.RecordLateAnswer, payment.RecordStray,
			payment.RecordHeld, payment.RecordReleased, payment.RecordCommand:
		}
		p.state = payment.Apply(p.state, r)
		if len(out) > framesMax {
			out = append(out[:framesMax/2], out[framesMax/2+1:]...)
		}
	}
	return out
}

// remade is a payment as far as its messages need it, without its card.
type remade struct {
	state    payment.State
	original iso.Original
	kept     *iso.Kept
	masked   string // the card's number, 6 and 4
	expires  bool   // an expiry is on file
}

// Reasons a message can not be built again.
var (
	errOtherProfile = errors.New("it was sent under another profile than is in force")
	errNothingKept  = errors.New("its fields are not on file")
)

// remake takes what the entry of a request says.
func (a *Agent) remake(p *remade, e store.Entry, data payload) error {
	if data.Profile != "" && data.Profile != a.profile.Name() {
		return errOtherProfile
	}
	if data.Original == nil {
		return errNothingKept
	}
	p.original = *data.Original
	if len(e.Sealed) == 0 {
		return nil
	}
	secret, err := a.journal.Unseal(e)
	if err != nil {
		return err
	}
	card, err := iso.ParseCard(secret)
	p.masked, p.expires = card.PAN.Masked(), card.Expiry != ""
	return err
}

// standIn is a card that has the masked digits of the real one, and one digit for all others.
func (p *remade) standIn(digit string) iso.Card {
	card := iso.Card{PAN: iso.PAN(strings.ReplaceAll(p.masked, "*", digit))}
	if p.expires {
		card.Expiry = strings.Repeat(digit, 4)
	}
	return card
}

// rebuilt builds a message twice, with two stand-ins for the card that have its masked digits in
// common. Half bytes in which the two differ hold card data.
func (a *Agent) rebuilt(
	e store.Entry, what string, p *remade, build func(iso.Original) ([]byte, error),
) Frame {
	f := Frame{Seq: e.Seq, What: what}
	if p.original.Fields == nil {
		f.Problem = errNothingKept.Error()
		return f
	}
	one, two := p.original, p.original
	one.Card, two.Card = p.standIn("0"), p.standIn("1")
	body, err := build(one)
	var other []byte
	if err == nil {
		other, err = build(two)
	}
	if err != nil {
		f.Problem = err.Error()
		return f
	}
	f.Hex = maskedHex(body, other)
	for _, l := range a.profile.Describe(body) {
		if l.Field == 0 {
			f.MTI, _, _ = strings.Cut(l.Value, " ")
		}
		if l.Value != "" {
			f.Fields = append(f.Fields, FrameField{Field: l.Field, Name: l.Name, Value: l.Value})
		}
	}
	return f
}

// maskedHex shows the half bytes that two messages of the same build have in common.
func maskedHex(one, two []byte) string {
	if len(one) != len(two) {
		return ""
	}
	const digits = "0123456789abcdef"
	var b strings.Builder
	b.Grow(2 * len(one))
	for i := range one {
		for _, shift := range []int{4, 0} {
			x, y := one[i]>>shift&15, two[i]>>shift&15
			if x == y {
				b.WriteByte(digits[x])
			} else {
				b.WriteByte('*')
			}
		}
	}
	return b.String()
}
